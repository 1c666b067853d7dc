"""A strategy with its account, stepped over market events: the backtest's inside and the live session's."""

import inspect
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..domain.errors import StrategyError
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
    """``interpreted`` runs the strategy as ordinary Python; the fills are the same. ``compiler`` finds its machine code."""

    strategy: Strategy
    desk: Desk
    interpreted: bool = False
    compile_seconds: float = 0.0
    compiler: Callable[[Strategy], CompiledStrategy] = compile_strategy

    def __post_init__(self) -> None:
        bind(self.strategy, self.desk.instruments[0])
        started = time.perf_counter()
        self.code: CompiledStrategy | InterpretedStrategy
        self.code = InterpretedStrategy(self.strategy) if self.interpreted else self.compiler(self.strategy)
        self.compile_seconds = time.perf_counter() - started
        self.block = self.code.state_of(self.strategy)
        self.tells_fills = "on_fill" in self.strategy.handlers()

    @property
    def mode(self) -> str:
        return "interpreted" if self.interpreted else "compiled"

    def step(self, tape: Tape, start: int, stop: int, curve: Any = _NO_CURVE) -> int:
        """Handles events from ``start`` on until ``stop``, or until the logs must be drained; where it got to."""
        try:
            reached = int(self.code.drive(self.desk.records, self.block, curve, *tape.columns(), start, stop))
        except Exception as error:  # an author's code may raise anything
            raise StrategyError(self._failure(error)) from error
        if not self.tells_fills:
            self.desk.account["told"] = self.desk.account["executions"]
        return reached

    def _failure(self, error: Exception) -> str:
        """The strategy's own exception, told by event and, where it is known, by line."""
        at = datetime.fromtimestamp(int(self.desk.account["now_ns"]) / 1e9, UTC).isoformat()
        file = inspect.getsourcefile(type(self.strategy))
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        where = f"{file}:{lines[-1]}" if lines else f"{file} (--interpreted tells the line)"
        return f"strategy {self.strategy.name} failed at {at}: {type(error).__name__}: {error}; {where}"


def acts_on(strategy: type[Strategy]) -> set[str]:
    """Which kinds of files the strategy has a handler for: ``bars``, ``trades``."""
    return {kind for kind, handler in (("bars", "on_bar"), ("trades", "on_trade")) if handler in strategy.handlers()}


def symbols(instruments: tuple[Instrument, ...]) -> dict[str, int]:
    """The account's number of each symbol."""
    return {instrument.symbol: number for number, instrument in enumerate(instruments)}
