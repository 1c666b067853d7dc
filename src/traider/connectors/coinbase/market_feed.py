"""Coinbase's market data as one stream of the kernel's events, with books that are the venue's or are said not to be.

| channel | events |
|---|---|
| ``level2`` | DEPTH, a row a level; and QUOTE whenever best bid or ask, or their sizes, are others after a message |
| ``market_trades`` | TRADE, in the order of the venue's numbers, each once, with the taker's side |
| ``ticker``, ``ticker_batch`` | QUOTE, of products that ``level2`` is not subscribed for |
| ``candles`` | BAR, of five minutes, once the next one has begun |
| ``status`` | none: ``on_status`` is told |

Times are the venue's, raised to the event before where they would step back; a bar keeps its own start.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.venue import StreamChange, StreamState
from traider.domain.vocabulary import EventKind

from .amounts import moment_ns
from .book import DictBook, Top
from .book_keeper import BookKeeper
from .market_events import Draft, depth_drafts, ticker_draft, top_draft
from .market_tapes import CandleTape, TradeTape
from .messages import AnyMessage, BookMessage, CandlesMessage, StatusMessage, StatusPart, TickerBatchMessage, TickerMessage, TradesMessage
from .subscription import Subscription
from .ticks import TickGrid

CHANNELS = ("level2", "market_trades", "ticker", "ticker_batch", "candles", "status")
MOST_WAITING = 200_000  # for each product; a snapshot of a large book is about 50,000 events


class MarketFeed:
    """A ``Handler`` of a session, and the stream that it makes of the messages.

    Policy of the queue: who does not keep up loses the place. When ``most_waiting`` events wait, all of them are dropped, the loss is
    told, and the channels begin anew with snapshots; a stream is never thinned out in silence.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        channels: Iterable[str] = ("level2", "market_trades"),
        depth: bool = True,
        aliases: Mapping[str, str] | None = None,
        most_waiting: int | None = None,
    ) -> None:
        self.channels = tuple(channels)
        unknown = [channel for channel in self.channels if channel not in CHANNELS]
        if unknown:
            raise ValueError(f"no market channel of the venue: {', '.join(unknown)}")
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._targets = _targets(self._instruments, aliases or {})
        self._depth = depth
        self.keepers = self._make_keepers() if "level2" in self.channels else {}
        self._most_waiting = MOST_WAITING * max(1, len(self._instruments)) if most_waiting is None else most_waiting
        self._waiting: deque[MarketEvent | StreamChange] = deque()
        self._filled = asyncio.Event()
        self._index = 0
        self._last_ts_ns = 0
        self._tops: dict[str, Top] = {}
        self._trades = TradeTape()
        self._candles = CandleTape()
        self.live = False
        self.on_overflow: Callable[[str], None] = lambda why: None  # a session's ``resubscribe``
        self.on_status: Callable[[StatusPart], None] = lambda part: None  # of each of the markets, whenever it is told

    def _make_keepers(self) -> dict[str, BookKeeper]:
        return {symbol: BookKeeper(DictBook(), TickGrid(instrument.price_increment)) for symbol, instrument in self._instruments.items()}

    def subscriptions(self) -> tuple[Subscription, ...]:
        """What a session has to subscribe to."""
        symbols = tuple(self._instruments)
        return tuple(
            Subscription(channel=name, products=symbols, lively=name == "level2", optional=name == "status") for name in self.channels
        )

    async def events(self) -> AsyncIterator[MarketEvent | StreamChange]:
        """Without end. Events after a ``LOST`` and before the next ``LIVE`` are true, and others may be missing among them."""
        while True:
            await self._filled.wait()
            yield self._waiting.popleft()
            if not self._waiting:
                self._filled.clear()

    def has_had(self, symbol: str, trade_number: int) -> None:
        """Trades up to this one are known: the first snapshot is no history but tells what came after it."""
        self._trades.has_had(symbol, trade_number)

    def top(self, symbol: str) -> Top | None:
        """Best bid and ask in ticks, None while the book is not known to be the venue's."""
        return self.keepers[symbol].top()

    def on_live(self) -> None:
        """Every channel is confirmed."""
        self.live = True
        self._put(StreamChange(state=StreamState.LIVE))

    def on_gap(self, why: str) -> None:
        """The number of a message is the connection's, so what is missing may have been of any book."""
        self.on_lost(why)

    def on_lost(self, why: str) -> None:
        """No book is valid from here on."""
        for keeper in self.keepers.values():
            keeper.invalidate()
        if self.live:
            self.live = False
            self._put(StreamChange(state=StreamState.LOST, detail=why))

    def is_whole(self) -> bool:
        """Whether every book has had its snapshot."""
        return all(keeper.valid for keeper in self.keepers.values())

    def take_frame(self, frame: bytes, expected: int, received_ts_ns: int) -> bool:
        """There is no short way: see ``CompiledMarketFeed``."""
        return False

    def on_message(self, message: AnyMessage, received_ts_ns: int) -> None:
        """The message's events, at the end of the stream. Of channels that were not asked for nothing is taken."""
        match message:
            case BookMessage() if self.keepers:
                drafts = self._book_drafts(message)
            case TradesMessage() if "market_trades" in self.channels:
                drafts = self._ours([draft for event in message.events for draft in self._trades.take(event)])
            case TickerMessage() | TickerBatchMessage() if str(message.__struct_config__.tag) in self.channels:
                drafts = self._ticker_drafts(message)
            case CandlesMessage() if "candles" in self.channels:
                drafts = self._ours([draft for event in message.events for draft in self._candles.take(event)])
            case StatusMessage() if "status" in self.channels:
                for part in (part for event in message.events for part in event.products if part.id in self._instruments):
                    self.on_status(part)
                return
            case _:
                return
        for draft in drafts:
            self._put(self._placed(draft, received_ts_ns))

    def _book_drafts(self, message: BookMessage) -> list[Draft]:
        drafts: list[Draft] = []
        for event in message.events:
            for symbol in self._targets.get(event.product_id, ()):
                keeper = self.keepers.get(symbol)
                rows = None if keeper is None else keeper.take(event)
                if keeper is None or rows is None:
                    continue
                ts_ns = moment_ns(message.timestamp, "timestamp")
                if self._depth:
                    drafts += depth_drafts(symbol, ts_ns, rows, keeper.grid, snapshot=event.type == "snapshot")
                drafts += self._quotes(symbol, ts_ns, keeper)
        return drafts

    def _quotes(self, symbol: str, ts_ns: int, keeper: BookKeeper) -> list[Draft]:
        top = keeper.book.top()
        if self._is_told(symbol, top):
            return []
        quote = top_draft(symbol, ts_ns, top, keeper.grid)
        return [] if quote is None else [quote]

    def _is_told(self, symbol: str, top: Top) -> bool:
        """Whether these are the best levels that were last told; from now on they are."""
        before, self._tops[symbol] = self._tops.get(symbol), top
        return top == before

    def _ticker_drafts(self, message: TickerMessage | TickerBatchMessage) -> list[Draft]:
        ts_ns = moment_ns(message.timestamp, "timestamp")
        quotes = [ticker_draft(ticker, ts_ns) for event in message.events for ticker in event.tickers]
        ours = self._ours([quote for quote in quotes if quote is not None])
        return [draft for draft in ours if draft.symbol not in self.keepers]

    def _ours(self, drafts: list[Draft]) -> list[Draft]:
        """Under the names that were subscribed: the venue answers for BTC-USDC with BTC-USD. Of other products nothing."""
        return [draft if symbol == draft.symbol else draft.of(symbol) for draft in drafts for symbol in self._targets.get(draft.symbol, ())]

    def _placed(self, draft: Draft, received_ts_ns: int) -> MarketEvent:
        ts_ns = draft.ts_ns
        if draft.kind is not EventKind.BAR:
            self._last_ts_ns = ts_ns = max(ts_ns, self._last_ts_ns)
        index, self._index = self._index, self._index + 1
        return draft.at(index, ts_ns=ts_ns, received_ts_ns=received_ts_ns)

    def _put(self, event: MarketEvent | StreamChange) -> None:
        if len(self._waiting) >= self._most_waiting and isinstance(event, MarketEvent):
            self._waiting.clear()
            self.live = False
            why = f"{self._most_waiting} events were not taken in time, and are dropped"
            self._waiting.append(StreamChange(state=StreamState.LOST, detail=why))
            self._filled.set()
            self.on_overflow(why)
            return
        self._waiting.append(event)
        self._filled.set()


def _targets(symbols: Iterable[str], aliases: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Which of our symbols a name on the wire is for: itself, and those that it stands for."""
    targets: dict[str, tuple[str, ...]] = {symbol: (symbol,) for symbol in symbols}
    for symbol in tuple(targets):
        name = aliases.get(symbol, symbol)
        if name != symbol:
            targets[name] = (*targets.get(name, ()), symbol)
    return targets
