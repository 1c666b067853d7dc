"""A strategy with its account, stepped over market events: the backtest's inside and the live session's."""

import inspect
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..domain.errors import StrategyError, TraiderError
from ..domain.instruments import Instrument
from ..domain.vocabulary import EventKind
from ..kernel import layout
from ..kernel.compiler import CompiledStrategy, compile_strategy
from ..kernel.desk import Desk
from ..kernel.interpreter import InterpretedStrategy
from ..kernel.kit import Strategy, bind
from ..kernel.loop import Shape
from .tape import Tape

_NO_CURVE = np.zeros(0, layout.CURVE)


@dataclass
class Session:
    """``interpreted`` runs the strategy as ordinary Python; the fills are the same. ``compiler`` finds its machine code."""

    strategy: Strategy
    desk: Desk
    interpreted: bool = False
    compile_seconds: float = 0.0
    compiler: Callable[[Strategy, Shape], CompiledStrategy] = compile_strategy

    def __post_init__(self) -> None:
        bind(self.strategy, self.desk.instruments[0])
        self._code: dict[Shape, CompiledStrategy | InterpretedStrategy] = {}
        started = time.perf_counter()
        self._interpreter = InterpretedStrategy(self.strategy) if self.interpreted else None
        self.compile_seconds += time.perf_counter() - started
        self._block: np.ndarray[Any, np.dtype[np.uint8]] | None = None
        self.tells_fills = "on_fill" in self.strategy.handlers()

    def prepare(self, shape: Shape) -> CompiledStrategy | InterpretedStrategy:
        """The strategy's code for streams of this shape; compiled where it is needed for the first time."""
        if shape not in self._code:
            started = time.perf_counter()
            self.desk.expect(shape.kinds)
            self._code[shape] = self._interpreter or self.compiler(self.strategy, shape)
            if self._block is None:
                self._block = self._code[shape].state_of(self.strategy)
            self.compile_seconds += time.perf_counter() - started
        return self._code[shape]

    @property
    def block(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The strategy's compiled state; empty before the first ``prepare``, and where it is interpreted."""
        return np.zeros(0, np.uint8) if self._block is None else self._block

    @property
    def mode(self) -> str:
        return "interpreted" if self.interpreted else "compiled"

    def step(self, tape: Tape, start: int, stop: int, curve: Any = _NO_CURVE) -> int:
        """Handles events from ``start`` on until ``stop``, or until the logs must be drained; where it got to."""
        if tape.instruments > len(self.desk.instruments):  # compiled code does not look
            raise TraiderError(f"the market data hold {tape.instruments} instruments, and the account {len(self.desk.instruments)}")
        code = self.prepare(tape.shape)
        try:
            reached = int(code.drive(self.desk.records, self._block, curve, *tape.columns(), start, stop))
        except Exception as error:  # an author's code may raise anything
            raise StrategyError(self._failure(error)) from error
        self.desk.refuse_full_book()
        if not self.tells_fills:
            self.desk.account["told"] = self.desk.account["executions"]
        return reached

    def prepare_timers(self, shape: Shape) -> None:
        """Has ``fire`` ready for streams of this shape."""
        self.prepare(shape).prepare_timers(self.desk.records, self._block)

    def fire(self, shape: Shape) -> None:
        """Lets the strategy's timer fire that is due first; what it asks for waits on the desk."""
        code = self.prepare(shape)
        try:
            code.fire(self.desk.records, self._block)
        except Exception as error:  # an author's code may raise anything
            raise StrategyError(self._failure(error)) from error
        if not self.tells_fills:
            self.desk.account["told"] = self.desk.account["executions"]

    def _failure(self, error: Exception) -> str:
        """The strategy's own exception, told by event and, where it is known, by line."""
        at = datetime.fromtimestamp(int(self.desk.account["now_ns"]) / 1e9, UTC).isoformat()
        file = inspect.getsourcefile(type(self.strategy))
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        where = f"{file}:{lines[-1]}" if lines else f"{file} (--interpreted tells the line)"
        return f"strategy {self.strategy.name} failed at {at}: {type(error).__name__}: {error}; {where}"


_HANDLED = (
    ("bars", "on_bar", EventKind.BAR),
    ("trades", "on_trade", EventKind.TRADE),
    ("quotes", "on_quote", EventKind.QUOTE),
    ("book", "on_book", EventKind.DEPTH),
)


def acts_on(strategy: type[Strategy]) -> dict[str, EventKind]:
    """What the strategy has a handler for: ``bars``, ``trades``, ``quotes``, ``book``, and as which events they come."""
    return {words: kind for words, handler, kind in _HANDLED if handler in strategy.handlers()}


def symbols(instruments: tuple[Instrument, ...]) -> dict[str, int]:
    """The account's number of each symbol."""
    return {instrument.symbol: number for number, instrument in enumerate(instruments)}
