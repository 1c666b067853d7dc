"""A watched strategy does what it would do unwatched, and each request is written down with the line that made it."""

from pathlib import Path

import numpy as np
import pytest

from tests.engine.result_hashes import BARS, BTC, TRADES, specs, tape_of
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.lookahead.traces import Request, Trace
from traider.engine.lookahead.watch import QUESTIONS, Log, watched
from traider.engine.tape import Tape
from traider.kernel.context import METHODS
from traider.kernel.desk import Desk
from traider.kernel.events import Bar, Fill, Quote, Timer, Trade
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.kernel.order_book import Book

TAPES = {path: tape_of(path).head(1_500) for path in (BARS, TRADES)}


@pytest.mark.parametrize("name", sorted(specs()))
def test_watching_changes_no_fill(name: str) -> None:
    spec, path = specs()[name]
    log = Log()
    settings = {**vars(spec), "interpreted": True}
    plain = run_backtest(type(spec)(**settings), TAPES[path])
    seen = run_backtest(type(spec)(**{**settings, "strategy": watched(spec.strategy, log)}), TAPES[path])
    assert seen.fills_sha256 == plain.fills_sha256
    assert seen.refusals == plain.refusals
    assert len(log.trace().held()) == len(TAPES[path])
    assert len(log.trace().times()) > 0


class Asks(Strategy):
    size: float = param(0.5)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if ctx.position() == 0.0 and ctx.pending() == 0.0:
            ctx.buy_limit(self.size, limit_price=round(bar.close))
        elif bar.ts_ns % 7 == 0:
            self.leave(ctx)

    def leave(self, ctx: Context) -> None:
        ctx.target(0.0)


def test_a_request_has_its_arguments_and_its_line() -> None:
    log = Log()
    made: list[float] = []
    spec, _ = specs()["sma_cross"]
    cls = watched(Asks, log, lambda strategy: made.append(strategy.size))  # type: ignore[attr-defined]  # an Asks
    run_backtest(type(spec)(**{**vars(spec), "strategy": cls, "parameters": {"size": 0.25}, "interpreted": True}), TAPES[BARS])
    trace = log.trace()
    assert made == [0.25]
    lines = Path(__file__).read_text().splitlines()
    line = {word: next(number for number, text in enumerate(lines, 1) if f"ctx.{word}(" in text) for word in ("buy_limit", "target")}
    first = trace.requests[int(trace.numbers()[0])]
    assert first == Request("buy_limit", ("0.25", f"limit_price={round(TAPES[BARS].d[0])}"), f"{__file__}:{line['buy_limit']}")
    assert Request("target", ("0.0",), f"{__file__}:{line['target']}") in trace.requests
    assert {request.method for request in trace.requests} == {"buy_limit", "target"}


def test_every_method_that_only_tells_is_known_and_no_other() -> None:
    """Those that tell leave the engine's record as it is; of the others each changes it, or would where its order is open."""
    assert set(METHODS) >= QUESTIONS
    changing = ("buy", "sell", "target", "cancel", "amend", "good_till", "oco", "oto", "protect", "set_timer", "clear_timer", "select")
    assert {name for name in METHODS if not name.startswith(changing)} == QUESTIONS


ASKED: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("position_of", "price_of", "is_open"), (0,)),
    "size_for": (1000.0,),
}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_question_leaves_the_engine_as_it_is(name: str) -> None:
    desk = Desk([BTC], cash=1e6)
    desk.on_market(int(EventKind.TRADE), 0, 1, 100.0, 1.0, 0.0, 0.0, 0.0)
    before = desk.records.tobytes()
    getattr(Context(desk.records), name)(*ASKED.get(name, ()))
    assert desk.records.tobytes() == before


class Reacts(Strategy):
    """Has every handler but that of bars, and asks in each for a size of its own."""

    def setup(self) -> None:
        self.set = False

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        ctx.buy(0.001)

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        ctx.buy(0.002)
        ctx.set_timer(3, ctx.now_ns() + 5)

    def on_book(self, book: Book, ctx: Context) -> None:
        ctx.sell(0.003)

    def on_timer(self, timer: Timer, ctx: Context) -> None:
        ctx.sell(0.004)

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        ctx.cancel(fill.order)


def test_each_handler_is_watched_at_its_own_time() -> None:
    book = int(EventKind.DEPTH)
    events = [
        (10, book | BOOK_CLEAR, 99.0, 1.0, 1.0, 0.0),
        (10, book | BOOK_END, 101.0, 1.0, -1.0, 0.0),
        (20, int(EventKind.QUOTE), 99.0, 1.0, 101.0, 1.0),
        (30, int(EventKind.TRADE), 101.0, 0.5, 1.0, 0.0),
    ]
    ts, kind, a, b, c, d = np.array(events, float).T
    none = np.zeros(len(events))
    tape = Tape(ts.astype(np.int64), kind.astype(np.uint8), none.astype(np.uint16), a, b, c, d, none)
    log = Log()
    run_backtest(BacktestSpec(watched(Reacts, log), {}, BTC, 1e6, interpreted=True), tape)
    trace = log.trace()
    asked = [(ts_ns, trace.requests[number].method, trace.requests[number].arguments[0]) for ts_ns, number in decided(trace)]
    assert [one for one in asked if one[1] != "cancel"] == [
        (10, "sell", "0.003"),
        (20, "buy", "0.002"),
        (20, "set_timer", "3"),
        (25, "sell", "0.004"),
        (30, "buy", "0.001"),
    ]
    assert trace.held().tolist()[0] == 0.0
    assert len(trace.held()) == 3, "one for each of the market's handlers, none for timers and fills"


def decided(trace: Trace) -> list[tuple[int, int]]:
    return list(zip(trace.times().tolist(), trace.numbers().tolist(), strict=True))
