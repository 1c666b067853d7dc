"""Every figure by its formula, from runs on recorded data."""

import json
import math
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engine.reports import DAYS, MINUTES, TRADES, Quoter, Run, fills, run
from traider.engine.round_trips import round_trips
from traider.engine.statistics.curves import Curves, curves_of
from traider.engine.statistics.market import market_of
from traider.engine.statistics.months import monthly_returns
from traider.engine.statistics.summary import Performance, Statistics, cagr, calmar_ratio, performance_of, statistics_of
from traider.engine.statistics.trades import trade_figures_of
from traider.engine.tape import bars_tape, trades_tape

DAY_NS = 86_400_000_000_000
YEAR_NS = 365 * DAY_NS


@pytest.fixture(scope="module")
def days() -> Run:
    return run(Path(__file__).parents[1] / "data" / DAYS, fast=10, slow=30, quantity=5.0)


def curves(run: Run) -> Curves:
    return curves_of(run.result, run.context.market)


def performance(run: Run) -> Performance:
    return performance_of(run.result, curves(run), run.context.market)


def summary(run: Run) -> Statistics:
    return statistics_of(run.result, run.context.spec.instrument, run.context.market)


def test_the_market_of_bars_ends_where_the_last_bar_does() -> None:
    ts_ns = np.array([0, 600, 1199, 1800]) * 60_000_000_000 + 40 * DAY_NS  # minutes into the day: the third is of the day that ends
    close = np.array([10.0, 11.0, 12.0, 13.0])
    market = market_of(bars_tape(ts_ns, close - 1, close, close - 1, close, close))
    assert (market.start_ns, market.last_event_ns) == (ts_ns[0], ts_ns[-1])
    assert market.end_ns == ts_ns[-1] + 599 * 60_000_000_000
    assert market.closes == [(40, 12.0), (41, 13.0)]
    assert market.daily_prices == [9.0, 12.0, 13.0]


def test_a_single_bar_is_a_market() -> None:
    one = np.array([10.0])
    market = market_of(bars_tape(np.array([5 * DAY_NS]), one, one, one, one, one))
    assert (market.start_ns, market.end_ns, market.closes) == (5 * DAY_NS, 5 * DAY_NS, [(5, 10.0)])


def test_the_shortest_step_is_found_wherever_it_is() -> None:
    for at in (1, 65_536, 65_537, 140_000 - 1):
        steps = np.full(140_000, 60)
        steps[at] = 7
        ts_ns = np.cumsum(steps)
        price = np.ones(140_000)
        assert market_of(bars_tape(ts_ns, price, price, price, price, price)).end_ns == ts_ns[-1] + 7


def test_the_market_of_trades_ends_with_the_last() -> None:
    price = np.array([5.0, 6.0, 7.0])
    market = market_of(trades_tape(np.array([1, DAY_NS, DAY_NS]), price, price, price))
    assert (market.end_ns, market.last_price) == (DAY_NS, 7.0)
    assert market.daily_prices == [5.0, 5.0, 7.0]


def test_days_of_the_market_are_those_of_the_account(days: Run) -> None:
    assert [day for day, _ in days.context.market.closes] == [day for day, _ in days.result.day_ends]


def test_curves_begin_with_the_cash_and_end_with_the_final_equity(data_dir: Path) -> None:
    minutes = run(data_dir / MINUTES, events=9000, fast=20, slow=50, quantity=1.0)  # three events a point: the last ones have none
    drawn = curves(minutes)
    assert (drawn.equity[0], drawn.equity[-1]) == (minutes.result.cash, minutes.result.final_equity)
    assert (drawn.ts_ns[0], drawn.ts_ns[-1]) == (minutes.context.market.start_ns, minutes.context.market.last_event_ns)
    assert (np.diff(drawn.ts_ns) > 0).all()
    first, last = minutes.context.candles.open[0], minutes.context.candles.close[-1]
    assert drawn.held[-1] == pytest.approx(minutes.result.cash + last - first)


def test_drawdown_never_shows_more_than_there_was(data_dir: Path, days: Run) -> None:
    thinned = run(data_dir / MINUTES, events=9000, fast=20, slow=50, quantity=1.0)
    assert -thinned.result.max_drawdown <= curves(thinned).drawdown.min() < -0.9 * thinned.result.max_drawdown
    assert curves(days).drawdown.min() == pytest.approx(-days.result.max_drawdown)  # a point for every event: the same


def test_longest_time_under_water() -> None:
    times = np.arange(8) * DAY_NS

    def longest(*drawdown: float) -> float:
        zeros = np.zeros(len(drawdown))
        return Curves(times[: len(drawdown)], zeros, np.array(drawdown), zeros).longest_under_water_ns / DAY_NS

    assert longest(0, 0, 0) == 0
    assert longest(0, -0.1, 0, 0, -0.1, -0.2, 0, 0) == 3
    assert longest(0, 0, -0.1, 0, -0.1, -0.1, -0.1, -0.1) == 4
    assert longest(-0.1, -0.1, 0, 0) == 2


def test_the_deepest_drawdown_lasts_from_its_peak_to_the_next() -> None:
    times = np.arange(8) * DAY_NS

    def deepest(*drawdown: float) -> float:
        zeros = np.zeros(len(drawdown))
        return Curves(times[: len(drawdown)], zeros, np.array(drawdown), zeros).deepest_under_water_ns / DAY_NS

    assert deepest(0, 0, 0) == 0
    assert deepest(0, -0.3, 0, 0, -0.1, -0.2, 0, 0) == 2  # the longer one is not as deep
    assert deepest(0, 0, -0.1, 0, -0.1, -0.3, -0.1, -0.1) == 4


def test_performance(days: Run) -> None:
    result, market = days.result, days.context.market
    found = performance(days)
    equity = [result.cash, *(value for _, value in result.day_ends)]
    returns = [equity[i + 1] / equity[i] - 1 for i in range(len(equity) - 1)]
    years = (market.last_event_ns + DAY_NS - market.start_ns) / YEAR_NS
    prices = [market.first_price, *(price for _, price in market.closes)]
    held = [prices[i + 1] / prices[i] - 1 for i in range(len(prices) - 1)]
    assert found.total_return == result.net_profit / result.cash
    assert found.cagr == pytest.approx((result.final_equity / result.cash) ** (1 / years) - 1)
    assert found.cagr is not None
    assert found.calmar == pytest.approx(found.cagr / result.max_drawdown)
    assert found.daily_returns == len(returns)
    assert found.volatility == pytest.approx(statistics.stdev(returns) * math.sqrt(365))
    assert found.volatility is not None
    assert found.sharpe == result.sharpe == pytest.approx(statistics.mean(returns) * 365 / found.volatility)
    slope, intercept = statistics.linear_regression(held, returns)
    assert found.beta == pytest.approx(slope)
    assert found.alpha == pytest.approx(intercept * 365)
    assert found.benchmark_return == pytest.approx(math.prod(1 + x for x in held) - 1)
    assert found.best_day is not None
    assert found.worst_day is not None
    assert (found.best_day[1], found.worst_day[1]) == (max(returns), min(returns))
    assert found.best_day[0] == result.day_ends[returns.index(max(returns))][0]
    assert found.days_up == sum(x > 0 for x in returns) / len(returns)
    assert found.held_profit == pytest.approx(5.0 * (market.last_price - market.first_price))
    assert 0 < found.max_drawdown_ns <= found.longest_under_water_ns


def test_a_year_of_daily_bars_is_a_year() -> None:
    assert cagr(100.0, 121.0, YEAR_NS) == pytest.approx(0.21)
    assert cagr(100.0, 121.0, 2 * YEAR_NS) == pytest.approx(0.1)
    assert cagr(100.0, 121.0, YEAR_NS - 1) is None  # less would be a promise
    assert cagr(100.0, -1.0, YEAR_NS) is None
    assert (calmar_ratio(0.1, 0.2), calmar_ratio(-0.1, 0.2)) == (0.5, -0.5)
    assert calmar_ratio(None, 0.2) is calmar_ratio(0.1, 0.0) is None


def test_less_than_a_year_is_not_annualised(data_dir: Path) -> None:
    short = performance(run(data_dir / DAYS, events=300, fast=10, slow=30, quantity=1.0))
    assert (short.cagr, short.calmar) == (None, None)
    assert short.total_return is not None


def test_an_account_that_was_ever_empty_has_no_daily_returns(days: Run) -> None:
    broke = replace(days.result, day_ends=[(1, 10.0), (2, -5.0)], final_equity=-5.0)
    found = performance_of(broke, curves(days), days.context.market)
    assert (found.daily_returns, found.volatility, found.best_day, found.days_up, found.cagr) == (0, None, None, None, None)
    assert (found.sortino, found.omega, found.value_at_risk, found.alpha, found.beta) == (None,) * 5


def test_trade_figures_add_up_to_the_net_profit(data_dir: Path, days: Run) -> None:
    quoter = run(data_dir / TRADES, strategy=Quoter, quantity=0.01)
    for one, holds in ((days, False), (quoter, True)):
        result, found = one.result, summary(one)
        assert bool(found.ledger.open) is holds
        trades = found.trades
        assert trades.realized + trades.unrealized - result.fees == pytest.approx(result.net_profit, abs=1e-6)
        assert trades.maker_fills == np.count_nonzero(result.fills["maker"])
    assert np.count_nonzero(quoter.result.fills["maker"]) > 0


def test_trade_figures(days: Run) -> None:
    market = days.context.market
    rows = fills([(1, 100.0, 1.0), (-1, 110.0, 1.0), (1, 100.0, 1.0), (-1, 95.0, 1.0), (1, 100.0, 1.0), (-1, 100.0, 1.0)], step_ns=DAY_NS)
    rows["ts_ns"] += market.start_ns
    found = trade_figures_of(rows, round_trips(rows, [days.context.spec.instrument]), market)
    assert (found.count, found.wins, found.losses) == (3, 1, 1)
    assert (found.hit_rate, found.average_win, found.average_loss, found.profit_factor) == (1 / 3, 10.0, -5.0, 2.0)
    assert (found.best, found.worst, found.expectancy) == (10.0, -5.0, 5 / 3)
    assert found.average_ns == DAY_NS
    assert found.turnover == 100 + 110 + 100 + 95 + 200
    assert found.exposure == 3 * DAY_NS / (market.end_ns - market.start_ns)


def test_without_a_trade_there_is_nothing_to_say_of_trades(days: Run) -> None:
    none = fills([])
    found = trade_figures_of(none, round_trips(none, [days.context.spec.instrument]), days.context.market)
    assert (found.count, found.turnover, found.exposure) == (0, 0.0, 0.0)
    assert {found.hit_rate, found.expectancy, found.profit_factor, found.best, found.worst, found.average_ns} == {None}


def test_what_json_has_are_the_same_figures(days: Run) -> None:
    found = summary(days)
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert said["sharpe"] == days.result.sharpe
    assert (said["sortino"], said["cagr"]) == (found.performance.sortino, found.performance.cagr)
    assert (said["expectancy"], said["round_trips"]) == (found.trades.expectancy, len(found.ledger.trips))
    assert said["max_drawdown_s"] == found.curves.deepest_under_water_ns / 1e9
    assert math.prod(1 + month for month in said["months"].values()) == pytest.approx(1 + said["total_return"])
    assert list(said["months"])[:2] == ["2014-12", "2015-01"]
    assert found.performance.best_day is not None
    assert said["best_day"]["return"] == found.performance.best_day[1]
    assert np.datetime64(said["best_day"]["day"], "D").astype(int) == found.performance.best_day[0]


def test_months_compound_to_the_whole(days: Run) -> None:
    result = days.result
    years = monthly_returns(result.cash, result.day_ends)
    assert [year.year for year in years] == [2014, 2015, 2016, 2017]
    grown = math.prod(1 + month for year in years for month in year.months if month is not None)
    assert grown == pytest.approx(result.final_equity / result.cash)
    assert math.prod(1 + (year.total or 0.0) for year in years) == pytest.approx(grown)
    assert years[0].months[:11] == [None] * 11  # the data begin in December


def test_months_are_measured_from_the_last_equity_of_the_one_before() -> None:
    def day(text: str) -> int:
        return int(np.datetime64(text, "D").astype(int))

    ends = [(day("2020-01-05"), 110.0), (day("2020-01-31"), 120.0), (day("2020-03-01"), 90.0), (day("2022-12-31"), 180.0)]
    first, second, third = monthly_returns(100.0, ends)
    assert first.months[:4] == [pytest.approx(0.2), None, pytest.approx(-0.25), None]
    assert first.total == pytest.approx(-0.1)
    assert (second.year, second.months, second.total) == (2021, [None] * 12, None)
    assert third.months[11] == third.total == pytest.approx(1.0)
    assert monthly_returns(100.0, []) == []
