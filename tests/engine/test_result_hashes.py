"""The same fills, bit for bit: on every Python, with any number of threads, in one piece or in many, compiled or not.

``result_hashes.json`` is what all of them are held to: CI runs this on each Python, ``make pythons`` on those installed here.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine import result_hashes as runs
from traider.engine.fills import FILLS, Outcomes, fills_sha256
from traider.engine.session import Session
from traider.engine.tape import Tape
from traider.kernel.desk import Desk

ROOT = Path(__file__).parents[2]
EXPECTED: dict[str, str] = json.loads(runs.HASHES.read_text(encoding="utf-8"))
EMPTY = fills_sha256(np.zeros(0, FILLS))
TAPES = {path: runs.tape_of(path) for path in (runs.BARS, runs.TRADES)}


@pytest.mark.slow
def test_the_results_are_those_of_every_other_python() -> None:
    assert runs.different(runs.result_hashes(), EXPECTED) == []


def test_the_results_that_are_held_to_are_some() -> None:
    assert EMPTY not in EXPECTED.values()
    compiled, interpreted = ({name.rpartition(",")[0]: EXPECTED[name] for name in EXPECTED if name.endswith(way)} for way in WAYS)
    assert compiled == interpreted
    assert len(set(compiled.values())) == len(compiled) == len(runs.specs())


WAYS = (", compiled", ", interpreted")


def test_one_result_that_differs_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = {**EXPECTED, "sma_cross, compiled": EMPTY}
    monkeypatch.setattr(runs, "result_hashes", lambda: found)
    assert runs.main([]) == 1
    assert "sma_cross, compiled: another result than result_hashes.json has" in capsys.readouterr().out
    monkeypatch.setattr(runs, "result_hashes", lambda: EXPECTED)
    assert runs.main([]) == 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_sweep_gives_the_same_with_any_number_of_threads(threads: int) -> None:
    assert runs.sweep_sha256(TAPES[runs.BARS], threads) == EXPECTED["sweep, 1 threads"] == EXPECTED["sweep, 3 threads"]


def in_pieces(name: str, ends: list[int]) -> str:
    """The hash of a run that stops at these rows, where everything that was logged is taken out."""
    spec, path = runs.specs()[name]
    tape: Tape = TAPES[path]
    desk = Desk([spec.instrument], cash=spec.cash, limits=spec.limits, fees=spec.fees, fill=spec.fill, trips=True)
    session = Session(spec.strategy(**spec.parameters), desk)
    outcomes = Outcomes()
    done = 0
    for end in [*sorted(min(end, len(tape)) for end in ends), len(tape)]:
        while done < end:
            done = session.step(tape, done, end)
            outcomes.add(desk.take_executions())
            desk.drain_day_ends()
    return fills_sha256(outcomes.fills())


@settings(max_examples=15)
@given(st.sampled_from(sorted(runs.specs())), st.lists(st.integers(0, 12_000), max_size=40))
def test_it_is_the_same_in_whatever_pieces(name: str, ends: list[int]) -> None:
    assert in_pieces(name, ends) == EXPECTED[f"{name}, compiled"]


def versions(file: str, pattern: str) -> list[str]:
    """The Python versions that stand where the pattern says."""
    found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{file} has nothing like {pattern}"
    return re.findall(r"3\.\d+", found[1])


def test_ci_and_make_pythons_run_each_python_that_is_promised() -> None:
    promised = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert promised
    assert versions(".github/workflows/ci.yml", r"python: \[(.+)\]") == promised
    assert versions("scripts/pythons", r'^versions="(.+)"') == promised
