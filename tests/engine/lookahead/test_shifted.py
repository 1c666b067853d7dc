"""A book's other future: the past is the same, and at each message the book is the recorded one moved, so it is as valid."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, KIND_BITS, EventKind
from traider.engine.lookahead.futures import Grid, Jump
from traider.engine.lookahead.markets import other_market, tape_of
from traider.engine.stream import whole
from traider.engine.tape import Tape
from traider.kernel.ladder import Ladder
from traider.research.changed_data import copies_in, tape_in, write_future
from traider.research.market import MarketData, checked_file, together
from traider.research.recorded import Recorded, recorded

CENT = Grid(Decimal("0.01"), 1e6)
DEPTH, TRADE, QUOTE = int(EventKind.DEPTH), int(EventKind.TRADE), int(EventKind.QUOTE)
NAMES = ("l2/binance_usdm_btcusdt_l2", "trades/binance_usdm_btcusdt_trades", "quotes/binance_usdm_btcusdt_bbo")


@pytest.fixture(scope="module")
def market(data_dir: Path) -> MarketData:
    return together([checked_file(data_dir / f"{name}_2024-08-08_first.parquet") for name in NAMES])


@pytest.fixture(scope="module")
def data(market: MarketData) -> Recorded:
    return recorded(market)


def mids(tape: Tape) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The middle of the book after each message."""
    found = Ladder().mids(tape.kind, tape.a, tape.b, tape.c)
    ends: np.ndarray[tuple[int], np.dtype[np.float64]] = found[(tape.kind & BOOK_END) != 0]
    return ends


def test_the_stream_is_the_one_that_a_backtest_runs_over(data: Recorded, market: MarketData) -> None:
    tape = whole(market)
    for name in ("ts_ns", "kind", "inst", "a", "b", "c", "d"):
        assert getattr(data.tape, name).tobytes() == getattr(tape, name).tobytes(), name
    assert (data.tape.kinds, data.tape.instruments) == (tape.kinds, tape.instruments)
    assert sorted(np.concatenate(data.rows).tolist()) == list(range(len(tape)))
    for file, rows in zip(market.files, data.rows, strict=True):
        assert data.tape.ts_ns[rows].tobytes() == file.ts_ns.tobytes()


def test_a_cut_parts_no_moment_and_no_message(data: Recorded) -> None:
    tape = data.tape
    assert len(data.breaks) > 100
    assert (tape.ts_ns[data.breaks] > tape.ts_ns[data.breaks - 1]).all()
    depth = np.flatnonzero(tape.kind & KIND_BITS == DEPTH)
    before = depth[np.searchsorted(depth, data.breaks) - 1]
    assert (tape.kind[before[data.breaks > depth[0]]] & BOOK_END).all()


@pytest.mark.parametrize("future", ["higher", "lower"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_recorded_book_moves_as_a_whole_and_never_crosses(data: Recorded, future: Jump, part: float) -> None:
    cut = int(data.breaks[int(part * len(data.breaks))])
    other = tape_of(data.tape, other_market(data.tape, cut, future, grids=data.grids(), seed=1))
    for name in ("ts_ns", "kind", "inst", "a", "b", "c", "d"):
        assert getattr(other, name)[:cut].tobytes() == getattr(data.tape, name)[:cut].tobytes()
    assert Ladder().follow(other.kind, other.a, other.b, other.c) == -1, "it crosses"
    recorded_mids, other_mids = mids(data.tape), mids(other)
    assert len(recorded_mids) == len(other_mids)
    past = int(np.count_nonzero(data.tape.kind[:cut] & BOOK_END))
    moved = np.round((other_mids - recorded_mids)[past:], 6)
    assert set(moved.tolist()) == {moved[0]}, "all of it by the same"
    assert moved[0] > 0.8 * recorded_mids[0] if future == "higher" else moved[0] < -0.4 * recorded_mids[0]
    quotes = data.tape.kind & KIND_BITS == QUOTE
    shown = other.kind & KIND_BITS == QUOTE
    assert np.round(other.a[shown] - data.tape.a[quotes], 6)[-1] == moved[0], "quotes move with their book"
    assert sorted(np.round(other.b[shown], 8).tolist()) != sorted(data.tape.b[quotes].tolist())


@pytest.mark.parametrize("future", ["higher", "lower", "truncated"])
def test_the_copies_are_files_that_give_the_same_stream(data: Recorded, market: MarketData, future: str, tmp_path: Path) -> None:
    cut = int(data.breaks[len(data.breaks) // 2])
    folder = write_future(data, tmp_path / "case", cut=cut, future=future, seed=3)  # type: ignore[arg-type]  # one of the three
    copies = copies_in(folder, len(market.files))
    read = recorded(together([checked_file(copy, symbol="BTC-USDT", price_increment=market.price_increment) for copy in copies]))
    with np.load(tape_in(folder)) as columns:
        told = [columns[name] for name in columns.files]
    for one, other in zip(read.tape.columns(), told, strict=True):
        assert one.tobytes() == other.tobytes()
    for file, copy in zip(market.files, copies, strict=True):
        table, changed = pq.read_table(file.path), pq.read_table(copy)
        assert changed.schema == table.schema
        first = int(np.searchsorted(file.ts_ns, data.tape.ts_ns[cut]))
        assert changed.slice(0, first).equals(table.slice(0, first))


def book_tape(*rows: tuple[int, int, float, float, float]) -> Tape:
    """Rows of ts, kind with flags, price, size and side."""
    ts, kind, a, b, c = np.array(rows, float).T
    none = np.zeros(len(rows))
    return Tape(ts.astype(np.int64), kind.astype(np.uint8), none.astype(np.uint16), a, b, c, none, none)


BOOK = book_tape(
    (1, DEPTH | BOOK_CLEAR, 100.0, 3.0, 1.0),
    (1, DEPTH, 20.0, 9.0, 1.0),
    (1, DEPTH | BOOK_END, 101.0, 4.0, -1.0),
    (2, DEPTH | BOOK_END, 100.5, 2.0, -1.0),
    (3, TRADE, 100.5, 1.0, 1.0),
    (4, DEPTH, 100.5, 0.0, -1.0),
    (4, DEPTH | BOOK_END, 100.5, 5.0, 1.0),
)


def test_the_levels_that_stand_at_the_cut_come_before_the_first_change() -> None:
    other = tape_of(BOOK, other_market(BOOK, 4, "higher", grids=[CENT], seed=0))
    (clear,) = np.flatnonzero(other.kind[3:] & BOOK_CLEAR) + 3
    levels = slice(int(clear), int(clear) + 4)
    assert clear == 5, "the trade of the future comes first, then the change of the book"
    assert other.ts_ns[levels].tolist() == [4] * 4
    jump = round(float(other.a[4]) - 100.5, 2)
    assert sorted(np.round(other.a[levels] - jump, 2).tolist()) == [20.0, 100.0, 100.5, 101.0]
    assert sorted(np.round(other.b[levels] / 3.0, 6).tolist()) == [2.0, 3.0, 4.0, 9.0], "three times as large, in any order"
    assert other.b[levels.stop] == 0.0, "what is taken away stays so"


def test_a_level_without_a_price_in_the_other_future_holds_nothing() -> None:
    other = tape_of(BOOK, other_market(BOOK, 4, "lower", grids=[CENT], seed=0))
    assert (other.a > 0.0).all()
    low = other.a == 0.01
    assert other.b[low].tolist() == [0.0], "20 less about 50 is no price"
    assert Ladder().follow(other.kind, other.a, other.b, other.c) == -1


def test_a_snapshot_of_the_future_needs_no_other() -> None:
    rows = [*(tuple(column[row] for column in BOOK.columns()[:2] + BOOK.columns()[3:6]) for row in range(7))]
    rows[5] = (4, DEPTH | BOOK_CLEAR, 90.0, 1.0, 1.0)
    rows[6] = (4, DEPTH | BOOK_END, 91.0, 1.0, -1.0)
    tape = book_tape(*rows)
    other = tape_of(tape, other_market(tape, 4, "higher", grids=[CENT], seed=0))
    assert len(other) == len(tape)
    assert other.kind.tobytes() == tape.kind.tobytes()


def test_a_seed_gives_one_future_and_another_seed_another() -> None:
    one, again, other = (other_market(BOOK, 4, "higher", grids=[CENT], seed=seed).values[0].tobytes() for seed in (1, 1, 2))
    assert one == again != other
