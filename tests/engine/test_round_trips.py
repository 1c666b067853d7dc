"""Round trips add up to what the account realised, whatever the order of fills."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.reports import fills, instrument
from traider.engine.fills import FILLS, Fills
from traider.engine.round_trips import round_trips
from traider.kernel.desk import Desk

MINUTE_NS = 60_000_000_000


def test_one_entry_one_exit() -> None:
    ledger = round_trips(fills([(1, 100.0, 2.0), (-1, 110.0, 2.0)], fee=0.01), [instrument()])
    [trip] = ledger.trips
    assert (trip["side"], trip["entry"], trip["exit"]) == (1, 0, 1)
    assert (trip["size"], trip["entry_price"], trip["exit_price"]) == (2.0, 100.0, 110.0)
    assert trip["pnl"] == 20.0
    assert trip["fees"] == pytest.approx(2.0 + 2.2)
    assert trip["exit_ns"] - trip["entry_ns"] == MINUTE_NS
    assert ledger.open == []


def test_an_exit_in_parts_is_one_round_trip() -> None:
    ledger = round_trips(fills([(1, 100.0, 3.0), (-1, 110.0, 1.0), (-1, 120.0, 2.0)]), [instrument()])
    [trip] = ledger.trips
    assert (trip["size"], trip["exit_price"], trip["pnl"]) == (3.0, (110.0 + 2 * 120.0) / 3, 10.0 + 40.0)
    assert trip["exit"] == 2


def test_adding_again_ends_a_round_trip() -> None:
    ledger = round_trips(fills([(1, 100.0, 2.0), (-1, 110.0, 1.0), (1, 130.0, 1.0), (-1, 120.0, 2.0)]), [instrument()])
    first, second = ledger.trips
    assert (first["size"], first["entry_price"], first["pnl"], first["exit"]) == (1.0, 100.0, 10.0, 1)
    assert (second["size"], second["entry_price"], second["pnl"], second["exit"]) == (2.0, 115.0, 10.0, 3)
    assert second["entry"] == first["entry"] == 0  # the holding began with the first fill


def test_turning_around_splits_the_fill_and_its_fee() -> None:
    ledger = round_trips(fills([(1, 100.0, 1.0), (-1, 90.0, 3.0), (1, 80.0, 2.0)], fee=0.001), [instrument()])
    long, short = ledger.trips
    assert (long["side"], long["size"], long["pnl"]) == (1, 1.0, -10.0)
    assert (short["side"], short["size"], short["pnl"], short["entry"]) == (-1, 2.0, 20.0, 1)
    assert long["fees"] == pytest.approx(0.1 + 0.09)
    assert short["fees"] == pytest.approx(0.18 + 0.16)


def test_what_is_left_is_open_with_its_part_of_the_fees() -> None:
    ledger = round_trips(fills([(-1, 100.0, 4.0), (1, 90.0, 1.0)], fee=0.001), [instrument()])
    assert len(ledger.trips) == 1
    [still] = ledger.open
    assert (still.size, still.average_price) == (-3.0, 100.0)
    assert still.fees == pytest.approx(0.3)


def test_sizes_that_floats_do_not_add_up_are_flat_all_the_same() -> None:
    assert 0.1 + 0.2 - 0.3 != 0.0
    ledger = round_trips(fills([(1, 10.0, 0.1), (1, 10.0, 0.2), (-1, 11.0, 0.3)]), [instrument("0.1")])
    [trip] = ledger.trips
    assert trip["size"] == 0.3
    assert ledger.open == []


def test_two_instruments_are_kept_apart_and_held_time_is_counted_once() -> None:
    both = np.concatenate(
        [fills([(1, 100.0, 1.0), (-1, 110.0, 1.0)], step_ns=4 * MINUTE_NS), fills([(1, 5.0, 2.0), (-1, 4.0, 2.0)], inst=1)]
    )
    both["ts_ns"][2:] += 2 * MINUTE_NS  # held from minute 0 to 4, and from 2 to 3
    both = both[np.argsort(both["ts_ns"], kind="stable")]
    ledger = round_trips(both, [instrument(), instrument(symbol="ETH-USD")])
    assert [(trip["inst"], trip["pnl"]) for trip in ledger.trips] == [(1, -2.0), (0, 10.0)]
    assert ledger.holdings == [(0, 4 * MINUTE_NS)]


def test_held_time_ends_at_flat_or_runs_on() -> None:
    ledger = round_trips(fills([(1, 1.0, 1.0), (-1, 1.0, 1.0), (1, 1.0, 1.0)]), [instrument()])
    assert ledger.held_ns(until_ns=10 * MINUTE_NS) == MINUTE_NS + 8 * MINUTE_NS
    assert round_trips(fills([]), [instrument()]).held_ns(until_ns=10 * MINUTE_NS) == 0


ROWS = st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 10_000), st.integers(1, 50)), max_size=40)


def _fills_of(rows: list[tuple[int, int, int]]) -> Fills:
    """Prices in cents, sizes in thousandths."""
    return fills([(side, cents / 100, thousandths / 1000) for side, cents, thousandths in rows], fee=0.001)


@given(ROWS)
def test_profit_is_what_an_exact_ledger_realises(rows: list[tuple[int, int, int]]) -> None:
    held = average = realized = Fraction(0)
    for side, cents, thousandths in rows:
        price, size = Fraction(cents, 100), side * Fraction(thousandths, 1000)
        closing = min(abs(held), abs(size)) if held * size < 0 else Fraction(0)
        realized += closing * (price - average) * (1 if held > 0 else -1)
        after = held + size
        if held * size >= 0:
            average = (average * abs(held) + price * abs(size)) / abs(after)
        elif abs(size) > abs(held):
            average = price
        held = after
    ledger = round_trips(_fills_of(rows), [instrument()])
    assert ledger.realized_pnl == pytest.approx(float(realized), abs=1e-9)
    assert sum(position.size for position in ledger.open) == float(held)


@given(ROWS)
def test_profit_is_what_the_account_realises(rows: list[tuple[int, int, int]]) -> None:
    made = _fills_of(rows)
    desk = Desk([instrument()], cash=1e9)
    for row in made:
        ts_ns, side, price, size, fee = (row[name].item() for name in ("ts_ns", "side", "price", "size", "fee"))
        desk.apply_fill(order_id=0, inst=0, side=side, price=price, size=size, fee=fee, ts_ns=ts_ns, maker=False)
    position = desk.positions[0]
    ledger = round_trips(made, [instrument()])
    assert ledger.realized_pnl == pytest.approx(float(position["realized_pnl"]), abs=1e-9)
    assert sum(still.size for still in ledger.open) == float(position["size"])
    assert [still.average_price for still in ledger.open] == pytest.approx([float(position["average_price"])] if position["size"] else [])


@given(ROWS)
def test_nothing_is_lost_and_order_is_kept(rows: list[tuple[int, int, int]]) -> None:
    made = _fills_of(rows)
    ledger = round_trips(made, [instrument()])
    trips = ledger.trips
    assert trips["fees"].sum() + sum(still.fees for still in ledger.open) == pytest.approx(made["fee"].sum())
    assert (trips["entry"] < trips["exit"]).all()
    assert (np.diff(trips["exit"]) > 0).all()
    assert (trips["size"] > 0).all()
    profit = trips["side"] * trips["size"] * (trips["exit_price"] - trips["entry_price"])
    assert trips["pnl"] == pytest.approx(profit, abs=1e-9)
    bought, sold = (made["size"][made["side"] == side].sum() for side in (1, -1))
    assert bought - sold == pytest.approx(sum(still.size for still in ledger.open))
    assert 2 * trips["size"].sum() + sum(abs(still.size) for still in ledger.open) == pytest.approx(bought + sold)


def test_no_fills_are_no_round_trips() -> None:
    ledger = round_trips(np.zeros(0, FILLS), [instrument()])
    assert len(ledger.trips) == 0
    assert (ledger.open, ledger.holdings, ledger.realized_pnl) == ([], [], 0.0)
