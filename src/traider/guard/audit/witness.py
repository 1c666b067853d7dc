"""I5 and I9: what has to hold in the moment in which an order leaves, and in every moment in which something changes."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRequest
from traider.domain.venue import Balance, VenueOrder

from ..live.core import LiveGuard
from .truth import LIVE, Tally

ZERO = Decimal(0)


def may_leave(guard: LiveGuard, request: OrderRequest, tally: Tally) -> None:
    """I5: asked when the first byte leaves. An order that reduces may pass the gates that let such orders through."""
    # its own place in the table is counted already
    left = msgspec.structs.replace(request, size=ZERO)
    gate = guard.gates.refusal(request.symbol, reduces=lambda: guard.books.reduces(left))
    identifier = request.client_order_id
    tally.check("I5", gate is None, f"{identifier} left while a gate was closed ({gate.text() if gate else ''})")
    tally.check("I5", not guard.books.kill.on, f"{identifier} left while the kill switch was on")


def may_amend(guard: LiveGuard, venue_order_id: str, tally: Tally) -> None:
    """I5, of an amendment: asked when its first byte leaves."""
    identifier = guard.books.venue_ids.get(venue_order_id, "")
    why = guard.why_not_amend(identifier) if identifier in guard.books.open else "it is over"
    tally.check("I5", not why, f"an amendment of {identifier or venue_order_id} left: {why}")


def is_within(
    limits: RiskLimits, instrument: Instrument, orders: Iterable[VenueOrder], balances: Iterable[Balance], tally: Tally, when: str
) -> None:
    """I9 for sizes: what is held with every open buy filled, on the exchange's truth, is not above ``max_position_size``."""
    if limits.max_position_size is None:
        return
    held = sum((balance.available + balance.held for balance in balances if balance.currency == instrument.base), ZERO)
    buys = sum((order.size - order.filled_size for order in orders if _buys(order, instrument)), ZERO)
    limit = limits.max_position_size
    tally.check("I9", held + buys <= limit, f"{held + buys} {instrument.base} held or being bought, the limit is {limit} ({when})")


def is_exposed_within(
    limits: RiskLimits,
    instruments: Iterable[Instrument],
    prices: dict[str, Decimal],
    orders: Iterable[VenueOrder],
    balances: Iterable[Balance],
    tally: Tally,
) -> None:
    """I9 for money, at these prices: what is held with every open buy filled is not worth more than ``max_gross_exposure``."""
    if limits.max_gross_exposure is None:
        return
    held = {balance.currency: balance.available + balance.held for balance in balances}
    worst = ZERO
    for instrument in instruments:
        price = prices.get(instrument.symbol, ZERO)
        worst += held.get(instrument.base, ZERO) * price
        worst += sum(((o.size - o.filled_size) * (o.limit_price or price) for o in orders if _buys(o, instrument)), ZERO)
    tally.check("I9", worst <= limits.max_gross_exposure, f"{worst} exposed, the limit is {limits.max_gross_exposure}")


def _buys(order: VenueOrder, instrument: Instrument) -> bool:
    return order.symbol == instrument.symbol and order.side > 0 and order.status in LIVE
