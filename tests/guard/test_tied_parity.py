"""Amendments, orders that hang together and timers through the paper guard: the backtest's fills, and nothing lost by a restart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.guard.support import described
from tests.guard.tied import LockStep, TiedOnBars, TiedOnBook, TiedOnTrades, Timed, TimedOnBook, TimedOnTrades, UnsyncedDisk
from tests.kernel.desks import instrument
from traider.connectors.sim.replay import Replay
from traider.domain.guard_protocol import MarketEvent, RestoreBook
from traider.domain.instruments import Instrument
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.fills import facts_of, fills_from_events, fills_sha256
from traider.engine.stream import whole
from traider.engine.tape import Tape, bars_tape
from traider.guard.recovery import recover
from traider.kernel.kit import Strategy
from traider.kernel.order_book import Book
from traider.research.market import checked_file, together
from traider.storage.market import read_market_file

CASH = 1_000_000.0
FILES = {
    "l2": "l2/binance_usdm_btcusdt_l2_2024-08-08_first.parquet",
    "trades": "trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet",
}
CASES: list[tuple[type[Strategy], tuple[str, ...], int]] = [
    (TiedOnBars, ("bars",), 100),
    (Timed, ("bars",), 50),
    (TiedOnTrades, ("trades",), 50),
    (TimedOnTrades, ("trades",), 10),
    (TiedOnBook, ("l2", "trades"), 20),
    (TimedOnBook, ("l2", "trades"), 10),
]


def market_of(names: tuple[str, ...], data_dir: Path, rows: int) -> tuple[Tape, Instrument]:
    if names == ("bars",):
        file = read_market_file(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet")
        columns = [np.asarray(column)[:rows] for column in file.columns.values()]
        return bars_tape(file.ts_ns[:rows], *columns), instrument(price="0.01", size="0.001", shortable=True)
    return whole(together([checked_file(data_dir / FILES[name]) for name in names])), instrument(price="0.1", size="0.001", shortable=True)


def events_of(tape: Tape) -> list[MarketEvent]:
    return list(Replay(tape, ["BTC-USD"], sha256="").history(0, len(tape)))


@pytest.mark.parametrize(("strategy", "names", "least"), CASES)
def test_the_guard_fills_as_the_backtest_does(
    strategy: type[Strategy], names: tuple[str, ...], least: int, data_dir: Path, tmp_path: Path
) -> None:
    tape, market = market_of(names, data_dir, 1500)
    values: dict[str, Any] = {"quantity": 0.01}
    spec = BacktestSpec(strategy, values, market, CASH)
    result = run_backtest(spec, tape)
    assert len(result.fills) > least
    step = LockStep(tmp_path, strategy(**values), market, kinds=tape.kinds, cash=CASH)
    step.run(events_of(tape))
    fills = step.fills()
    found = fills_from_events(fills, {"BTC-USD": 0})
    pairs = enumerate(zip(facts_of(result.fills).tolist(), facts_of(found).tolist(), strict=False))
    assert next(((number, expected, seen, fills[number]) for number, (expected, seen) in pairs if expected != seen), None) is None
    assert fills_sha256(found) == result.fills_sha256
    assert float(step.session.desk.account["equity"]) == result.final_equity
    assert step.session.desk.account["open_orders"] == step.bench.books.desk.account["open_orders"]


def levels(step: LockStep) -> list[tuple[float, float]]:
    """The guard's order book, both sides from the best level on; nothing where there is none."""
    desk = step.bench.books.desk
    if desk.books is None:
        return []
    book = Book(int(desk.books.ctypes.data))
    bids, asks = range(book.levels(1)), range(book.levels(-1))
    return [(book.bid(i), book.bid_size(i)) for i in bids] + [(book.ask(i), book.ask_size(i)) for i in asks]


def differences(after: dict[str, Any], before: dict[str, Any]) -> list[Any]:
    """What differs, field by field where orders do."""
    rows = [
        (one["id"], name, one[name], two[name])
        for one, two in zip(after.pop("working"), before.pop("working"), strict=False)
        for name in one
        if one[name] != two[name]
    ]
    return [*rows, *((name, after[name], before[name]) for name in before if after[name] != before[name])]


@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize(("strategy", "names", "least"), CASES)
def test_a_guard_that_is_started_again_at_any_time_knows_what_it_knew(
    strategy: type[Strategy], names: tuple[str, ...], least: int, segments: bool, data_dir: Path, tmp_path: Path
) -> None:
    """Whatever it was asked last: what the journal gives is what the guard knows; also where it goes on in another file."""
    tape, market = market_of(names, data_dir, 300)
    step = LockStep(tmp_path, strategy(quantity=0.01), market, kinds=tape.kinds, cash=CASH)
    known = [step.bench.journal.n]
    events = events_of(tape)[: 9000 if "l2" in names else 1000]

    def compare() -> None:
        if step.bench.journal.n < known[-1] + (1 if len(known) < 40 else 17):
            return  # nothing was journalled, or it is enough to try this now and then
        if segments and len(known) % 3 == 0:
            step.bench.guard.begin_segment()
            newest, read = (recover(step.bench.journal, step.bench.config, whole=whole) for whole in (False, True))
            assert described(newest) == described(read)
        known.append(step.bench.journal.n)
        before = described(step.bench.books) | {"book": levels(step)}
        step.bench.restart(UnsyncedDisk())
        step.bench.done(RestoreBook(seq=1, events=tuple(events[: step.bench.books.index + 1])))
        after = described(step.bench.books) | {"book": levels(step)}
        assert after == before, differences(after, before)

    step.after = compare
    step.run(events)
    assert len(known) > 40
    assert (step.bench.journal.segment.number > 10) == segments
    found = facts_of(fills_from_events(step.fills(), {"BTC-USD": 0})).tolist()
    whole_run = facts_of(run_backtest(BacktestSpec(strategy, {"quantity": 0.01}, market, CASH), tape).fills).tolist()
    assert found == whole_run[: len(found)], "and fills on as if nothing had been"
    assert len(found) > 5
