"""What holds for every indicator of the kit, found by itself: a new one that has no case here fails.

No look-ahead, the same compiled and interpreted, nothing before the first input, ready when its docstring says so.
"""

import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import traider
from tests.kernel.desks import instrument
from tests.kernel.indicator_cases import CASES, Case, Floats, columns_of, made, outputs_of, public_indicators, rows_of, tape_of
from traider.engine.session import Session
from traider.kernel.desk import Desk
from traider.kernel.indicators import Indicator, averages
from traider.kernel.structs import describe, read_back
from traider.strategies.registry import find_strategy

ROOT = Path(__file__).parents[2]
BARS = 700  # the longest warm-up several times over
LENGTHS = (1, 2, 20, 21, 40, 97, BARS)
GROUPS = 4

every_indicator = pytest.mark.parametrize("name", public_indicators())


@pytest.fixture(scope="module")
def bars(data_dir: Path) -> dict[str, Floats]:
    """Minutes of Bitcoin, prices in cents."""
    return columns_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", BARS)


def told(case: Case, rows: list[tuple[float, ...]]) -> Floats:
    return outputs_of(made(case.make()), rows, case.outputs)


def test_the_cases_are_those_of_the_kit_each_of_its_own_class() -> None:
    assert sorted(CASES) == sorted(public_indicators())
    assert {name: type(case.make()).__name__ for name, case in CASES.items()} == {name: name for name in CASES}


def test_every_class_of_the_packages_files_is_public() -> None:
    """The list that the other tests go by leaves none out."""

    def below(cls: type[Any]) -> set[type[Any]]:
        found = {cls}
        for derived in cls.__subclasses__():
            found |= below(derived)
        return found

    package = averages.__name__.rpartition(".")[0]
    written = {cls.__name__ for cls in below(Indicator) if cls.__module__.startswith(package) and not cls.__name__.startswith("_")}
    assert written == {*public_indicators(), "Indicator"}


@every_indicator
def test_it_is_a_name_of_the_package(name: str) -> None:
    assert getattr(traider, name) is type(CASES[name].make())
    assert name in traider.__all__


@every_indicator
def test_it_is_in_the_table_of_the_documents_and_says_when_it_is_ready(name: str) -> None:
    page = (ROOT / "docs" / "indicators.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(f"| `{name}(")]
    assert len(rows) == 1, f"docs/indicators.md has {len(rows)} rows for {name}"
    cls = type(CASES[name].make())
    for output in CASES[name].outputs:
        assert f"`{output}`" in rows[0], f"docs/indicators.md does not name {name}.{output}"
    arguments = [word for word in inspect.signature(cls.__init__).parameters if word != "self"]
    assert rows[0].startswith(f"| `{name}({', '.join(arguments)})` | `"), "its arguments"
    inputs = [word for word in inspect.signature(cls.update).parameters if word != "self"]
    assert rows[0].split(" | ")[1] == f"`{', '.join(inputs)}`", "what update takes"
    assert "ready" in (cls.__doc__ or "").lower()


@every_indicator
def test_before_the_first_input_there_is_nothing(name: str) -> None:
    indicator = made(CASES[name].make())
    assert math.isnan(indicator.value())
    assert not indicator.ready()
    for output in CASES[name].outputs:
        value = getattr(indicator, output)()
        assert isinstance(value, bool | int) or math.isnan(value)


@every_indicator
def test_it_is_ready_from_the_update_that_is_stated_on(name: str, bars: dict[str, Floats]) -> None:
    case = CASES[name]
    indicator = made(case.make())
    ready = []
    for row in rows_of(case.inputs, bars):
        value = indicator.update(*row)
        assert value == indicator.value() or (math.isnan(value) and math.isnan(indicator.value()))
        ready.append(indicator.ready())
        if indicator.ready():
            assert math.isfinite(value)
            assert all(math.isfinite(getattr(indicator, output)()) for output in case.outputs)
    assert ready == [n >= case.ready_from for n in range(1, BARS + 1)]


@every_indicator
def test_it_does_not_look_ahead(name: str, bars: dict[str, Floats]) -> None:
    """With the last input changed, every output before it is the same bit for bit."""
    case = CASES[name]
    seen = False
    for length in LENGTHS:
        rows = rows_of(case.inputs, bars)[:length]
        first = told(case, rows)
        for factor in (3.0, 0.25):
            changed = [x if column == "ts_ns" else factor * x for column, x in zip(case.inputs, rows[-1], strict=True)]
            second = told(case, [*rows[:-1], tuple(changed)])
            assert second[:-1].tobytes() == first[:-1].tobytes()
            seen |= second[-1].tobytes() != first[-1].tobytes()
    assert seen, "a change of the newest input shows in the newest output"


def probe(names: list[str]) -> str:
    """A strategy that drives these indicators and keeps everything that they tell."""
    made_of, steps, width = [], [], 0
    for name in names:
        case, part = CASES[name], f"self.part_{name.lower()}"
        made_of.append(f"{part} = Case.named({name!r}).make()")
        calls = [f"update({', '.join(f'bar.{column}' for column in case.inputs)})", "value()", "ready()"]
        for call in [*calls, *(f"{output}()" for output in case.outputs)]:
            steps.append(f"self.told[at + {width}] = 1.0 * {part}.{call}")
            width += 1
    lines = [
        "import numpy as np",
        "from tests.kernel.indicator_cases import Case",
        "from traider import Bar, Context, Strategy",
        "class Probe(Strategy):",
        "    def setup(self):",
        "        self.bars = 0",
        f"        self.told = np.zeros({BARS * width})",
        *(f"        {line}" for line in made_of),
        "    def on_bar(self, bar, ctx):",
        f"        at = self.bars * {width}",
        *(f"        {line}" for line in steps),
        "        self.bars += 1",
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("group", range(GROUPS))
def test_compiled_and_interpreted_are_equal_bit_for_bit(group: int, bars: dict[str, Floats], tmp_path: Path) -> None:
    file = tmp_path / f"probe_{group}.py"
    file.write_text(probe(sorted(CASES)[group::GROUPS]), encoding="utf-8")
    strategy = find_strategy(f"{file}:Probe")
    both: list[Any] = []
    for interpreted in (False, True):
        instance: Any = strategy()
        session = Session(instance, Desk([instrument(price="0.01")], cash=1.0), interpreted=interpreted)
        assert session.step(tape_of(bars), 0, BARS) == BARS
        if not interpreted:
            read_back(instance, describe(instance), session.block)
        both.append(instance)
    compiled, ordinary = both
    assert compiled.bars == ordinary.bars == BARS
    assert np.isfinite(compiled.told[-(len(compiled.told) // BARS) :]).all()
    assert compiled.told.tobytes() == ordinary.told.tobytes()
