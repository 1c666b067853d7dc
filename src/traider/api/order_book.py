"""Orders and fills of the last while, as the bus told them: at once, where the store follows a moment later."""

from collections import OrderedDict, deque

from traider.domain.order_state import Order, apply
from traider.domain.orders import AnyOrderEvent, OrderFilled, OrderRejected, OrderSubmitted
from traider.storage.repository import NumberedOrder, Repository

CLOSED_KEPT = 500
FILLS_KEPT = 500


class OrderBook:
    """Every open order that was heard of, and the newest closed ones and fills."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._last_n = 0
        self._orders: OrderedDict[str, NumberedOrder] = OrderedDict()
        self._closed: deque[str] = deque()
        self._fills: deque[OrderFilled] = deque(maxlen=FILLS_KEPT)

    async def observe(self, event: AnyOrderEvent) -> Order | None:
        """The order after the event; None when it says nothing new, or of an order that neither the bus nor the store knows."""
        if event.n:
            if event.n <= self._last_n:
                return None
            self._last_n = event.n
        if isinstance(event, OrderFilled):
            self._fills.append(event)
        known = self._orders.get(event.client_order_id)
        if known is None and not isinstance(event, OrderSubmitted | OrderRejected):
            known = await self._repository.order(event.client_order_id)
            if known is None:
                return None
        order = self._after(known, event)
        self._keep(NumberedOrder(first_n=known.first_n if known else event.n or self._last_n + 1, order=order))
        return order

    def orders(self, stored: list[NumberedOrder], *, open_only: bool, limit: int) -> list[Order]:
        """The stored orders brought up to date with what the bus told since, newest first."""
        newest = {item.order.request.client_order_id: item for item in stored}
        for client_order_id, item in self._orders.items():
            known = newest.get(client_order_id)
            if known is None or item.order.n >= known.order.n:
                newest[client_order_id] = item
        ordered = sorted(newest.values(), key=lambda item: item.first_n, reverse=True)
        return [item.order for item in ordered if item.order.is_open or not open_only][:limit]

    def fills(self, stored: list[OrderFilled], limit: int) -> list[OrderFilled]:
        """The stored fills and those that the bus told since, newest first."""
        newest_n = stored[0].n if stored else 0
        return [*(fill for fill in reversed(self._fills) if fill.n > newest_n), *stored][:limit]

    @staticmethod
    def _after(known: NumberedOrder | None, event: AnyOrderEvent) -> Order:
        # The store may be ahead of the bus.
        if known is not None and event.n and event.n <= known.order.n:
            return known.order
        return apply(None if known is None else known.order, event)

    def _keep(self, item: NumberedOrder) -> None:
        client_order_id = item.order.request.client_order_id
        was_open = client_order_id not in self._orders or self._orders[client_order_id].order.is_open
        self._orders[client_order_id] = item
        if was_open and not item.order.is_open:
            self._closed.append(client_order_id)
            if len(self._closed) > CLOSED_KEPT:
                del self._orders[self._closed.popleft()]
