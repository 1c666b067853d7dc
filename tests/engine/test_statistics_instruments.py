"""Figures by instrument add up to the account's, and each is counted by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.reports import MINUTES, fills, instrument, run
from traider.engine.fills import Fills
from traider.engine.round_trips import round_trips
from traider.engine.statistics.instruments import figures_by_instrument
from traider.engine.statistics.summary import statistics_of

MINUTE_NS = 60_000_000_000
INSTRUMENTS = [instrument(), instrument(symbol="ETH-USD"), instrument(symbol="SOL-USD")]


def merged(*parts: Fills) -> Fills:
    """Fills of several instruments in the order of their times."""
    both = np.concatenate(parts)
    return both[np.argsort(both["ts_ns"], kind="stable")]


def test_by_hand() -> None:
    btc = fills([(1, 100.0, 0.3), (-1, 110.0, 0.1), (-1, 120.0, 0.2), (1, 130.0, 0.5)], fee=0.01)
    eth = fills([(-1, 50.0, 2.0), (1, 60.0, 2.0)], inst=1, step_ns=2 * MINUTE_NS)
    both = merged(btc, eth)
    ledger = round_trips(both, INSTRUMENTS)
    first, second, third = figures_by_instrument(both, ledger, INSTRUMENTS, {0: 140.0}, start_ns=0, end_ns=4 * MINUTE_NS)
    assert first.symbol == "BTC-USD"
    assert first.turnover == pytest.approx(30 + 11 + 24 + 65)
    assert first.fees == pytest.approx(1.30)
    assert first.realized == pytest.approx(0.1 * 10 + 0.2 * 20)  # one round trip: a run of fills that reduce
    assert (first.round_trips, first.hit_rate) == (1, 1.0)
    assert first.unrealized == pytest.approx(0.5 * 10)
    assert first.position == 0.5
    assert first.exposure == pytest.approx(3 / 4)  # flat from the third fill to the fourth
    assert first.net_profit == pytest.approx(5 + 5 - 1.30)
    assert (second.unrealized, second.position, second.hit_rate, second.profit_factor) == (0.0, 0.0, 0.0, 0.0)
    assert second.realized == second.expectancy == pytest.approx(-20.0)
    assert second.exposure == pytest.approx(2 / 4)
    assert (third.fills, third.turnover, third.hit_rate, third.exposure) == (0, 0.0, None, 0.0)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, -1]), st.integers(1, 200), st.integers(1, 30)), min_size=1, max_size=60))
def test_they_add_up_to_the_account(rows: list[tuple[int, int, int, int]]) -> None:
    parts = [fills([(side, float(price), size * 0.001)], fee=0.001, inst=inst) for inst, side, price, size in rows]
    for number, part in enumerate(parts):
        part["ts_ns"] = number * MINUTE_NS
    all_fills = np.concatenate(parts)
    ledger = round_trips(all_fills, INSTRUMENTS)
    last = {0: 100.0, 1: 7.0, 2: 33.0}
    figures = figures_by_instrument(all_fills, ledger, INSTRUMENTS, last, start_ns=0, end_ns=len(rows) * MINUTE_NS)
    cash = -float((all_fills["side"] * all_fills["price"] * all_fills["size"] + all_fills["fee"]).sum())
    held = sum(one.position * last[number] for number, one in enumerate(figures))
    assert sum(one.net_profit for one in figures) == pytest.approx(cash + held, abs=1e-6)
    assert sum(one.fills for one in figures) == len(rows)
    assert sum(one.round_trips for one in figures) == len(ledger.trips)


def test_of_one_instrument_they_are_the_accounts(data_dir: Path) -> None:
    backtest = run(data_dir / MINUTES, fast=20, slow=50, quantity=1)
    statistics = statistics_of(backtest.result, backtest.context.spec.instrument, backtest.context.market)
    (only,) = statistics.instruments
    trades = statistics.trades
    assert (only.fills, only.turnover, only.round_trips) == (trades.fills, trades.turnover, trades.count)
    assert (only.hit_rate, only.profit_factor, only.expectancy) == (trades.hit_rate, trades.profit_factor, trades.expectancy)
    assert only.exposure == trades.exposure
    assert only.net_profit == pytest.approx(backtest.result.net_profit, abs=1e-6)
    assert statistics.to_dict()["instruments"] == [only.to_dict()]
