"""A sweep as a picture: what two parameters make of the objective, as a heat map; of one parameter, a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from traider.engine.report import words
from traider.engine.sweep import objective_of
from traider.engine.trial import Trial

from .. import extras
from ..sweeps import Sweep
from . import frame

MOST_CELLS = 40_000  # of a grid; where the values make more, each trial is a point
MOST_LABELS = 24  # along one axis


def write_sweep_plot(done: Sweep, path: Path, name: str) -> None:
    """Draws the sweep into this PNG file; ``name`` is the setting that the path was given with."""
    frame.check_plot_path(path, name)
    frame.save(draw_sweep(done), path, name)


def draw_sweep(done: Sweep) -> Any:
    """The matplotlib figure: the first two parameters that differ between trials, or the one that does."""
    result, instrument = done.result, done.spec.instrument
    names = [name for name in done.names if len({trial.parameters[name] for trial in result.trials}) > 1] or done.names
    value_name = f"net profit, {instrument.quote}" if result.objective == "final-equity" else "Sharpe ratio a year"
    drawn = frame.figure(
        f"{done.spec.strategy.name} on {instrument.symbol}", _subtitle(done, names, value_name), _figures(done), done.provenance.line()
    )
    place = (frame.LEFT, frame.BOTTOM + 0.03, frame.RIGHT - frame.LEFT, frame.TOP - frame.BOTTOM - 0.03)
    axes = drawn.add_axes(place)
    values = np.array([_value(done, trial) for trial in result.trials])
    frame.panel(axes, value_name)
    if len(names) == 1:
        _draw_line(axes, done, names[0], values)
        return drawn
    axes.set_position((place[0], place[1], place[2] - 0.07, place[3]))
    shown = _draw_map(axes, done, names[0], names[1], values)
    bar = drawn.colorbar(shown, cax=drawn.add_axes((frame.RIGHT - 0.055, place[1], 0.014, place[3])))
    bar.outline.set_edgecolor(frame.RULE)
    bar.ax.tick_params(colors=frame.DIM, labelsize=8, length=0)
    _label_bar(bar, shown)
    return drawn


def _label_bar(bar: Any, shown: Any) -> None:
    """Numbers on both sides of nothing, although each has its own scale."""
    low, high = shown.get_clim()
    if low < 0 < high:
        ticks = [low, low / 2, 0.0, high / 2, high]
        bar.set_ticks(ticks, labels=[_short(tick) for tick in ticks])
    else:
        bar.ax.yaxis.set_major_formatter(frame.thousands())


def _value(done: Sweep, trial: Trial) -> float:
    if done.result.objective == "final-equity":
        return trial.net_profit
    value = objective_of(done.result.objective)(trial)
    return value if np.isfinite(value) else np.nan


def _subtitle(done: Sweep, names: Sequence[str], value_name: str) -> str:
    searched = {"grid": "every combination", "random": "combinations drawn at random", "tpe": "searched by TPE"}[done.plan.search.kind]
    others = ", ".join(names[2:])
    best_of = f"; each place shows the best over {others}" if others else ""
    return f"{len(done.result.trials):,} trials, {searched}   ·   colour: {value_name}{best_of}   ·   outlined: the best trial"


def _figures(done: Sweep) -> list[tuple[str, str]]:
    result = done.result
    best = result.trials[result.best]
    parameters = ", ".join(f"{name} {best.parameters[name]:g}" for name in done.names)
    test = done.permutation
    figures = [
        ("Best", parameters if len(parameters) <= 24 else parameters[:23] + "…"),
        (f"Its net profit, {done.spec.instrument.quote}", words.number(best.net_profit, signed=True)),
        ("Its Sharpe, a year", words.number(best.sharpe)),
        ("Deflated Sharpe ratio", words.percent(result.deflated_sharpe)),
        ("Probability of overfitting", words.percent(result.pbo)),
    ]
    return [*figures, ("Permutation test, p", words.percent(test.p_value))] if test is not None else figures


def _draw_line(axes: Any, done: Sweep, name: str, values: np.ndarray[Any, Any]) -> None:
    x = np.array([float(trial.parameters[name]) for trial in done.result.trials])
    order = np.argsort(x, kind="stable")
    axes.axhline(0.0, color=frame.DIM, linewidth=0.7, linestyle=(0, (2, 3)))
    axes.plot(x[order], values[order], color=frame.ACCENT, linewidth=1.2, marker="o", markersize=3.5)
    _ring(axes, x[done.result.best], values[done.result.best])
    axes.set_xlabel(name, color=frame.DIM)
    axes.yaxis.set_major_formatter(frame.thousands())


def _draw_map(axes: Any, done: Sweep, across: str, up: str, values: np.ndarray[Any, Any]) -> Any:
    """Cells where the values make a grid of a fair size, else a point for each trial."""
    trials, best = done.result.trials, done.result.best
    x, y = (np.array([float(trial.parameters[name]) for trial in trials]) for name in (across, up))
    columns, rows = np.unique(x), np.unique(y)
    axes.set_xlabel(across, color=frame.DIM)
    axes.set_ylabel(up, color=frame.DIM)
    look = _look(values)
    if len(columns) * len(rows) > MOST_CELLS or len(columns) * len(rows) > 4 * len(trials):
        shown = axes.scatter(x, y, c=values, s=46, edgecolors=frame.DIM, linewidths=0.4, zorder=2, **look)
        for name, scale in ((across, axes.set_xscale), (up, axes.set_yscale)):
            if _is_wide([float(trial.parameters[name]) for trial in trials]):
                scale("log")
        _ring(axes, x[best], y[best])
        return shown
    cells = np.full((len(rows), len(columns)), -np.inf)
    at = np.searchsorted(rows, y), np.searchsorted(columns, x)
    np.maximum.at(cells, at, np.where(np.isnan(values), -np.inf, values))
    axes.grid(visible=False)
    shown = axes.imshow(np.ma.masked_invalid(cells), origin="lower", aspect="auto", interpolation="nearest", **look)
    _label(axes.set_xticks, columns)
    _label(axes.set_yticks, rows)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if cells.size <= 400:
        _write_values(axes, cells, shown)
    patches = extras.load("matplotlib.patches", extra="plot", wanted_by="a plot")
    corner = float(at[1][best]) - 0.5, float(at[0][best]) - 0.5
    axes.add_patch(patches.Rectangle(corner, 1.0, 1.0, fill=False, edgecolor=frame.INK, linewidth=2.4, zorder=4, clip_on=False))
    return shown


def _label(set_ticks: Any, values: np.ndarray[Any, Any]) -> None:
    step = -(-len(values) // MOST_LABELS)
    places = range(0, len(values), step)
    set_ticks(list(places), [f"{values[place]:g}" for place in places])


def _write_values(axes: Any, cells: np.ndarray[Any, Any], shown: Any) -> None:
    """Each cell's number in it, short."""
    size = 7.5 if cells.shape[1] <= 12 else 6.0
    for row, column in np.ndindex(cells.shape):
        value = cells[row, column]
        if np.isfinite(value):
            red, green, blue, _ = shown.to_rgba(value)
            ink = "#ffffff" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else frame.INK
            axes.text(column, row, _short(float(value)), ha="center", va="center", color=ink, fontsize=size)


def _short(value: float) -> str:
    """Three digits that matter: ``12.3k``."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g}{letter}".replace("-", words.MINUS)
    return f"{value:.3g}".replace("-", words.MINUS)


def _ring(axes: Any, x: float, y: float, size: float = 180.0) -> None:
    axes.scatter([x], [y], s=size, facecolors="none", edgecolors=frame.INK, linewidths=1.8, zorder=4)


def _is_wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) >= 100


def _look(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Colours from loss over nothing, which is white, to profit; of trials with one sign, from the lowest to the highest."""
    low, high = float(np.nanmin(values, initial=np.inf)), float(np.nanmax(values, initial=-np.inf))
    colours = extras.load("matplotlib.colors", extra="plot", wanted_by="a plot")
    losses, profits = [frame.DOWN, "#e99c9f", "#fbfbf8"], ["#fbfbf8", "#93cbb3", frame.UP]
    if not low < high:
        low, high = low - 1.0, high + 1.0
    if low < 0 < high:
        shades, norm = [*losses, *profits[1:]], colours.TwoSlopeNorm(0.0, low, high)  # each side has its own scale
    else:
        shades, norm = profits if low >= 0 else losses, colours.Normalize(low, high)
    made = colours.LinearSegmentedColormap.from_list("profit", shades).with_extremes(bad="#e3e7ec")
    return {"cmap": made, "norm": norm}
