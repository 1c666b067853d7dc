"""``traider chaos``: status 0 where everything held, 1 where an invariant did not, 2 for wrong input."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from traider.cli.main import run
from traider.domain.venue import Balance
from traider.guard.audit.truth import INVARIANTS
from traider.research.chaos.exchange import ChaosExchange

TIMED = """from traider import Context, Strategy

class Timed(Strategy):
    def on_timer(self, ts_ns: int, ctx: Context) -> None:
        ctx.buy(1.0)
"""


def test_everything_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chaos", "sma_cross", "--param", "fast=2", "--param", "slow=5", "--quantity", "0.5", "--seeds", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in said["invariants"]] == list(INVARIANTS)
    assert {row["violations"] for row in said["invariants"]} == {0}
    assert all(row["checks"] for row in said["invariants"] if row["id"] not in ("I5", "I11"))
    assert (said["strategy"], said["seeds"], said["violations"]) == ("sma_cross", [0, 1], [])
    assert len({one["digest"] for one in said["runs"]}) == 2


def test_the_table_names_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chaos", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert all(invariant in said for invariant in INVARIANTS)
    assert "everything held" in said


def test_what_did_not_hold_is_told_with_the_line_that_plays_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ChaosExchange.balances
    stray = Balance(currency="ETH", available=Decimal(1), held=Decimal(0))
    monkeypatch.setattr(ChaosExchange, "balances", lambda self: (*there(self), stray))
    assert run(["chaos", "sma_cross", "--param", "fast=2", "--seed", "3"]) == 1
    said = capsys.readouterr().out
    assert "the books have 0 ETH" in said
    assert "again with: traider chaos sma_cross --param fast=2 --seed 3" in said


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nosuch"], "unknown strategy 'nosuch'"),
        (["sma_cross", "--param", "fast=x"], "'x' is not a whole number"),
        (["--param", "fast=3"], "name one"),
        (["--seed", "-1"], "--seed is -1"),
        (["--seeds", "0"], "--seeds is 0"),
        (["--limit", "max_nothing=1"], "--limit"),
    ],
)
def test_wrong_input_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str], problem: str) -> None:
    assert run(["chaos", *words]) == 2
    said = capsys.readouterr().err
    assert problem in said
    assert said.count("\n") == 1


def test_a_strategy_that_can_not_run_live_is_refused_before_anything_is_played(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "timed.py").write_text(TIMED)
    assert run(["chaos", f"{tmp_path / 'timed.py'}:Timed"]) == 2
    assert "no handler of the market" in capsys.readouterr().err
