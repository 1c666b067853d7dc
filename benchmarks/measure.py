"""Runs of commands and cases in fresh processes, and the figures made of them."""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .asked import QUICK_ROUNDS, ROUNDS, Asked
from .page import ROOT, Markdown

WORK = ROOT / "build" / "benchmarks"  # data, compiled code, state: nothing of the user's own
MIB = 1024 * 1024
_LAUNCH = Path(__file__).with_name("launch.py")
TRAIDER = Path(sys.executable).with_name("traider")


class Run(NamedTuple):
    """One process: how long it took from start to exit, the most memory it had, what it printed."""

    seconds: float
    peak_bytes: int
    printed: str


def cache_folder() -> Path:
    """Where the measured processes keep their compiled code, unless a case wants an empty one."""
    return WORK / "cache"


def environment(cache: Path | None = None) -> dict[str, str]:
    """The environment of every process that is measured. Byte code is kept, as an installer does."""
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "TRAIDER_CACHE_DIR": str(cache or cache_folder()),
        "NUMBA_CACHE_DIR": str(cache or cache_folder()),
        "TRAIDER_STATE_DIR": str(WORK / "state"),
    }


@functools.cache
def warm_up() -> None:
    """Fills the measured processes' cache, once: no run is then one that compiles."""
    process([sys.executable, "-m", "traider.cli.warm"])


def process(command: Sequence[str | Path], cache: Path | None = None) -> Run:
    """Runs the command to its end; a failure is an error that carries what it said."""
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as told:
        launched = [sys.executable, "-I", "-S", _LAUNCH, told.fileno(), *command]
        child = subprocess.run(
            [str(word) for word in launched],
            cwd=ROOT,
            env=environment(cache),
            stdout=out,
            stderr=complaints,
            pass_fds=(told.fileno(),),
            check=False,
        )
        if child.returncode != 0:
            complaints.seek(0)
            raise RuntimeError(f"{' '.join(str(word) for word in command)} failed:\n{complaints.read().decode(errors='replace')}")
        out.seek(0)
        told.seek(0)
        seconds, peak_kib = told.read().split()
        return Run(float(seconds), int(peak_kib) * 1024, out.read().decode())


def case(module: str, name: str) -> dict[str, Any]:
    """What the case of this name in ``benchmarks.<module>`` tells of one run, in a process of its own."""
    told: dict[str, Any] = json.loads(process([sys.executable, "-m", "benchmarks.case", module, name]).printed)
    return told


def in_turns(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The figures of each case; in each round every case has one turn."""
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, run in cases.items():
            figures[name].append(run())
    return figures


def cases_in_turns(module: str, names: Iterable[str], figure: str, rounds: int) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """The same for cases of a module: one figure of all rounds, and everything that the last round told."""
    told: dict[str, Any] = {}

    def turn(name: str) -> float:
        told[name] = case(module, name)
        return float(told[name][figure])

    return in_turns({name: functools.partial(turn, name) for name in names}, rounds), told


def ratio(figures: Mapping[str, Sequence[float]], name: str, reference: str) -> float:
    """The median over the rounds of the case's figure divided by the reference's figure of the same round."""
    return statistics.median(x / y for x, y in zip(figures[name], figures[reference], strict=True))


def asked_for(parser: argparse.ArgumentParser) -> tuple[Asked, argparse.Namespace]:
    """The command line's ``--rounds``, ``--quick`` and ``--no-peers``, and what else the parser knows."""
    parser.add_argument("--rounds", type=int, help=f"runs of each case (default {ROUNDS}, quick {QUICK_ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="few rounds, without what takes more than about a minute")
    parser.add_argument("--no-peers", action="store_true", help="traider and the hand-written loops only")
    given = parser.parse_args()
    rounds = (QUICK_ROUNDS if given.quick else ROUNDS) if given.rounds is None else given.rounds
    if rounds < 1:
        parser.error("--rounds must be at least 1")
    return Asked(rounds, peers=not given.no_peers, quick=given.quick), given


def answer(measure: Callable[[Asked], Sequence[Markdown]]) -> None:
    """Asks one question from the command line and prints its tables."""
    asked, _ = asked_for(argparse.ArgumentParser())
    for table in measure(asked):
        print(table.markdown())
