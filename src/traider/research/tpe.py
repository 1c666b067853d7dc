"""A search that learns: Optuna's tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl 2011).

It is asked for ``BATCH`` sets at a time, so that all cores have work, and told what came of them before it is asked again.
The size of a batch is fixed: what is tried hangs on the seed and on Optuna's version, never on the number of threads.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from traider.domain.errors import UserError
from traider.engine.sweep import Parameters
from traider.engine.trial import Trial
from traider.kernel.kit import Strategy

from . import extras
from .space import Choice, Dimension, size_of

BATCH = 16
_PATIENCE = 20  # suggestions for each set that is wanted; a search that keeps on repeating itself is over
Key = tuple[object, ...]


class TpeSearch:
    """Tries ``trials`` different sets, or all that there are. A set that is suggested again counts once and is not run again."""

    def __init__(
        self,
        strategy: type[Strategy],
        space: Sequence[Dimension],
        *,
        trials: int,
        seed: int,
        measure: Callable[[Trial], float],
    ) -> None:
        optuna = extras.load("optuna", extra="optuna", wanted_by="a TPE search")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._strategy, self._space, self._measure = strategy, list(space), measure
        self._distributions = {one.name: _distribution(optuna.distributions, one) for one in space}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # the liar keeps the sets of one batch apart: those that are not told yet count as bad
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._left = int(min(trials, size_of(space)))
        self._suggestions_left = _PATIENCE * self._left
        self._values: dict[Key, float] = {}
        self._asked: list[tuple[Key, Parameters]] = []
        self._pending: list[tuple[Any, Key]] = []

    def ask(self) -> Sequence[Parameters]:
        """The next different sets, at most ``BATCH``."""
        self._asked, self._pending = [], []
        new: set[Key] = set()
        while len(new) < min(BATCH, self._left) and self._suggestions_left > 0:
            self._suggestions_left -= 1
            suggested = self._study.ask(fixed_distributions=self._distributions)
            parameters = {one.name: _value(one, suggested.params[one.name]) for one in self._space}
            key = tuple(parameters.values())
            if key in self._values:
                self._study.tell(suggested, self._values[key])
                continue
            self._pending.append((suggested, key))
            if key not in new:
                new.add(key)
                self._asked.append((key, parameters))
        self._left -= len(self._asked)
        return [parameters for _, parameters in self._asked]

    def tell(self, trials: Sequence[Trial]) -> None:
        for (key, parameters), trial in zip(self._asked, trials, strict=True):
            if any(trial.parameters[name] != self._strategy.parameters[name].parse(value) for name, value in parameters.items()):
                raise UserError("the search does not suggest what it did before: it goes on only with the version of Optuna that began it")
            self._values[key] = self._measure(trial)
        for suggested, key in self._pending:
            self._study.tell(suggested, self._values[key])


def optuna_version(wanted_by: str) -> str:
    """The version that a search hangs on; a UserError when there is none."""
    return str(extras.load("optuna", extra="optuna", wanted_by=wanted_by).__version__)


def _distribution(kinds: Any, dimension: Dimension) -> Any:
    if isinstance(dimension, Choice):
        count = len(dimension.values)
        return kinds.IntDistribution(0, count - 1) if dimension.ordered else kinds.CategoricalDistribution(tuple(range(count)))
    if dimension.whole:
        return kinds.IntDistribution(int(dimension.low), int(dimension.high), log=dimension.logarithmic)
    return kinds.FloatDistribution(dimension.low, dimension.high, log=dimension.logarithmic)


def _value(dimension: Dimension, suggested: float) -> object:
    return dimension.values[int(suggested)] if isinstance(dimension, Choice) else dimension.rounded(suggested)
