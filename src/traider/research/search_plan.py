"""Which parameter sets a sweep tries: all of a grid, a draw from it, or a search that learns."""

from dataclasses import dataclass

from traider.domain.errors import SettingsError
from traider.engine.backtest import BacktestSpec
from traider.engine.grid import MAX_TRIALS, Axis, trials_of
from traider.engine.sweep import Listed, Parameters, Search, objective_of

from .space import Choice, Dimension, space_of
from .tpe import TpeSearch, optuna_version


@dataclass(frozen=True)
class SearchPlan:
    """``random`` sets drawn from the axes, or ``tpe`` sets searched in them; without either, every combination."""

    axes: tuple[Axis, ...] = ()
    random: int | None = None
    tpe: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.random is not None and self.tpe is not None:
            raise SettingsError("a sweep draws at random or searches by TPE; give one of the two")
        if self.tpe is None and not self.axes:
            raise SettingsError("which parameters? say what to try, for example --grid fast=5:50:5 (only --tpe goes without)")
        if self.tpe is not None and not 1 <= self.tpe <= MAX_TRIALS:
            raise SettingsError(f"--tpe {self.tpe}: search through 1 to {MAX_TRIALS:,} sets")
        if self.seed < 0:
            raise SettingsError(f"--seed is {self.seed}; give a whole number of at least 0")

    @property
    def kind(self) -> str:
        return "tpe" if self.tpe is not None else "random" if self.random is not None else "grid"

    def sets(self) -> list[Parameters]:
        """Of a grid or a draw: all of them, in the order in which they are tried."""
        return trials_of(self.axes, draws=self.random, seed=self.seed)

    def space(self, spec: BacktestSpec) -> list[Dimension]:
        return space_of(spec.strategy, self.axes, spec.parameters)

    def names(self, spec: BacktestSpec) -> list[str]:
        """The parameters that differ between trials."""
        return [one.name for one in self.space(spec)]

    def search(self, spec: BacktestSpec, objective: str) -> Search:
        """A fresh search; every one of the same plan asks for the same sets as long as it is told the same."""
        if self.tpe is None:
            return Listed(self.sets())
        return TpeSearch(spec.strategy, self.space(spec), trials=self.tpe, seed=self.seed, measure=objective_of(objective))

    def describe(self, spec: BacktestSpec) -> dict[str, object]:
        """What it is, for people and for the record of a sweep."""
        said: dict[str, object] = {"search": self.kind, "seed": self.seed}
        if self.tpe is None:
            return {**said, "draws": self.random, "grid": {name: [str(value) for value in values] for name, values in self.axes}}
        return {
            **said,
            "trials": self.tpe,
            "space": {one.name: _told(one) for one in self.space(spec)},
            "optuna": optuna_version("--tpe"),
        }


def _told(dimension: Dimension) -> list[str]:
    return [str(value) for value in dimension.values] if isinstance(dimension, Choice) else [str(dimension.low), str(dimension.high)]
