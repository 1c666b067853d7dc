"""A sweep from end to end: the search, its record on disk, the permutation test, and what it was all made of."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from traider.engine.backtest import BacktestSpec
from traider.engine.manifest import Code, code_of
from traider.engine.permutation import BarPermutation, PermutationTest, permutation_test
from traider.engine.provenance import Provenance, provenance_of
from traider.engine.sweep import SweepResult, objective_of, run_sweep, run_trials
from traider.engine.tape import Tape

from .search_plan import SearchPlan
from .sweep_record import SweepRecord

Told = Callable[[float], None]


@dataclass(frozen=True)
class SweepPlan:
    """What is asked for. ``permutations`` of the data are searched in the same way when there are any; ``resume`` is the record."""

    search: SearchPlan
    objective: str = "final-equity"
    permutations: int = 0
    threads: int | None = None
    resume: Path | None = None
    resume_name: str = "--resume"


@dataclass(frozen=True)
class Sweep:
    """A finished one. ``names`` are the parameters that differ between trials."""

    spec: BacktestSpec
    plan: SweepPlan
    names: list[str]
    result: SweepResult
    permutation: PermutationTest | None
    provenance: Provenance


def run_plan(
    spec: BacktestSpec, plan: SweepPlan, tape: Tape, *, data_sha256: str, progress: Told | None = None, permuted: Told | None = None
) -> Sweep:
    """Runs it; ``progress`` is told how many trials are done, ``permuted`` how many permutations."""
    measure = objective_of(plan.objective)
    # Asked for before anything runs, so that data that can't be permuted is told at once.
    bars = _bars(spec, plan, tape) if plan.permutations else None
    code = code_of(spec.strategy)
    record = None if plan.resume is None else SweepRecord.open(plan.resume, _made_of(spec, plan, data_sha256, code), name=plan.resume_name)
    try:
        result = run_sweep(
            spec,
            plan.search.search(spec, plan.objective),
            tape,
            objective=plan.objective,
            threads=plan.threads,
            progress=progress,
            record=record,
        )

        def best_of(data: Tape) -> float:
            search = plan.search.search(spec, plan.objective)
            return max(measure(outcome.trial) for outcome in run_trials(spec, search, data, threads=plan.threads))

        permutation = None
        if bars is not None:
            permutation = permutation_test(
                best_of,
                bars,
                observed=measure(result.trials[result.best]),
                objective=plan.objective,
                permutations=plan.permutations,
                seed=plan.search.seed,
                bests=record,
                progress=permuted,
            )
    finally:
        if record is not None:
            record.close()
    seed = plan.search.seed if plan.permutations or plan.search.kind != "grid" else None
    provenance = provenance_of(spec, tape.shape.kinds, data_sha256=data_sha256, code=code, seed=seed)
    return Sweep(spec, plan, plan.search.names(spec), result, permutation, provenance)


def _bars(spec: BacktestSpec, plan: SweepPlan, tape: Tape) -> BarPermutation:
    return BarPermutation(tape, increment=Fraction(spec.instrument.price_increment), seed=plan.search.seed)


def _made_of(spec: BacktestSpec, plan: SweepPlan, data_sha256: str, code: Code) -> dict[str, object]:
    """Every part that decides what a sweep finds out. The number of permutations is none: more can be run later."""
    settings = {name: getattr(spec, name) for name in spec.__dataclass_fields__ if name not in ("strategy", "parameters")}
    return {
        "strategy": {"name": spec.strategy.name, "sha256": code.strategy_sha256, "engine": code.kernel_sha256},
        "data": data_sha256,
        "settings": _plain(settings),
        "shared parameters": {name: str(value) for name, value in spec.parameters.items()},
        "search": plan.search.describe(spec),
        "objective": plan.objective,
    }


def _plain(value: object) -> object:
    """As JSON can hold it, numbers exactly."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if hasattr(value, "__struct_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return str(value) if isinstance(value, Decimal) else value
