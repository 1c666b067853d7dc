"""What the exchange says of the account at one time, asked for so that it can be compared with the books."""

from dataclasses import dataclass, field

from traider.domain.venue import Balance, Venue, VenueFill, VenueOrder

from .books import LiveBooks

SECOND_NS = 1_000_000_000
OVERLAP_NS = 60 * SECOND_NS  # each look at the fills goes back so far before the last one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask about: fills from this time on, and the orders whose fate hangs on the answer."""

    since_ns: int
    orders: dict[str, str] = field(default_factory=dict)  # client order id to the exchange's id, empty where that is not known


@dataclass(frozen=True, slots=True)
class View:
    """The answers. ``asked`` holds, by client order id, what was asked for and not listed as open: None where there is none.

    ``taken_ns`` is the exchange's time, as every time in it: this machine's clock may be wrong, and is set right in between.
    ``balances`` is None where the fills went on while they were asked for, so that the two can't be compared; in a ``partial`` view
    only single orders and the fills were asked for.
    """

    taken_ns: int
    listed: tuple[VenueOrder, ...]
    asked: dict[str, VenueOrder | None]
    fills: tuple[VenueFill, ...]
    strangers: dict[str, VenueOrder]  # orders of fills that are not in the books, by the exchange's id
    balances: tuple[Balance, ...] | None
    partial: bool = False

    def orders(self) -> tuple[VenueOrder, ...]:
        """Every order that was told of, each once."""
        told = {order.venue_order_id: order for order in self.strangers.values()}
        told |= {order.venue_order_id: order for order in self.asked.values() if order is not None}
        told |= {order.venue_order_id: order for order in self.listed}
        return tuple(told.values())


def wanted(books: LiveBooks, now_ns: int, in_flight: frozenset[str]) -> Wanted:
    """What a full look asks for: every open order whose submission is not under way, and the fills since the last one that is noted.

    All in the exchange's time, of which ``now_ns`` is the present.
    """
    since_ns = max(books.looked_ns, books.opened_ns) or now_ns
    orders: dict[str, str] = {}
    for identifier, order in books.open.items():
        if identifier not in in_flight:
            orders[identifier] = order.venue_order_id or ""
            # fills of an order that is open, or was never answered, may be told late: go back to before it was sent
            since_ns = min(since_ns, books.sent_after_ns.get(identifier) or books.opened_ns)
    return Wanted(max(0, since_ns - OVERLAP_NS), orders)


async def look(venue: Venue, books: LiveBooks, wants: Wanted, now_ns: int) -> View:
    """Everything; raises what the exchange's calls raise, since half an answer proves nothing."""
    listed = await venue.open_orders()
    venue_ids = {order.venue_order_id for order in listed}
    client_ids = {order.client_order_id for order in listed}
    missing = {
        identifier: venue_id
        for identifier, venue_id in wants.orders.items()
        if identifier not in client_ids and (not venue_id or venue_id not in venue_ids)
    }
    asked = {identifier: await _order(venue, identifier, venue_id) for identifier, venue_id in missing.items()}
    before = await venue.fills(since_ts_ns=wants.since_ns)
    balances = await venue.balances()
    fills = await venue.fills(since_ts_ns=wants.since_ns)
    steady = {fill.trade_id for fill in before} == {fill.trade_id for fill in fills}
    strangers = await _strangers(venue, books, fills)
    return View(now_ns, listed, asked, fills, strangers, balances if steady else None)


async def glance(venue: Venue, books: LiveBooks, wants: Wanted, now_ns: int) -> View:
    """The wanted orders and the fills, after a hint that something has happened to them."""
    asked = {identifier: await _order(venue, identifier, venue_id) for identifier, venue_id in wants.orders.items()}
    fills = await venue.fills(since_ts_ns=wants.since_ns)
    return View(now_ns, (), asked, fills, await _strangers(venue, books, fills), None, partial=True)


async def _order(venue: Venue, identifier: str, venue_id: str) -> VenueOrder | None:
    return await (venue.order(venue_order_id=venue_id) if venue_id else venue.order(client_order_id=identifier))


async def _strangers(venue: Venue, books: LiveBooks, fills: tuple[VenueFill, ...]) -> dict[str, VenueOrder]:
    found: dict[str, VenueOrder] = {}
    for fill in fills:
        known = fill.client_order_id in books.lines or fill.venue_order_id in books.venue_ids
        if known or fill.venue_order_id in found or books.is_booked(fill.trade_id, fill.ts_ns):
            continue
        order = await venue.order(venue_order_id=fill.venue_order_id)
        if order is not None:
            found[fill.venue_order_id] = order
    return found
