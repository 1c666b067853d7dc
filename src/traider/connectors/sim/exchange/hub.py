"""Tells everybody what they subscribed to, as it happens."""

from collections import defaultdict

from . import events, shapes
from .agenda import SECOND_NS
from .exchange import Exchange
from .markets import Market, Print
from .messages import Message, message
from .orders import Order
from .session import Session

TICKER_BATCH_S = 5.0
CANDLES_S = 1.0
MARKET_CHANNELS = frozenset({"level2", "ticker", "ticker_batch", "market_trades", "candles"})


class Hub:
    """The exchange's ``Feed``. ``attach`` comes before anything happens."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], dict[int, Session]] = defaultdict(dict)  # by channel and market, or user
        self._prints: dict[str, list[Print]] = defaultdict(list)  # waiting for their batch
        self._traded: set[str] = set()  # markets that traded in this step
        self._quiet: dict[tuple[str, str], bytes] = {}  # what a slow channel told last
        self._planned: set[tuple[str, str]] = set()
        self.messages = 0  # sent, over all connections

    def attach(self, exchange: Exchange) -> None:
        self._exchange = exchange

    # Who listens

    def join(self, session: Session, channel: str, name: str) -> None:
        self._sessions[channel, name][session.number] = session
        if channel in ("ticker_batch", "candles"):
            self._plan(channel, name, TICKER_BATCH_S if channel == "ticker_batch" else CANDLES_S)

    def part(self, session: Session, channel: str, name: str) -> None:
        self._sessions[channel, name].pop(session.number, None)

    def leave(self, session: Session) -> None:
        for listeners in self._sessions.values():
            listeners.pop(session.number, None)

    def listening(self, channel: str, name: str) -> bool:
        return bool(self._sessions.get((channel, name)))

    # What happened

    def printed(self, market: Market, trade: Print) -> None:
        name = market.market_id
        self._traded.add(name)
        if not self.listening("market_trades", name):
            return
        waiting = self._prints[name]
        waiting.append(trade)
        if len(waiting) == 1:
            self._exchange.agenda.after(self._exchange.switches.batch_ms / 1000, lambda: self._flush_trades(market))

    def order_changed(self, order: Order) -> None:
        user = order.account.user_id
        sessions = [s for s in self._sessions.get(("user", user), {}).values() if _wants(s, order)]
        if sessions:
            self._broadcast(sessions, self.message("user", events.user_orders("update", [order])))

    def told(self, market: Market) -> None:
        name, ladders = market.market_id, (market.matcher.bids, market.matcher.asks)
        grid = self._exchange.products[name].grid
        now_ns = self._exchange.now_ns()
        if self.listening("level2", name):
            update = events.book_update(market, grid, shapes.micro(now_ns))
            if update is not None:
                self._send("level2", name, "l2_data", update)
        else:
            for ladder in ladders:
                ladder.touched.clear()
        if name in self._traded:
            self._traded.discard(name)
            if self.listening("ticker", name):
                self._send("ticker", name, "ticker", events.ticker("update", market, grid, now_ns))

    def products_changed(self) -> None:
        """Flags or status of a product."""
        for session in list(self._sessions.get(("status", ""), {}).values()):
            wanted = session.channels.get("status", set())
            shown = [p for p in self._exchange.products.values() if not wanted or p.product_id in wanted]
            self._broadcast([session], self.message("status", events.status(shown)))

    # Sending

    def message(self, channel: str, content: bytes, *, product_id: str = "", snapshot: bool = False) -> Message:
        return message(channel, content, self._exchange.now_ns(), self._exchange.switches, product_id=product_id, snapshot=snapshot)

    def _send(self, channel: str, name: str, wire_name: str, content: bytes) -> None:
        self._broadcast(list(self._sessions[channel, name].values()), self.message(wire_name, content, product_id=name))

    def _broadcast(self, sessions: list[Session], told: Message) -> None:
        self.messages += len(sessions)
        for session in sessions:
            session.send(told)

    def _flush_trades(self, market: Market) -> None:
        prints = self._prints.pop(market.market_id, [])
        if prints and self.listening("market_trades", market.market_id):
            grid = self._exchange.products[market.market_id].grid
            self._send("market_trades", market.market_id, "market_trades", events.trades("update", market.market_id, prints[::-1], grid))

    def _plan(self, channel: str, name: str, every_s: float) -> None:
        if (channel, name) not in self._planned:
            self._planned.add((channel, name))
            self._exchange.agenda.after(every_s, lambda: self._tell_slowly(channel, name, every_s))

    def _tell_slowly(self, channel: str, name: str, every_s: float) -> None:
        """What a slow channel tells, if it is other than last time; again later, for as long as somebody listens."""
        self._planned.discard((channel, name))
        if not self.listening(channel, name):
            self._quiet.pop((channel, name), None)
            return
        market, grid, now_ns = self._exchange.markets[name], self._exchange.products[name].grid, self._exchange.now_ns()
        if channel == "candles":
            start_s = now_ns // SECOND_NS // events.CANDLE_S * events.CANDLE_S
            current = market.candles.of(events.CANDLE_S, start_s, start_s)
            content = events.candles("update", name, current, grid) if current else b""
        else:
            content = events.ticker("update", market, grid, now_ns, with_best=False)
        if content and self._quiet.get((channel, name)) != content:
            self._quiet[channel, name] = content
            self._send(channel, name, channel, content)
        self._plan(channel, name, every_s)


def _wants(session: Session, order: Order) -> bool:
    wanted = session.channels.get("user", set())
    return not wanted or order.product.product_id in wanted
