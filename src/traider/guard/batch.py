"""What one step of the guard writes into the journal as a whole, and what of it is told when it is durable."""

from collections.abc import Iterable

import msgspec

from traider.domain.order_state import apply
from traider.domain.orders import (
    LIQUIDATION,
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderFilled,
    OrderRequest,
    OrderSubmitted,
)
from traider.domain.vocabulary import OrderType, Side
from traider.kernel.desk import Execution

from .books import Books, liquidity
from .journal import Draft, Journal
from .numbers import exact
from .records import AnyRecord, Cause


class Batch:
    """Records in the making. Make it before the desk is changed: it begins with a checkpoint where the journal lacks one."""

    def __init__(self, journal: Journal, books: Books, cause: Cause) -> None:
        self._journal = journal
        self._books = books
        self._cause = cause
        self._drafts: list[Draft] = []
        self._fills: dict[str, int] = {}
        self.checkpointed = False
        if cause is not Cause.FEED:
            self.add_checkpoint()

    @property
    def n(self) -> int:
        """The number of the next record."""
        return self._journal.n + len(self._drafts) + 1

    @property
    def events(self) -> list[AnyOrderEvent]:
        return [draft.record for draft in self._drafts if isinstance(draft.record, OrderEvent)]

    @property
    def records(self) -> list[AnyRecord]:
        return [draft.record for draft in self._drafts]

    def add(self, record: AnyRecord) -> None:
        self._drafts.append(Draft(self._books.index, self._cause, record))

    def add_checkpoint(self) -> None:
        """Notes where the market stands, unless the journal knows already."""
        books = self._books
        if not self.checkpointed and books.is_beyond_checkpoint:
            self.add(books.checkpoint(self.n))
            self.checkpointed = True

    def note_places(self) -> None:
        """Notes how the orders stand at the venue now, where that does not follow from what the batch says of them.

        That is so where an order meets a book at once, where one arrives anew because it was amended, and where orders hang together,
        of which one's end has others begin.
        """
        books = self._books
        tells_less = self._cause is Cause.AMEND or books.desk.books is not None or bool(books.tied)
        if self._drafts and self._cause is not Cause.FEED and tells_less:
            self.add(books.checkpoint(self.n))
            self.checkpointed = True

    def add_executions(self, executions: Iterable[Execution]) -> None:
        """What the desk did to orders, as events."""
        for execution in executions:
            if execution.kind == "cancel":
                identifier = self._books.id_of[execution.order_id]
                self.add(OrderCancelled(n=self.n, ts_ns=execution.ts_ns, client_order_id=identifier, reason=execution.reason))
            elif execution.kind == "fill" and execution.order_id:
                identifier = self._books.id_of[execution.order_id]
                self.add(self._filled(identifier, self._books.open[identifier].request.strategy, execution))
            elif execution.kind == "fill":
                self._add_liquidation(execution)

    def _add_liquidation(self, execution: Execution) -> None:
        """The venue has closed a position on margin, by an order that nobody asked for."""
        identifier, ts_ns = f"{LIQUIDATION}-{self.n}", execution.ts_ns
        request = OrderRequest(
            client_order_id=identifier,
            symbol=self._books.config.instruments[execution.inst].symbol,
            side=Side(execution.side),
            type=OrderType.MARKET,
            size=exact(execution.size),
            strategy=LIQUIDATION,
        )
        self.add(OrderSubmitted(n=self.n, ts_ns=ts_ns, client_order_id=identifier, request=request))
        self.add(OrderAccepted(n=self.n, ts_ns=ts_ns, client_order_id=identifier, venue_order_id="0"))
        self.add(self._filled(identifier, LIQUIDATION, execution))

    def add_sizes(self) -> None:
        """What orders that hang together have taken of one another's sizes, which the desk alone knows."""
        states = {identifier: self._books.open[identifier] for identifier in self._books.tied}
        if not states:
            return
        for event in self.events:
            if event.client_order_id in states:
                states[event.client_order_id] = apply(states[event.client_order_id], event)
        sizes = {int(row["id"]): exact(row["size"]) for row in self._books.desk.open_orders()}
        for identifier, order in states.items():
            if not order.is_open or order.venue_order_id is None:
                continue
            size = sizes.get(int(order.venue_order_id), order.filled_size)  # one that is filled whole has left the table
            if size != order.request.size:
                limit_price, now_ns = order.request.limit_price, self._books.now_ns
                self.add(OrderAmended(n=self.n, ts_ns=now_ns, client_order_id=identifier, size=size, limit_price=limit_price))

    def _filled(self, identifier: str, strategy: str, execution: Execution) -> OrderFilled:
        books = self._books
        order = books.open.get(identifier)
        # Derived from the order, so that a crash and a repetition come to the same id.
        number = self._fills[identifier] = self._fills.get(identifier, 0 if order is None else order.fills) + 1
        return OrderFilled(
            n=self.n,
            ts_ns=execution.ts_ns,
            client_order_id=identifier,
            trade_id=f"{identifier}-{number}",
            symbol=books.config.instruments[execution.inst].symbol,
            side=Side(execution.side),
            price=exact(execution.price),
            size=exact(execution.size),
            fee=exact(execution.fee),
            liquidity=liquidity(execution),
            strategy=strategy,
        )

    def commit(self) -> list[AnyOrderEvent]:
        """The order events, once all records are durable and noted in the books. ``JournalWriteError`` when they are not."""
        if not self._drafts:
            return []
        if self._cause is Cause.FEED:
            self.add_checkpoint()
        wall_ns = self._journal.append(self._drafts)
        books = self._books
        for draft in self._drafts:
            books.take(draft.record, wall_ns)
        if self.checkpointed and books.index >= 0:
            books.checkpoint_index = books.index
        return self.events

    def tell_only(self) -> list[AnyOrderEvent]:
        """The order events without numbers, noted in the books though the journal doesn't have them."""
        events = [msgspec.structs.replace(event, n=0) for event in self.events]
        for event in events:
            self._books.note(event)
        return events
