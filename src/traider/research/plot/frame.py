"""What every picture has in common: size, colours, title, figures below it, what it was made of, and how it becomes a file.

Figures are made without pyplot, so that there is no state of a whole process and no window system to look for.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from traider.domain.errors import UserError

from .. import extras

WIDTH, HEIGHT, DPI = 12.0, 8.4, 150  # inches, and pixels an inch
INK, DIM, RULE, PANEL, CANVAS = "#131a23", "#546274", "#d5dce5", "#ffffff", "#f6f8fa"
ACCENT, UP, DOWN = "#0b62d6", "#067652", "#c4232f"  # those of the HTML report
LEFT, RIGHT = 0.075, 0.975
_STYLE = {"font.family": "DejaVu Sans", "font.size": 9.0, "axes.unicode_minus": True, "path.simplify": True}


def check_plot_path(path: Path, name: str) -> None:
    """UserError where no picture could be written, or none be drawn; ``name`` is the setting that the path was given with."""
    if path.suffix.lower() != ".png":
        raise UserError(f"{name} {path}: a picture is written as PNG; give a name that ends in .png")
    if path.is_dir():
        raise UserError(f"{name} {path}: is a folder; give the name of a file")
    extras.load("matplotlib", extra="plot", wanted_by=name)


def figure(title: str, subtitle: str, figures: Sequence[tuple[str, str]], made_of: str) -> Any:
    """A figure with its title, a row of figures (label, value) and a last line; the room between is for axes (``TOP``, ``BOTTOM``)."""
    matplotlib = extras.load("matplotlib", extra="plot", wanted_by="a plot")
    made = extras.load("matplotlib.figure", extra="plot", wanted_by="a plot").Figure
    with matplotlib.rc_context(_STYLE):
        drawn = made(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=CANVAS)
        drawn.text(LEFT, 0.968, title, color=INK, fontsize=16, fontweight="bold", va="top")
        drawn.text(LEFT, 0.926, subtitle, color=DIM, fontsize=9.5, va="top")
        for number, (label, value) in enumerate(figures):
            x = LEFT + (RIGHT - LEFT) * number / max(1, len(figures))
            drawn.text(x, 0.887, label, color=DIM, fontsize=8.5, va="top")
            drawn.text(x, 0.866, value, color=_tone(value), fontsize=12, fontweight="bold", va="top")
        drawn.text(LEFT, 0.016, made_of, color=DIM, fontsize=7, va="bottom")
        return drawn


TOP, BOTTOM = 0.8, 0.075


def thousands() -> Any:
    """Numbers along an axis, grouped, with a real minus."""
    ticker = extras.load("matplotlib.ticker", extra="plot", wanted_by="a plot")
    return ticker.FuncFormatter(lambda value, _: f"{value:,.10g}".replace("-", "−"))


def panel(axes: Any, label: str) -> None:
    """The look of one axes: a thin frame, a grid behind, its name inside on the left."""
    axes.set_facecolor(PANEL)
    axes.set_axisbelow(True)
    axes.grid(color=RULE, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(RULE)
    axes.tick_params(colors=DIM, labelsize=8, length=0)
    axes.set_title(label, loc="left", color=INK, fontsize=9.5, fontweight="bold", pad=5)


def save(drawn: Any, path: Path, name: str) -> None:
    """Writes the PNG, and makes the folders above it; what stood there before stays until the new file is complete."""
    matplotlib = extras.load("matplotlib", extra="plot", wanted_by=name)
    canvas = extras.load("matplotlib.backends.backend_agg", extra="plot", wanted_by=name).FigureCanvasAgg
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with matplotlib.rc_context(_STYLE), part.open("wb") as file:
                canvas(drawn).print_png(file, metadata={"Software": "traider"})
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{name} {path}: can't be written: {error.strerror or error}; choose another place") from None


def _tone(value: str) -> str:
    return UP if value.startswith("+") else DOWN if value.startswith("−") else INK
