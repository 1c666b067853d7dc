"""Orders asked together come to the same as asked one by one: the same numbers, the same refusals and words, the same desk."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from tests.guard.crowds import random_limits, random_orders
from tests.guard.support import BTC, ETH, START_NS
from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import BOOK_END, EventKind, Reason
from traider.guard.books import Books, GuardConfig, desk_order, new_desk
from traider.guard.numbers import held
from traider.guard.placing import Placing
from traider.guard.refusals import explain
from traider.kernel.simulation import FillMode

Told = tuple[str, int, Reason, str]
KINDS = [EventKind.BAR, EventKind.TRADE, EventKind.QUOTE, EventKind.DEPTH]


def books_of(source: random.Random) -> Books:
    config = GuardConfig(
        instruments=(BTC, ETH),
        limits=random_limits(source),
        cash=source.choice((5_000.0, 1e6)),
        taker_fee=0.001,
        fill=source.choice(list(FillMode)),
    )
    return Books(config, new_desk(config))


def market(books: Books, kind: EventKind, number: int, price: float) -> None:
    """The market is at this price; what came of it is not looked at."""
    desk, ts_ns = books.desk, START_NS + number * 10**9
    if kind is EventKind.DEPTH:
        desk.expect(1 << kind)
        for side in (1.0, -1.0):
            desk.on_market(int(kind) | BOOK_END, number % 2, ts_ns, price - 0.01 * side, 2.0, side, 0.0, 0.0)
    elif kind is EventKind.QUOTE:
        desk.on_market(int(kind), number % 2, ts_ns, price - 0.01, 2.0, price + 0.01, 2.0, 0.0)
    elif kind is EventKind.TRADE:
        desk.on_market(int(kind), number % 2, ts_ns, price, 2.0, 1.0, 0.0, 0.0)
    else:
        desk.on_market(int(kind), number % 2, ts_ns, price, price + 0.5, price - 0.5, price, 10.0)


def together(books: Books, requests: Sequence[OrderRequest]) -> list[Told]:
    return [told(books, request, number, reason) for request, number, reason in Placing().place(books, requests)]


def one_by_one(books: Books, requests: Sequence[OrderRequest]) -> list[Told]:
    """Each one through the desk's own ``submit``, by name."""
    answers = []
    for request in requests:
        reason = unplaceable(books, request)
        number = 0
        if reason is Reason.NONE:
            order: dict[str, Any] = desk_order(books.instrument_number(request.symbol), request)
            ref = books.desk.next_ref
            order["size"], order["oco"], order["parent"] = books.ties(request, order["size"])
            number, reason = books.desk.submit(ref=ref, **order)
            if number:
                books.desk.account["next_ref"] = ref
                books.note_ref(request, ref)
        elif books.controls is not None:
            books.controls.refused(books.now_ns, reason)
        answers.append(told(books, request, number, reason))
    return answers


def unplaceable(books: Books, request: OrderRequest) -> Reason:
    if books.instrument_number(request.symbol) < 0:
        return Reason.MARKET_NOT_ALLOWED
    for value, reason in (
        (request.size, Reason.SIZE_INCREMENT),
        (request.limit_price, Reason.PRICE_INCREMENT),
        (request.stop_price, Reason.PRICE_INCREMENT),
        (request.trail_amount, Reason.PRICE_INCREMENT),
        (request.trail_fraction, Reason.INVALID_ORDER),
    ):
        if value is not None and held(value) is None:
            return reason if value.is_finite() else Reason.INVALID_ORDER
    return Reason.NONE


def told(books: Books, request: OrderRequest, number: int, reason: Reason) -> Told:
    return request.client_order_id, number, reason, "" if number else explain(reason, request, books)


@pytest.mark.parametrize("seed", range(60))
def test_a_crowd_of_orders_asked_at_once_fares_as_it_does_one_by_one(seed: int) -> None:
    source = random.Random(seed)
    kind, prices = source.choice(KINDS), [round(source.uniform(99, 101), 2) for _ in range(12)]
    orders = random_orders(source, 300, tied=bool(seed % 2))
    batches = [source.choice((1, 3, 30, 90)) for _ in prices]
    at_once, singly = books_of(random.Random(seed)), books_of(random.Random(seed))
    asked = passed = 0
    for number, (price, size) in enumerate(zip(prices, batches, strict=True)):
        for books in (at_once, singly):
            market(books, kind, number, price)
            books.desk.drain()
        batch = orders[asked : asked + size]
        asked += size
        answers = together(at_once, batch)
        assert answers == one_by_one(singly, batch)
        assert at_once.desk.records.tobytes() == untied_addresses(at_once, singly)
        assert (at_once.refs, at_once.groups) == (singly.refs, singly.groups)
        passed += sum(placed > 0 for _, placed, _, _ in answers)
    assert passed or halted(at_once)


def untied_addresses(books: Books, others: Books) -> bytes:
    """The desk of the others, but for the addresses in it, which are this one's."""
    record = others.desk.records.copy()
    record["account"]["books_at"] = books.desk.account["books_at"]
    record["settings"]["latency_at"] = books.desk.record["settings"]["latency_at"]
    return bytes(record.tobytes())


def halted(books: Books) -> bool:
    return books.controls is not None and books.controls.halt_reason() is not Reason.NONE
