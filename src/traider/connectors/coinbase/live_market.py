"""One market of the venue as a trader's source: what it has to have seen of the past, then everything as it happens.

| the strategy acts on | channels | it is shown |
|---|---|---|
| trades | ``market_trades`` | TRADE |
| bars | ``market_trades`` | TRADE, and BAR made of them, as ``traider backtest --bars`` makes them |
| quotes | ``level2`` too | QUOTE whenever best bid or ask are others |
| book | ``level2`` too | DEPTH, row by row |

Bars are made here, and not taken from the ``candles`` channel: that one has five minutes only, tells a bar when the next one has
begun, and a backtest could not be given the same. The venue's past can't be read again, so a session goes on from its recording.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec

from traider.domain.errors import TraiderError, UserError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.ports import Clock
from traider.domain.venue import StreamChange, StreamState, VenueUnavailableError
from traider.domain.vocabulary import EventKind

from .build import Options, coinbase_feed, coinbase_transport
from .market_calls import GRANULARITIES_S, MarketCalls
from .market_feed import MarketFeed
from .read_market import PastTrade
from .rest import Rest
from .trade_bars import Maker, TradeBars, made_bar

_SECOND_NS = 1_000_000_000
PAST_TRADES = 1000  # the most that the venue tells at once
PAST_BARS = 350
RECENT = 4096  # events that are remembered after they were taken: a guard that dies may not have had the last of them


def kinds_of(acts_on: Collection[str]) -> int:
    """The events that such a strategy is shown: a bit mask, 1 << kind."""
    kinds = 1 << EventKind.TRADE
    for words, kind in (("bars", EventKind.BAR), ("quotes", EventKind.QUOTE), ("book", EventKind.DEPTH)):
        if words in acts_on:
            kinds |= 1 << kind
    return kinds


async def instrument_at(symbol: str, options: Options) -> Instrument:
    """The market as the venue lists it; ``UserError`` where it does not, ``TraiderError`` where it can't be reached."""
    rest = Rest(coinbase_transport(None, None, options), options.rest_timing)
    await rest.start()
    try:
        listed = await MarketCalls(rest).instruments()
    except VenueUnavailableError as error:
        raise TraiderError(f"{options.addresses.rest_url} does not tell what is traded: {error}") from None
    finally:
        await rest.stop()
    found = next((instrument for instrument in listed if instrument.symbol == symbol), None)
    if found is None:
        raise UserError(f"{options.addresses.rest_url} has no market {symbol}; it has {len(listed)} others, such as BTC-USD")
    return found


class LiveMarket:
    """A ``MarketSource`` while it is entered by ``open``. ``on_change`` is told when the stream is lost, and when it is there again."""

    in_moments = True

    def __init__(
        self,
        instrument: Instrument,
        options: Options,
        clock: Clock,
        *,
        kinds: int,
        bars: Maker | None = None,
        feeds_past: bool = True,
        make_feed: type[MarketFeed] = MarketFeed,
    ) -> None:
        """``feeds_past``: the past is the session's too, and orders on the paper venue meet it; else the strategy alone sees it."""
        self.symbol = instrument.symbol
        self.on_change: Callable[[StreamChange], Awaitable[None]] = _tell_nobody
        self._options = options
        self._clock = clock
        self._kinds = kinds
        self._bars = TradeBars(bars) if bars is not None and kinds >> EventKind.BAR & 1 else None
        depth = bool(kinds >> EventKind.DEPTH & 1)
        channels = ("level2", "market_trades") if kinds & (1 << EventKind.QUOTE | 1 << EventKind.DEPTH) else ("market_trades",)
        self._feed, self._session = coinbase_feed((instrument,), options, channels=channels, depth=depth, make_feed=make_feed)
        self._past: list[MarketEvent] = []  # what was before the stream began, until a session has taken it
        self._placed: list[MarketEvent] = []  # the same, at its place in the session
        self._feeds_past = feeds_past
        self.unfed: Sequence[MarketEvent] = ()
        self._recent: deque[MarketEvent] = deque(maxlen=RECENT)
        self._next = 0
        self._last_ns = 0
        self.untraded = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Asks for the past, and keeps the stream for as long as this is entered."""
        await self._load()
        running = asyncio.create_task(self._session.run(), name="market: stream")
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    # -- the past

    async def _load(self) -> None:
        """What traded before. Without it the strategy has less to remember, and everything else goes on."""
        rest = Rest(coinbase_transport(None, None, self._options), self._options.rest_timing)
        await rest.start()
        try:
            calls = MarketCalls(rest)
            trades = await calls.trades(self.symbol, most=PAST_TRADES)
            if trades and trades[-1].trade_id.isdecimal():
                # what comes between this answer and the stream's beginning is in the stream's snapshot
                self._feed.has_had(self.symbol, int(trades[-1].trade_id))
            self._past = [*(await self._past_bars(calls, trades)), *self._past_trades(trades)]
        except VenueUnavailableError as error:
            await self.on_change(StreamChange(state=StreamState.LOST, detail=f"the market's past is not known: {error}"))
        finally:
            await rest.stop()

    async def _past_bars(self, calls: MarketCalls, trades: Sequence[PastTrade]) -> list[MarketEvent]:
        """Bars of the venue's own, up to where the trades that it tells make whole ones."""
        bars = self._bars
        if bars is None or bars.span_ns // _SECOND_NS not in GRANULARITIES_S:
            return []
        end_ns = bars.next_start_ns(trades[0].ts_ns if trades else self._clock.now_ns())
        seconds, end_s = bars.span_ns // _SECOND_NS, end_ns // _SECOND_NS
        candles = await calls.candles(self.symbol, start_s=end_s - PAST_BARS * seconds, end_s=end_s, seconds=seconds)
        return [
            made_bar(self.symbol, c.ts_ns, *(float(value) for value in (c.open, c.high, c.low, c.close, c.volume)))
            for c in candles
            if c.ts_ns + bars.span_ns <= min(end_ns, self._clock.now_ns())
        ]

    def _past_trades(self, trades: Sequence[PastTrade]) -> list[MarketEvent]:
        events = []
        for trade in trades:
            event = MarketEvent(
                index=-1,
                kind=EventKind.TRADE,
                symbol=self.symbol,
                ts_ns=trade.ts_ns,
                a=float(trade.price),
                b=float(trade.size),
                c=float(trade.side),
            )
            events += [event] if self._bars is None else self._bars.woven(event)
        return events

    # -- a session's place in it

    def continue_after(self, last_index: int, last_ns: int) -> None:
        """Of the past a new session is shown everything, one that goes on what came after ``last_ns``."""
        self._next = last_index + 1
        if last_index >= 0:
            self._last_ns = max(self._last_ns, last_ns)
        fresh = [event for event in self._past if last_index < 0 or self._ends_ns(event) > last_ns]
        self._past = []
        self._placed = [self._at_its_place(event) for event in fresh] if self._feeds_past else []
        self.unfed = () if self._feeds_past else fresh
        self.untraded = self._next

    def _ends_ns(self, event: MarketEvent) -> int:
        return event.ts_ns + (self._bars.span_ns if self._bars is not None and event.kind is EventKind.BAR else 0)

    def history_start(self, last_index: int) -> int:
        """Nothing of a session's own past can be shown again."""
        return last_index + 1

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        """As far as it was placed before the stream began, or has come a moment ago."""
        return [event for event in (*self._placed, *self._recent) if start <= event.index < stop]

    async def events(self, start_index: int) -> AsyncIterator[MarketEvent]:
        """Without end. What was taken a moment ago, and the session is known not to have after all, comes again."""
        again = [event for event in self._recent if event.index >= start_index]
        if again and again[0].index == start_index:
            for event in again:
                yield event
            start_index = again[-1].index + 1
        self._next = start_index
        async for one in self._feed.events():
            if isinstance(one, StreamChange):
                await self._note(one)
                continue
            if not self._kinds >> one.kind & 1:
                continue
            for event in self._bars.woven(one) if self._bars is not None and one.kind is EventKind.TRADE else (one,):
                placed = self._at_its_place(event)
                self._recent.append(placed)
                yield placed

    async def _note(self, change: StreamChange) -> None:
        if self._bars is not None:
            if change.state is StreamState.LOST:
                self._bars.broken()
            else:
                self._bars.mended()
        await self.on_change(change)

    def _at_its_place(self, event: MarketEvent) -> MarketEvent:
        """The event with its number in the session, and no earlier than the one before; a made bar keeps its own start."""
        index, self._next = self._next, self._next + 1
        if event.kind is EventKind.BAR:
            return msgspec.structs.replace(event, index=index)
        self._last_ns = max(self._last_ns, event.ts_ns)
        return msgspec.structs.replace(event, index=index, ts_ns=self._last_ns)


async def _tell_nobody(_change: StreamChange) -> None:
    """Where nobody asked to be told."""
