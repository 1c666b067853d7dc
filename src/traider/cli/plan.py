"""What ``traider up`` trades: a market source, a strategy, and the name of the session that both make."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from traider.connectors.sim.generator import Generator
from traider.connectors.sim.replay import Replay
from traider.domain.guard_protocol import Snapshot
from traider.domain.instruments import Instrument
from traider.domain.ports import Clock
from traider.engine.live import LiveSession
from traider.kernel.kit import Strategy
from traider.services.trader import MarketSource

ANCHORS = {"BTC": Decimal(60_000), "ETH": Decimal(3_000), "SOL": Decimal(150)}
OTHER_ANCHOR = Decimal(100)


@dataclass(frozen=True)
class PaperPlan:
    """A strategy on one market. ``source_of`` makes the source; the price that a made-up market begins at is settled with the guard."""

    strategy_class: type[Strategy]
    values: Mapping[str, object]
    instrument: Instrument
    description: Mapping[str, object]
    source_of: "SourceOf"
    interpreted: bool = False
    others: tuple[Instrument, ...] = ()
    kinds: int = 0  # of the events that the market may bring: a bit mask, 1 << kind; 0 where that is not known

    def session(self, snapshot: Snapshot) -> str:
        """The session that runs already, where it is the same; else a new one, which begins at the price where the market stands."""
        ours = {"strategy": self.strategy_class.name, "values": self.strategy_class(**self.values).values(), **self.description}
        running = _decoded(snapshot.session)
        if {name: value for name, value in running.items() if name != "anchor"} == ours:
            return snapshot.session
        return json.dumps({**ours, "anchor": str(self._anchor(snapshot))}, sort_keys=True)

    def _anchor(self, snapshot: Snapshot) -> Decimal:
        marks = {position.symbol: position.mark_price for position in snapshot.account.positions}
        return marks.get(self.instrument.symbol) or ANCHORS.get(self.instrument.base, OTHER_ANCHOR)

    def source(self, snapshot: Snapshot) -> MarketSource:
        return self.source_of(Decimal(_decoded(snapshot.session)["anchor"]))

    def strategy(self, snapshot: Snapshot) -> LiveSession:
        """A fresh strategy over a mirror of the account as it was when the session began."""
        account = snapshot.session_start or snapshot.account
        session = LiveSession(
            self.strategy_class(**self.values),
            (self.instrument, *self.others),
            session_id=snapshot.session_id,
            cash=account.cash,
            interpreted=self.interpreted,
            kinds=self.kinds,
        )
        session.restore(msgspec.structs.replace(snapshot, account=account, open_orders=()))
        return session


def _decoded(session: str) -> dict[str, Any]:
    try:
        decoded = json.loads(session)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


SourceOf = Callable[[Decimal], MarketSource]


def generated(*, symbol: str, seed: int, speed: float, clock: Clock) -> tuple[Instrument, SourceOf, dict[str, object]]:
    """A made-up market: its instrument, its source, and what names it."""
    first = Generator(symbol=symbol, seed=seed, clock=clock, anchor=OTHER_ANCHOR, speed=speed)

    def source_of(anchor: Decimal) -> MarketSource:
        return Generator(symbol=symbol, seed=seed, clock=clock, anchor=anchor, speed=speed)

    return first.instrument, source_of, dict(first.description)


def replayed(replay: Replay) -> tuple[SourceOf, dict[str, object]]:
    """A recorded market: its source, and what names it."""
    return (lambda _anchor: replay), dict(replay.description)
