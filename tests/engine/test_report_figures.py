"""Every figure by its formula, from runs on recorded data."""

import math
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engine.reports import DAYS, MINUTES, TRADES, Quoter, Run, fills, run, with_fills
from traider.engine.report.candles import candles_of
from traider.engine.report.curves import Curves, curves_of
from traider.engine.report.figures import monthly_returns, performance_of, trade_figures_of
from traider.engine.report.sketch import HEIGHT, WIDTH, sketch_of
from traider.engine.round_trips import round_trips
from traider.engine.tape import bars_tape

DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def days() -> Run:
    return run(Path(__file__).parents[1] / "data" / DAYS, fast=10, slow=30, quantity=5.0)


def curves(run: Run) -> Curves:
    return curves_of(run.result, run.context.candles, float(run.result.parameters["quantity"]))


def test_candles_keep_first_last_highest_and_lowest() -> None:
    rng = np.random.default_rng(1)
    close = rng.uniform(90, 110, 1003)
    open_, high, low = close + 1, close + 3, close - 2
    tape = bars_tape(np.arange(1003) * DAY_NS, open_, high, low, close, close)
    candles = candles_of(tape, most=10)
    assert len(candles) == 10
    assert candles.events_a_candle == 101
    for number in range(10):
        part = slice(number * 101, min((number + 1) * 101, 1003))
        assert candles.ts_ns[number] == tape.ts_ns[part][0]
        assert (candles.open[number], candles.close[number]) == (open_[part][0], close[part][-1])
        assert (candles.high[number], candles.low[number]) == (high[part].max(), low[part].min())
    assert (candles.start_ns, candles.end_ns) == (0, 1003 * DAY_NS)


def test_candles_of_trades_end_with_the_last_trade(data_dir: Path) -> None:
    trades = run(data_dir / TRADES, strategy=Quoter, quantity=0.01).context.candles
    assert trades.kind == "trades"
    assert trades.end_ns == trades.last_event_ns
    assert (trades.high == trades.low).all()  # one trade a candle


def test_curves_begin_with_the_cash_and_end_with_the_final_equity(data_dir: Path) -> None:
    minutes = run(data_dir / MINUTES, events=9000, fast=20, slow=50, quantity=1.0)  # three events a point: the last ones have none
    drawn = curves(minutes)
    assert (drawn.equity[0], drawn.equity[-1]) == (minutes.result.cash, minutes.result.final_equity)
    assert (drawn.ts_ns[0], drawn.ts_ns[-1]) == (minutes.context.candles.start_ns, minutes.context.candles.last_event_ns)
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


def test_performance(days: Run) -> None:
    result = days.result
    found = performance_of(result, curves(days))
    equity = [result.cash, *(value for _, value in result.day_ends)]
    returns = [equity[i + 1] / equity[i] - 1 for i in range(len(equity) - 1)]
    years = (days.context.candles.last_event_ns - days.context.candles.start_ns) / DAY_NS / 365
    assert found.total_return == result.net_profit / result.cash
    assert found.annual_return == pytest.approx((result.final_equity / result.cash) ** (1 / years) - 1)
    assert found.daily_returns == len(returns)
    assert found.volatility == pytest.approx(statistics.stdev(returns) * math.sqrt(365))
    assert found.volatility is not None
    assert result.sharpe == pytest.approx(statistics.mean(returns) * 365 / found.volatility)
    assert found.best_day is not None
    assert found.worst_day is not None
    assert (found.best_day[1], found.worst_day[1]) == (max(returns), min(returns))
    assert found.best_day[0] == result.day_ends[returns.index(max(returns))][0]
    assert found.days_up == sum(x > 0 for x in returns) / len(returns)
    assert found.held_profit == pytest.approx(5.0 * (days.context.candles.close[-1] - days.context.candles.open[0]))


def test_less_than_a_year_is_not_annualised(data_dir: Path) -> None:
    short = run(data_dir / DAYS, events=300, fast=10, slow=30, quantity=1.0)
    assert performance_of(short.result, curves(short)).annual_return is None


def test_an_account_that_was_ever_empty_has_no_daily_returns(days: Run) -> None:
    broke = replace(days.result, day_ends=[(1, 10.0), (2, -5.0)], final_equity=-5.0)
    found = performance_of(broke, curves(days))
    assert (found.daily_returns, found.volatility, found.best_day, found.days_up, found.annual_return) == (0, None, None, None, None)


def test_trade_figures_add_up_to_the_net_profit(data_dir: Path, days: Run) -> None:
    quoter = run(data_dir / TRADES, strategy=Quoter, quantity=0.01)
    for one, holds in ((days, False), (quoter, True)):
        result = one.result
        ledger = round_trips(result.fills, [one.context.spec.instrument])
        found = trade_figures_of(result, ledger, one.context.candles)
        assert bool(ledger.open) is holds
        assert found.realized + found.unrealized - result.fees == pytest.approx(result.net_profit, abs=1e-6)
        assert found.maker_fills == np.count_nonzero(result.fills["maker"])
    assert np.count_nonzero(quoter.result.fills["maker"]) > 0


def test_trade_figures(days: Run) -> None:
    candles = days.context.candles
    rows = fills([(1, 100.0, 1.0), (-1, 110.0, 1.0), (1, 100.0, 1.0), (-1, 95.0, 1.0), (1, 100.0, 1.0), (-1, 100.0, 1.0)], step_ns=DAY_NS)
    rows["ts_ns"] += candles.start_ns
    made = with_fills(days, rows)
    found = trade_figures_of(made.result, round_trips(rows, [days.context.spec.instrument]), candles)
    assert (found.count, found.wins, found.losses) == (3, 1, 1)
    assert (found.win_rate, found.average_win, found.average_loss, found.profit_factor) == (1 / 3, 10.0, -5.0, 2.0)
    assert (found.best, found.worst, found.average) == (10.0, -5.0, 5 / 3)
    assert found.average_ns == DAY_NS
    assert found.turnover == 100 + 110 + 100 + 95 + 200
    assert found.exposure == 3 * DAY_NS / (candles.end_ns - candles.start_ns)


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


def test_a_sketch_keeps_the_ends_and_the_extremes() -> None:
    times = np.arange(5000) * DAY_NS
    values = np.sin(np.arange(5000) / 300)
    values[1234], values[4321] = 5.0, -7.0
    sketch = sketch_of(times, values)
    points = [tuple(map(float, point.split())) for point in sketch.line.removeprefix("M").split("L")]
    assert (sketch.high, sketch.low) == (5.0, -7.0)
    assert (points[0][0], points[-1][0]) == (0.0, WIDTH)
    assert min(y for _, y in points) == 0.0
    assert max(y for _, y in points) == HEIGHT
    assert len(points) <= 2 * 500 + 2
    assert points == sorted(points, key=lambda point: point[0])


def test_a_sketch_of_what_never_moved_is_a_line() -> None:
    assert sketch_of(np.array([7]), np.array([3.0])).line == "M0.0 0.0"
