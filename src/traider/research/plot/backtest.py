"""A backtest as a picture: the price with the fills, the equity against holding, and how far it was under water."""

from pathlib import Path
from typing import Any

import numpy as np

from traider.engine.report import words
from traider.engine.report.candles import Candles
from traider.engine.statistics.curves import Curves
from traider.engine.statistics.summary import Statistics

from .. import extras
from ..runs import Run
from . import frame

_ROWS = (3.0, 3.0, 1.4)  # how high the three panels are to one another

_WIDE = 10.0  # highest close / lowest close from which on the price is drawn by its logarithm


def write_backtest_plot(run: Run, path: Path, name: str) -> None:
    """Draws the run into this PNG file; ``name`` is the setting that the path was given with."""
    frame.check_plot_path(path, name)
    frame.save(draw_backtest(run), path, name)


def draw_backtest(run: Run) -> Any:
    """The matplotlib figure."""
    result, statistics, candles = run.result, run.statistics, run.candles
    parameters = ", ".join(f"{name} {value:g}" for name, value in result.parameters.items())
    period = f"{words.moment(candles.start_ns)} to {words.moment(candles.end_ns)} UTC, {result.events:,} {candles.kind}"
    drawn = frame.figure(
        f"{result.strategy} on {result.instrument}",
        f"{parameters}   ·   {period}",
        _figures(run, statistics),
        f"{run.provenance.line()}, fills {result.fills_sha256[:12]}",
    )
    grid = drawn.add_gridspec(
        3, 1, height_ratios=_ROWS, hspace=0.24, left=frame.LEFT, right=frame.RIGHT, top=frame.TOP, bottom=frame.BOTTOM
    )
    price = drawn.add_subplot(grid[0])
    equity, drawdown = (drawn.add_subplot(grid[row], sharex=price) for row in (1, 2))
    _draw_price(price, run, candles)
    _draw_equity(equity, run, statistics.curves)
    _draw_drawdown(drawdown, statistics.curves)
    _dates(drawdown, (price, equity))
    price.set_xlim(_times(np.array([candles.start_ns, candles.end_ns])))
    return drawn


def _figures(run: Run, statistics: Statistics) -> list[tuple[str, str]]:
    result, performance, trades = run.result, statistics.performance, statistics.trades
    return [
        (f"Net profit, {run.spec.instrument.quote}", words.number(result.net_profit, signed=True)),
        ("Return", words.percent(performance.total_return, signed=True)),
        ("Buy and hold", words.percent(performance.benchmark_return, signed=True)),
        ("Max. drawdown", words.percent(result.max_drawdown)),
        ("Sharpe, a year", words.number(result.sharpe)),
        ("Hit rate", words.percent(trades.hit_rate)),
        ("Fills", f"{len(result.fills):,}"),
        ("Fees", words.number(result.fees)),
    ]


def _draw_price(axes: Any, run: Run, candles: Candles) -> None:
    fills = run.result.fills
    frame.panel(axes, f"{run.result.instrument} and fills")
    times = _times(candles.ts_ns)
    if candles.kind == "bars" or candles.events_a_candle > 1:
        axes.fill_between(times, candles.low, candles.high, color=frame.DIM, alpha=0.22, linewidth=0)
    axes.plot(times, candles.close, color=frame.INK, linewidth=0.8)
    if candles.close.min() > 0 and candles.close.max() / candles.close.min() >= _WIDE:
        axes.set_yscale("log")
        axes.set_ylim(candles.close.min() / 1.15, candles.close.max() * 1.15)
        axes.yaxis.set_minor_formatter(_ticker().NullFormatter())
    axes.yaxis.set_major_formatter(frame.thousands())
    size, alpha = _marks(len(fills))
    for side, marker, colour, label in ((1, "^", frame.UP, "buy"), (-1, "v", frame.DOWN, "sell")):
        of_side = fills[fills["side"] == side]
        axes.scatter(
            _times(of_side["ts_ns"]),
            of_side["price"],
            s=size,
            marker=marker,
            color=colour,
            alpha=alpha,
            linewidths=0,
            zorder=3,
            label=f"{len(of_side):,} {label}",
        )
    _legend(axes)


def _draw_equity(axes: Any, run: Run, curves: Curves) -> None:
    frame.panel(axes, f"Equity, {run.spec.instrument.quote}")
    times = _times(curves.ts_ns)
    axes.axhline(run.spec.cash, color=frame.DIM, linewidth=0.7, linestyle=(0, (2, 3)))
    axes.plot(times, curves.held, color=frame.DIM, linewidth=0.9, label="held from the first price on")
    axes.plot(times, curves.equity, color=frame.ACCENT, linewidth=1.3, label="strategy")
    axes.yaxis.set_major_formatter(frame.thousands())
    _legend(axes)


def _draw_drawdown(axes: Any, curves: Curves) -> None:
    frame.panel(axes, "Drawdown")
    axes.fill_between(_times(curves.ts_ns), curves.drawdown, 0.0, color=frame.DOWN, alpha=0.25, linewidth=0)
    axes.plot(_times(curves.ts_ns), curves.drawdown, color=frame.DOWN, linewidth=0.8)
    axes.yaxis.set_major_formatter(_ticker().PercentFormatter(1.0, symbol=" %"))
    axes.yaxis.set_major_locator(_ticker().MaxNLocator(4))
    axes.set_ylim(top=0.0)


def _marks(fills: int) -> tuple[float, float]:
    """Size and opacity of a fill's mark: many are small and pale, so that the price can still be seen."""
    return next((size, alpha) for most, size, alpha in ((150, 42, 0.9), (600, 22, 0.8), (3000, 9, 0.6), (10**9, 3, 0.35)) if fills <= most)


def _legend(axes: Any) -> None:
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        fontsize=8.5,
        labelcolor=frame.DIM,
        borderaxespad=0.15,
        handletextpad=0.5,
        columnspacing=1.4,
    )


def _dates(last: Any, others: tuple[Any, ...]) -> None:
    dates = extras.load("matplotlib.dates", extra="plot", wanted_by="a plot")
    locator = dates.AutoDateLocator(minticks=4, maxticks=10)
    last.xaxis.set_major_locator(locator)
    last.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    for axes in others:
        axes.tick_params(labelbottom=False)


def _ticker() -> Any:
    return extras.load("matplotlib.ticker", extra="plot", wanted_by="a plot")


def _times(ts_ns: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return ts_ns.astype("datetime64[ns]")
