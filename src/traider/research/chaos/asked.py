"""What is asked for: whose orders, under which limits, and how to have one run of it again."""

import random
import shlex
from collections.abc import Mapping

import msgspec

from traider.domain.errors import StrategyError
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import EventKind
from traider.engine.session import acts_on
from traider.kernel.kit import Strategy
from traider.strategies.registry import find_strategy

from .actors import Actor, RandomActor, StrategyActor
from .exchange import INSTRUMENT
from .run import Outcome, run_seed


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Without a ``strategy`` orders are sent at random, and each seed has limits of its own; ``words`` are the command's options."""

    strategy: str = ""
    parameters: Mapping[str, object] = {}
    limits: RiskLimits | None = None
    interpreted: bool = False
    words: tuple[str, ...] = ()

    def reproduction(self, seed: int) -> str:
        """The one line that plays this run again."""
        words = ["traider", "chaos", *([self.strategy] if self.strategy else []), *self.words, "--seed", str(seed)]
        return shlex.join(words)

    def check(self) -> None:
        """``StrategyError`` for a strategy, or parameters, that can't be run here."""
        if self.strategy:
            actor = self._actor(INSTRUMENT)
            actor.rehearse()

    def play(self, seed: int) -> Outcome:
        """One run."""
        return run_seed(seed, self._make_actor, self.limits)

    def _make_actor(self, randomness: random.Random, instrument: Instrument) -> Actor:
        return self._actor(instrument) if self.strategy else RandomActor(randomness, instrument)

    def _actor(self, instrument: Instrument) -> StrategyActor:
        cls = find_strategy(self.strategy)
        return StrategyActor(cls, dict(self.parameters), instrument, _kinds(cls), interpreted=self.interpreted)


def _kinds(cls: type[Strategy]) -> int:
    """The events that the strategy has a handler for, a bit mask."""
    kinds = sum(1 << kind for kind in set(acts_on(cls).values()))
    if not kinds:
        raise StrategyError(f"strategy {cls.name} has no handler of the market: nothing would come of it")
    return kinds if kinds & ~(1 << EventKind.DEPTH) else kinds | 1 << EventKind.TRADE
