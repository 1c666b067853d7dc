"""The market maker that engines are measured against, rule by rule, and traider's on a recorded book."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.agreement import equal_digits
from benchmarks.peers.columns import columns_of
from benchmarks.reference_book import ASK, BID, Book, touch_maker
from traider.domain.instruments import instrument_from_symbol
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.tape import Tape
from traider.strategies.touch_maker import TouchMaker

TRADE = 2
BUYER, SELLER = 1.0, -1.0
Row = tuple[int, int, float, float, float]
OPENING: list[Row] = [(1, BID, 99.0, 5.0, 0.0), (1, ASK, 101.0, 5.0, 0.0)]  # it quotes 99 and 101, behind 5 each


def made(rows: list[Row], *, most: float = 10.0) -> tuple[float, int, float, int]:
    """Profit, fills, position and acts of a maker of one unit a side; one tick is 1, one lot 0.1."""
    ts_ns, kind, price, size, side = zip(*rows, strict=True)
    floats = (np.array(column, np.float64) for column in (price, size, side))
    book = Book(np.array(ts_ns, np.int64), np.array(kind, np.uint8), *floats)
    return touch_maker(book, ticks_per_unit=1.0, lots_per_unit=10.0, quantity=1.0, max_position=most)


@pytest.mark.parametrize(
    ("rows", "fills", "position"),
    [
        pytest.param([(2, TRADE, 99.0, 5.0, SELLER)], 0, 0.0, id="all before it are served, and it is not reached"),
        pytest.param([(2, TRADE, 99.0, 5.1, SELLER)], 1, 1.0, id="a lot more reaches it, and fills it whole"),
        pytest.param([(2, TRADE, 98.0, 0.1, SELLER)], 1, 1.0, id="a trade through its price fills it"),
        pytest.param([(2, TRADE, 99.0, 9.0, BUYER)], 0, 0.0, id="a buyer's trade at the bid is no seller"),
        pytest.param([(2, BID, 99.0, 2.0, 0.0), (3, TRADE, 99.0, 2.1, SELLER)], 1, 1.0, id="a smaller level brings it forward"),
        pytest.param([(2, BID, 99.0, 9.0, 0.0), (3, TRADE, 99.0, 5.1, SELLER)], 1, 1.0, id="a larger one does not push it back"),
        pytest.param([(2, ASK, 99.0, 1.0, 0.0)], 1, 1.0, id="an ask at its price fills it"),
        pytest.param([(2, TRADE, 101.0, 5.1, BUYER)], 1, -1.0, id="the other side, mirrored"),
    ],
)
def test_a_resting_order_fills(rows: list[Row], fills: int, position: float) -> None:
    _, filled, held, _ = made(OPENING + rows)
    assert (filled, held) == (fills, position)


def test_it_acts_after_the_last_row_of_a_moment() -> None:
    moved = [(2, BID, 100.0, 1.0, 0.0), (2, BID, 100.0, 0.0, 0.0)]  # there and gone again within the moment
    assert made(OPENING + moved)[3] == 1
    assert made([*OPENING, moved[0], (3, BID, 100.0, 0.0, 0.0)])[3] == 3


def test_an_order_is_replaced_at_the_back_of_the_new_queue() -> None:
    rows = [*OPENING, (2, BID, 100.0, 3.0, 0.0), (3, TRADE, 100.0, 3.0, SELLER)]
    assert made(rows)[1] == 0
    assert made([*rows, (4, TRADE, 100.0, 0.1, SELLER)])[1] == 1


def test_the_side_that_may_not_grow_is_left_out() -> None:
    filled = [*OPENING, (2, TRADE, 98.0, 1.0, SELLER), (3, BID, 100.0, 3.0, 0.0)]  # long one, and the mid has moved
    again = [*filled, (4, TRADE, 98.0, 1.0, SELLER)]
    assert made(again)[2] == 2.0
    assert made(again, most=1.0)[2] == 1.0


def test_an_open_position_is_worth_the_mid() -> None:
    profit, _, position, _ = made([*OPENING, (2, TRADE, 98.0, 1.0, SELLER)])
    assert (profit, position) == (1.0, 1.0)  # bought at 99, the mid is 100


def test_traider_does_the_same_on_a_recorded_book(data_dir: Path) -> None:
    columns = columns_of(data_dir / "l2" / "binance_usdm_btcusdt_l2_trades_2024-08-08_first30000.parquet")
    book = Book(*(columns[name] for name in ("ts", "kind", "price", "size", "side")))
    profit, fills, position, _ = touch_maker(book, ticks_per_unit=10.0, lots_per_unit=1000.0, quantity=0.01, max_position=0.1)
    assert fills > 30, "the recording has to have something to show"
    instrument = instrument_from_symbol("BTC-USDT", price_increment=Decimal("0.1"), size_increment=Decimal("0.001"))
    spec = BacktestSpec(
        strategy=TouchMaker,
        parameters={"max_position": 0.1, "quantity": 0.01},
        instrument=replace(instrument, initial_margin=Decimal("0.05"), maintenance_margin=Decimal("0.01")),
        cash=1e6,
    )
    result = run_backtest(spec, _tape(book))
    held = result.fills["side"] @ result.fills["size"]
    assert (len(result.fills), round(float(held), 6)) == (fills, round(position, 6))
    assert equal_digits(1e6 + profit, result.final_equity) >= 12


def _tape(book: Book) -> Tape:
    """The rows as the engine's events: one snapshot at the start, and a mark at the end of each moment."""
    code: Any = np.where(book.kind == TRADE, int(EventKind.TRADE), int(EventKind.DEPTH)).astype(np.uint8)
    code[np.append(book.ts_ns[1:] != book.ts_ns[:-1], True)] |= BOOK_END
    code[0] |= BOOK_CLEAR
    side = np.select([book.kind == BID, book.kind == ASK], [1.0, -1.0], book.side)
    nothing = np.zeros(0)
    return Tape(book.ts_ns, code, np.zeros(len(code), np.uint16), book.price, book.size, side, nothing, nothing)
