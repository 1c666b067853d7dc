"""The door: what it prints, what it exits with, and that it loads nothing that was not asked for."""

import importlib
import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer

from traider import __version__
from traider.cli import main as door
from traider.domain.errors import JournalError, UserError

BARS = Path(__file__).parents[1] / "data" / "bars" / "coinbase_btcusd_1m_2018-05.parquet"
HEAVY = ("numba", "numpy", "pyarrow", "fastapi", "sqlalchemy", "uvicorn", "pydantic", "rich", "asyncio")
NOT_FOR_A_BACKTEST = (
    *("asyncio", "cryptography", "fastapi", "jinja2", "matplotlib", "optuna", "pandas", "polars", "rich", "scipy", "sqlalchemy"),
    *("uvicorn", "pydantic_settings", "pyarrow.compute", "pyarrow.dataset", "traider.engine.report.page", "traider.research.plot"),
)


def offer(monkeypatch: pytest.MonkeyPatch, function: Callable[..., object]) -> None:
    """Makes ``traider probe`` run ``function``."""
    module = types.ModuleType("probe_command")
    module.__dict__["probe"] = function
    monkeypatch.setitem(sys.modules, "probe_command", module)
    monkeypatch.setitem(door.COMMANDS, "probe", door.Command("probe_command:probe", "Probe."))


def raising(error: BaseException) -> Callable[[], None]:
    def probe() -> None:
        raise error

    return probe


@pytest.mark.parametrize("path", list(door.COMMANDS))
def test_every_command_of_the_table_exists_and_has_help(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, _, function = door.COMMANDS[path].target.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert door.run([*path.split(), "--help"]) == 0
    assert door.COMMANDS[path].help in " ".join(capsys.readouterr().out.split())


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["--help"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    for path, command in door.COMMANDS.items():
        group, _, name = path.rpartition(" ")
        assert (door.GROUPS[group] if group else f"{name} {command.help}") in listed


def test_no_words_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["--version"]) == 0
    assert capsys.readouterr().out == f"traider {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate' (see: traider --help)"),
        (["--frobnicate"], "No such option: --frobnicate (see: traider --help)"),
        (["journal"], "Missing command (see: traider journal --help)"),
        (["journal", "frobnicate"], "No such command 'frobnicate' (see: traider journal --help)"),
        (["probe"], "Missing option '--size' (see: traider probe --help)"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def probe(size: Annotated[int, typer.Option()]) -> None:
        raise AssertionError(size)

    offer(monkeypatch, probe)
    assert door.run(words) == door.EXIT_BAD_INPUT
    assert capsys.readouterr() == ("", f"error: {message}\n")


def test_a_value_of_the_wrong_type_is_one_line_and_status_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def probe(size: Annotated[int, typer.Option()]) -> None:
        raise AssertionError(size)

    offer(monkeypatch, probe)
    assert door.run(["probe", "--size", "two"]) == door.EXIT_BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: Invalid value for '--size': ")
    assert err.endswith(" (see: traider probe --help)\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "complaint"),
    [
        (UserError("a.parquet, row 7: negative price; remove the row"), 2, "error: a.parquet, row 7: negative price; remove the row\n"),
        (JournalError("entry 12 was changed"), 1, "error: entry 12 was changed\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_a_line_and_a_status(
    error: BaseException, status: int, complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(monkeypatch, raising(error))
    assert door.run(["probe"]) == status
    assert capsys.readouterr() == ("", complaint)


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, raising(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError, match="ours"):
        door.run(["probe"])


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_what_a_command_returns_is_the_exit_status(returned: int | None, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, lambda: returned)
    assert door.run(["probe"]) == status
    # The end of options before the command's name asks for the same command.
    assert door.run(["--", "probe"]) == status


LIST_WHAT_A_RUN_LOADS = """
import sys
from traider.cli.main import run

run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""

PRINT_MUCH = """
from traider.cli import main as door

def probe():
    print("x" * 10_000_000)

door.COMMANDS["probe"] = door.Command("__main__:probe", "Probe.")
door.main(["probe"])
"""


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LIST_WHAT_A_RUN_LOADS, "--help"], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint(HEAVY), sorted(loaded.intersection(HEAVY))
    rooms = {name for name in loaded if name.startswith("traider.")}
    assert rooms == {"traider.cli", "traider.cli.handover", "traider.cli.main", "traider.domain", "traider.domain.errors"}


def test_a_backtest_loads_nothing_that_was_not_asked_for(tmp_path: Path) -> None:
    words = [
        "backtest",
        "sma_cross",
        "--data",
        str(BARS),
        "--symbol",
        "BTC-USD",
        "--json",
        "--manifest-out",
        str(tmp_path / "manifest.json"),
    ]
    done = subprocess.run([sys.executable, "-c", LIST_WHAT_A_RUN_LOADS, *words], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint(NOT_FOR_A_BACKTEST), sorted(loaded.intersection(NOT_FOR_A_BACKTEST))
    assert json.loads(done.stdout)["mode"] == "compiled"
    rooms = {name.split(".")[1] for name in loaded if name.startswith("traider.")}
    assert rooms == {"cli", "domain", "engine", "kernel", "research", "storage", "strategies"}


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", PRINT_MUCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(1)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == door.EXIT_FAILED


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "traider", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"traider {__version__}\n"
