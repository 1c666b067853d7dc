"""A sweep's record: exact, torn only at its end, and of one sweep only."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.research.markets import bars
from traider.domain.errors import UserError
from traider.engine.grid import parse_axis
from traider.engine.overfitting import moments_of
from traider.engine.sweep import run_sweep
from traider.engine.trial import Outcome, Trial
from traider.kernel.simulation import Fees
from traider.research.search_plan import SearchPlan
from traider.research.sweep_record import SweepRecord
from traider.research.sweeps import Sweep, SweepPlan, run_plan

GRID = SearchPlan(axes=(parse_axis("fast=5:30:5"), parse_axis("slow=40,60,80")))
TPE = SearchPlan(axes=(parse_axis("fast=2:30:1"), parse_axis("slow=31:90:1")), tpe=40, seed=5)
MADE_OF: dict[str, object] = {"strategy": {"sha256": "a"}, "data": "b"}


def outcome(seed: int) -> Outcome:
    rng = np.random.default_rng(seed)
    trial = Trial({"x": seed, "y": float(rng.random()), "up": True}, float(rng.normal()), 0.1 + 0.2, seed, 1e-300, 0.5, None, 3)
    return Outcome(trial, moments_of(rng.normal(0, 0.01, 500)))


def run(
    path: Path | None, search: SearchPlan = GRID, *, permutations: int = 0, objective: str = "final-equity", fee: float = 0.0002
) -> Sweep:
    spec, tape, sha256 = bars(1500)
    plan = SweepPlan(search, objective, permutations, threads=2, resume=path)
    return run_plan(replace(spec, fees=Fees(taker=fee)), plan, tape, data_sha256=sha256)


def found(done: Sweep) -> tuple[object, ...]:
    result = done.result
    return result.trials, result.best, result.deflated_sharpe, result.pbo, done.permutation


def test_what_was_noted_is_known_again_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "sweep.jsonl"
    record = SweepRecord.open(path, MADE_OF, name="--resume")
    record.note([(4, outcome(4)), (5, outcome(5))])
    record.note_best(0, 1 / 3)
    record.note_best(1, -np.inf)
    record.close()
    again = SweepRecord.open(path, MADE_OF, name="--resume")
    for number in (4, 5):
        known, wanted = again.known(number), outcome(number)
        assert known is not None
        assert known.trial == wanted.trial
        assert known.moments.tobytes() == wanted.moments.tobytes()
    assert again.known(0) is None
    assert (again.trials, again.known_best(0), again.known_best(1), again.known_best(2)) == (2, 1 / 3, -np.inf, None)
    again.close()


def test_every_cut_of_the_last_line_is_dropped_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    record = SweepRecord.open(path, MADE_OF, name="--resume")
    record.note([(0, outcome(0))])
    whole = path.stat().st_size
    record.note([(1, outcome(1))])
    record.close()
    text = path.read_bytes()
    for length in [*range(whole, whole + 40), len(text) - 1]:
        path.write_bytes(text[:length])
        again = SweepRecord.open(path, MADE_OF, name="--resume")
        assert again.known(0) is not None
        assert again.known(1) is None
        again.note([(1, outcome(1))])
        again.close()
        assert path.read_bytes() == text


def test_a_torn_first_line_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    SweepRecord.open(path, MADE_OF, name="--resume").close()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        SweepRecord.open(path, MADE_OF, name="--resume").close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize("text", [b"fast,slow\n1,2\n", b"no line end", b'{"line":"trial"}\n', b"\n"])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "precious.csv"
    path.write_bytes(text)
    with pytest.raises(UserError, match=r"--resume .*precious.csv: is there and is no record"):
        SweepRecord.open(path, MADE_OF, name="--resume")
    assert path.read_bytes() == text


def test_a_damaged_line_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    record = SweepRecord.open(path, MADE_OF, name="--resume")
    record.note([(0, outcome(0)), (1, outcome(1))])
    record.close()
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][:50]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(UserError, match="line 2 is damaged"):
        SweepRecord.open(path, MADE_OF, name="--resume")


def test_two_sweeps_do_not_write_one_record(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    record = SweepRecord.open(path, MADE_OF, name="--resume")
    with pytest.raises(UserError, match="another sweep is writing it"):
        SweepRecord.open(path, MADE_OF, name="--resume")
    record.close()
    SweepRecord.open(path, MADE_OF, name="--resume").close()


@pytest.mark.parametrize("search", [GRID, TPE], ids=["grid", "tpe"])
def test_a_record_that_was_cut_anywhere_goes_on_to_the_same_result(tmp_path: Path, search: SearchPlan) -> None:
    whole = run(None, search)
    path = tmp_path / "sweep.jsonl"
    assert found(run(path, search)) == found(whole)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + len(whole.result.trials)
    for kept in (1, 2, len(lines) // 2, len(lines) - 1):
        path.write_bytes(b"".join(lines[:kept]) + lines[-1][:30])
        assert found(run(path, search)) == found(whole)
        assert sorted(path.read_bytes().splitlines()) == sorted(line.rstrip() for line in lines)


def test_what_is_known_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sweep.jsonl"
    first = run(path)

    def never(*_: object) -> None:
        raise AssertionError("a trial was run")

    monkeypatch.setattr("traider.engine.sweep.run_group", never)
    assert found(run(path)) == found(first)


def test_permutations_are_kept_too_and_more_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    run(path, permutations=2)
    assert path.read_bytes().count(b'"permutation"') == 2
    more = run(path, permutations=5)
    assert found(more) == found(run(None, permutations=5))
    assert path.read_bytes().count(b'"permutation"') == 5


def test_another_sweep_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    run(path)
    with pytest.raises(UserError, match="belongs to another sweep: settings differs"):
        run(path, fee=0.0003)
    with pytest.raises(UserError, match="search differs"):
        run(path, SearchPlan(axes=(parse_axis("fast=5:30:5"), parse_axis("slow=40,60,81"))))
    with pytest.raises(UserError, match="objective differs"):
        run(path, objective="sharpe")
    spec, tape, _ = bars(1500)
    with pytest.raises(UserError, match="data differs"):
        run_plan(spec, SweepPlan(GRID, resume=path), tape, data_sha256="0" * 64)
    with pytest.raises(UserError, match="shared parameters differs"):
        run_plan(replace(spec, parameters={"quantity": 2.0}), SweepPlan(GRID, resume=path), tape, data_sha256=bars(1500)[2])


def test_the_first_line_says_what_the_sweep_is_made_of(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    run(path)
    made_of = json.loads(path.read_bytes().splitlines()[0])["made_of"]
    assert set(made_of) == {"strategy", "data", "settings", "shared parameters", "search", "objective"}
    assert made_of["search"]["grid"]["slow"] == ["40", "60", "80"]
    spec = bars(10)[0]
    assert Fraction(made_of["settings"]["instrument"]["price_increment"]) == Fraction(spec.instrument.price_increment)
    assert set(made_of["settings"]) == {name for name in spec.__dataclass_fields__ if name not in ("strategy", "parameters")}


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="can't be opened"):
        SweepRecord.open(blocked / "sweep.jsonl", MADE_OF, name="--resume")
    assert list(tmp_path.iterdir()) == [blocked]


def test_the_search_of_a_grid_is_tried_as_a_plain_list_would_be() -> None:
    spec, tape, _ = bars(1500)
    assert run(None).result.trials == run_sweep(spec, GRID.sets(), tape).trials
