"""A workload in which a loop written by hand, traider and the peers take turns, each run a process of its own."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .asked import Asked
from .measure import MIB, process, warm_up
from .page import Row, Table
from .peers.columns import columns_folder
from .peers.environments import NotInstalledError, interpreter, version_of

SCRIPTS = Path(__file__).parent / "peers" / "scripts"
COLUMNS = ("process, s", "peak, MiB", "fills", "fees", "final equity")
MANY = 1_000_000


@dataclass(frozen=True)
class Turn:
    """What one run told (``ns`` an event, ``fills``, ``fees``, ``equity``), how long its process took, its peak memory."""

    told: dict[str, Any]
    seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Entrant:
    """One row. ``command`` is asked for when its first turn comes; what it prints last is a JSON object.

    ``goal`` is the highest ratio to the reference. It joins the first ``rounds`` rounds; a ``slow`` one is left out of a
    quick run. A ``peer`` is left out where none are wanted, and may be missing: its row then says why.
    """

    name: str
    command: Callable[[], Sequence[str | Path]]
    read: Callable[[dict[str, Any]], dict[str, Any]] = dict
    goal: float | None = None
    rounds: int = MANY
    slow: bool = False
    peer: bool = False


def case(name: str, module: str, case_name: str, **more: Any) -> Entrant:
    """A case of one of these modules: the hand-written loops."""
    return Entrant(name, lambda: [sys.executable, "-m", "benchmarks.case", module, case_name], **more)


def peer(name: str, environment: str, script: str, data: Callable[[], Path], settings: Mapping[str, Any], **more: Any) -> Entrant:
    """One of the peers' scripts over this data."""

    def command() -> list[str | Path]:
        return [interpreter(environment), SCRIPTS / f"{script}.py", columns_folder(data()), json.dumps(settings)]

    return Entrant(f"{name} {version_of(environment)}", command, peer=True, **more)


@dataclass
class Race:
    """The entrants by key, with the turns that each had, or why it had none."""

    entrants: dict[str, Entrant]
    turns: dict[str, list[Turn]]
    failures: dict[str, str]

    def last(self, key: str) -> dict[str, Any]:
        """What the entrant told of its last run."""
        return self.turns[key][-1].told

    def ratio(self, key: str, reference: str) -> float:
        """The median over the rounds of its time an event divided by the reference's of the same round."""
        pairs = zip(self.turns[key], self.turns[reference], strict=False)  # the slow ones had fewer turns
        return float(statistics.median(mine.told["ns"] / yours.told["ns"] for mine, yours in pairs))

    def rows(self, reference: str) -> list[Row]:
        """A row for each; those without a turn say why."""
        return [self._row(key, entrant, reference) for key, entrant in self.entrants.items()]

    def _row(self, key: str, entrant: Entrant, reference: str) -> Row:
        if key in self.failures:
            return Row(entrant.name, None, [], goal=entrant.goal, remark=self.failures[key], own=not entrant.peer)
        turns, told = self.turns[key], self.last(key)
        extra = [
            f"{statistics.median(turn.seconds for turn in turns):.2f}",
            f"{statistics.median(turn.peak_mib for turn in turns):,.0f}",
            *(f"{told[name]:,.{digits}f}" if name in told else "" for name, digits in (("fills", 0), ("fees", 4), ("equity", 4))),
        ]
        return Row(entrant.name, self.ratio(key, reference), [turn.told["ns"] for turn in turns], goal=entrant.goal, extra=extra)


def run(entrants: dict[str, Entrant], asked: Asked, reference: str | None = None) -> Race:
    """Everybody's turns, round by round. A failure is told in the row of who failed, but of the reference ends the run."""
    warm_up()
    joining = {key: it for key, it in entrants.items() if (asked.peers or not it.peer) and not (asked.quick and it.slow)}
    race = Race(joining, {key: [] for key in joining}, {})
    for number in range(asked.rounds):
        for key, entrant in joining.items():
            if number >= entrant.rounds or key in race.failures:
                continue
            try:
                race.turns[key].append(_turn(entrant))
            except (NotInstalledError, RuntimeError) as error:
                if key == reference:
                    raise
                race.failures[key] = _in_short(error)
    return race


def _turn(entrant: Entrant) -> Turn:
    ran = process(entrant.command())
    told = entrant.read(json.loads(ran.printed.strip().splitlines()[-1]))
    return Turn(told, ran.seconds, ran.peak_bytes / MIB)


def _in_short(error: Exception) -> str:
    if isinstance(error, NotInstalledError):
        return f"not installed: {error}"
    return f"failed: {str(error).strip().splitlines()[-1]}"


def table(race: Race, *, title: str, question: str, text: str, unit: str, reference: str) -> Table:
    """The race as a table of the page."""
    return Table(title=title, question=question, text=text, unit=unit, rows=race.rows(reference), columns=COLUMNS)
