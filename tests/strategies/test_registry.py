"""Strategies found by name, in a file or in a module; what can't be found or loaded is told in one line."""

from pathlib import Path

import pytest

from traider.domain.errors import StrategyError
from traider.strategies.ema_band import EmaBand
from traider.strategies.momentum import Momentum
from traider.strategies.registry import BUILT_IN, find_strategy
from traider.strategies.sma_cross import SmaCross
from traider.strategies.touch_maker import TouchMaker

SOURCE = """\
from traider.kernel.kit import Strategy


class Mine(Strategy):
    def on_bar(self, bar, ctx):
        pass
"""


def test_the_built_in_ones_are_found_by_their_names() -> None:
    assert sorted(BUILT_IN) == ["ema_band", "momentum", "sma_cross", "touch_maker"]
    assert [find_strategy(name) for name in sorted(BUILT_IN)] == [EmaBand, Momentum, SmaCross, TouchMaker]


def test_one_in_a_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(SOURCE, encoding="utf-8")
    assert find_strategy(f"{file}:Mine").name == "mine"


def test_one_in_a_module_is_found() -> None:
    assert find_strategy("traider.strategies.momentum:Momentum") is Momentum


def told(name: str) -> str:
    with pytest.raises(StrategyError) as caught:
        find_strategy(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["nothing", "SmaCross", ""])
def test_an_unknown_name_is_told_with_the_known_ones(name: str) -> None:
    known = ", ".join(sorted(BUILT_IN))
    assert told(name) == f"unknown strategy {name!r}; built in: {known}; your own: FILE.py:CLASS or PACKAGE.MODULE:CLASS"


def test_a_file_or_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert told(f"{tmp_path}/none.py:Mine") == f"there is no file {tmp_path}/none.py"
    assert told("no.such.module:Mine") == "can't import no.such.module: No module named 'no'"


@pytest.mark.parametrize("name", ["Other", "Strategy2", "__name__"])
def test_a_class_that_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(SOURCE, encoding="utf-8")
    assert told(f"{file}:{name}") == f"{file} has no strategy class {name!r}; it must be a class derived from traider.Strategy"


@pytest.mark.parametrize(
    ("line", "saying"),
    [
        ("def broken(:", "{file}:3: invalid syntax"),
        ("import no_such_package", "{file}:3: ModuleNotFoundError: No module named 'no_such_package'"),
        ("undefined + 1", "{file}:3: NameError: name 'undefined' is not defined"),
        ("1 / 0", "{file}:3: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_fails_is_told_by_its_line(line: str, saying: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f'"""Mine."""\n\n{line}\n{SOURCE}', encoding="utf-8")
    assert told(f"{file}:Mine") == saying.format(file=file)
