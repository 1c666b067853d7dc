"""Orders and fills out of the venue's replies."""

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any

from traider.domain.instruments import Instrument
from traider.domain.venue import VenueFill, VenueOrder
from traider.domain.vocabulary import Liquidity, OrderStatus, Side

from . import wire_orders as wire
from .amounts import amount, moment_ns, optional_amount, positive_amount
from .malformed import MalformedError

# Those of an order that may still trade. The venue has no word for partly filled: that is OPEN with something filled.
LIVE_STATUSES = ("OPEN", "PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED")
BOOKED_TRADE_TYPES = frozenset({"FILL", "SYNTHETIC"})

_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_LIQUIDITY = {"MAKER": Liquidity.MAKER, "TAKER": Liquidity.TAKER}
_NO_REASON = frozenset({"", "REJECT_REASON_UNSPECIFIED", "UNKNOWN_CANCEL_REASON"})
_EXACT = Context(prec=60)


def side_of(text: str, what: str) -> Side:
    """Of the account's own order."""
    try:
        return _SIDES[text.upper()]
    except KeyError:
        raise MalformedError(f"{what} should be BUY or SELL, not {text[:20]!r}") from None


def status_of(text: str, filled_size: Decimal) -> OrderStatus:
    """The order's state in our words; a status that is not known is ``UNKNOWN``, never an end."""
    status = text.upper()
    if status in LIVE_STATUSES:
        return OrderStatus.PARTIALLY_FILLED if filled_size else OrderStatus.OPEN
    if status == "FILLED":
        return OrderStatus.FILLED
    if status in ("CANCELLED", "EXPIRED"):
        return OrderStatus.CANCELLED
    if status == "FAILED":
        return OrderStatus.CANCELLED if filled_size else OrderStatus.REJECTED
    return OrderStatus.UNKNOWN


def read_order(order: wire.Order) -> VenueOrder:
    """The order as the venue tells it.

    Of an order that is sized in the quote currency, which only others place, ``size`` is what it has filled: the venue names
    no other size in the base currency.
    """
    what = f"order {order.order_id}"
    filled = amount(order.filled_size, f"{what}: filled_size")
    terms = _terms(order)
    size = optional_amount(terms.get("base_size"), f"{what}: base_size")
    return VenueOrder(
        venue_order_id=_identity(order.order_id, "order_id"),
        client_order_id=order.client_order_id or "",
        symbol=_identity(order.product_id, f"{what}: product_id"),
        side=side_of(order.side, f"{what}: side"),
        status=status_of(order.status, filled),
        size=filled if size is None else size,
        filled_size=filled,
        limit_price=optional_amount(terms.get("limit_price"), f"{what}: limit_price"),
        stop_price=optional_amount(terms.get("stop_price") or terms.get("stop_trigger_price"), f"{what}: stop_price"),
        created_ts_ns=moment_ns(order.created_time, f"{what}: created_time"),
        reason=_reason(order),
    )


def read_fill(fill: wire.Fill, *, client_order_id: str, instruments: Mapping[str, Instrument]) -> VenueFill:
    """The fill in base units, whichever currency the venue gave its size in."""
    what = f"fill {fill.trade_id}"
    price = positive_amount(fill.price, f"{what}: price")
    size = positive_amount(fill.size, f"{what}: size")
    if fill.size_in_quote:
        size = base_size(size, price, instruments.get(fill.product_id), what)
    return VenueFill(
        trade_id=_identity(fill.trade_id, "trade_id"),
        venue_order_id=_identity(fill.order_id, f"{what}: order_id"),
        client_order_id=client_order_id,
        symbol=_identity(fill.product_id, f"{what}: product_id"),
        side=side_of(fill.side, f"{what}: side"),
        price=price,
        size=size,
        fee=amount(fill.commission, f"{what}: commission"),
        # A venue that does not say is taken for the dearer of the two; the fee is in the fill in any case.
        liquidity=_LIQUIDITY.get((fill.liquidity_indicator or "").upper(), Liquidity.TAKER),
        ts_ns=moment_ns(_identity(fill.trade_time, f"{what}: trade_time"), f"{what}: trade_time"),
    )


def base_size(quote_size: Decimal, price: Decimal, instrument: Instrument | None, what: str) -> Decimal:
    """What was traded, in whole size increments: the number of them whose value is nearest to ``quote_size``."""
    if instrument is None:
        raise MalformedError(f"{what}: its size is in the quote currency of a market that is not known")
    increments = _EXACT.divide(quote_size, _EXACT.multiply(price, instrument.size_increment)).to_integral_value()
    if increments <= 0:
        raise MalformedError(f"{what}: {quote_size} is less than one size increment at {price}")
    return _EXACT.multiply(increments, instrument.size_increment)


def oldest_first(fills: Iterable[VenueFill]) -> tuple[VenueFill, ...]:
    """Each trade once, by time; within the same moment by the venue's number."""
    once = {fill.trade_id: fill for fill in fills}
    return tuple(sorted(once.values(), key=lambda fill: (fill.ts_ns, len(fill.trade_id), fill.trade_id)))


def _terms(order: wire.Order) -> dict[str, Any]:
    """What the order was placed with, and above it the last edit that the venue took: it is not told whether the one follows the other."""
    configuration = order.order_configuration or {}
    terms = dict(next((terms for terms in configuration.values() if terms is not None), {}))
    for edit in order.edit_history or []:
        if edit.size:
            terms["base_size"] = edit.size
        if edit.price:
            terms["limit_price"] = edit.price
    return terms


def _reason(order: wire.Order) -> str:
    if order.status.upper() == "EXPIRED":
        return "EXPIRED"
    told = (order.reject_reason or "", order.reject_message or "", order.cancel_message or "")
    return next((reason for reason in told if reason not in _NO_REASON), "")


def _identity(text: str, what: str) -> str:
    if not text:
        raise MalformedError(f"{what} is empty")
    return text
