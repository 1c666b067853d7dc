"""``traider strategies``: a table for a person, JSON Schema for a program."""

import json

import pytest

from traider.cli.main import run
from traider.strategies.registry import BUILT_IN


def test_all_built_in_strategies_are_listed_with_their_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["strategies"]) == 0
    told = capsys.readouterr().out
    for name, cls in BUILT_IN.items():
        assert f"{name}: " in told
        assert all(f"  {parameter} " in told for parameter in cls.parameters)


def test_json_is_one_schema_or_one_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["strategies", "sma_cross", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert run(["strategies", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sma_cross"] == one
    assert set(one["properties"]) == {"quantity", "fast", "slow"}


def test_an_unknown_name_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["strategies", "nothing"]) == 2
    assert "unknown strategy 'nothing'" in capsys.readouterr().err
