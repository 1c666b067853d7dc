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
    LIQUIDATION,
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
from ..kernel.layout import AMEND_REQUEST, CANCEL_REQUEST, MARKET, NEVER_NS, TRAIL_AMOUNT, TRAIL_FRACTION
from ..kernel.loop import Shape
from ..kernel.simulation import FillMode
from .request_rows import read_rows
from .session import Session, symbols
from .tape import OneRow, Tape, tape_of


class CancelOrder(NamedTuple):
    """The strategy takes this order back."""

    client_order_id: str


class AmendOrder(NamedTuple):
    """The strategy gives this order another size and price; 0 leaves one as it is, and a stop order's price is its stop."""

    client_order_id: str
    amend_id: str
    size: Decimal
    price: Decimal


Wish = OrderRequest | CancelOrder | AmendOrder
_TYPES = {int(one): one for one in OrderType}  # an enum finds its members slowly
_SIDES = {int(one): one for one in Side}
_IN_FORCE = {int(one): one for one in TimeInForce}
_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)


class LiveSession:
    """``on_order_event`` for everything the guard says, ``on_market`` for each market event, in the order of arrival.

    ``kinds`` are those of the events that the market may bring, a bit mask of 1 << EventKind: the strategy is compiled for
    them here, and what its orders meet is what they meet in a backtest over such a stream. StrategyError for what the guard
    can't carry.

    Timers fire between two market events: while ``next_timer_ns`` is not after the next event's time, ``on_timer`` comes first.
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
        if kinds & 1 << EventKind.FUNDING:
            raise StrategyError("the market data hold funding rates, which the guard does not book yet; leave them out")
        self.session_id = session_id
        self._desk = Desk(instruments, cash=float(cash), fill=FillMode.NEXT_OPEN, remote=True)
        self._under_way: list[tuple[OrderRequest, int]] = []  # just asked for, and when: not in the mirror yet
        self.session = Session(strategy, self._desk, interpreted=interpreted)
        self._kinds = kinds
        self._timed = "on_timer" in strategy.handlers()
        self._shape: Shape | None = None  # of the market, once some of it was seen
        if kinds:
            shape = Shape(kinds, len(instruments) == 1)
            self.session.prepare(shape)
            if self._timed:
                self.session.prepare_timers(shape)
        self._numbers = symbols(self.desk.instruments)
        self._row = OneRow(self._numbers, kinds=kinds)
        self._requests: dict[str, OrderRequest] = {}  # asked for, or open
        self._order_ids: dict[str, int] = {}  # of the open ones, in the mirror
        self._refs: dict[int, str] = {}  # the strategy's number of an order to its client order id
        self._ref_of: dict[str, int] = {}  # and back
        self._groups: dict[str, int] = {}  # numbers of groups of which one fill takes from the others, in the mirror
        self._filled: dict[str, float] = {}  # of open orders
        self._next_order_id = 1

    @property
    def desk(self) -> Desk:
        """The mirror, everything in it that was asked for. It is put there when somebody looks, so that orders can leave before."""
        if self._under_way:
            self._expect()
        return self._desk

    def restore(self, snapshot: Snapshot) -> None:
        """Takes over the guard's account: cash, positions, open orders."""
        account = self.desk.account
        account["cash"], account["equity"] = float(snapshot.account.cash), float(snapshot.account.equity)
        account["open_orders"] = account["waiting"] = account["linked"] = 0
        self._requests.clear()
        self._order_ids.clear()
        self._filled.clear()
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
        self._expect()
        tape = self._tape(events)
        self._shape = tape.shape
        done = 0
        while done < len(tape):  # event by event, so that requests can't pile up
            done = self.session.step(tape, done, done + 1)
            self.desk.account["requests"] = 0
            self.desk.account["days"] = 0
        self.desk.account["executions"] = self.desk.account["told"] = 0

    def on_order_event(self, event: AnyOrderEvent) -> None:
        """Applies what the guard says of an order; an order that isn't this session's is let be."""
        self._expect()
        if isinstance(event, OrderSubmitted):
            # Known already where it was asked for here; of an order from before the remembered past this is all there is.
            if event.request.strategy != LIQUIDATION:  # which is no order of the strategy's: its fill is all that it sees
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

    def on_market(self, event: MarketEvent) -> list[Wish]:
        """Steps the strategy: what it asks for, in the order in which it asked, which decides what is refused."""
        self._refuse_other(event)
        self._expect()
        tape = self._row.of(event)
        self._shape = tape.shape
        self.session.step(tape, 0, 1)
        return self._wishes(f"{self.session_id}-{event.index}", event.ts_ns)

    def see_quietly(self, events: Sequence[MarketEvent]) -> bool:
        """Steps the strategy over events at which it asked for nothing when it saw them first; whether it asks for nothing now."""
        tape, account = self._tape(events), self.desk.account
        self._shape = tape.shape
        done = 0
        while done < len(tape) and not account["requests"]:
            done = self.session.step(tape, done, len(tape))
            account["executions"] = account["told"] = account["days"] = 0
        return not account["requests"]

    @property
    def next_timer_ns(self) -> int:
        """When the strategy's next timer is due; far in the future where there is none."""
        return int(self.desk.account["timer_ns"]) if self._timed and self._shape is not None else int(NEVER_NS)

    def on_timer(self, index: int, tick: int) -> list[Wish]:
        """Lets the timer fire that is due first, the ``tick``-th one after market event ``index``: what the strategy asks for."""
        if self._shape is None:
            raise TraiderError("a timer can't be due before the first market event")
        self._expect()
        self.session.fire(self._shape)
        return self._wishes(f"{self.session_id}-{index}t{tick}", int(self.desk.account["now_ns"]))

    def _wishes(self, moment: str, ts_ns: int) -> list[Wish]:
        """What was asked for at this moment, by which its ids are made; every moment has its own, and a restart the same ones."""
        account = self.desk.account
        account["executions"] = account["told"] = account["days"] = 0
        count = int(account["requests"])
        if not count:
            return []
        rows = read_rows(self.desk.record["requests"][:count])
        orders = [row for row in rows if row.type >= MARKET]
        for number, row in enumerate(orders):  # before any of them is made: they may name one another
            self._name(row.ref, f"{moment}-{number}")
        parents = {row.parent for row in orders}
        wanted: list[Wish] = []
        amendments = 0
        for row in rows:
            client_order_id = self._refs.get(row.ref)
            if client_order_id is None:
                continue
            if row.type == CANCEL_REQUEST:
                wanted.append(CancelOrder(client_order_id))
            elif row.type == AMEND_REQUEST:
                amend_id = f"{moment}-a{amendments}"
                amendments += 1
                wanted.append(AmendOrder(client_order_id, amend_id, _exact(row.new_size), _exact(row.new_price)))
            else:
                request = self._request(client_order_id, row, leads=row.ref in parents)
                self._requests[client_order_id] = request
                wanted.append(request)
        account["requests"] = 0
        self._under_way = [(one, ts_ns) for one in wanted if isinstance(one, OrderRequest)]
        return wanted

    def _expect(self) -> None:
        """An order that was asked for is open for the strategy until it is told otherwise, however long an exchange takes to answer.

        In a backtest it is, and a strategy that does not see its order under way would ask for it again. What can't be an order is not
        counted: its refusal follows.
        """
        under_way, self._under_way = self._under_way, []
        for request, ts_ns in under_way:
            numbers = (request.size, *(price for price in (request.limit_price, request.stop_price) if price is not None))
            room = int(self._desk.account["open_orders"]) < len(self._desk.record["orders"])
            if room and all(number.is_finite() and number > 0 for number in numbers):
                self._open(request, filled=0.0, ts_ns=ts_ns)

    def _tape(self, events: Sequence[MarketEvent]) -> Tape:
        for event in events:
            self._refuse_other(event)
        return tape_of(events, self._numbers, kinds=self._kinds)

    def _refuse_other(self, event: MarketEvent) -> None:
        if self._kinds and not self._kinds >> event.kind & 1:  # compiled code does not look
            raise TraiderError(f"the market brings events of the kind {event.kind.name.lower()}, which it was not expected to")

    def _request(self, client_order_id: str, row: Any, *, leads: bool) -> OrderRequest:
        kind, trail = _TYPES[row.type], row.trail_kind
        return OrderRequest(
            client_order_id=client_order_id,
            symbol=self.desk.instruments[row.inst].symbol,
            side=_SIDES[row.side],
            type=kind,
            size=_exact(row.size),
            limit_price=_exact(row.limit_price) if kind in _LIMITED else None,
            stop_price=_exact(row.stop_price) if kind in _STOPPED else None,
            time_in_force=_IN_FORCE[row.tif],
            post_only=bool(row.post_only),
            strategy=self.session.strategy.name,
            trail_amount=_exact(row.trail) if trail == TRAIL_AMOUNT else None,
            trail_fraction=_exact(row.trail) if trail == TRAIL_FRACTION else None,
            expire_ts_ns=row.expire_ns,
            oco=self._refs[row.oco] if row.oco else "",
            parent=self._refs[row.parent] if row.parent else "",
            leads=leads,
        )

    def _name(self, ref: int, client_order_id: str) -> None:
        self._refs[ref] = client_order_id
        self._ref_of[client_order_id] = ref

    def _open(self, request: OrderRequest, *, filled: float, ts_ns: int) -> None:
        order_id = self._next_order_id
        self._next_order_id += 1
        self._order_ids[request.client_order_id] = order_id
        ref = self._ref_of.get(request.client_order_id)
        if ref is None:  # asked for before this session: a number that the strategy was never given, so that it can be taken back
            ref = -order_id
            self._name(ref, request.client_order_id)
        in_force = request.time_in_force
        self._filled[request.client_order_id] = filled
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
            oco=self._groups.setdefault(request.oco, len(self._groups) + 1) if request.oco else 0,
            parent=self._order_ids.get(request.parent, 0),
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
        if order_id:
            self._filled[event.client_order_id] = float(_exact(self._filled[event.client_order_id]) + event.size)
        if order_id and not self.desk.is_open(order_id):
            self._end(event.client_order_id)

    def _amend(self, event: OrderAmended, request: OrderRequest) -> None:
        order_id = self._order_ids.get(event.client_order_id)
        stop_price = request.stop_price if event.stop_price is None else event.stop_price
        self._requests[event.client_order_id] = msgspec.structs.replace(
            request, size=event.size, limit_price=event.limit_price, stop_price=stop_price
        )
        if order_id is None:
            return
        if self._filled[event.client_order_id] >= float(event.size):
            self._close(event.client_order_id)
        else:
            limit_price = float(event.limit_price or 0)
            self.desk.reshape(order_id, size=float(event.size), limit_price=limit_price, stop_price=float(stop_price or 0))

    def _close(self, client_order_id: str) -> None:
        order_id = self._order_ids.get(client_order_id)
        if order_id is not None:
            self.desk.remove(order_id)
        self._end(client_order_id)

    def _end(self, client_order_id: str) -> None:
        """The order is over; those that wait for it begin with what it was filled with, or the guard says that they end."""
        filled = self._filled.pop(client_order_id, 0.0)
        if filled > 0.0:
            for child, request in self._requests.items():
                if request.parent == client_order_id and child in self._order_ids:
                    self.desk.release(self._order_ids[child], filled)
        self._forget(client_order_id)

    def _forget(self, client_order_id: str) -> None:
        self._order_ids.pop(client_order_id, None)
        self._requests.pop(client_order_id, None)
        ref = self._ref_of.pop(client_order_id, None)
        if ref is not None:
            del self._refs[ref]


def _exact(value: float) -> Decimal:
    """The decimal that the float is written as."""
    if not math.isfinite(value):
        return Decimal("NaN")
    return Decimal(repr(value))
