"""The built-in strategies' backtests against a plain one in fractions, written here from the contract alone."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from tests.kernel.desks import instrument
from traider.engine.backtest import BacktestResult, BacktestSpec, run_backtest
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees
from traider.storage.market import read_market_file
from traider.strategies.ema_band import EmaBand
from traider.strategies.momentum import Momentum
from traider.strategies.sma_cross import SmaCross

DAY_NS = 86_400_000_000_000
TAKER = 0.001
CASH = 1_000_000

Holds = Callable[[Sequence[Fraction], int], bool | None]  # of the closes and a bar's number: long, flat, or not known yet


@dataclass
class Expected:
    fills: list[tuple[int, int, float]]  # time, side, price
    fees: Fraction
    equity: list[Fraction]  # at each close
    days: list[Fraction]  # at the start and at the end of each UTC day

    @property
    def max_drawdown(self) -> Fraction:
        peak, largest = Fraction(CASH), Fraction(0)
        for equity in self.equity:
            peak = max(peak, equity)
            largest = max(largest, (peak - equity) / peak)
        return largest

    @property
    def sharpe(self) -> float | None:
        returns = [float(after / before - 1) for before, after in pairwise(self.days)]
        if len(returns) < 2 or stdev(returns) == 0:
            return None
        return mean(returns) / stdev(returns) * math.sqrt(365)


def expected(tape: Tape, holds: Holds, quantity: Fraction) -> Expected:
    """Decides at each close, trades at the next open, pays the fee, is worth the close."""
    cash, position, fees = Fraction(CASH), Fraction(0), Fraction(0)
    wanted: Fraction | None = None
    result = Expected([], fees, [], [cash])
    opens, closes = exact(tape.a), exact(tape.d)
    for i in range(len(tape)):
        if i and tape.ts_ns[i] // DAY_NS != tape.ts_ns[i - 1] // DAY_NS:
            result.days.append(result.equity[-1])
        if wanted is not None and wanted != position:
            size = wanted - position
            fee = abs(size) * opens[i] * Fraction(str(TAKER))
            cash -= size * opens[i] + fee
            result.fees += fee
            position = wanted
            result.fills.append((int(tape.ts_ns[i]), 1 if size > 0 else -1, float(tape.a[i])))
        held = holds(closes, i)
        wanted = None if held is None else quantity * held
        result.equity.append(cash + position * closes[i])
    result.days.append(result.equity[-1])
    return result


def exact(prices: np.ndarray) -> list[Fraction]:
    """The decimals that the floats are written as."""
    return [Fraction(repr(price)) for price in prices.tolist()]


def crossed(fast: int, slow: int) -> Holds:
    sums: dict[int, list[Fraction]] = {}

    def total(closes: Sequence[Fraction], i: int, window: int) -> Fraction:
        if id(closes) not in sums:
            sums.clear()
            sums[id(closes)] = [Fraction(0)]
            for price in closes:
                sums[id(closes)].append(sums[id(closes)][-1] + price)
        return sums[id(closes)][i + 1] - sums[id(closes)][i + 1 - window]

    def holds(closes: Sequence[Fraction], i: int) -> bool | None:
        if i + 1 < max(fast, slow):
            return None
        return total(closes, i, fast) / fast > total(closes, i, slow) / slow

    return holds


def risen(window: int, threshold: str) -> Holds:
    def holds(closes: Sequence[Fraction], i: int) -> bool | None:
        return closes[i] > closes[i - window] * (1 + Fraction(threshold)) if i >= window else None

    return holds


def assert_as_expected(result: BacktestResult, wanted: Expected) -> None:
    fills = result.fills
    assert list(zip(fills["ts_ns"].tolist(), fills["side"].tolist(), fills["price"].tolist(), strict=True)) == wanted.fills
    assert not fills["maker"].any()
    assert result.fees == pytest.approx(float(wanted.fees), rel=1e-12)
    assert result.final_equity == pytest.approx(float(wanted.equity[-1]), rel=1e-13)
    assert result.max_drawdown == pytest.approx(float(wanted.max_drawdown), rel=1e-6, abs=1e-13)
    assert result.sharpe == (None if wanted.sharpe is None else pytest.approx(wanted.sharpe, rel=1e-6, abs=1e-6))
    assert result.net_profit == result.final_equity - CASH


def backtest(strategy: type[Strategy], tape: Tape, price_increment: str, **parameters: object) -> BacktestResult:
    market = instrument(price=price_increment, size="0.00000001")
    return run_backtest(BacktestSpec(strategy, dict(parameters), market, float(CASH), Fees(taker=TAKER, maker=TAKER)), tape)


@pytest.fixture(scope="module", params=["coinbase_btcusd_1m_2018-05", "coinbase_btcusd_1d_lean"])
def recorded(request: pytest.FixtureRequest, data_dir: Path) -> tuple[Tape, str]:
    file = read_market_file(data_dir / "bars" / f"{request.param}.parquet")
    return bars_tape(file.ts_ns, *file.columns.values()), str(file.price_increment)


@pytest.mark.parametrize(("fast", "slow"), [(20, 50), (1, 20), (5, 6), (2, 300), (50, 20), (7, 7)])
def test_sma_cross_on_recorded_bars(recorded: tuple[Tape, str], fast: int, slow: int) -> None:
    tape, increment = recorded
    result = backtest(SmaCross, tape, increment, fast=fast, slow=slow, quantity=1)
    assert (len(result.fills) > 0) == (fast != slow)
    assert_as_expected(result, expected(tape, crossed(fast, slow), Fraction(1)))


@pytest.mark.parametrize(("window", "threshold"), [(20, "0"), (1, "0"), (60, "0.001"), (5, "-0.002")])
def test_momentum_on_recorded_bars(recorded: tuple[Tape, str], window: int, threshold: str) -> None:
    tape, increment = recorded
    result = backtest(Momentum, tape, increment, window=window, threshold=threshold, quantity="0.25")
    assert len(result.fills) > 10
    assert_as_expected(result, expected(tape, risen(window, threshold), Fraction(1, 4)))


def made_of(prices: Sequence[float], step_ns: int = 7 * 3_600_000_000_000) -> Tape:
    """Bars that open where the one before closed."""
    close = np.array(prices)
    open_ = np.r_[close[:1], close[:-1]]
    ts_ns = np.arange(len(close)) * step_ns + 1_525_305_600_000_000_000
    return bars_tape(ts_ns, open_, np.maximum(open_, close), np.minimum(open_, close), close, np.ones(len(close)))


TIES = {
    "three in turn": [0.1, 0.2, 0.3] * 200,
    "to and fro": [1.1, 1.3] * 300,
    "steps": [round(0.1 * (1 + n // 7 % 3), 1) for n in range(600)],
    "one price": [0.7] * 300,
    "few prices": [random.Random(7).choice((0.1, 0.2, 0.3)) for _ in range(1500)],
    "few high prices": [random.Random(8).choice((65432.1, 65432.2, 65432.3)) for _ in range(1500)],
}


@pytest.mark.parametrize("prices", TIES.values(), ids=TIES.keys())
@pytest.mark.parametrize(("fast", "slow"), [(1, 3), (3, 6), (2, 4), (3, 9), (5, 10), (6, 4)])
def test_equal_means_are_not_above(prices: list[float], fast: int, slow: int) -> None:
    """Rolling sums of floats see differences between these means that are not there."""
    tape = made_of(prices)
    assert_as_expected(backtest(SmaCross, tape, "0.1", fast=fast, slow=slow), expected(tape, crossed(fast, slow), Fraction(1)))


def test_those_prices_are_full_of_ties() -> None:
    holds = [crossed(3, 6), crossed(6, 3)]
    closes = exact(made_of(TIES["few prices"]).d)
    ties = sum(not any(hold(closes, i) for hold in holds) for i in range(6, len(closes)))
    assert ties > 100


@pytest.mark.parametrize("prices", TIES.values(), ids=TIES.keys())
@pytest.mark.parametrize(("window", "threshold"), [(1, "0"), (2, "0.5"), (1, "1"), (3, "-0.5"), (1, "0.1")])
def test_a_rise_by_exactly_the_threshold_is_not_above_it(prices: list[float], window: int, threshold: str) -> None:
    tape = made_of(prices)
    wanted = expected(tape, risen(window, threshold), Fraction(1))
    assert_as_expected(backtest(Momentum, tape, "0.1", window=window, threshold=threshold), wanted)


@pytest.mark.parametrize(("before", "percent"), [(7.0, 10), (1.1, 10), (3.3, 1), (0.29, 7), (57.0, 1)])
def test_a_rise_by_exactly_the_threshold_is_not_above_it_whatever_floats_make_of_it(before: float, percent: int) -> None:
    after = float(Fraction(repr(before)) * (100 + percent) / 100)
    above = float(Fraction(repr(before)) * (100 + percent) / 100 + Fraction(1, 10**6))
    for last, rises in ((after, False), (above, True)):
        result = backtest(Momentum, made_of([before, last, last]), "0.000001", window=1, threshold=percent / 100)
        assert len(result.fills) == rises


@pytest.mark.parametrize(("span", "band"), [(1000, 0.0003), (50, 0.00001), (7, 0.0)])
@pytest.mark.parametrize(
    "recording", ["binance_spot_btcusdt_trades_2024-08-08_first5000", "coinbase_btcusd_trades_2018-04-16"], ids=["binance", "coinbase"]
)
def test_ema_band_on_recorded_trades(recording: str, span: int, band: float, data_dir: Path) -> None:
    """Decides at each trade, trades at the next one's price."""
    file = read_market_file(data_dir / "trades" / f"{recording}.parquet")
    tape = trades_tape(file.ts_ns, *file.columns.values())
    wanted: list[tuple[int, int, float]] = []
    held, order, average = False, 0, 0.0
    for i, (ts_ns, price) in enumerate(zip(tape.ts_ns.tolist(), tape.a.tolist(), strict=True)):
        if order:
            wanted.append((ts_ns, order, price))
            held, order = order > 0, 0
        average = price if i == 0 else average + 2 / (span + 1) * (price - average)
        if i and not held and price > average * (1 + band):
            order = 1
        elif i and held and price < average * (1 - band):
            order = -1
    result = backtest(EmaBand, tape, "0.01", span=span, band=band, quantity=1)
    fills = result.fills
    assert list(zip(fills["ts_ns"].tolist(), fills["side"].tolist(), fills["price"].tolist(), strict=True)) == wanted
    profit = sum((-side * Fraction(repr(price)) - Fraction(repr(price)) * Fraction(str(TAKER)) for _, side, price in wanted), Fraction(0))
    last = Fraction(repr(float(tape.a[-1])))
    assert result.net_profit == pytest.approx(float(profit + held * last), rel=1e-9, abs=1e-6)
