"""What a rule can do to the exchange: orders, connections, the clock, keys, limits, products, balances."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .accounts import Account, identity
from .agenda import SECOND_NS
from .calls import Answer, Call
from .damage import Damage
from .hub import Hub
from .keys import SCOPES, Key, KeyRing
from .order_entry import OrderEntry
from .orders import Order
from .products import FLAGS, Product
from .refusals import OrderRefusedError, RequestRefusedError, bad_request
from .rules import Signature, listed_ids
from .session import Session
from .settings import FeeTier
from .units import ONE, PPM, parse_atoms

_NUMBER: tuple[type, ...] = (int, float)
_ANY: tuple[type, ...] = (str, int, float, bool, list, dict, type(None))

# Carried out by ``pipeline``, on the request itself.
REQUEST_ACTS = {
    "delay": Signature({"seconds": _NUMBER}, ("seconds",), requests=True),
    "drop_reply": Signature({}, requests=True),
    "status": Signature({"code": int, "body": _ANY, "headers": dict, "applied": bool}, ("code",), requests=True),
    "mutate": Signature(
        {"remove": (str, list), "null": (str, list), "rename": dict, "set": dict, "reverse": (str, list), "truncate": int, "html": bool},
        requests=True,
    ),
    "slow_drip": Signature({"bytes_per_s": _NUMBER}, ("bytes_per_s",), requests=True),
    "close_after_reply": Signature({}, requests=True),
}


@dataclass(slots=True)
class Context:
    """The request that a rule acts on, if there is one."""

    account: Account | None = None
    orders: list[Order] = field(default_factory=list)


@dataclass
class PlannedFill:
    """A fill that waits until somebody cancels or edits the order."""

    order: str  # an order id or client order id; "" for any
    on: str
    size: str
    price: str
    fraction: float


class Bench:
    """Everything that acts work on."""

    def __init__(self, entry: OrderEntry, hub: Hub, ring: KeyRing, sessions: dict[int, Session]) -> None:
        self.entry, self.exchange = entry, entry.exchange
        self.hub, self.ring, self.sessions = hub, ring, sessions
        self.planned: list[PlannedFill] = []
        self.maintenance_until_ns = 0
        self.external_count = 0
        self._before: dict[tuple[int, str], tuple[Any, str, Any]] = {}  # what acts have changed: where, and what it was
        self.changed: Callable[[], None] = lambda: None  # called when an account or a key is another by hand
        entry.before_cancel.append(lambda order: self._fill_planned(order, "cancel"))
        entry.before_edit.append(lambda order: self._fill_planned(order, "edit"))

    def context(self, call: Call | None, answer: Answer | None) -> Context:
        """Whose request it was and which orders it was about."""
        account = call.key.account if call is not None and call.key is not None else None
        ids: list[str] = []
        if call is not None:
            ids += _ids_of(call)
        if answer is not None and answer.status == 200 and call is not None and call.method == "POST":
            told = msgspec.json.decode(answer.body)
            if isinstance(told.get("success_response"), dict):
                ids.append(told["success_response"]["order_id"])
        return Context(account, [self.exchange.orders[i] for i in ids if i in self.exchange.orders])

    def changes(self, thing: Any, *names: str) -> None:
        """These attributes are about to be changed; ``mend`` gives them back what they have now."""
        for name in names:
            self._before.setdefault((id(thing), name), (thing, name, copy(getattr(thing, name))))

    def mend(self) -> None:
        """Nothing is planned, damaged or changed any more."""
        self.planned.clear()
        self.maintenance_until_ns = 0
        for thing, name, before in self._before.values():
            setattr(thing, name, before)
        if any(isinstance(thing, Product) for thing, _, _ in self._before.values()):
            self.hub.products_changed()
        if self._before:
            self.changed()
        self._before.clear()
        for session in self.sessions.values():
            session.damage = Damage()

    def account(self, name: str) -> Account:
        for account in self.exchange.accounts.values():
            if name in (account.name, account.user_id):
                return account
        raise bad_request(f"there is no account {name!r}")

    def orders_of(self, args: dict[str, Any], context: Context) -> list[Order]:
        """The orders that an act names, or those of its request; a 400 where there is none of that name."""
        name = args.get("order") or args.get("client_order_id")
        if not name:
            return context.orders
        found = [order for order in self.exchange.orders.values() if name in (order.order_id, order.client_order_id)]
        if not found:
            raise bad_request(f"there is no order {name!r}")
        return found

    def product(self, product_id: str) -> Product:
        product = self.exchange.products.get(product_id)
        if product is None:
            raise bad_request(f"there is no product {product_id!r}")
        return product

    def sockets(self, args: dict[str, Any], context: Context) -> list[Session]:
        """The connections that an act is about: those of an account, of a channel, or all."""
        account = self.account(args["account"]) if args.get("account") else context.account
        channel = args.get("channel", "")
        return [
            session
            for session in list(self.sessions.values())
            if (account is None or (session.key is not None and session.key.account is account))
            and (not channel or channel in session.channels or (channel == "l2_data" and "level2" in session.channels))
        ]

    def keys(self, args: dict[str, Any], context: Context) -> list[Key]:
        name = args.get("key")
        if name and name not in self.ring.keys:
            raise bad_request(f"there is no key {name!r}")
        account = self.account(args["account"]) if args.get("account") else context.account
        return [key for key in self.ring.keys.values() if name == key.name or (not name and (account is None or key.account is account))]

    def fill(self, order: Order, *, size: str, price: str, fraction: float) -> None:
        """The market trades with this order, whatever the book says."""
        grid = order.product.grid
        lots = (parse_atoms(size) or 0) // grid.lot if size else max(1, int(order.remaining * fraction))
        ticks = (parse_atoms(price) or 0) // grid.tick if price else 0
        self.entry.fill_by_hand(order, lots, ticks)

    def _fill_planned(self, order: Order, on: str) -> None:
        for plan in list(self.planned):
            if plan.on == on and plan.order in ("", order.order_id, order.client_order_id):
                self.planned.remove(plan)
                self.fill(order, size=plan.size, price=plan.price, fraction=plan.fraction)

    def step(self, order: Order) -> None:
        self.exchange.finish(self.exchange.market_of(order.product))


def _ids_of(call: Call) -> list[str]:
    """The order ids that a request names."""
    try:
        body = call.json()
    except RequestRefusedError:
        return list(call.parts)
    named = [body.get("order_id"), *listed_ids(body)]
    return [name for name in (*named, *call.parts) if isinstance(name, str)]


@dataclass(frozen=True, slots=True)
class Act:
    signature: Signature
    carry_out: Callable[[Bench, dict[str, Any], Context], None]


def _hide(bench: Bench, args: dict[str, Any], context: Context) -> None:
    """REST does not show the order, or its fills, for so long."""
    until_ns = bench.exchange.now_ns() + round(args["seconds"] * SECOND_NS)
    for order in bench.orders_of(args, context):
        if args.get("what", "order") == "order":
            order.visible_ns = until_ns
        else:
            order.fills_hidden_until_ns = until_ns
            for fill in order.fills:
                fill.visible_ns = until_ns


def _forget(bench: Bench, args: dict[str, Any], context: Context) -> None:
    """The client order id is free again; the order itself stays."""
    for order in bench.orders_of(args, context):
        order.account.clients.pop(order.client_order_id, None)


def _fill(bench: Bench, args: dict[str, Any], context: Context) -> None:
    size, price, fraction = args.get("size", ""), args.get("price", ""), float(args.get("fraction", 1.0))
    if any(text and not parse_atoms(text) for text in (size, price)) or not 0 < fraction <= 1:
        raise bad_request("fill: size and price are positive numbers as text, fraction is above 0 and at most 1")
    on = args.get("on", "")
    named = args.get("order") or args.get("client_order_id") or ""
    if on in ("cancel", "edit"):
        names = [named] if named or not context.orders else [order.order_id for order in context.orders]
        bench.planned += [PlannedFill(name, on, size, price, fraction) for name in names]
        return
    for order in bench.orders_of(args, context):
        bench.fill(order, size=size, price=price, fraction=fraction)
        bench.step(order)


def _external_order(bench: Bench, args: dict[str, Any], context: Context) -> None:
    """An order that the account places from the website."""
    account = bench.account(args["account"]) if args.get("account") else context.account or next(iter(bench.exchange.accounts.values()))
    bench.external_count += 1
    made_up = identity(bench.exchange.config.seed, "external", bench.external_count)
    body = args["order"] | {"client_order_id": args["order"].get("client_order_id", made_up)}
    try:
        bench.entry.create(account, body, source=args.get("source", "RETAIL_ADVANCED"))
    except OrderRefusedError as refused:
        raise bad_request(f"external_order: {refused.reason}: {refused.message}") from None


def _cancel_order(bench: Bench, args: dict[str, Any], context: Context) -> None:
    """An order that the account cancels on the website."""
    for order in bench.orders_of(args, context):
        bench.entry.cancel(order.account, order.order_id)


def _damage(**fixed: Any) -> Callable[[Bench, dict[str, Any], Context], None]:
    """An act that changes what is done to the messages of connections; ``count`` of them where it is counted."""

    def carry_out(bench: Bench, args: dict[str, Any], context: Context) -> None:
        for session in bench.sockets(args if "channels" not in args else args | {"channel": ""}, context):
            for name, value in fixed.items():
                setattr(session.damage, name, int(args.get("count", 1)) if value == "count" else value)
            if "channels" in args:
                session.damage.stalled |= {_wire_name(channel) for channel in args["channels"]}
            else:
                session.damage.channel = _wire_name(args.get("channel", ""))
            if "seconds" in args:
                session.damage.delay_s = float(args["seconds"])

    return carry_out


def _wire_name(channel: str) -> str:
    return "l2_data" if channel == "level2" else channel


def _skip(bench: Bench, args: dict[str, Any], context: Context) -> None:
    numbered = args.get("numbered", True)
    _damage(**{"skip" if numbered else "skip_unnumbered": "count"})(bench, args, context)


def _drop(bench: Bench, args: dict[str, Any], context: Context) -> None:
    for session in bench.sockets(args, context):
        if args.get("no_close"):
            session.damage.mute = True
        else:
            session.drop()


def _close(bench: Bench, args: dict[str, Any], context: Context) -> None:
    for session in bench.sockets(args, context):
        session.close(int(args.get("code", 1000)), args.get("reason", ""))


def _inject(bench: Bench, args: dict[str, Any], context: Context) -> None:
    message = args["message"]
    content = message.encode() if isinstance(message, str) else msgspec.json.encode(message)
    for session in bench.sockets(args, context):
        session.send_text(content)


def _skew(bench: Bench, args: dict[str, Any], context: Context) -> None:
    bench.changes(bench.exchange.agenda, "skew_ns")
    bench.exchange.agenda.skew_ns = round(args["seconds"] * SECOND_NS)


def _step(bench: Bench, args: dict[str, Any], context: Context) -> None:
    bench.changes(bench.exchange.agenda, "skew_ns")
    bench.exchange.agenda.skew_ns += round(args["seconds"] * SECOND_NS)


def _revoke(bench: Bench, args: dict[str, Any], context: Context) -> None:
    for key in bench.keys(args, context):
        bench.changes(key, "revoked")
        key.revoked = not args.get("undo", False)
    bench.changed()


def _scopes(bench: Bench, args: dict[str, Any], context: Context) -> None:
    if any(scope not in SCOPES for scope in args["scopes"]):
        raise bad_request(f"scopes are of: {', '.join(SCOPES)}")
    for key in bench.keys(args, context):
        bench.changes(key, "scopes")
        key.scopes = set(args["scopes"])
    bench.changed()


def _limit(bench: Bench, args: dict[str, Any], context: Context) -> None:
    switches = bench.exchange.switches
    bench.changes(switches, "limits", "private_per_s", "public_per_s")
    switches.limits = args.get("on", True)
    switches.private_per_s = float(args.get("private_per_s", switches.private_per_s))
    switches.public_per_s = float(args.get("public_per_s", switches.public_per_s))


def _product(bench: Bench, args: dict[str, Any], context: Context) -> None:
    product = bench.product(args["product_id"])
    bench.changes(product, "flags", "status", "cancels_rejected")
    for flag in FLAGS:
        if flag in args:
            product.flags[flag] = args[flag]
    product.status = args.get("status", product.status)
    product.cancels_rejected = args.get("cancels_rejected", product.cancels_rejected)
    bench.hub.products_changed()


def _balance(bench: Bench, args: dict[str, Any], context: Context) -> None:
    """Money comes from outside, or leaves."""
    account = bench.account(args["account"]) if args.get("account") else context.account or next(iter(bench.exchange.accounts.values()))
    delta = args["delta"]
    amount = parse_atoms(delta.lstrip("-"))
    if amount is None:
        raise bad_request(f"balance: delta is {delta!r}; give a decimal number as text")
    wallet = bench.exchange.wallet(account, args["currency"])
    amount = -min(amount, wallet.available) if delta.startswith("-") else amount
    bench.exchange.ledger.deposit(wallet, amount)
    bench.changed()


def _fee_tier(bench: Bench, args: dict[str, Any], context: Context) -> None:
    account = bench.account(args["account"]) if args.get("account") else context.account or next(iter(bench.exchange.accounts.values()))
    rates = []
    for name in ("maker", "taker"):
        rate = parse_atoms(args[name])
        if rate is None or rate * PPM % ONE:
            raise bad_request(f"fee_tier: {name} is {args[name]!r}; give a rate such as 0.006, of at most 6 decimals")
        rates.append(rate * PPM // ONE)
    bench.changes(account, "tier")
    account.tier = FeeTier(args.get("name", "Set by hand"), 0, *rates)
    bench.changed()


def _maintenance(bench: Bench, args: dict[str, Any], context: Context) -> None:
    """Every request is answered with 503 and a page of HTML, sockets are closed and refused."""
    bench.maintenance_until_ns = bench.exchange.agenda.time_ns() + round(args["seconds"] * SECOND_NS)
    for session in list(bench.sessions.values()):
        session.close(1001, "maintenance")


_ORDER = {"order": str, "client_order_id": str}
_WHO = {"account": str}
_SOCKET = {"account": str, "channel": str}

ACTS: dict[str, Act] = {
    "hide": Act(Signature(_ORDER | {"what": str, "seconds": _NUMBER}, ("seconds",)), _hide),
    "forget": Act(Signature(_ORDER), _forget),
    "fill": Act(Signature(_ORDER | {"size": str, "price": str, "on": str, "fraction": _NUMBER}), _fill),
    "external_order": Act(Signature(_WHO | {"order": dict, "source": str}, ("order",)), _external_order),
    "cancel_order": Act(Signature(_ORDER), _cancel_order),
    "ws.drop": Act(Signature(_SOCKET | {"no_close": bool}), _drop),
    "ws.close": Act(Signature(_SOCKET | {"code": int, "reason": str}), _close),
    "ws.stall": Act(Signature(_WHO | {"channels": list}, ("channels",)), _damage()),
    "ws.skip": Act(Signature(_SOCKET | {"count": int, "numbered": bool}), _skip),
    "ws.dup": Act(Signature(_SOCKET | {"count": int}), _damage(dup="count")),
    "ws.reorder": Act(Signature(_SOCKET | {"count": int}), _damage(reorder="count")),
    "ws.truncate": Act(Signature(_SOCKET | {"count": int}), _damage(truncate="count")),
    "ws.garbage": Act(Signature(_SOCKET | {"count": int}), _damage(garbage="count")),
    "ws.delay": Act(Signature(_SOCKET | {"count": int, "seconds": _NUMBER}, ("seconds",)), _damage(delay="count")),
    "ws.no_snapshot": Act(Signature(_SOCKET), _damage(no_snapshot=True)),
    "ws.inject": Act(Signature(_SOCKET | {"message": _ANY}, ("message",)), _inject),
    "ws.mend": Act(Signature(_SOCKET), lambda bench, args, context: _mend(bench, args, context)),
    "clock.skew": Act(Signature({"seconds": _NUMBER}, ("seconds",)), _skew),
    "clock.step": Act(Signature({"seconds": _NUMBER}, ("seconds",)), _step),
    "key.revoke": Act(Signature(_WHO | {"key": str, "undo": bool}), _revoke),
    "key.scopes": Act(Signature(_WHO | {"key": str, "scopes": list}, ("scopes",)), _scopes),
    "limit": Act(Signature({"on": bool, "private_per_s": _NUMBER, "public_per_s": _NUMBER}), _limit),
    "product": Act(
        Signature({"product_id": str, "status": str, "cancels_rejected": bool} | dict.fromkeys(FLAGS, bool), ("product_id",)), _product
    ),
    "balance": Act(Signature(_WHO | {"currency": str, "delta": str}, ("currency", "delta")), _balance),
    "fee_tier": Act(Signature(_WHO | {"maker": str, "taker": str, "name": str}, ("maker", "taker")), _fee_tier),
    "maintenance": Act(Signature({"seconds": _NUMBER}, ("seconds",)), _maintenance),
}


def _mend(bench: Bench, args: dict[str, Any], context: Context) -> None:
    for session in bench.sockets(args, context):
        session.damage = Damage()
