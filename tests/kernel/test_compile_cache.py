"""Machine code on the disk: found again by the next process, never met by an edited source."""

import importlib
import linecache
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import traider
from traider.domain.vocabulary import EventKind
from traider.kernel.cache import cache_folder, kernel_hash, kernel_sources
from traider.kernel.compiler import _key, compile_strategy
from traider.kernel.kit import Strategy
from traider.kernel.loop import Shape
from traider.kernel.structs import describe
from traider.strategies.registry import find_strategy

STRATEGY = """\
from helper import grow
from traider.kernel.kit import Strategy

ADDED = 3.0


class Probe(Strategy):
    def setup(self):
        self.total = 0.0

    def on_bar(self, bar, ctx):
        self.total += grow(bar.close) + ADDED
"""
HELPER = """\
import numba
import numpy as np

STEPS = (1, 2)
TABLE = np.arange(5000)


@numba.njit
def share(price):
    return price


@numba.njit
def grow(price):
    return share(price * 2.0) + 0 * STEPS[1] + 0 * TABLE[7]
"""
BARS = Shape(1 << EventKind.BAR, single=True)
RUN = """\
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from decimal import Decimal
from traider.domain.instruments import instrument_from_symbol
from traider.engine.session import Session
from traider.engine.tape import bars_tape
from traider.kernel.desk import Desk
from traider.kernel.structs import describe, read_back
from traider.strategies.registry import find_strategy

strategy = find_strategy(sys.argv[1] + "/probe.py:Probe")()
desk = Desk([instrument_from_symbol("BTC-USD", price_increment=Decimal(1), size_increment=Decimal(1))], cash=1.0)
session = Session(strategy, desk)
prices = np.array([1.0, 2.0])
tape = bars_tape(np.arange(2), *([prices] * 5))
session.step(tape, 0, 2)
read_back(strategy, describe(strategy), session.block)
stats = session.prepare(tape.shape).drive.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), strategy.total)
"""


class Box:
    """A folder with a strategy, and a cache of its own that shares the kernel's machine code with that of these tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.cache.mkdir(mode=0o700)
        kernel = cache_folder() / f"kernel-{kernel_hash()[:16]}"
        kernel.mkdir(exist_ok=True)
        (self.cache / kernel.name).symlink_to(kernel)
        self.write("probe.py", STRATEGY)
        self.write("helper.py", HELPER)
        self.write("run.py", RUN)

    def write(self, name: str, source: str) -> None:
        (self.folder / name).write_text(source, encoding="utf-8")

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(self.folder / "run.py"), str(self.folder)],
            env=environment(self.cache),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> tuple[int, int, float]:
        """Cache hits, cache misses and the strategy's total."""
        return result_of(self.start())


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "TRAIDER_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}


def result_of(process: "subprocess.Popen[str]") -> tuple[int, int, float]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    hits, misses, total = out.split()
    return int(hits), int(misses), float(total)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.mark.slow
def test_the_next_process_finds_the_machine_code_until_the_source_is_edited(box: Box) -> None:
    total = 2 * (1.0 + 2.0) + 2 * 3.0
    assert box.run() == (0, 1, total)
    assert box.run() == (1, 0, total)
    box.write("helper.py", HELPER.replace("2.0", "5.0"))
    assert box.run() == (0, 1, 5 * (1.0 + 2.0) + 2 * 3.0)
    box.write("helper.py", HELPER)
    assert box.run() == (1, 0, total), "what was compiled first is still there"


@pytest.mark.slow
def test_two_processes_that_compile_at_once_do_not_disturb_one_another(box: Box) -> None:
    both = [box.start(), box.start()]
    assert [result_of(process)[2] for process in both] == [12.0, 12.0]
    assert box.run() == (1, 0, 12.0)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("probe.py", "+ ADDED", "- ADDED"),
        ("probe.py", "ADDED = 3.0", "ADDED = 4.0"),
        ("probe.py", "self.total = 0.0", "self.total = 0"),
        ("probe.py", "def on_bar", "def on_trade"),
        ("helper.py", "price * 2.0", "price * 5.0"),
        ("helper.py", "def share(price):\n    return price", "def share(price):\n    return price / 2"),
        ("helper.py", "STEPS = (1, 2)", "STEPS = (1, 3)"),
        ("helper.py", "TABLE = np.arange(5000)", "TABLE = np.arange(5000) + 1"),
    ],
)
def test_whatever_the_meaning_hangs_on_is_part_of_the_key(
    file: str, before: str, after: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)

    def key() -> str:
        sys.modules.pop("helper", None)
        strategy = find_strategy(f"{tmp_path / 'probe.py'}:Probe")
        return _key(describe(strategy()), strategy.handlers(), BARS)

    for style in (STRATEGY, STRATEGY.replace("from helper import grow", "import helper").replace("grow(", "helper.grow(")):
        sources = {"probe.py": style, "helper.py": HELPER}
        assert before in sources[file]
        keys = []
        for edited in (sources, {**sources, file: sources[file].replace(before, after)}, sources):
            for name, source in edited.items():
                (tmp_path / name).write_text(source, encoding="utf-8")
            importlib.invalidate_caches()
            linecache.clearcache()
            shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
            keys.append(key())
        assert keys[0] != keys[1]
        assert keys[0] == keys[2]


def made_with(added: float) -> type[Strategy]:
    class Made(Strategy):
        def setup(self) -> None:
            self.total = 0.0

        def on_bar(self, bar: Any, ctx: Any) -> None:
            self.total += added

    return Made


def test_classes_that_differ_only_in_what_they_close_over_are_two() -> None:
    one, same, other = (compile_strategy(made_with(added)(), BARS) for added in (1.0, 1.0, 2.0))
    assert one is same
    assert one is not other


def test_every_file_of_the_kernel_is_part_of_its_hash_those_in_folders_too() -> None:
    package = Path(traider.__file__).parent
    files = {f"kernel/{path.relative_to(package / 'kernel').as_posix()}" for path in (package / "kernel").glob("**/*.py")}
    assert {"kernel/loop.py", "kernel/indicators/__init__.py", "kernel/indicators/averages.py"} < files
    assert set(kernel_sources()) == {*files, "domain/vocabulary.py"}


KERNEL = """\
from decimal import Decimal
from traider.domain.instruments import instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.kernel.desk import Desk

market = instrument_from_symbol("BTC-USD", price_increment=Decimal(1), size_increment=Decimal(1))
desk = Desk([market], cash=100.0, limits=RiskLimits(max_position_size=Decimal(2)))
desk.positions[0]["mark_price"] = 1.0
print(desk.check(inst=0, side=1, type=0, tif=0, post_only=False, size=2.0, limit_price=0.0, stop_price=0.0).name)
"""


@pytest.mark.slow
def test_an_edited_risk_rule_does_not_meet_the_machine_code_of_its_callers(tmp_path: Path) -> None:
    """The check is inlined into functions of other files, which the compiler's own cache would take for unchanged."""
    package = tmp_path / "src" / "traider"
    for room in ("domain", "kernel"):
        shutil.copytree(Path(traider.__file__).parent / room, package / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(traider.__file__, package)
    cache = tmp_path / "cache"

    def answer() -> str:
        env = {**environment(cache), "PYTHONPATH": str(package.parent), "NUMBA_OPT": "1"}  # the sooner it is compiled
        run = subprocess.run([sys.executable, "-c", KERNEL], env=env, capture_output=True, text=True, check=False, timeout=120)
        return run.stdout.strip() or run.stderr

    assert answer() == "NONE"
    risk = package / "kernel" / "risk.py"
    source = risk.read_text(encoding="utf-8")
    risk.write_text(source.replace("worst > desk.limits.position_size", "worst >= desk.limits.position_size"), encoding="utf-8")
    assert answer() == "POSITION_SIZE"


def test_compiled_code_is_not_loaded_from_where_others_can_write(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    run = subprocess.run([sys.executable, "-c", KERNEL], env=environment(folder), capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode != 0
    assert "others own it or can write to it; set TRAIDER_CACHE_DIR to a folder of your own" in run.stderr


def test_a_strategy_is_found_again_in_the_same_process() -> None:
    strategy = find_strategy("sma_cross")
    assert compile_strategy(strategy(fast=3), BARS) is compile_strategy(strategy(fast=4), BARS)
