"""Orders that are checked and counted together fare as they do one by one, and what they are told is the same."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from tests.guard.crowds import random_limits, random_orders
from tests.guard.support import BTC, ETH, START_NS
from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import Reason
from traider.guard.books import GuardConfig
from traider.guard.live.books import LiveBooks, live_books, not_carried
from traider.guard.live.reserving import Reserving
from traider.guard.refusals import explain
from traider.kernel import layout

Told = tuple[str, int, Reason, str]


def books_of(source: random.Random) -> LiveBooks:
    uncounted = {"max_rejections_in_a_row": None, "max_rejections_per_minute": None}  # they are, when they are journalled
    limits = msgspec.structs.replace(random_limits(source), **uncounted)
    books = live_books(GuardConfig(instruments=(BTC, ETH), limits=limits, cash=0.0, taker_fee=0.001))
    cash, coins = source.choice(((5_000.0, 0.0), (1e6, 50.0)))
    books.desk.account["cash"] = cash
    books.desk.positions["size"][:2] = coins
    return books


def market(books: LiveBooks, number: int, price: float) -> None:
    ts_ns = START_NS + number * 10**9
    books.desk.on_market(layout.TRADE, number % 2, ts_ns, price, 1.0, 0.0, 0.0, 0.0)
    books.asked.see_market(number % 2, ts_ns, price)
    books.touch(ts_ns + 1)


def together(books: LiveBooks, requests: Sequence[OrderRequest]) -> list[Told]:
    """As the guard asks: what can be put goes in one run; what can't is told when those before it are."""
    reserving, answers, run = Reserving(), list[Told](), list[OrderRequest]()
    for request in requests:
        reason = reserving.put(len(run), books, request)
        if reason is Reason.NONE:
            run.append(request)
        if reason is not Reason.NONE or len(run) == 64:
            answers += [told(books, *asked) for asked in reserving.reserve(books, run)]
            run = []
        if reason is not Reason.NONE:
            answers.append(told(books, request, 0, reason))
    return answers + [told(books, *asked) for asked in reserving.reserve(books, run)]


def one_by_one(books: LiveBooks, requests: Sequence[OrderRequest]) -> list[Told]:
    answers = []
    for request in requests:
        reason = books.check(request)
        if reason is Reason.NONE:
            books.reserve(request, books.now_ns)
        answers.append(told(books, request, books.number_of.get(request.client_order_id, 0), reason))
    return answers


def told(books: LiveBooks, request: OrderRequest, number: int, reason: Reason) -> Told:
    return request.client_order_id, number, reason, "" if number else explain(reason, request, books)


@pytest.mark.parametrize("seed", range(40))
def test_a_crowd_of_orders_reserved_at_once_fares_as_it_does_one_by_one(seed: int) -> None:
    source = random.Random(seed)
    orders = [order for order in random_orders(source, 400, tied=False) if not not_carried(order)]
    at_once, singly = books_of(random.Random(seed)), books_of(random.Random(seed))
    asked = passed = 0
    for number in range(12):
        size, price = source.choice((1, 3, 30, 90)), round(source.uniform(99, 101), 2)
        for books in (at_once, singly):
            market(books, number, price)
        batch = orders[asked : asked + size]
        asked += size
        answers = together(at_once, batch)
        assert answers == one_by_one(singly, batch)
        records = singly.desk.records.copy()
        records["settings"]["latency_at"] = at_once.desk.record["settings"]["latency_at"]
        assert at_once.desk.records.tobytes() == records.tobytes()
        assert at_once.asked.record.tobytes() == singly.asked.record.tobytes()
        assert (at_once.number_of, at_once.id_of) == (singly.number_of, singly.id_of)
        passed += sum(placed > 0 for _, placed, _, _ in answers)
        ended = source.sample(sorted(at_once.number_of), len(at_once.number_of) // 3)
        for identifier in ended:
            at_once.release(identifier)
            singly.release(identifier)
    assert passed
