"""Tables of answers, and the page that they go to."""

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"


class Markdown(Protocol):
    """Anything that can be a part of the page."""

    @property
    def failed(self) -> bool: ...

    def markdown(self) -> str: ...


@dataclass(frozen=True)
class Row:
    """One case. ``ratio`` is to the table's reference, or to its goal's unit; ``goal`` is the largest that is meant to be."""

    name: str
    ratio: float | None
    figures: Sequence[float]
    goal: float | None = None
    goal_is_of_figure: bool = False
    extra: Sequence[str] = ()
    remark: str = ""  # instead of figures
    own: bool = True  # not a peer's

    @property
    def judged(self) -> float:
        """What the goal speaks of: the ratio, or the median figure."""
        if self.ratio is None or self.goal_is_of_figure:
            return statistics.median(self.figures)
        return self.ratio


@dataclass(frozen=True)
class Table:
    """The answer to one question. ``unit`` is of the figures; ``ratio_of`` says what the ratios are to."""

    title: str
    question: str
    text: str
    unit: str
    rows: list[Row]
    ratio_of: str = "the reference"
    columns: Sequence[str] = ()  # of the rows' ``extra``
    notes: Sequence[str] = ()  # below it

    @property
    def failed(self) -> bool:
        """Whether a row that is not a peer's has no figures."""
        return any(row.remark and row.own for row in self.rows)

    def markdown(self) -> str:
        """The table with its question, ratios first."""
        lines = [f"## {self.title}", "", f"*{self.question.strip()}* {self.text}", ""]
        heads = ["case", f"x {self.ratio_of}", "goal", f"median, {self.unit}", "best", "rounds", *self.columns]
        lines += [line(heads), "|" + "---|" * len(heads)]
        lines += [line([*self._cells(row), *([""] * len(self.columns) if row.remark else row.extra)]) for row in self.rows]
        return "\n".join([*lines, "", *(f"{note}\n" for note in self.notes)])

    def _cells(self, row: Row) -> list[str]:
        if row.remark:
            return [row.name, "", "" if row.goal is None else f"≤ {_short(row.goal)}: not measured", row.remark, "", "0"]
        goal = "" if row.goal is None else f"≤ {_short(row.goal)}{' ' + self.unit if row.goal_is_of_figure else ''}: {_verdict(row)}"
        figures = [_short(statistics.median(row.figures)), _short(min(row.figures)), str(len(row.figures))]
        return [row.name, "" if row.ratio is None else _short(row.ratio), goal, *figures]


def line(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def _verdict(row: Row) -> str:
    return "met" if row.goal is not None and row.judged <= row.goal else "**missed**"


def _short(number: float) -> str:
    """Three digits that matter."""
    if number >= 1000:
        return f"{round(number, 3 - len(str(int(number)))):,.0f}"
    return f"{number:.3g}"


def write(tables: Sequence[Markdown], path: Path = PAGE) -> None:
    """The whole page, from one run of all the questions."""
    head = [
        "# Benchmarks",
        "",
        "What traider costs, and what its peers do, measured by `make bench`, which writes this page. Each run of a case is a process of",
        "its own; the cases of one table take turns, round by round, and a ratio is the median of the rounds' ratios, so that a busy",
        "machine slows all sides alike. Absolute times hold for the machine below; ratios travel. The peers run in environments of",
        "their own, each at the version in its row ([why so](adr/0029-peers-measured-as-commands.md)); what is slow joins fewer rounds.",
        "A time is of the engine alone, without start-up, reading, making of its own data objects, or compilation; *process* is all of",
        "it, as a user waits for it, and *peak* the most memory that it had.",
        "",
        *machine(),
        "",
    ]
    path.write_text("\n".join(head) + "\n".join(table.markdown() for table in tables).rstrip() + "\n", encoding="utf-8")


def machine() -> list[str]:
    """What was measured on, when, and with which versions."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numba", "llvmlite", "numpy", "pyarrow"))
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    return [
        "| | |",
        "|---|---|",
        f"| machine | {cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]} |",
        f"| date | {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average at the end {load} |",
        f"| versions | traider {version('traider')} ({commit}), Python {platform.python_version()}, {versions} |",
    ]


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
