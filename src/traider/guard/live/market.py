"""The live guard's own view of the market: prices that no trader has a hand in, how old they are, and what a market takes now.

Where a ``VenueMarket`` is watched, marks, bands, collar and the age of data come from it alone; what a trader feeds then only counts
the trader's events. A price counts as new when the stream tells it, and when the exchange, asked for it because the stream was quiet,
says the same: so silence in a calm market is no staleness, and a stream that stands still while the market moves is found out.
"""

from collections.abc import Mapping

from traider.domain.guard_protocol import Done, MarketEvent
from traider.domain.orders import OrderRequest
from traider.domain.ports import Clock
from traider.domain.venue import BestPrices, MarketState, MarketStatus, StreamChange, StreamState, VenueMarket
from traider.domain.vocabulary import EventKind, OrderType, Side, TimeInForce

from ..base import Effects
from ..batch import Batch
from ..books import GuardConfig
from ..gates import Cause as Gate
from ..journal import Journal, JournalWriteError
from ..numbers import exact
from ..records import Cause, KillSwitchSet, Valued
from ..words import decimal_text
from .keeper import NOTHING, GateKeeper, NotEnabled

SECOND_NS = 1_000_000_000
MOST_AGE_NS = 10 * SECOND_NS  # of a price, where MAX_MARKET_DATA_AGE_S says nothing
QUIET_NS = 2 * SECOND_NS  # a price that was not told for so long is asked for
CONTRADICTIONS = 2  # of the stream by the exchange, one after the other: a single one may be news under way


class MarketView(GateKeeper):
    """``watch`` once, then ``market_told`` for all that the market tells, and ``market_compared`` for what was asked."""

    def __init__(self, journal: Journal, config: GuardConfig, clock: Clock, not_enabled: NotEnabled | None = None) -> None:
        super().__init__(journal, config, clock, not_enabled)
        self._market: VenueMarket | None = None
        self._market_lost = "not connected yet"
        self._told_ns: dict[str, int] = {}  # when each market's price was last told, or confirmed
        self._contradicted: dict[str, int] = {}
        self._disbelieved: dict[str, str] = {}  # markets whose stream is wrong, until it has begun anew
        self._states: Mapping[str, MarketState] = {}

    def watch(self, market: VenueMarket) -> None:
        """Prices come from here from now on."""
        self._market = market

    @property
    def has_market(self) -> bool:
        return self._market is not None

    # -- what the market tells

    def market_told(self, told: MarketEvent | StreamChange) -> Effects:
        """A price, or how it stands with the stream of them."""
        if isinstance(told, StreamChange):
            self._disbelieved.clear()
            self._contradicted.clear()
            self._market_lost = "" if told.state is StreamState.LIVE else told.detail or "its market data are lost"
            return self._watch_market(self._now())
        number = self.books.instrument_number(told.symbol)
        if number < 0 or self.failure is not None:
            return NOTHING
        now_ns = self._now()
        batch = Batch(self.journal, self.books, Cause.FEED)
        # a price is as old as the exchange says, and never from the future
        self._take_price(batch, number, told, max(self._told_ns.get(told.symbol, 0), min(told.ts_ns, now_ns)))
        self.books.is_marked = True
        self._watch_limits(batch)
        tripped = any(isinstance(record, KillSwitchSet) for record in batch.records)
        self._checkpoint_now_and_then(batch, 1)
        try:
            events = batch.commit()
        except JournalWriteError:
            self._journal_failed()
            return Effects(Done(seq=0), changed=True, urgent=True)
        gates = self._watch_market(now_ns)
        return Effects(Done(seq=0), events, changed=True, urgent=tripped or gates.urgent)

    def _take_price(self, batch: Batch, number: int, event: MarketEvent, ts_ns: int) -> None:
        """Marks the instrument at this time, for the desk and for the controls."""
        books, desk = self.books, self.books.desk
        if event.symbol in books.unvalued:
            price = _price_of(event)
            batch.add(Valued(n=batch.n, ts_ns=books.now_ns, symbol=event.symbol, size=books.value(event.symbol, price), price=price))
        now_ns = books.now_ns
        desk.on_market(int(event.kind) | event.flags, number, ts_ns, event.a, event.b, event.c, event.d, event.e)
        books.touch(now_ns)
        self._told_ns[event.symbol] = ts_ns
        books.asked.see_market(number, ts_ns, float(desk.positions[number]["mark_price"]))
        if desk.account["days"]:
            desk.drain_day_ends()

    # -- how old its prices are

    def quiet_markets(self) -> dict[str, BestPrices]:
        """What the stream says of the markets of which it has said nothing for a while: to be compared with what the exchange says."""
        market, now_ns = self._market, self.now_ns()
        age_s = self.books.config.limits.max_market_data_age_s
        quiet_ns = QUIET_NS if age_s is None else min(QUIET_NS, int(age_s * SECOND_NS) // 2)
        found: dict[str, BestPrices] = {}
        for symbol in self.followed if market is not None else ():
            best = None if market is None else market.best(symbol)
            if best is not None and now_ns - self._told_ns.get(symbol, 0) >= quiet_ns:
                found[symbol] = best
        return found

    def market_compared(self, streamed: Mapping[str, BestPrices], asked: Mapping[str, BestPrices], asked_ns: int) -> Effects:
        """The exchange was asked at ``asked_ns`` for what the stream had said before. A stream that is wrong twice begins anew."""
        market = self._market
        if market is None:
            return NOTHING
        for symbol, best in streamed.items():
            if market.best(symbol) != best:
                continue  # news has come meanwhile
            if asked.get(symbol) == best:
                self._confirm(symbol, asked_ns)
                continue
            self._contradicted[symbol] = self._contradicted.get(symbol, 0) + 1
            if self._contradicted[symbol] >= CONTRADICTIONS and symbol not in self._disbelieved:
                told = asked.get(symbol)
                there = "one side only" if told is None else f"{told.bid:.10g} / {told.ask:.10g}"
                why = f"the stream of {symbol} stands at {best.bid:.10g} / {best.ask:.10g}, the exchange at {there}"
                self.note("market-data", why)
                market.begin_again(why)
                self._disbelieved[symbol] = why
        return self._watch_market(self._now())

    def _confirm(self, symbol: str, asked_ns: int) -> None:
        self._contradicted.pop(symbol, None)
        if asked_ns > self._told_ns.get(symbol, 0):
            number = self.books.instrument_number(symbol)
            self._told_ns[symbol] = asked_ns
            self.books.asked.see_market(number, asked_ns, float(self.books.desk.positions[number]["mark_price"]))

    def _watch_market(self, now_ns: int) -> Effects:
        if self._market is None:
            return super()._watch_market(now_ns)
        effects = NOTHING
        for symbol in self.followed:
            why = self._why_blind(self._market, symbol, now_ns)
            change = self.close_gate(Gate.MARKET_DATA, why, symbol) if why else self.open_gate(Gate.MARKET_DATA, symbol)
            effects = change if change.changed else effects
        return effects

    def _why_blind(self, market: VenueMarket, symbol: str, now_ns: int) -> str:
        """Why the market's price is not known now; empty where it is."""
        if market.best(symbol) is None:
            return f"no whole order book of {symbol}: {self._market_lost or 'its snapshot has not come yet'}"
        if symbol in self._disbelieved:
            return self._disbelieved[symbol]
        age_s = self.books.config.limits.max_market_data_age_s
        most_ns = MOST_AGE_NS if age_s is None else int(age_s * SECOND_NS)
        told_ns = self._told_ns.get(symbol, 0)
        if told_ns == 0:
            return f"no price of {symbol} yet"
        limit = f"MAX_MARKET_DATA_AGE_S {age_s} s" if age_s is not None else f"{most_ns / SECOND_NS:g} s"
        return "" if now_ns - told_ns <= most_ns else f"no price of {symbol} within {limit}"

    # -- what may be done in it

    def _reaches_too_far(self, request: OrderRequest) -> str:
        """Why a market order trades too far from the market by the guard's own book (``MAX_PRICE_DEVIATION``); empty where it does not."""
        limit = self.books.config.limits.max_price_deviation
        if self._market is None or limit is None or request.type is not OrderType.MARKET or not request.size.is_finite():
            return ""
        buys = request.side is Side.BUY
        asked = f"{'buying' if buys else 'selling'} {decimal_text(request.size)} {request.symbol} at market"
        reach = self._market.reach(request.symbol, request.side, float(request.size))
        if reach is None:
            return f"{asked} is more than the order book has: it would trade at any price (MAX_PRICE_DEVIATION)"
        mark = exact(self.books.desk.positions[self.books.instrument_number(request.symbol)]["mark_price"])
        if not mark > 0:
            return ""  # the desk refuses what has no price
        off = abs(exact(reach) / mark - 1)
        if off <= limit:
            return ""
        return (
            f"{asked} trades {'up' if buys else 'down'} to {decimal_text(exact(reach))}, {decimal_text(off * 100, 4)} % from the market's "
            f"{decimal_text(mark)}; MAX_PRICE_DEVIATION is {decimal_text(limit * 100, 4)} %"
        )

    def market_status(self, venue: str, status: MarketStatus) -> Effects:
        """The stream's word that a market is not traded closes its gate at once; that it is again, the exchange has to say when asked."""
        if status.tradable or status.symbol not in self.followed:
            return NOTHING
        return self.close_gate(Gate.VENUE, f"{venue} does not trade it now ({status.detail})", status.symbol)

    def markets_are(self, venue: str, states: Mapping[str, MarketState]) -> Effects:
        """What the exchange says of its markets: one that is not traded, or takes cancels only, closes a gate of its own."""
        self._states, effects = states, NOTHING
        for symbol in self.followed:
            state = states.get(symbol)
            if state is None or not state.tradable:
                change = self.close_gate(Gate.VENUE, f"{venue} does not trade it now", symbol)
            elif state.cancel_only:
                change = self.close_gate(Gate.VENUE, f"{venue} takes cancels only there now", symbol)
            else:
                change = self.open_gate(Gate.VENUE, symbol)
            effects = change if change.changed else effects
        return effects

    def _not_taken_now(self, request: OrderRequest) -> str:
        """Why a market that is open does not take an order of this kind now; empty where it does."""
        state = self._states.get(request.symbol)
        if state is None:
            return ""
        is_limit = request.type is OrderType.LIMIT
        if state.post_only and not (is_limit and request.post_only):
            return f"venue for {request.symbol}: post-only orders alone are taken now"
        if state.limit_only and not is_limit:
            return f"venue for {request.symbol}: limit orders alone are taken now"
        if state.auction and (not is_limit or request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)):
            return f"venue for {request.symbol}: it is in an auction, and takes limit orders alone that may rest"
        return ""


def _price_of(event: MarketEvent) -> float:
    if event.kind is EventKind.QUOTE:
        return 0.5 * (event.a + event.c)
    return event.d if event.kind is EventKind.BAR else event.a
