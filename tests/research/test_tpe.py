"""The search by TPE: deterministic, independent of threads, without repeats, and better than chance where there is something to find."""

from collections.abc import Mapping, Sequence

import pytest

from tests.research.markets import bars
from traider.domain.errors import StrategyError, UserError
from traider.engine.grid import parse_axis
from traider.engine.sweep import Parameters, run_sweep
from traider.engine.trial import Trial
from traider.kernel.events import Bar
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.research import tpe
from traider.research.search_plan import SearchPlan
from traider.research.space import Choice, Range, size_of, space_of
from traider.research.tpe import BATCH, TpeSearch
from traider.strategies.sma_cross import SmaCross


class Hill(Strategy):
    """Never trades: what a set is worth is made up by the tests."""

    x: int = param(0, low=0, high=100)
    y: float = param(1.0, low=0.001, high=1000.0)
    up: bool = param(True)
    free: float = param(1.0)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        """Nothing."""


def height(parameters: Parameters) -> float:
    """Highest at x = 70."""
    return -abs(int(str(parameters["x"])) - 70)


def trial_of(strategy: type[Strategy], parameters: Mapping[str, object], worth: float) -> Trial:
    return Trial(strategy(**parameters).values(), worth, 0.0, 0, 0.0, 0.0, None, 0)


def searched(search: TpeSearch) -> list[Parameters]:
    """Everything that the search asks for, each worth its height."""
    asked: list[Parameters] = []
    while batch := search.ask():
        assert len(batch) <= BATCH
        asked += batch
        search.tell([trial_of(Hill, parameters, height(parameters)) for parameters in batch])
    return asked


def hill_search(trials: int, seed: int) -> TpeSearch:
    space = space_of(Hill, [parse_axis("x=0:100:1")], ())
    return TpeSearch(Hill, space, trials=trials, seed=seed, measure=lambda trial: trial.final_equity)


def test_it_hangs_on_the_seed_alone() -> None:
    first = searched(hill_search(40, seed=1))
    assert first == searched(hill_search(40, seed=1))
    assert first != searched(hill_search(40, seed=2))


def test_it_tries_so_many_different_sets_and_learns() -> None:
    asked = [int(str(parameters["x"])) for parameters in searched(hill_search(48, seed=1))]
    assert len(set(asked)) == len(asked) == 48
    late = asked[-BATCH:]
    # Of 101 places 21 are within 10 of the top: a draw would have some 3 of a batch there.
    assert sum(abs(x - 70) <= 10 for x in late) > 2 * sum(abs(x - 70) <= 10 for x in asked[:BATCH])


def test_a_small_space_is_searched_to_its_end() -> None:
    space = space_of(Hill, [parse_axis("x=1,5,9"), parse_axis("up=true,false")], ())
    search = TpeSearch(Hill, space, trials=500, seed=0, measure=lambda trial: trial.final_equity)
    asked = searched(search)
    assert len(asked) == 6
    assert {(parameters["x"], parameters["up"]) for parameters in asked} == {(x, up) for x in "159" for up in ("true", "false")}


def test_the_declared_ranges_are_the_space_without_a_grid() -> None:
    assert space_of(Hill, [], ()) == [Range("x", 0, 100, True), Range("y", 0.001, 1000.0, False), Choice("up", (False, True))]
    assert space_of(Hill, [], ("x", "up")) == [Range("y", 0.001, 1000.0, False)]
    assert space_of(SmaCross, [], ()) == [Range("fast", 1, 100_000, True), Range("slow", 1, 100_000, True)]
    assert Range("slow", 1, 100_000, True).logarithmic
    assert not Range("x", 0, 100, True).logarithmic
    with pytest.raises(StrategyError, match="--grid"):
        space_of(Hill, [], ("x", "y", "up"))


def test_values_in_order_are_a_scale_and_others_are_not() -> None:
    assert Choice("a", ("1", "2", "10")).ordered
    assert not Choice("a", ("1", "10", "2")).ordered
    assert not Choice("a", ("true", "false")).ordered


def test_numbers_are_rounded_to_what_a_person_writes_and_stay_in_range() -> None:
    assert Range("y", 0.0, 1.0, False).rounded(0.123456789) == 0.123457
    assert Range("y", 0.1234561, 1.0, False).rounded(0.1234562) == 0.1234561
    assert size_of([Range("x", 1, 3, True), Choice("up", (False, True))]) == 6


def test_threads_change_nothing() -> None:
    spec, tape, _ = bars(1500)
    plan = SearchPlan(axes=(parse_axis("fast=2:30:1"), parse_axis("slow=31:90:1")), tpe=40, seed=5)
    one, many = (run_sweep(spec, plan.search(spec, "final-equity"), tape, threads=threads) for threads in (1, 3))
    assert one.trials == many.trials
    assert (one.best, one.deflated_sharpe, one.pbo) == (many.best, many.deflated_sharpe, many.pbo)
    assert len(one.trials) == 40


def test_another_answer_than_was_asked_for_is_told() -> None:
    search = hill_search(20, seed=1)
    asked: Sequence[Parameters] = search.ask()
    others = [{"x": (int(str(parameters["x"])) + 1) % 101} for parameters in asked]
    with pytest.raises(UserError, match="Optuna"):
        search.tell([trial_of(Hill, parameters, 0.0) for parameters in others])


def test_a_missing_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(UserError, match=r"pip install 'traider\[optuna\]'"):
        tpe.optuna_version("--tpe")
