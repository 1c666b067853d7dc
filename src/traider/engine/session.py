"""A strategy with its account, stepped over market events: the backtest's inside and the live session's."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..domain.instruments import Instrument
from ..kernel import layout
from ..kernel.compiler import CompiledStrategy, compile_strategy
from ..kernel.desk import Desk
from ..kernel.interpreter import InterpretedStrategy
from ..kernel.kit import Strategy, bind
from .tape import Tape

_NO_CURVE = np.zeros(0, layout.CURVE)


@dataclass
class Session:
    """``interpreted`` runs the strategy as ordinary Python; the fills are the same."""

    strategy: Strategy
    desk: Desk
    interpreted: bool = False
    compile_seconds: float = 0.0

    def __post_init__(self) -> None:
        bind(self.strategy, self.desk.instruments[0])
        started = time.perf_counter()
        self.code: CompiledStrategy | InterpretedStrategy
        self.code = InterpretedStrategy(self.strategy) if self.interpreted else compile_strategy(self.strategy)
        self.compile_seconds = time.perf_counter() - started
        self.block = self.code.state_of(self.strategy)

    @property
    def mode(self) -> str:
        return "interpreted" if self.interpreted else "compiled"

    def step(self, tape: Tape, start: int, stop: int, curve: Any = _NO_CURVE) -> int:
        """Handles events from ``start`` on until ``stop``, or until the logs must be drained; where it got to."""
        return int(self.code.drive(self.desk.records, self.block, curve, *tape.columns(), start, stop))


def acts_on(strategy: type[Strategy]) -> set[str]:
    """Which kinds of files the strategy has a handler for: ``bars``, ``trades``."""
    return {kind for kind, handler in (("bars", "on_bar"), ("trades", "on_trade")) if handler in strategy.handlers()}


def symbols(instruments: tuple[Instrument, ...]) -> dict[str, int]:
    """The account's number of each symbol."""
    return {instrument.symbol: number for number, instrument in enumerate(instruments)}
