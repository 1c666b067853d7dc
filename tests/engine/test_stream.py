"""Sources merged by when their rows are known, and a run that is the same wherever its stream is cut."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.chunks import cut
from traider.domain.errors import TraiderError
from traider.domain.instruments import instrument_from_symbol
from traider.domain.vocabulary import EventKind
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.report.candles import candles_of
from traider.engine.statistics.market import market_of
from traider.engine.stream import Line, Merged, whole
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.simulation import Fees
from traider.strategies.ema_band import EmaBand

TRADE, BAR, QUOTE, FUNDING = 1 << EventKind.TRADE, 1 << EventKind.BAR, 1 << EventKind.QUOTE, 1 << EventKind.FUNDING
BTC = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))

times = st.lists(st.integers(0, 9), max_size=12).map(sorted)
cuts = st.lists(st.integers(0, 300))


def rows(kind: EventKind, ts_ns: list[int], first: int, inst: int = 0) -> Tape:
    """Rows with running numbers as their first value."""
    values = np.arange(first, first + len(ts_ns), dtype=np.float64)
    count = len(ts_ns)
    return Tape(
        np.array(ts_ns, np.int64),
        np.full(count, kind, np.uint8),
        np.full(count, inst, np.uint16),
        *[values] * 5,
        kinds=1 << kind,
        instruments=2,
    )


some_lines = st.lists(st.tuples(times, st.integers(0, 3), st.lists(st.integers(0, 12))), min_size=1, max_size=4)


@given(some_lines.filter(lambda lines: any(ts_ns for ts_ns, *_ in lines)))
def test_rows_come_in_the_order_in_which_they_are_known_and_ties_in_the_order_of_the_lines(
    sources: list[tuple[list[int], int, list[int]]],
) -> None:
    lines, expected = [], []
    for number, (ts_ns, delay_ns, at) in enumerate(sources):
        tape = rows(EventKind.BAR, ts_ns, 100 * number)
        lines.append(Line(cut(tape, at).chunks, (delay_ns,)))
        expected += [(ts + delay_ns, number, value, ts) for ts, value in zip(ts_ns, tape.a.tolist(), strict=True)]
    merged = Merged(lines, rows=len(expected), kinds=BAR, instruments=1)
    expected.sort()
    got = whole(merged)
    assert (got.a.tolist(), got.ts_ns.tolist()) == ([row[2] for row in expected], [row[3] for row in expected])


def test_columns_are_as_wide_as_the_widest_kind_and_zero_where_a_row_has_no_value() -> None:
    trades = trades_tape(np.array([1, 3]), np.array([10.0, 30.0]), np.ones(2), np.ones(2))
    funding = rows(EventKind.FUNDING, [2], 7)
    merged = whole(Merged([Line(trades.chunks), Line(funding.chunks)], rows=3, kinds=TRADE | FUNDING, instruments=2))
    assert merged.a.tolist() == [10.0, 7.0, 30.0]
    assert [len(column) for column in merged.columns()] == [3] * 6 + [0, 0]
    alone = whole(Merged([Line(trades.chunks)], rows=2, kinds=TRADE | QUOTE | BAR, instruments=1))
    assert [len(column) for column in alone.columns()] == [2] * 8
    assert alone.e.tolist() == [0.0, 0.0]


def test_a_tape_tells_what_it_holds_and_its_parts_what_the_whole_holds() -> None:
    one, other = rows(EventKind.BAR, [1, 2], 0), rows(EventKind.QUOTE, [3], 0, inst=4)
    tape = Tape(*(np.concatenate(both) for both in zip(one.columns(), other.columns(), strict=True)))
    assert (tape.kinds, tape.instruments, tape.rows) == (BAR | QUOTE, 5, 3)
    assert (tape.head(1).kinds, tape.part(2, 3).instruments) == (BAR | QUOTE, 5)
    assert list(tape.chunks()) == [tape]


def test_flags_are_no_part_of_the_kind() -> None:
    bar = rows(EventKind.BAR, [1], 0)
    flagged = Tape(bar.ts_ns, bar.kind | np.uint8(0xE0), *bar.columns()[2:])
    assert flagged.kinds == BAR


def test_chunks_without_a_row_do_no_harm() -> None:
    bars = rows(EventKind.BAR, [1, 2], 5)
    stream = Merged([Line(lambda: iter([bars.part(0, 0), bars, bars.part(0, 0)]))], rows=2, kinds=BAR, instruments=1)
    assert whole(stream).e.tolist() == [5.0, 6.0]


class Counted:
    """A stream that counts how often it is read."""

    def __init__(self, tape: Tape, at: list[int]) -> None:
        self._pieces = cut(tape, at)
        self.rows, self.kinds, self.instruments = len(tape), tape.kinds, tape.instruments
        self.reads = 0

    def chunks(self) -> Iterator[Tape]:
        self.reads += 1
        yield from self._pieces.chunks()


def wave(count: int = 300) -> Tape:
    """Trades that swing about 100 by a few percent, over four days."""
    price = np.round(100 + 3 * np.sin(np.arange(count) / 7), 2)
    step_ns = 4 * 86_400_000_000_000 // count
    return trades_tape(np.arange(count, dtype=np.int64) * step_ns, price, np.ones(count), np.ones(count))


@given(cuts)
def test_a_run_is_the_same_wherever_its_stream_is_cut(at: list[int]) -> None:
    spec = BacktestSpec(EmaBand, {"span": 20, "band": 0.002, "quantity": 1.0}, BTC, 1e5, Fees(taker=0.001), interpreted=True)
    tape = wave()
    stream = Counted(tape, at)
    one, many = run_backtest(spec, tape), run_backtest(spec, stream)
    assert stream.reads == 1
    assert len(one.fills) > 10
    assert many.fills_sha256 == one.fills_sha256
    assert (many.final_equity, many.day_ends, many.holdings) == (one.final_equity, one.day_ends, one.holdings)
    assert (many.events, many.max_drawdown) == (one.events, one.max_drawdown)
    assert many.curve.tolist() == one.curve.tolist()


def test_a_compiled_run_is_the_same_in_many_chunks() -> None:
    spec = BacktestSpec(EmaBand, {"span": 20, "band": 0.002, "quantity": 1.0}, BTC, 1e5, Fees(taker=0.001))
    tape = wave()
    assert run_backtest(spec, cut(tape, list(range(1, 300, 7)))).fills_sha256 == run_backtest(spec, tape).fills_sha256


@given(cuts, st.integers(1, 50))
def test_what_is_told_of_the_market_is_the_same_wherever_the_stream_is_cut(at: list[int], most: int) -> None:
    tape = wave()
    assert market_of(cut(tape, at)) == market_of(tape)
    one, many = candles_of(tape, most), candles_of(cut(tape, at), most)
    assert len(one) <= most
    assert all(np.array_equal(getattr(one, name), getattr(many, name)) for name in ("ts_ns", "open", "high", "low", "close"))
    assert (one.events_a_candle, one.last_event_ns) == (many.events_a_candle, many.last_event_ns)


@given(cuts)
def test_so_it_is_of_bars(at: list[int]) -> None:
    close = wave().a
    tape = bars_tape(np.arange(300, dtype=np.int64) * 10, close, close + 1, close - 1, close, close)
    assert market_of(cut(tape, at)) == market_of(tape)
    assert candles_of(cut(tape, at)).bar_interval_ns == 10
    assert market_of(tape).end_ns == 3000


def test_an_account_without_an_instrument_of_the_stream_is_refused() -> None:
    spec = BacktestSpec(EmaBand, {}, BTC, 1e5, interpreted=True)
    with pytest.raises(TraiderError, match="hold 2 instruments, and the account 1"):
        run_backtest(spec, rows(EventKind.TRADE, [1, 2], 5, inst=1))
