"""The invariants that can be checked when everything has calmed down: I1 to I4, I8 and I10 to I12.

Each function takes what it compares and a tally, and changes nothing. ``witness`` has those of every moment, ``recoveries`` those
of the journal.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from traider.domain.orders import OrderFilled, OrderRejected, OrderUnknown
from traider.domain.venue import VenueFill
from traider.domain.vocabulary import OrderStatus

from ..gates import Cause, Closed
from ..live.books import LiveBooks
from ..records import AnyRecord, Noted
from .truth import Arrival, RateLimit, Tally, Truth

_Fill = tuple[str, Decimal, Decimal, Decimal]


def fills_are_booked(records: Iterable[AnyRecord], fills: Iterable[VenueFill], tally: Tally) -> None:
    """I1."""
    booked: dict[str, list[_Fill]] = {}
    for record in records:
        if isinstance(record, OrderFilled):
            booked.setdefault(record.trade_id, []).append((record.trade_id, record.price, record.size, record.fee))
    made = {fill.trade_id: (fill.trade_id, fill.price, fill.size, fill.fee) for fill in fills}
    tally.check("I1", booked.keys() == made.keys(), f"booked and not made, or made and not booked: {sorted(booked.keys() ^ made.keys())}")
    for trade, found in booked.items():
        tally.check("I1", len(found) == 1, f"trade {trade} is booked {len(found)} times")
        tally.check("I1", trade not in made or found[0] == made[trade], f"trade {trade} is booked as {found[0]}, and was {made.get(trade)}")


def intents_are_sent_once(truth: Truth, tally: Tally) -> None:
    """I2."""
    made = Counter(order.client_order_id for order in truth.orders if order.client_order_id)
    sent = Counter(arrival.client_order_id for arrival in truth.arrivals if arrival.client_order_id)
    for identifier in made.keys() | sent.keys():
        tally.check("I2", made[identifier] <= 1, f"{made[identifier]} orders at the exchange for {identifier}")
        tally.check("I2", sent[identifier] <= 1, f"{identifier} was sent {sent[identifier]} times")


def open_orders_agree(books: LiveBooks, truth: Truth, tally: Tally) -> None:
    """I3."""
    here = {order.venue_order_id or f"{identifier}, without an id" for identifier, order in books.open.items()}
    there = {order.venue_order_id for order in truth.open_orders()}
    tally.check("I3", here == there, f"open in the books only: {sorted(here - there)}, at the exchange only: {sorted(there - here)}")


def balances_agree(books: LiveBooks, truth: Truth, tally: Tally) -> None:
    """I4."""
    here, there = books.totals, truth.totals()
    for currency in sorted(here.keys() | there.keys()):
        ours, theirs = here.get(currency, Decimal(0)), there.get(currency, Decimal(0))
        tally.check("I4", ours == theirs, f"the books have {ours:f} {currency}, the exchange {theirs:f}")


def rate_is_kept(arrivals: Sequence[Arrival], limit: RateLimit, tally: Tally) -> None:
    """I8: a token bucket of the exchange's size is never empty when a request comes."""
    tokens, last_ns = float(limit.burst), arrivals[0].at_ns if arrivals else 0
    for arrival in arrivals:
        tokens = min(float(limit.burst), tokens + (arrival.at_ns - last_ns) / 1e9 * limit.per_s) - 1
        last_ns = arrival.at_ns
        tally.check("I8", tokens > -1e-6, f"more than {limit.per_s:g} requests a second at {arrival.at_ns}")


def secrets_are_kept(texts: Iterable[str], secrets: Collection[str], tally: Tally) -> None:
    """I10. The secret itself is not told."""
    for text in texts:
        found = [secret for secret in secrets if secret in text]
        where = text
        for secret in found:
            where = where.replace(secret, "[secret]")
        tally.check("I10", not found, f"a secret was written: {where[:200]}")


def rejected_are_not_there(records: Iterable[AnyRecord], truth: Truth, tally: Tally) -> None:
    """I11, too: what was told as rejected is no order of the exchange's, whatever became of the answer."""
    there = {order.client_order_id for order in truth.orders if order.client_order_id and order.status is not OrderStatus.REJECTED}
    for record in records:
        if isinstance(record, OrderRejected):
            identifier = record.client_order_id
            tally.check("I11", identifier not in there, f"{identifier} was told as rejected, and the exchange has it")


def unknown_ends(books: LiveBooks, records: Iterable[AnyRecord], tally: Tally) -> None:
    """I11: an order that was ever unknown is known now, or somebody was told that it is not."""
    unknown: dict[str, None] = {}
    notes: list[str] = []
    for record in records:
        if isinstance(record, OrderUnknown):
            unknown[record.client_order_id] = None
        elif isinstance(record, Noted):
            notes.append(record.detail)
    for identifier in unknown:
        order = books.find(identifier)
        tally.check("I11", order is not None, f"{identifier} was unknown, and the books do not have it any more")
        if order is not None:
            told = order.status is not OrderStatus.UNKNOWN or any(identifier in note for note in notes)
            tally.check("I11", told, f"{identifier} is still unknown, and nobody was told")


def gates_are_open(closed: Iterable[Closed], latched: Collection[Cause], tally: Tally) -> None:
    """I12: and those that were said to be latched are closed."""
    gates = {gate.cause: gate.text() for gate in closed}
    for cause in Cause:
        if cause in latched:
            tally.check("I12", cause in gates, f"{cause}: should be closed, and is open")
        else:
            tally.check("I12", cause not in gates, f"still closed: {gates.get(cause)}")


def nothing_is_left_to_do(books: LiveBooks, tally: Tally) -> None:
    """I12, too: no cancel and no amendment waits for ever."""
    waiting = [*books.cancelling, *books.amending]
    tally.check("I12", not waiting, f"cancels or amendments without an end: {', '.join(waiting)}")
