"""``traider.sweep`` and ``traider.walkforward``: many parameter sets from Python, and their results as Arrow tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import pyarrow as pa

from traider.domain.errors import SettingsError
from traider.engine.grid import Axis, parse_axis
from traider.engine.manifest import code_of
from traider.engine.permutation import PermutationTest, check_permutations
from traider.engine.provenance import Provenance, provenance_of
from traider.engine.sweep import Parameters
from traider.engine.walkforward import Folds, WalkForward, walk_forward
from traider.kernel.kit import Strategy, Value

from . import inputs, tables
from .asked import Asked, Settings, ask
from .search_plan import SearchPlan
from .sweeps import Sweep, SweepPlan, run_plan

Grid = Mapping[str, Iterable[object] | str]


@dataclass(frozen=True, repr=False)
class SweepRun:
    """A finished sweep. The table is pyarrow's: ``.to_pandas()`` and ``polars.from_arrow(...)`` take it as it is."""

    done: Sweep

    @cached_property
    def trials(self) -> pa.Table:
        """One row a trial, in the order in which they were tried: the parameters, final_equity, net_profit, fills, fees, ..."""
        return tables.trials_table(self.done.result.trials)

    @property
    def best(self) -> dict[str, Value]:
        """The parameters of the first trial with the highest value of the objective."""
        return self.done.result.trials[self.done.result.best].parameters

    @property
    def deflated_sharpe(self) -> float | None:
        """The probability that the best trial's Sharpe ratio is more than the luck of so many trials (``docs/honesty.md``)."""
        return self.done.result.deflated_sharpe

    @property
    def pbo(self) -> float | None:
        """The probability of backtest overfitting: how often the best of one half is below the median in the other."""
        return self.done.result.pbo

    @property
    def permutation_test(self) -> PermutationTest | None:
        """The test that was asked for with ``permutations``, with its ``p_value``."""
        return self.done.permutation

    @property
    def provenance(self) -> dict[str, object]:
        """What it was made of: fidelity, fill and fee model, hashes, seed."""
        return self.done.provenance.to_dict()

    def plot(self, path: str | Path) -> Path:
        """Draws what the first two parameters make of it as a PNG there, and says where it is. Needs ``traider[plot]``."""
        from .plot import write_sweep_plot

        write_sweep_plot(self.done, Path(path), "plot")
        return Path(path)

    def __repr__(self) -> str:
        result = self.done.result
        best = ", ".join(f"{name} {self.best[name]:g}" for name in self.done.names)
        figures = [("deflated Sharpe", self.deflated_sharpe), ("overfitting", self.pbo)]
        if self.permutation_test is not None:
            figures.append(("permutation test p", self.permutation_test.p_value))
        said = ", ".join(f"{name} {'-' if value is None else f'{value:.1%}'}" for name, value in figures)
        what = f"{self.done.spec.strategy.name} on {self.done.spec.instrument.symbol}"
        return f"<Sweep {what}: {len(result.trials):,} trials, best {best}; {said}>"


@dataclass(frozen=True, repr=False)
class WalkForwardRun:
    """A finished walk-forward."""

    result: WalkForward
    made_of: Provenance

    @property
    def provenance(self) -> dict[str, object]:
        """What it was made of: fidelity, fill and fee model, hashes, seed."""
        return self.made_of.to_dict()

    @cached_property
    def folds(self) -> pa.Table:
        """One row a fold: the parameters that were chosen, the times and returns of training and test, fills, fees, equity."""
        return tables.folds_table(self.result.folds)

    @property
    def total_return(self) -> float:
        """Of all tests together: what the way of choosing earned on data that it had not seen."""
        return self.result.total_return

    @property
    def efficiency(self) -> float | None:
        """The return an event in the tests over the one in training; None where training earned nothing."""
        return self.result.efficiency

    def __repr__(self) -> str:
        efficiency = "-" if self.efficiency is None else f"{self.efficiency:.0%}"
        return f"<WalkForward: {len(self.result.folds)} folds, all tests together {self.total_return:+.2%}, efficiency {efficiency}>"


def sweep(
    strategy: str | type[Strategy],
    data: object,
    *,
    grid: Grid | None = None,
    random: int | None = None,
    tpe: int | None = None,
    seed: int = 0,
    objective: str = "final-equity",
    permutations: int = 0,
    resume: str | Path | None = None,
    threads: int | None = None,
    **settings: Unpack[Settings],
) -> SweepRun:
    """Runs a strategy with many parameter sets, as ``traider sweep`` does and with its checks.

    ``grid`` has for each parameter its values, or ``"LOW:HIGH:STEP"``: all combinations are run, ``random`` of them, or as
    many as ``tpe`` says by a search that learns (``traider[optuna]``; without a grid, in the declared ranges). ``settings``
    are those of ``traider.backtest``.
    """
    if permutations:
        check_permutations(permutations, "permutations")
    asked = ask(strategy, **settings)
    plan = SearchPlan(axes=_axes(grid or {}), random=random, tpe=tpe, seed=seed)
    spec, market = asked.with_data(data, _quantities(asked, plan))
    asked_for = SweepPlan(plan, objective, permutations, threads, None if resume is None else Path(resume), "resume")
    return SweepRun(run_plan(spec, asked_for, inputs.tape_of(market), data_sha256=market.sha256))


def walkforward(
    strategy: str | type[Strategy],
    data: object,
    *,
    grid: Grid,
    folds: int = 5,
    ratio: int = 3,
    anchored: bool = False,
    purge: int = 0,
    embargo: int = 0,
    random: int | None = None,
    seed: int = 0,
    objective: str = "final-equity",
    threads: int | None = None,
    **settings: Unpack[Settings],
) -> WalkForwardRun:
    """Chooses parameters on the past and trades them on what comes next, as ``traider walkforward`` does."""
    asked = ask(strategy, **settings)
    plan = SearchPlan(axes=_axes(grid), random=random, seed=seed)
    spec, market = asked.with_data(data, _quantities(asked, plan))
    windows = Folds(count=folds, ratio=ratio, anchored=anchored, purge=purge, embargo=embargo)
    tape = inputs.tape_of(market)
    made_of = provenance_of(
        spec, tape.shape.kinds, data_sha256=market.sha256, code=code_of(spec.strategy), seed=None if random is None else seed
    )
    return WalkForwardRun(walk_forward(spec, plan.sets(), tape, windows, objective=objective, threads=threads), made_of)


def _axes(grid: Grid) -> tuple[Axis, ...]:
    axes: list[Axis] = []
    for name, values in grid.items():
        axis: Axis = parse_axis(f"{name}={values}") if isinstance(values, str) else (name, tuple(values))
        if not axis[1]:
            raise SettingsError(f"grid: {name} has no values; give at least one")
        axes.append(axis)
    return tuple(axes)


def _quantities(asked: Asked, plan: SearchPlan) -> set[float]:
    """The sizes that the trials may have; what no strategy could be made with is told here."""
    both = next((name for name, _ in plan.axes if name in asked.parameters), None)
    if both is not None:
        raise SettingsError(f"{both} is given by grid and by params or quantity; give it once")
    sets: list[Parameters] = plan.sets() if plan.tpe is None else [{}, *({name: one} for name, values in plan.axes for one in values)]
    return {asked.strategy(**asked.parameters, **parameters).quantity for parameters in sets}
