"""The requests of a socket: subscribe and unsubscribe, with everything that follows at once."""

from typing import Any

import msgspec

from . import events
from .agenda import SECOND_NS
from .exchange import Exchange
from .hub import MARKET_CHANNELS, Hub
from .keys import Key
from .orders import Order
from .rates import Limiter
from .session import Session
from .tokens import TokenChecker

_PRIVATE = frozenset({"user", "futures_balance_summary"})
_ON_USER_HOST = frozenset({"user", "heartbeats", "futures_balance_summary"})
CHANNELS = MARKET_CHANNELS | _PRIVATE | {"heartbeats", "status"}
USER_HOST = "advanced-trade-ws-user"


class Subscriptions:
    """What a client asks of its socket."""

    def __init__(self, exchange: Exchange, hub: Hub, tokens: TokenChecker) -> None:
        self._exchange, self._hub, self._tokens = exchange, hub, tokens
        self._limiter = Limiter()
        self._began_ns = exchange.agenda.time_ns()

    def opened(self, session: Session) -> None:
        """From now on the client has so long to subscribe, and a connection that is told nothing is closed."""
        switches = self._exchange.switches
        session.on_closed = self._hub.leave

        def check() -> None:
            if not session.subscribed:
                session.close(1008, "no subscription in time")

        if switches.subscribe_within_s:
            session.timers.append(self._exchange.agenda.after(switches.subscribe_within_s, check))
        self._watch_idle(session)

    def _watch_idle(self, session: Session) -> None:
        idle_s = self._exchange.switches.idle_close_s
        if not idle_s:
            return
        agenda = self._exchange.agenda

        def check() -> None:
            due_ns = session.last_sent_ns + round(idle_s * SECOND_NS)
            if due_ns <= agenda.time_ns():
                session.close(1001, "idle")
            elif not session.closed:
                session.timers[-1] = agenda.at(due_ns, check)

        session.timers.append(agenda.after(idle_s, check))

    def received(self, session: Session, text: str | bytes) -> None:
        """One message of the client. What is not understood is answered with an error, which has no sequence number."""
        try:
            asked = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or asked.get("type") not in ("subscribe", "unsubscribe"):
            _error(session, "invalid message")
            return
        channel, products = asked.get("channel"), asked.get("product_ids") or []
        if not isinstance(channel, str) or channel not in (_ON_USER_HOST if session.user_only else CHANNELS):
            _error(session, f"channel {channel} is not supported")
            return
        if not isinstance(products, list) or not all(isinstance(p, str) and p in self._exchange.products for p in products):
            _error(session, "invalid product_ids")
            return
        if asked["type"] == "subscribe" and channel in MARKET_CHANNELS and not products:
            _error(session, "product_ids is missing")
            return
        key = self._key(asked)
        if key is None and ("jwt" in asked or channel in _PRIVATE):
            _error(session, "authentication failure")
            return
        if key is None and self._too_many(session):
            _error(session, "rate limit exceeded")
            return
        if asked["type"] == "subscribe":
            self._subscribe(session, channel, products, key)
        else:
            self._unsubscribe(session, channel, products)
        self._confirm(session)

    def _key(self, asked: dict[str, Any]) -> Key | None:
        key = self._tokens.subscription(asked.get("jwt"), now_ns=self._exchange.now_ns())
        return key if key is not None and "view" in key.scopes else None

    def _too_many(self, session: Session) -> bool:
        switches = self._exchange.switches
        if not switches.limits:
            return False
        return self._limiter.take(session.address, switches.messages_per_s, switches.burst, self._exchange.now_ns()) < 0

    def _subscribe(self, session: Session, channel: str, products: list[str], key: Key | None) -> None:
        session.subscribed = True
        if channel in MARKET_CHANNELS:
            names = list(dict.fromkeys(self._exchange.products[product].market_id for product in products))
            session.channels.setdefault(channel, set()).update(names)
            for name in names:
                self._snapshot(session, channel, name)
                self._hub.join(session, channel, name)
            return
        held = session.channels.get(channel)
        everything = not products or (held is not None and not held)  # nothing named means all, and all it stays
        session.channels[channel] = set() if everything else (held or set()) | set(products)
        if key is not None:
            session.key = key
        if channel == "heartbeats":
            self._beat(session)
        elif channel == "status":
            self._hub.join(session, "status", "")
            shown = [product for product in self._exchange.products.values() if not products or product.product_id in products]
            session.send(self._hub.message("status", events.status(shown), snapshot=True))
        elif channel == "user" and key is not None:
            self._user_snapshot(session, key, set(products))
            self._hub.join(session, "user", key.account.user_id)
        elif channel == "futures_balance_summary":
            session.send(self._hub.message("futures_balance_summary", events.no_futures(), snapshot=True))

    def _unsubscribe(self, session: Session, channel: str, products: list[str]) -> None:
        held = session.channels.get(channel, set())
        named = {self._exchange.products[p].market_id for p in products} if channel in MARKET_CHANNELS else set(products)
        gone = named & held if named else set(held)
        held -= gone
        if channel in MARKET_CHANNELS:
            for name in gone:
                self._hub.part(session, channel, name)
        if not held or not named:
            session.channels.pop(channel, None)
            self._end(session, channel)

    def _end(self, session: Session, channel: str) -> None:
        if channel == "heartbeats" and session.heartbeat is not None:
            session.heartbeat.cancel()
            session.heartbeat = None
        elif channel == "status":
            self._hub.part(session, "status", "")
        elif channel == "user" and session.key is not None:
            self._hub.part(session, "user", session.key.account.user_id)

    def _confirm(self, session: Session) -> None:
        held = {channel: sorted(names) for channel, names in session.channels.items()}
        for private in _PRIVATE & held.keys():
            held[private] = [session.key.account.user_id] if session.key is not None else []
        if "heartbeats" in held:
            held["heartbeats"] = held["heartbeats"] or ["heartbeats"]
        session.send(self._hub.message("subscriptions", events.subscriptions(held)))

    def _snapshot(self, session: Session, channel: str, name: str) -> None:
        market, product = self._exchange.markets[name], self._exchange.products[name]
        now_ns, grid, wire_name = self._exchange.now_ns(), product.grid, channel
        if channel == "level2":
            self._hub.told(market)  # what is not told yet goes to those who listen already
            wire_name = "l2_data"
            content = events.book_snapshot(product, market, events.snapshot_time(now_ns, self._exchange.switches.snapshot_time))
        elif channel == "market_trades":
            content = events.trades("snapshot", name, events.recent_trades(market), grid)
        elif channel == "candles":
            content = events.candles("snapshot", name, events.recent_candles(market, now_ns), grid)
        else:
            content = events.ticker("snapshot", market, grid, now_ns, with_best=channel == "ticker")
        session.send(self._hub.message(wire_name, content, product_id=name, snapshot=True))

    def _user_snapshot(self, session: Session, key: Key, products: set[str]) -> None:
        """All open orders, in batches; the first that is not full ends it."""
        orders: list[Order] = [o for o in key.account.open.values() if not products or o.product.product_id in products]
        size = self._exchange.switches.user_batch
        for first in range(0, len(orders) + 1, size):
            part = orders[first : first + size]
            session.send(self._hub.message("user", events.user_orders("snapshot", part), snapshot=True))

    def _beat(self, session: Session) -> None:
        agenda = self._exchange.agenda
        if session.heartbeat is not None:
            return
        began_ns, first_ns = self._began_ns, agenda.time_ns()
        counter = (first_ns - began_ns) // SECOND_NS

        def beat() -> None:
            nonlocal counter, first_ns
            counter += 1
            first_ns += SECOND_NS
            uptime_s = (agenda.time_ns() - began_ns) / SECOND_NS
            told: int | str = str(counter) if self._exchange.switches.heartbeat_counter == "string" else counter
            session.send(self._hub.message("heartbeats", events.heartbeat(self._exchange.now_ns(), uptime_s, told)))
            if not session.closed:
                session.heartbeat = agenda.at(first_ns + SECOND_NS, beat)

        session.heartbeat = agenda.at(first_ns + SECOND_NS, beat)


def _error(session: Session, what: str) -> None:
    session.send_text(msgspec.json.encode({"type": "error", "message": what}))
