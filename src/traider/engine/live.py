"""A strategy trading through the guard: the same step as the backtest's, one market event at a time.

The desk here is a mirror: it never matches. Order events of the guard are applied to it when they arrive; the strategy is
told of fills at the next market event, before that event, as in a backtest. What the strategy asks for is handed out as
order requests.

Client order ids come from the inputs (session, market event, number at that event), so that a step taken again after a
restart asks for the same orders, and the guard recognises them.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from ..domain.errors import StrategyError, TraiderError
from ..domain.guard_protocol import MarketEvent, Snapshot
from ..domain.instruments import Instrument
from ..domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
)
from ..domain.vocabulary import EventKind, Liquidity, OrderType, Side, TimeInForce
from ..kernel.desk import Desk
from ..kernel.kit import Strategy
from ..kernel.layout import AMEND_REQUEST, CANCEL_REQUEST, TRAIL_AMOUNT, TRAIL_FRACTION
from ..kernel.loop import Shape
from ..kernel.simulation import FillMode
from .session import Session, symbols
from .tape import Tape, tape_of


class CancelOrder(NamedTuple):
    """The strategy takes this order back."""

    client_order_id: str


_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)


class LiveSession:
    """``on_order_event`` for everything the guard says, ``on_market`` for each market event, in the order of arrival.

    ``kinds`` are those of the events that the market may bring, a bit mask of 1 << EventKind: the strategy is compiled for
    them here, and what its orders meet is what they meet in a backtest over such a stream. StrategyError for what the guard
    can't carry: a strategy with timers, links between orders, amendments.
    """

    def __init__(
        self,
        strategy: Strategy,
        instruments: Sequence[Instrument],
        *,
        session_id: str,
        cash: Decimal,
        interpreted: bool = False,
        kinds: int = 0,
    ) -> None:
        if "on_timer" in strategy.handlers():
            raise StrategyError(
                f"strategy {strategy.name} has on_timer: what a timer asks for between two market events can't go through the guard yet; "
                "run it in backtests, or act in a handler of the market"
            )
        if kinds & 1 << EventKind.FUNDING:
            raise StrategyError("the market data hold funding rates, which the guard does not book yet; leave them out")
        self.session_id = session_id
        self.desk = Desk(instruments, cash=float(cash), fill=FillMode.NEXT_OPEN, remote=True)
        self.session = Session(strategy, self.desk, interpreted=interpreted)
        self._kinds = kinds
        if kinds:
            self.session.prepare(Shape(kinds, len(instruments) == 1))
        self._numbers = symbols(self.desk.instruments)
        self._requests: dict[str, OrderRequest] = {}  # asked for, or open
        self._order_ids: dict[str, int] = {}  # of the open ones, in the mirror
        self._refs: dict[int, str] = {}  # the strategy's number of an order to its client order id
        self._next_order_id = 1

    def restore(self, snapshot: Snapshot) -> None:
        """Takes over the guard's account: cash, positions, open orders."""
        account = self.desk.account
        account["cash"], account["equity"] = float(snapshot.account.cash), float(snapshot.account.equity)
        account["open_orders"] = 0
        self._requests.clear()
        self._order_ids.clear()
        for position in snapshot.account.positions:
            number = self._numbers.get(position.symbol)
            if number is None:
                continue
            row = self.desk.positions[number]
            row["size"], row["average_price"] = float(position.size), float(position.average_price)
            row["mark_price"] = float(position.mark_price)
            row["realized_pnl"], row["fees"] = float(position.realized_pnl), float(position.fees)
            row["open_buys"] = row["open_sells"] = 0.0
        for order in snapshot.open_orders:
            self._requests[order.request.client_order_id] = order.request
            self._open(order.request, filled=float(order.filled_size), ts_ns=order.accepted_ts_ns)

    def warm_up(self, events: Sequence[MarketEvent]) -> None:
        """Lets the strategy see earlier events without trading: its memory is built, what it asks for is dropped."""
        if not events:
            return
        tape = self._tape(events)
        done = 0
        while done < len(tape):  # event by event, so that requests can't pile up
            done = self.session.step(tape, done, done + 1)
            self.desk.account["requests"] = 0
            self.desk.account["days"] = 0
        self.desk.account["executions"] = self.desk.account["told"] = 0

    def on_order_event(self, event: AnyOrderEvent) -> None:
        """Applies what the guard says of an order; an order that isn't this session's is let be."""
        if isinstance(event, OrderSubmitted):
            # Known already where it was asked for here; of an order from before the remembered past this is all there is.
            self._requests.setdefault(event.client_order_id, event.request)
            return
        request = self._requests.get(event.client_order_id)
        if isinstance(event, OrderFilled):
            self._fill(event)
        elif isinstance(event, OrderAmended) and request is not None:
            self._amend(event, request)
        elif isinstance(event, OrderAccepted) and request is not None:
            if event.client_order_id not in self._order_ids:
                self._open(request, filled=0.0, ts_ns=event.ts_ns)
        elif isinstance(event, OrderRejected | OrderCancelled) and request is not None:
            self._close(event.client_order_id)

    def on_market(self, event: MarketEvent) -> list[OrderRequest | CancelOrder]:
        """Steps the strategy: what it asks for, in the order in which it asked, which decides what is refused."""
        self.session.step(self._tape([event]), 0, 1)
        account = self.desk.account
        account["executions"] = account["told"] = account["days"] = 0
        wanted: list[OrderRequest | CancelOrder] = []
        orders = 0
        for row in self.desk.record["requests"][: account["requests"]]:
            self._refuse_what_is_not_carried(row)
            if row["type"] == CANCEL_REQUEST:
                client_order_id = self._refs.get(int(row["id"]))
                if client_order_id is not None:
                    wanted.append(CancelOrder(client_order_id))
                continue
            request = self._request(event, orders, row)
            orders += 1
            self._requests[request.client_order_id] = request
            self._refs[int(row["ref"])] = request.client_order_id
            wanted.append(request)
        account["requests"] = 0
        for one in wanted:
            if isinstance(one, OrderRequest):
                self._expect(one, event.ts_ns)
        return wanted

    def _expect(self, request: OrderRequest, ts_ns: int) -> None:
        """An order that was asked for is open for the strategy until it is told otherwise, however long an exchange takes to answer.

        In a backtest it is, and a strategy that does not see its order under way would ask for it again. What can't be an order is not
        counted: its refusal follows.
        """
        numbers = (request.size, *(price for price in (request.limit_price, request.stop_price) if price is not None))
        room = int(self.desk.account["open_orders"]) < len(self.desk.record["orders"])
        if room and all(number.is_finite() and number > 0 for number in numbers):
            self._open(request, filled=0.0, ts_ns=ts_ns)

    def _tape(self, events: Sequence[MarketEvent]) -> Tape:
        other = next((event.kind for event in events if self._kinds and not self._kinds >> event.kind & 1), None)
        if other is not None:  # compiled code does not look
            raise TraiderError(f"the market brings events of the kind {other.name.lower()}, which it was not expected to")
        return tape_of(events, self._numbers, kinds=self._kinds)

    def _refuse_what_is_not_carried(self, row: Any) -> None:
        """StrategyError for a request whose effect the guard's journal could not keep. Nothing of this event is sent."""
        kind = int(row["type"])
        if kind == AMEND_REQUEST:
            method, instead = "amend", "cancel the order and ask for another one"
        elif kind == CANCEL_REQUEST or not (row["oco"] or row["parent"]):
            return
        else:
            linked = "protect" if row["oco"] and row["parent"] else "oco" if row["oco"] else "oto"
            method, instead = linked, "place and cancel the orders in on_fill"
        raise StrategyError(f"strategy {self.session.strategy.name}: ctx.{method} can't go through the guard yet; {instead}")

    def _request(self, event: MarketEvent, number: int, row: Any) -> OrderRequest:
        kind, trail = OrderType(int(row["type"])), int(row["trail_kind"])
        return OrderRequest(
            client_order_id=f"{self.session_id}-{event.index}-{number}",
            symbol=self.desk.instruments[int(row["inst"])].symbol,
            side=Side(int(row["side"])),
            type=kind,
            size=_exact(float(row["size"])),
            limit_price=_exact(float(row["limit_price"])) if kind in _LIMITED else None,
            stop_price=_exact(float(row["stop_price"])) if kind in _STOPPED else None,
            time_in_force=TimeInForce(int(row["tif"])),
            post_only=bool(row["post_only"]),
            strategy=self.session.strategy.name,
            trail_amount=_exact(float(row["trail"])) if trail == TRAIL_AMOUNT else None,
            trail_fraction=_exact(float(row["trail"])) if trail == TRAIL_FRACTION else None,
            expire_ts_ns=int(row["expire_ns"]),
        )

    def _open(self, request: OrderRequest, *, filled: float, ts_ns: int) -> None:
        order_id = self._next_order_id
        self._next_order_id += 1
        self._order_ids[request.client_order_id] = order_id
        ref = next((ref for ref, client in self._refs.items() if client == request.client_order_id), None)
        if ref is None:  # asked for before this session: a number that the strategy was never given, so that it can be taken back
            ref = -order_id
            self._refs[ref] = request.client_order_id
        in_force = request.time_in_force
        self.desk.restore_order(
            order_id=order_id,
            ref=ref,
            inst=self._numbers[request.symbol],
            side=int(request.side),
            type=int(request.type),
            tif=int(TimeInForce.GTC if in_force is TimeInForce.GTD else in_force),  # when it ends, the guard says
            post_only=request.post_only,
            size=float(request.size),
            filled=filled,
            limit_price=float(request.limit_price or 0),
            stop_price=float(request.stop_price or 0),
            ts_ns=ts_ns,
        )

    def _fill(self, event: OrderFilled) -> None:
        number = self._numbers.get(event.symbol)
        if number is None:
            return
        order_id = self._order_ids.get(event.client_order_id, 0)
        self.desk.apply_fill(
            order_id=order_id,
            inst=number,
            side=int(event.side),
            price=float(event.price),
            size=float(event.size),
            fee=float(event.fee),
            ts_ns=event.ts_ns,
            maker=event.liquidity is Liquidity.MAKER,
        )
        if order_id and not self.desk.is_open(order_id):
            self._forget(event.client_order_id)

    def _amend(self, event: OrderAmended, request: OrderRequest) -> None:
        order_id = self._order_ids.get(event.client_order_id)
        amended = msgspec.structs.replace(request, size=event.size, limit_price=event.limit_price)
        self._requests[event.client_order_id] = amended
        if order_id is None:
            return
        filled = next(float(row["filled"]) for row in self.desk.open_orders() if int(row["id"]) == order_id)
        self.desk.cancel(order_id)
        if filled < float(event.size):
            self._open(amended, filled=filled, ts_ns=event.ts_ns)
        else:
            self._forget(event.client_order_id)

    def _close(self, client_order_id: str) -> None:
        order_id = self._order_ids.get(client_order_id)
        if order_id is not None:
            self.desk.cancel(order_id)
        self._forget(client_order_id)

    def _forget(self, client_order_id: str) -> None:
        self._order_ids.pop(client_order_id, None)
        self._requests.pop(client_order_id, None)
        for ref in [ref for ref, client in self._refs.items() if client == client_order_id]:
            del self._refs[ref]


def _exact(value: float) -> Decimal:
    """The decimal that the float is written as."""
    if not math.isfinite(value):
        return Decimal("NaN")
    return Decimal(repr(value))
