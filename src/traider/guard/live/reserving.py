"""The way of requests into the table of a desk whose venue is an exchange: see ``traider.guard.placing``."""

from collections.abc import Iterator, Sequence

from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import Reason
from traider.kernel.order_row import OrderRows

from ..numbers import held
from ..placing import ROOM, Answer, Asked, in_turn
from .books import LiveBooks, expiry_ns, unexact


class Reserving:
    """Checks orders and gives each that passes its place in the table, where it counts until it is known to be over."""

    def __init__(self) -> None:
        self._rows = OrderRows(ROOM)

    def put(self, row: int, books: LiveBooks, request: OrderRequest) -> Reason:
        """Makes the order the ``row``-th of the run, or says why the desk can't even be asked."""
        inst = books.instrument_number(request.symbol)
        if inst < 0:
            return Reason.MARKET_NOT_ALLOWED
        limit, stop = request.limit_price, request.stop_price
        size = held(request.size)
        limit_price = 0.0 if limit is None else held(limit)
        stop_price = 0.0 if stop is None else held(stop)
        if size is None or limit_price is None or stop_price is None:
            return unexact(request)
        self._rows.put(
            row, inst, int(request.side), int(request.type), size, limit_price or 0.0, stop_price or 0.0,
            int(request.time_in_force), request.post_only, 0.0, 0, expiry_ns(request),
        )  # fmt: skip
        return Reason.NONE

    def reserve(self, books: LiveBooks, run: Sequence[OrderRequest]) -> Iterator[Asked]:
        """What the desk and the controls say of each order of the run, which was ``put``."""
        return in_turn(run, lambda first, count: self._reserve(books, run, first, count))

    def _reserve(self, books: LiveBooks, run: Sequence[OrderRequest], first: int, count: int) -> Answer:
        numbers, reason = books.desk.reserve_rows(books.asked, self._rows, first, count)
        for request, number in zip(run[first:], numbers, strict=False):
            books.number_of[request.client_order_id] = number
            books.id_of[number] = request.client_order_id
        return numbers, reason
