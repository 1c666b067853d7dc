"""What runs now, as the bus and the guard tell it: the account, the limits, the market, the parts of the platform."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from structlog import get_logger

from traider.domain.bus_events import SystemEvent
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.ports import Clock, GuardPort
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import BAR_MADE, EventKind

from .candles import Candles
from .schemas import CandleOut, ComponentOut, MarketOut, SystemOut
from .views import MS_NS, candle_out

log = get_logger("traider.api")


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What was started: it does not change while the platform runs."""

    version: str
    mode: Literal["paper", "live"] = "paper"  # live: orders go to an exchange
    venue: str = "paper venue"  # where orders go, in a person's words
    strategy: str
    params: Mapping[str, int | float | str | bool]
    symbol: str
    source: str
    started_ts_ns: int


class LiveView:
    """The newest of everything. ``observe`` is cheap: it runs for every market event."""

    def __init__(self, *, guard: GuardPort, clock: Clock, session: SessionInfo, market_stale_after_s: float) -> None:
        self.account: AccountState | None = None
        self.risk: RiskState | None = None
        self.moved: set[str] = set()  # markets with an event since the stream last told of them
        self._guard = guard
        self._clock = clock
        self._session = session
        self._stale_after_ms = market_stale_after_s * 1000
        self._candles = Candles()
        self._newest: dict[str, tuple[int, float]] = {}  # time and price
        self._traded: set[str] = set()  # markets whose trades are told: a quote's middle says nothing more there
        self._market_seen_ns: int | None = None
        self._components: dict[str, SystemEvent] = {}

    async def prime(self) -> None:
        """Asks the guard how things stand; without an answer they stay as they were told last."""
        if not self._guard.connected:
            return
        try:
            snapshot = await self._guard.snapshot()
        except LinkError as error:
            log.warning("the guard did not tell how things stand", error=str(error))
            return
        self.account, self.risk = snapshot.account, snapshot.risk

    def on_market(self, event: MarketEvent) -> None:
        self._market_seen_ns = self._clock.now_ns()
        price = self._price_of(event)
        if price is None:
            return
        self._newest[event.symbol] = (event.ts_ns, price)
        self.moved.add(event.symbol)
        self._candles.observe(event, price)

    def _price_of(self, event: MarketEvent) -> float | None:
        """What the market stands at with this event; None where it does not say, or a better word is there."""
        match event.kind:
            case EventKind.TRADE:
                self._traded.add(event.symbol)
                return event.a
            case EventKind.BAR:
                return None if event.flags & BAR_MADE else event.d  # a made one has nothing that its trades had not
            case EventKind.QUOTE:
                return None if event.symbol in self._traded else (event.a + event.c) / 2
            case _:
                return None

    def on_system(self, event: SystemEvent) -> None:
        self._components[event.component] = event

    def market(self, symbol: str) -> MarketOut | None:
        """The newest price of a market, None before the first."""
        newest = self._newest.get(symbol)
        if newest is None:
            return None
        ts_ns, price = newest
        candle = self._candles.newest(symbol)
        return MarketOut(symbol=symbol, ts_ms=ts_ns // MS_NS, price=price, candle=None if candle is None else candle_out(candle))

    def markets(self) -> list[MarketOut]:
        """The newest price of every market that was heard of."""
        return [market for symbol in self._newest if (market := self.market(symbol)) is not None]

    def candles(self, symbol: str, limit: int) -> list[CandleOut]:
        """The newest candles of a market, oldest first; of the session's own where none is named."""
        return [candle_out(candle) for candle in self._candles.last(symbol or self._session.symbol, limit)]

    @property
    def market_age_ms(self) -> int | None:
        """Since the last market event arrived, whatever its own time says; None before the first."""
        return None if self._market_seen_ns is None else max(0, self._clock.now_ns() - self._market_seen_ns) // MS_NS

    @property
    def market_stale(self) -> bool:
        """Whether market data is too old to trade on, or has not come yet."""
        age_ms = self.market_age_ms
        return age_ms is None or age_ms > self._stale_after_ms

    @property
    def guard_connected(self) -> bool:
        return self._guard.connected

    def problems(self) -> list[str]:
        """Why the platform is not ready to trade, as far as can be seen from here; empty when it is."""
        found: list[str] = []
        if not self.guard_connected:
            found.append("the guard is not connected: no order can leave")
        if self.market_age_ms is None:
            found.append("no market data yet")
        elif self.market_stale:
            found.append(f"market data is stale: the last event came {self.market_age_ms / 1000:.1f} s ago")
        if self.risk is not None:
            found += [f"the guard's gate is closed: {gate}" for gate in self.risk.gates]
        unwell = (part for part in self._components.values() if part.state != "up")
        found += [
            f"{part.component} is {part.state}: {part.detail}" for part in unwell if part.component != "guard" or self.guard_connected
        ]
        return found

    def system(self) -> SystemOut:
        session = self._session
        return SystemOut(
            version=session.version,
            mode=session.mode,
            venue=session.venue,
            strategy=session.strategy,
            params=dict(session.params),
            symbol=session.symbol,
            source=session.source,
            started_ts_ms=session.started_ts_ns // MS_NS,
            guard_connected=self.guard_connected,
            market_age_ms=self.market_age_ms,
            market_stale=self.market_stale,
            components=[
                ComponentOut(component=event.component, state=event.state, detail=event.detail, ts_ms=event.ts_ns // MS_NS)
                for event in self._components.values()
            ],
        )
