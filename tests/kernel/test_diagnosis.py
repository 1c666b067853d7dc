"""A strategy that can't be compiled is told so by file, line and construct, and runs interpreted all the same."""

import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.kernel.desks import instrument
from traider.domain.errors import CompileError, StrategyError
from traider.engine.session import Session
from traider.engine.tape import bars_tape
from traider.kernel.desk import Desk
from traider.kernel.diagnosis import _ADVICE
from traider.kernel.kit import Strategy
from traider.kernel.structs import describe, read_back
from traider.strategies.registry import find_strategy

HEAD = """\
import numpy as np

from traider.kernel.kit import Strategy

COUNT = 0


class Probe(Strategy):
    FACTOR = 2.5

    def setup(self):
        self.total = 0.0
        self.count = 0
        self.flag = False
        self.values = np.zeros(8)

    def halves(self):
        yield 0.5
        yield 0.5

    def thirds(self):
        yield from (1.0, 2.0)

    def on_bar(self, bar, ctx):
"""
FIRST_LINE = HEAD.count("\n") + 1
FIVE_BARS = bars_tape(np.arange(1, 6), *(np.arange(1.0, 6.0) for _ in range(5)))


def line_of(text: str) -> int:
    return HEAD[: HEAD.index(text)].count("\n") + 1


# What each construct looks like where it doesn't compile: the code, the line of it that is named, what it leaves in ``total``.
CONSTRUCTS: dict[str, list[tuple[str, int, float]]] = {
    "try/except": [("try:\n    x = 1 / self.count\nexcept ZeroDivisionError:\n    x = 3.0\nself.total = x", 3, 3.0)],
    "with": [("xs = [1.0]\nwith np.errstate(all='ignore'):\n    self.total = xs[0]", 2, 1.0)],
    "f-string": [("self.total = float(f'{bar.close:.2f}')", 1, 5.0)],
    "import": [("import math\nself.total = math.sqrt(16)", 1, 4.0), ("from math import sqrt\nself.total = sqrt(16)", 1, 4.0)],
    "lambda": [("self.total = max((1.0, 2.0), key=lambda x: -x)", 1, 1.0)],
    "function inside a method": [
        ("def fall(n):\n    return 0.0 if n == 0 else fall(n - 1)\nself.total = fall(3) + 1", 1, 1.0),
    ],
    "class inside a method": [("class Pair:\n    one = 1.0\nself.total = Pair.one", 1, 1.0)],
    "generator or await": [("for x in self.thirds():\n    self.total += x", line_of("yield from") - FIRST_LINE + 1, 3.0 * 5)],
    "dict": [
        ("prices = {1: bar.close, 'a': 2.0}\nself.total = 2.0", 1, 2.0),
        ("prices = {}\nself.total = float(len(prices))", 1, 0.0),
    ],
    "set": [("seen = {n for n in range(3)}\nself.total = float(len(seen))", 1, 3.0)],
    "list": [
        ("xs = []\nself.total = float(len(xs))", 1, 0.0),
        ("self.total = float(sum(x for x in range(3)))", 1, 3.0),
        ("self.total = max(*[1.0, 2.0])", 1, 2.0),
    ],
    "del": [("x = 1.0\ndel x\nself.total = 2.0", 2, 2.0)],
    "global": [("global COUNT\nCOUNT = 7\nself.total = COUNT + 0.0", 2, 7.0)],
}
CASES = [(construct, *case) for construct, cases in CONSTRUCTS.items() for case in cases]


def strategy_of(folder: Path, body: str) -> Strategy:
    file = folder / "probe.py"
    file.write_text(HEAD + textwrap.indent(body, " " * 8) + "\n", encoding="utf-8")
    return find_strategy(f"{file}:Probe")()


def refusal(strategy: Strategy) -> str:
    with pytest.raises(CompileError) as caught:
        Session(strategy, Desk([instrument()], cash=1000.0)).prepare(FIVE_BARS.shape)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def interpreted(strategy: Strategy) -> Desk:
    """The desk after five bars at 1 to 5."""
    desk = Desk([instrument()], cash=1000.0)
    session = Session(strategy, desk, interpreted=True)
    assert session.step(FIVE_BARS, 0, 5) == 5
    return desk


def test_every_piece_of_advice_has_its_case() -> None:
    assert [construct for _, construct, _ in _ADVICE] == list(CONSTRUCTS)


@pytest.mark.parametrize(("construct", "body", "line", "total"), CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)])
def test_a_construct_is_told_by_file_line_and_advice(construct: str, body: str, line: int, total: float, tmp_path: Path) -> None:
    strategy = strategy_of(tmp_path, body)
    advice = next(instead for _, name, instead in _ADVICE if name == construct)
    place = f"{tmp_path / 'probe.py'}:{FIRST_LINE + line - 1}"
    assert refusal(strategy) == f"{place}: {construct} can't be compiled: {advice}; or run it with --interpreted"
    interpreted(strategy)
    assert vars(strategy)["total"] == total


@pytest.mark.parametrize(
    ("body", "line", "saying"),
    [
        ("self.total += self.nothing", 1, "there is no attribute nothing"),
        ("x = 1.0\nself.total += bar.vwap", 2, "there is no attribute vwap"),
        ("ctx.buy_everything()", 1, "ctx has no buy_everything"),
        ("ctx.buy()", 1, "the argument size is missing"),
        ("ctx.buy(1.0, 2.0)", 1, "too many positional arguments"),
        ("ctx.buy(amount=1.0)", 1, "argument"),
        ("x = 1.0\nself.total += nothing", 2, "the name nothing is not defined"),
        ("self.fresh = 1.0", 1, "self.fresh is not set in setup(), where the state is made"),
        ("self.total = super().quantity", 1, "super is not something that compiled code can use"),
        ("self.total += 'a'", 1, "this operation does not exist for these types"),
        ("x = 1.0\nif bar.close > 3:\n    x = self.values\nself.total = x", 4, "a variable has values of different types"),
    ],
)
def test_a_mistake_is_told_by_file_and_line(body: str, line: int, saying: str, tmp_path: Path) -> None:
    told = refusal(strategy_of(tmp_path, body))
    source = body.splitlines()[line - 1].strip()
    assert told.startswith(f"{tmp_path / 'probe.py'}:{FIRST_LINE + line - 1}: `{source}` can't be compiled: ")
    assert saying in told
    assert told.endswith("or run it with --interpreted")


def test_a_mistake_inside_of_a_construct_that_compiles_is_the_mistake(tmp_path: Path) -> None:
    body = "try:\n    self.total = self.nothing\nexcept Exception:\n    self.total = 0.0"
    assert f"probe.py:{FIRST_LINE + 1}: `self.total = self.nothing` can't be compiled: there is no attribute" in refusal(
        strategy_of(tmp_path, body)
    )


def test_a_mistake_in_a_helper_of_the_strategy_is_told_by_its_own_line(tmp_path: Path) -> None:
    source = HEAD.replace("yield 0.5\n        yield 0.5", "return self.nothing").replace("class Probe", "class Base")
    (tmp_path / "probe.py").write_text(source + "        self.total = self.halves()\n\n\nclass Probe(Base):\n    pass\n", encoding="utf-8")
    line = source[: source.index("self.nothing")].count("\n") + 1
    told = refusal(find_strategy(f"{tmp_path / 'probe.py'}:Probe")())
    assert told.startswith(f"{tmp_path / 'probe.py'}:{line}: `return self.nothing` can't be compiled: there is no attribute nothing")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("self.count = bar.close", "self.count began as a whole number in setup() and gets a fraction here: begin it as count = 0.0"),
        ("self.count += 0.5", "self.count began as a whole number in setup() and gets a fraction here: begin it as count = 0.0"),
        ("self.flag = 5", "self.flag began as true or false in setup() and gets a number here: begin it as a number"),
        ("self.flag = bar.close", "self.flag began as true or false in setup() and gets a number here: begin it as a number"),
    ],
)
def test_a_value_that_would_be_cut_to_fit_is_refused(body: str, problem: str, tmp_path: Path) -> None:
    told = refusal(strategy_of(tmp_path, f"x = 1\n{body}"))
    assert told == f"{tmp_path / 'probe.py'}:{FIRST_LINE + 1}: {problem}, or run it with --interpreted"
    strategy = strategy_of(tmp_path, body)
    interpreted(strategy)
    assert vars(strategy)["count"] + vars(strategy)["flag"] in (5.0, 2.5)


def test_it_is_refused_every_time(tmp_path: Path) -> None:
    """Also when the machine code, which is made before that is seen, could be found on the disk."""
    first, second = (refusal(strategy_of(tmp_path, "self.count = bar.open")) for _ in range(2))
    assert first == second


def test_an_array_or_an_indicator_is_not_replaced(tmp_path: Path) -> None:
    told = refusal(strategy_of(tmp_path, "self.total = 1.0\nself.values = self.values * 2"))
    assert told == f"{tmp_path / 'probe.py'}:{FIRST_LINE + 1}: self.values can't be replaced while the strategy runs; change what is in it"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("{}", "a dict"),
        ("[1.0]", "a list"),
        ("'text'", "a str"),
        ("None", "None"),
        ("(1, 2)", "a tuple"),
        ("np.zeros((2, 2))", "a 2-dimensional array of float64"),
        ("np.zeros(2, np.float32)", "a 1-dimensional array of float32"),
        ("2**70", "a whole number of more than 64 bits"),
    ],
)
def test_state_that_compiled_code_can_not_keep_is_told_by_its_line_in_setup(value: str, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "probe.py"
    file.write_text(HEAD.replace("self.count = 0", f"self.count = {value}") + "        pass\n", encoding="utf-8")
    strategy = find_strategy(f"{file}:Probe")()
    told = refusal(strategy)
    assert told.startswith(
        f"{file}:{line_of('self.count = 0')}: self.count is {kind}, which compiled code can't keep: use numbers, booleans, "
    )
    assert told.endswith("or run it with --interpreted")
    interpreted(strategy)


def test_one_object_under_two_names_is_refused(tmp_path: Path) -> None:
    """Compiled, they would be two objects, and the fills others than interpreted."""
    file = tmp_path / "probe.py"
    file.write_text(HEAD.replace("self.values =", "self.other = self.values =") + "        pass\n", encoding="utf-8")
    strategy = find_strategy(f"{file}:Probe")()
    assert refusal(strategy) == (
        f"{file}:{line_of('self.values =')}: self.values is the same object as self.other, and compiled code would keep two: "
        "name it once; or run it with --interpreted"
    )


@pytest.mark.parametrize("handler", ["on_bar", "on_trade", "on_fill"])
@pytest.mark.parametrize(("word", "body"), [("def", "yield 1"), ("async def", "pass"), ("async def", "yield 1")])
def test_a_handler_that_yields_is_refused_however_it_runs(handler: str, word: str, body: str, tmp_path: Path) -> None:
    file = tmp_path / "probe.py"
    source = (
        f"from traider.kernel.kit import Strategy\n\n\nclass Probe(Strategy):\n    {word} {handler}(self, event, ctx):\n        {body}\n"
    )
    file.write_text(source, encoding="utf-8")
    with pytest.raises(StrategyError, match=rf"probe\.py:5: {handler} yields or awaits, so it would never run"):
        find_strategy(f"{file}:Probe")


def test_a_generator_of_the_strategys_own_compiles(tmp_path: Path) -> None:
    strategy = strategy_of(tmp_path, "for half in self.halves():\n    self.total += half * self.FACTOR")
    session = Session(strategy, Desk([instrument()], cash=1000.0))
    session.step(FIVE_BARS, 0, 5)
    read_back(strategy, describe(strategy), session.block)
    assert vars(strategy)["total"] == 5 * 2.5


def test_what_goes_wrong_inside_of_an_indicator_is_told_by_the_line_that_called_it(tmp_path: Path) -> None:
    """The kit's files, those in its folders too, are not where an author has to look."""
    file = tmp_path / "probe.py"
    source = HEAD.replace("self.count = 0", "self.count = Rsi(3)").replace("import numpy", "from traider import Rsi\nimport numpy")
    file.write_text(source + "        self.total = self.count.update((bar.close, 1.0))\n", encoding="utf-8")
    told = refusal(find_strategy(f"{file}:Probe")())
    assert told.startswith(f"{file}:{FIRST_LINE + 1}: `self.total = self.count.update((bar.close, 1.0))` can't be compiled: ")


def test_an_index_out_of_range_is_an_error_compiled_too(tmp_path: Path) -> None:
    """Unchecked, it would write over whatever lies behind the array."""
    for how in (False, True):
        session = Session(strategy_of(tmp_path, "self.values[self.count + 8] = 1.0"), Desk([instrument()], cash=1000.0), interpreted=how)
        with pytest.raises(StrategyError, match=r"strategy probe failed at .*: IndexError: "):
            session.step(FIVE_BARS, 0, 5)
