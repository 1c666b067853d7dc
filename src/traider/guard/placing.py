"""The way of requests onto the desk: as rows of plain numbers, and as many of them at a time as can be asked at once.

Asked together or one by one, orders come to the same: the same ids, the same refusals, the same desk. A run ends at the order that is
refused, so that its refusal can be explained from the books as they are at that moment, and the next run goes on behind it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import Reason
from traider.kernel.order_row import OrderRows

from .books import Books, trail_of
from .numbers import held, unheld

ROOM = 64  # orders of one run


class Asked(NamedTuple):
    """What the desk said of an order: its number there and NONE, or 0 and the reason."""

    request: OrderRequest
    number: int
    reason: Reason


Answer = tuple[list[int], Reason]  # the numbers of those that passed, and why the next one did not


def in_turn(run: Sequence[OrderRequest], ask: Callable[[int, int], Answer]) -> Iterator[Asked]:
    """What is said of each order of a run; ``ask`` is handed the first and the count of those of whom nothing was said yet."""
    first = 0
    while first < len(run):
        numbers, reason = ask(first, len(run) - first)
        for number in numbers:
            yield Asked(run[first], number, Reason.NONE)
            first += 1
        if reason is not Reason.NONE:
            yield Asked(run[first], 0, reason)
            first += 1


class Placing:
    """Puts orders on the desk of the guard that matches them itself."""

    def __init__(self) -> None:
        self._rows = OrderRows(ROOM)

    def place(self, books: Books, requests: Iterable[OrderRequest]) -> Iterator[Asked]:
        """Checks each order and puts it on the desk. Of a refused one it is told before the next one is asked."""
        run: list[OrderRequest] = []
        for request in requests:
            tied = bool(request.oco or request.parent)  # it has to know what became of those before it
            if run and (tied or len(run) == ROOM):
                yield from self._place_run(books, run)
                run = []
            reason = self._put(len(run), books, request, tied=tied)
            if reason is Reason.NONE:
                run.append(request)
            else:
                yield from self._place_run(books, run)
                run = []
                if books.controls is not None:
                    books.controls.refused(books.now_ns, reason)
                yield Asked(request, 0, reason)
            if run and tied:
                yield from self._place_run(books, run)
                run = []
        yield from self._place_run(books, run)

    def _place_run(self, books: Books, run: Sequence[OrderRequest]) -> Iterator[Asked]:
        return in_turn(run, lambda first, count: self._submit(books, run, first, count))

    def _submit(self, books: Books, run: Sequence[OrderRequest], first: int, count: int) -> Answer:
        ref = books.desk.next_ref
        numbers, reason = books.desk.submit_rows(self._rows, first, count)
        for place, _ in enumerate(numbers):
            books.note_ref(run[first + place], ref + place)
        return numbers, reason

    def _put(self, row: int, books: Books, request: OrderRequest, *, tied: bool) -> Reason:
        """Fills the row, or says why the order can't even be put to the desk: what is finer than any increment the desk would round."""
        inst = books.instrument_number(request.symbol)
        if inst < 0:
            return Reason.MARKET_NOT_ALLOWED
        limit, stop = request.limit_price, request.stop_price
        size = held(request.size)
        limit_price = 0.0 if limit is None else held(limit)
        stop_price = 0.0 if stop is None else held(stop)
        trails = request.trail_amount is not None or request.trail_fraction is not None
        if size is None:
            return unheld(request.size, Reason.SIZE_INCREMENT)
        if limit_price is None:
            return unheld(limit, Reason.PRICE_INCREMENT)
        if stop_price is None:
            return unheld(stop, Reason.PRICE_INCREMENT)
        trail, trail_kind = 0.0, 0
        if trails:
            if request.trail_amount is not None and held(request.trail_amount) is None:
                return unheld(request.trail_amount, Reason.PRICE_INCREMENT)
            if request.trail_fraction is not None and held(request.trail_fraction) is None:
                return Reason.INVALID_ORDER
            trail, trail_kind = trail_of(request)
        oco = parent = 0
        if tied:
            size, oco, parent = books.ties(request, size)
        self._rows.put(
            row, inst, int(request.side), int(request.type), size, limit_price or 0.0, stop_price or 0.0,
            int(request.time_in_force), request.post_only, trail, trail_kind, request.expire_ts_ns, 0, oco, parent,
        )  # fmt: skip
        return Reason.NONE
