"""A watched strategy does what it would do unwatched, and each request is written down with the line that made it."""

from pathlib import Path

import pytest

from tests.engine.result_hashes import BARS, TRADES, specs, tape_of
from traider.engine.backtest import run_backtest
from traider.engine.lookahead.traces import Request
from traider.engine.lookahead.watch import QUESTIONS, Log, watched
from traider.kernel.context import METHODS
from traider.kernel.events import Bar
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param

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
    assert set(METHODS) >= QUESTIONS
    assert {name for name in METHODS if name.startswith(("buy", "sell", "target", "cancel"))}.isdisjoint(QUESTIONS)
