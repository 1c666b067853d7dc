"""The venue's order calls, in our words."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal

import msgspec

from traider.domain.instruments import Instrument
from traider.domain.orders import OrderRequest
from traider.domain.venue import (
    VenueError,
    VenueFill,
    VenueFundsError,
    VenueOrder,
    VenueRejectedError,
    VenueUnavailableError,
    VenueUnknownError,
)

from . import wire_orders as wire
from .amounts import amount, moment_ns, moment_text
from .malformed import MalformedError
from .order_form import edit_body, order_body
from .read_orders import BOOKED_TRADE_TYPES, LIVE_STATUSES, oldest_first, read_fill, read_order
from .read_reply import NotFoundError, refusal_code
from .rest import Rest
from .transport import Query

MOST_CANCELS = 100  # of one request
_PAGE = "100"
# A second cancel of the same order means that the first one was taken.
_CANCEL_TAKEN = frozenset({"DUPLICATE_CANCEL_REQUEST"})
_NOT_OPEN = tuple(status for status in LIVE_STATUSES if status != "OPEN")


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue says that an order would come to. ``refusals`` are its words for why it would not take it."""

    total: Decimal
    fees: Decimal
    best_bid: Decimal
    best_ask: Decimal
    slippage: Decimal
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class OrderCalls:
    """Orders and fills over REST. ``instruments`` are the markets that are known, by symbol."""

    def __init__(self, rest: Rest, instruments: Mapping[str, Instrument]) -> None:
        self._rest = rest
        self._instruments = instruments

    async def create(
        self, request: OrderRequest, *, quote_size: Decimal | None = None, last_word: Callable[[], None] = lambda: None
    ) -> str:
        """Sends the order once; the venue's id of it. The same request is the same bytes, which the venue takes for the same order."""
        body = order_body(request, self._instrument(request.symbol), quote_size=quote_size)
        reply = await self._rest.change("/orders", body, wire.CreateReply, last_word=last_word)
        if not reply.success:
            if reply.error_response is None:
                raise VenueUnknownError("POST /orders: the venue said neither yes nor why not")
            code = refusal_code(reply.error_response)
            said = reply.error_response.message or reply.error_response.error_details or code
            kind = VenueFundsError if "INSUFFICIENT_FUND" in code else VenueRejectedError
            raise kind(f"the venue refused the order: {said[:200]}", code=code)
        return _checked_success(request, reply.success_response)

    async def preview(self, request: OrderRequest, *, quote_size: Decimal | None = None) -> Preview:
        """What the order would come to; nothing is placed."""
        body = order_body(request, self._instrument(request.symbol), quote_size=quote_size)
        del body["client_order_id"]
        try:
            reply = await self._rest.change("/orders/preview", body, wire.PreviewReply)
        except VenueUnknownError as error:
            raise VenueUnavailableError(str(error)) from None  # it changes nothing, so it can be asked again
        return Preview(
            total=amount(reply.order_total, "preview: order_total"),
            fees=amount(reply.commission_total, "preview: commission_total"),
            best_bid=amount(reply.best_bid, "preview: best_bid"),
            best_ask=amount(reply.best_ask, "preview: best_ask"),
            slippage=amount(reply.slippage, "preview: slippage"),
            refusals=tuple(reply.errs or ()),
            warnings=tuple(reply.warning or ()),
        )

    async def cancel(self, venue_order_ids: Sequence[str]) -> dict[str, VenueError | None]:
        """Of each order: None where the venue took the request, else why not. Each is found by its id, wherever it stands in the reply."""
        outcomes: dict[str, VenueError | None] = {}
        ids = list(dict.fromkeys(venue_order_ids))
        for start in range(0, len(ids), MOST_CANCELS):
            outcomes |= await self._cancel_some(ids[start : start + MOST_CANCELS])
        return outcomes

    async def edit(
        self,
        venue_order_id: str,
        instrument: Instrument | None,
        *,
        size: Decimal,
        price: Decimal,
        last_word: Callable[[], None] = lambda: None,
    ) -> None:
        """Changes price and total size of a resting order, which keeps its id."""
        body = edit_body(venue_order_id, instrument, size=size, price=price)
        reply = await self._rest.change("/orders/edit", body, wire.EditReply, last_word=last_word)
        if reply.success:
            return
        error = next(iter(reply.errors or ()), None)
        code = (error.edit_failure_reason or error.preview_failure_reason) if error else None
        if not code:
            raise VenueUnknownError("POST /orders/edit: the venue said neither yes nor why not")
        raise VenueRejectedError(f"the venue refused the change: {code}", code=code)

    async def by_venue_id(self, venue_order_id: str) -> VenueOrder | None:
        """The order, None where the venue says that there is none, which of a new order proves nothing."""
        try:
            reply = await self._rest.ask(f"/orders/historical/{venue_order_id}", wire.OrderReply)
        except NotFoundError:
            return None
        return _readable(reply.order)

    async def by_client_id(self, client_order_id: str, *, since_ts_ns: int, symbol: str = "") -> VenueOrder | None:
        """The order with our id, looked for among all that were made since then: the venue can't be asked for it directly."""
        query = [("start_date", moment_text(max(0, since_ts_ns)))]
        if symbol:
            query.append(("product_ids", symbol))
        async with aclosing(self._listed(query)) as orders:
            async for order in orders:
                if order.client_order_id == client_order_id:
                    return _readable(order)
        return None

    async def live(self) -> tuple[VenueOrder, ...]:
        """Every order that may still trade.

        The venue is not asked for OPEN together with other states, which it is said to refuse. An order that changes state
        between two of the questions is still seen: the states that an open order can turn to are asked for before and after.
        """
        found: dict[str, wire.Order] = {}
        for statuses in (_NOT_OPEN, ("OPEN",), _NOT_OPEN):
            async for order in self._listed([("order_status", status) for status in statuses]):
                found[order.order_id] = order
        return tuple(_readable(order) for order in found.values() if order.status.upper() in LIVE_STATUSES)

    async def fills(
        self, *, since_ts_ns: int, client_ids: Mapping[str, str], venue_order_id: str = "", symbol: str = ""
    ) -> tuple[VenueFill, ...]:
        """Every fill from then on, oldest first, each trade once. ``client_ids`` tells our id of a venue's order, where it is known."""
        query = [("start_sequence_timestamp", moment_text(max(0, since_ts_ns))), ("limit", _PAGE)]
        query += [("order_ids", venue_order_id)] if venue_order_id else []
        query += [("product_ids", symbol)] if symbol else []
        fills: list[VenueFill] = []
        async for page in self._rest.pages("/orders/historical/fills", wire.FillsReply, query, lambda page: page.cursor or ""):
            for fill in page.fills:
                if fill.trade_type not in BOOKED_TRADE_TYPES:
                    # A reversal or a correction changes what was booked: nobody here may decide what that means.
                    raise VenueUnavailableError(
                        f"fill {fill.trade_id} is a {fill.trade_type[:40]}: look at the account on the venue's site"
                    )
                if moment_ns(fill.trade_time, "trade_time") >= since_ts_ns:
                    fills.append(self._read_fill(fill, client_ids))
        return oldest_first(fills)

    def _read_fill(self, fill: wire.Fill, client_ids: Mapping[str, str]) -> VenueFill:
        try:
            return read_fill(fill, client_order_id=client_ids.get(fill.order_id, ""), instruments=self._instruments)
        except MalformedError as error:
            raise VenueUnavailableError(str(error)) from None

    async def _cancel_some(self, ids: list[str]) -> dict[str, VenueError | None]:
        try:
            reply = await self._rest.change("/orders/batch_cancel", {"order_ids": ids}, wire.CancelReply, cancel=True)
        except VenueError as error:
            return dict.fromkeys(ids, error)
        results = {result.order_id: result for result in reply.results}
        return {venue_id: _cancel_outcome(venue_id, results.get(venue_id)) for venue_id in ids}

    async def _listed(self, query: Query) -> AsyncGenerator[wire.Order, None]:
        pages = self._rest.pages(
            "/orders/historical/batch",
            wire.OrdersReply,
            [*query, ("limit", _PAGE)],
            lambda page: (page.cursor or "") if page.has_next is not False else "",
        )
        async for page in pages:
            for order in page.orders:
                yield order

    def _instrument(self, symbol: str) -> Instrument:
        try:
            return self._instruments[symbol]
        except KeyError:
            raise VenueRejectedError(f"not sent: the venue has no spot market {symbol}", code="INVALID_PRODUCT_ID") from None


def _checked_success(request: OrderRequest, success: wire.SuccessResponse | None) -> str:
    """The venue's id; ``VenueUnknownError`` where its yes has none, or is about another order than the one that was sent."""
    if success is None or not success.order_id:
        raise VenueUnknownError("POST /orders: the venue said yes and named no order")
    if (success.client_order_id or request.client_order_id, success.product_id or request.symbol) != (
        request.client_order_id,
        request.symbol,
    ):
        raise VenueUnknownError(f"POST /orders: the venue answered with order {success.order_id}, which is not the one that was sent")
    return success.order_id


def _cancel_outcome(venue_order_id: str, result: wire.CancelResult | None) -> VenueError | None:
    if result is None:
        return VenueUnknownError(f"the venue's answer left order {venue_order_id} out")
    reason = result.failure_reason or "UNKNOWN_CANCEL_FAILURE_REASON"
    if result.success or reason in _CANCEL_TAKEN:
        return None
    return VenueRejectedError(f"the venue refused to cancel order {venue_order_id}: {reason}", code=reason)


def _readable(order: wire.Order) -> VenueOrder:
    try:
        return read_order(order)
    except MalformedError as error:
        raise VenueUnavailableError(str(error)) from None
