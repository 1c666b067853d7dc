"""What the guard knows: the account on the kernel's desk, every order by its client order id, and where the market stands.

``Books`` are changed in two ways only: by what the desk did (then journalled, then ``note``-d), and at recovery by reading the
same journal. Both leave the same books.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from traider.domain.errors import UserError
from traider.domain.guard_protocol import OpenOrder
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.order_state import Order, apply
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderAmended, OrderEvent, OrderRequest, OrderSubmitted
from traider.domain.state import AccountState
from traider.domain.vocabulary import Liquidity, OrderType, Reason
from traider.kernel import layout
from traider.kernel.control_desk import Controls, gross_exposure
from traider.kernel.desk import Desk, Execution
from traider.kernel.order_row import OrderRows
from traider.kernel.simulation import Fees, FillMode

from .records import Advanced, AnyRecord, Checkpoint, Configured, KillSwitchSet, SegmentStarted, SessionStarted
from .spent import SpentIds

DEFAULT_CASH = 100_000.0
OVER_REMEMBERED = 1000
IDS_REMEMBERED = 10_000  # of orders that are over, with their journal lines, when a segment of the journal begins
AMENDMENTS_REMEMBERED = 10_000
NOBODY = -1  # the ref of an order that there is not


class GuardConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard is started with. Money is in the instruments' common quote currency; fees are fractions of the notional.

    ``cash`` is what a new account is opened with; None is what the account was opened with, or ``DEFAULT_CASH``.
    """

    instruments: tuple[Instrument, ...]
    limits: RiskLimits
    cash: float | None = None
    maker_fee: float = 0.0
    taker_fee: float = 0.0
    fill: FillMode = FillMode.NEXT_OPEN
    simulated: bool = False  # the exchange, where there is one, is a simulated one: its account is never taken for a real one's

    @property
    def currency(self) -> str:
        return self.instruments[0].quote


@dataclass(frozen=True, slots=True)
class KillState:
    on: bool = False
    reason: str = ""
    by: str = ""
    ts_ns: int = 0


@dataclass
class Books:
    """``index`` is the last market event of the session that was matched; ``checkpoint_index`` the one that the journal knows of."""

    config: GuardConfig
    desk: Desk
    configured: Configured | None = None  # as the journal has it
    kill: KillState = KillState()
    session: str | None = None
    session_n: int = 0
    session_start: AccountState | None = None
    index: int = -1
    checkpoint_index: int = -1
    book_lost: bool = False  # this guard was started after that event, and its order books are empty
    tick: int = 0  # how often the time was advanced since that event
    breach_seen: bool = False  # the breach that stands has had its effect; another one trips the kill switch again
    open: dict[str, Order] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)  # of every order that is remembered: the numbers of its journal lines
    spent: SpentIds = field(default_factory=SpentIds)  # ids of those that are not
    accepted_ts_ns: dict[str, int] = field(default_factory=dict)  # of open orders
    id_of: dict[int, str] = field(default_factory=dict)  # of open orders, by the desk's number
    controls: Controls | None = None  # the desk's own, or those that are asked beside its check
    refs: dict[str, int] = field(default_factory=dict)  # of open orders: what others follow them by, on the desk
    groups: dict[str, int] = field(default_factory=dict)  # the desk's numbers of groups of which one fill takes from the others
    tied: dict[str, None] = field(default_factory=dict)  # open orders that hang on others, in the order in which they came
    over: dict[str, Decimal] = field(default_factory=dict)  # of the newest orders that are over, how much was filled
    amendments: dict[str, int] = field(default_factory=dict)  # journal lines of those that were asked for, by their ids

    @property
    def is_valued(self) -> bool:
        """Whether equity is known."""
        return bool(self.now_ns)

    def __post_init__(self) -> None:
        self.controls = self.controls or self.desk.controls

    def instrument_number(self, symbol: str) -> int:
        """The desk's number of the instrument, -1 when it is none of ours."""
        for number, instrument in enumerate(self.config.instruments):
            if instrument.symbol == symbol:
                return number
        return -1

    @property
    def now_ns(self) -> int:
        """The market's time."""
        return self.desk.now_ns

    def note(self, event: AnyOrderEvent) -> Order:
        """The order after an event that is in the journal."""
        identifier = event.client_order_id
        order = apply(self.open.get(identifier), event)
        if event.n:
            self.lines.setdefault(identifier, []).append(event.n)
        if isinstance(event, OrderAmended) and event.amend_id:
            self.amendments[event.amend_id] = event.n
        if not order.is_open:
            self._end(identifier, order)
            return order
        self.open[identifier] = order
        if isinstance(event, OrderAccepted):
            self.accepted_ts_ns[identifier] = event.ts_ns
            self.id_of[int(event.venue_order_id)] = identifier
        elif isinstance(event, OrderSubmitted) and (event.request.oco or event.request.parent):
            self.tied[identifier] = None
        return order

    def _end(self, identifier: str, order: Order) -> None:
        self.open.pop(identifier, None)
        self.accepted_ts_ns.pop(identifier, None)
        self.refs.pop(identifier, None)
        self.tied.pop(identifier, None)
        if order.venue_order_id is not None:
            self.id_of.pop(int(order.venue_order_id), None)
        if order.request.oco and not any(other.request.oco == order.request.oco for other in self.open.values()):
            self.groups.pop(order.request.oco, None)
        self.over[identifier] = order.filled_size
        if len(self.over) > OVER_REMEMBERED:
            del self.over[next(iter(self.over))]

    def take(self, record: AnyRecord, wall_ns: int) -> None:
        """Notes what has been made durable at this time of the machine's clock."""
        match record:
            case OrderEvent():
                self.note(record)
            case KillSwitchSet() as kill:
                self.set_kill(kill, wall_ns)
            case SessionStarted() as started:
                self.start_session(started)
            case Advanced():
                self.tick = record.tick
            case SegmentStarted():
                self.forget()
                self.checkpoint_index = self.index

    def forgettable(self) -> list[str]:
        """The orders that ``forget`` forgets: those that are over, but for the newest."""
        over = [identifier for identifier in self.lines if identifier not in self.open]
        return over[: max(0, len(over) - IDS_REMEMBERED)]

    def forget(self) -> None:
        """Remembers no longer what nobody asks about any more; that client order ids are used up is never forgotten."""
        for identifier in self.forgettable():
            del self.lines[identifier]
            self.spent.spend(identifier)
        self.amendments = self.remembered_amendments()

    def remembered_amendments(self) -> dict[str, int]:
        """Those that ``forget`` leaves."""
        return dict(list(self.amendments.items())[-AMENDMENTS_REMEMBERED:])

    def set_kill(self, kill: KillSwitchSet, wall_ns: int) -> None:
        """Notes where the kill switch stands; switching it off ends a halt, and forgets what led to it."""
        self.kill = KillState(kill.on, kill.reason, kill.by, wall_ns)
        if not kill.on and self.controls is not None:
            self.controls.resume()

    def ties(self, request: OrderRequest, size: float) -> tuple[float, int, int]:
        """What ties the next order of the desk to others: its size, which may follow another's; its group; the ref that it follows."""
        oco = self.groups.get(request.oco, self.desk.next_ref) if request.oco else 0
        if request.parent in self.refs:
            return size, oco, self.refs[request.parent]
        if not request.parent:
            return size, oco, 0
        filled = self.over.get(request.parent, Decimal(0))
        return (min(size, float(filled)), oco, 0) if filled else (size, oco, NOBODY)

    def note_ref(self, request: OrderRequest, ref: int) -> None:
        """The order is on the desk, with this ref."""
        self.refs[request.client_order_id] = ref
        if request.oco:
            self.groups.setdefault(request.oco, ref)

    def start_session(self, started: SessionStarted) -> None:
        """Another market source from here on, which may lie in another time: the day and all that is counted begin anew."""
        self.session, self.session_n, self.session_start = started.session, started.n, started.account
        self.index = self.checkpoint_index = -1
        self.tick = 0
        self.book_lost = False
        self.amendments.clear()
        account = self.desk.account
        account["now_ns"] = account["day_end_ns"] = account["submissions"] = 0
        if self.controls is not None:
            self.controls.forget()

    @property
    def is_beyond_checkpoint(self) -> bool:
        """Whether the market has moved on since the last checkpoint."""
        return self.index != self.checkpoint_index

    def checkpoint(self, n: int) -> Checkpoint:
        """Where the market stands, and what came of it, as the journal keeps it."""
        account = self.desk.account
        working = [(self.id_of[row.id], row) for row in self._working()]
        return Checkpoint(
            n=n,
            ts_ns=self.now_ns,
            day_end_ns=int(account["day_end_ns"]),
            day_start_equity=float(account["day_start_equity"]),
            high_water_mark=float(account["high_water_mark"]),
            cash=float(account["cash"]),
            sizes=self._of_positions("size"),
            marks=self._of_positions("mark_price"),
            arriving=tuple(identifier for identifier, row in working if row.stage == layout.ARRIVING),
            triggered=tuple(identifier for identifier, row in working if _is_triggered(self.open[identifier].request, row)),
            trailing={
                identifier: row.stop_price for identifier, row in working if self.open[identifier].request.type is OrderType.TRAILING_STOP
            },
            places={identifier: _place_of(row) for identifier, row in working if any(_place_of(row))},
            active={identifier: row.active_ns for identifier, row in working if _is_late(row)},
            breached=self.breach_seen,
        )

    def _working(self) -> list["_Working"]:
        """The rows of the desk's table: to ask numpy for each field of each row takes several times as long."""
        rows = self.desk.record["orders"][: self.desk.account["open_orders"]]
        return [_Working(*row) for row in rows[list(_Working._fields)].tolist()]

    def _of_positions(self, column: str) -> tuple[float, ...]:
        values: list[float] = self.desk.positions[column][: len(self.config.instruments)].tolist()
        return tuple(values)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Everything that may still fill, oldest first."""
        return tuple(
            OpenOrder(
                request=order.request,
                filled_size=order.filled_size,
                accepted_ts_ns=self.accepted_ts_ns.get(identifier, order.created_ts_ns),
            )
            for identifier, order in self.open.items()
        )


class _Working(NamedTuple):
    """What a checkpoint asks of an order in the desk's table."""

    id: int
    type: int
    stage: int
    stop_price: float
    ts_ns: int
    active_ns: int
    queue: float
    queue_start: float
    traded: float


def _place_of(row: _Working) -> tuple[float, float, float]:
    return row.queue, row.queue_start, row.traded


def _is_triggered(request: OrderRequest, row: _Working) -> bool:
    return request.type in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP) and row.type != request.type


def _is_late(row: _Working) -> bool:
    return row.active_ns != row.ts_ns and row.stage == layout.ARRIVING


def desk_order(inst: int, request: OrderRequest) -> dict[str, Any]:
    """The request as the desk's ``submit`` takes it."""
    return {
        "inst": inst,
        "side": int(request.side),
        "type": int(request.type),
        "tif": int(request.time_in_force),
        "post_only": request.post_only,
        "size": float(request.size),
        "limit_price": float(request.limit_price or 0),
        "stop_price": float(request.stop_price or 0),
        **more_of(request),
    }


def more_of(request: OrderRequest) -> dict[str, Any]:
    """What the desk is told of an order beside its size and prices: how a stop trails, and when the order ends."""
    trail, kind = trail_of(request)
    return {"trail": trail, "trail_kind": kind, "expire_ns": request.expire_ts_ns}


def trail_of(request: OrderRequest) -> tuple[float, int]:
    """By how much a stop trails the price, and of which kind that is; twice 0 where it does not."""
    if request.trail_amount is not None:
        return float(request.trail_amount), layout.TRAIL_AMOUNT
    if request.trail_fraction is not None:
        return float(request.trail_fraction), layout.TRAIL_FRACTION
    return 0.0, 0


def new_desk(config: GuardConfig) -> Desk:
    """A desk that nothing has happened to yet."""
    fees = Fees(maker=config.maker_fee, taker=config.taker_fee)
    cash = DEFAULT_CASH if config.cash is None else config.cash
    return Desk(config.instruments, cash=cash, limits=config.limits, fees=fees, fill=config.fill)


def rehearse(config: GuardConfig) -> None:
    """Goes once through everything that a desk of this configuration is asked to do, on a desk that is thrown away.

    The first call of a compiled function loads it, and on a new machine compiles it: no order should wait for that.
    """
    desk = new_desk(config)
    increment = float(config.instruments[0].price_increment)
    for kind in (layout.BAR, layout.TRADE):
        for step in (1, 2):
            desk.on_market(kind, 0, step, increment, increment, increment, increment, 1.0)
            for type_ in (layout.MARKET, layout.LIMIT, layout.STOP):
                size = float(config.instruments[0].size_increment)
                number, _ = desk.submit(
                    inst=0, side=1, type=type_, tif=0, post_only=False, size=size, limit_price=increment, stop_price=increment
                )
                if type_ == layout.STOP:
                    desk.amend(number, size=size, price=increment)
                    desk.cancel(number)
    desk.submit_rows(rehearsed(config), 0, 1)
    desk.advance(3)
    desk.apply_fill(order_id=0, inst=0, side=1, price=increment, size=1.0, fee=0.0, ts_ns=3, maker=False)
    desk.drain()
    desk.breached()
    desk.orders_last_minute()
    desk.cash_reserved()
    gross_exposure(desk.record)
    if desk.controls is not None:
        desk.controls.refused(3, Reason.INVALID_ORDER)
        desk.controls.band_width(0)
        desk.controls.orders_last_second(3)
        desk.controls.amends_last_second(3)
        desk.controls.rejections_last_minute(3)
        desk.controls.executions_last_minute(3)
        desk.controls.resume()


def rehearsed(config: GuardConfig) -> OrderRows:
    """An order as orders come to the desk, for a rehearsal."""
    rows, instrument = OrderRows(1), config.instruments[0]
    rows.put(0, 0, 1, layout.LIMIT, float(instrument.size_increment), float(instrument.price_increment), 0.0, 0, False, 0.0, 0, 0)
    return rows


def liquidity(execution: Execution) -> Liquidity:
    return Liquidity.MAKER if execution.maker else Liquidity.TAKER


def merged_instruments(known: Sequence[Instrument], wanted: Sequence[Instrument]) -> tuple[Instrument, ...]:
    """What the account can hold: every instrument that it has known, in that order, and the wanted ones as they are wanted now."""
    newest = {instrument.symbol: instrument for instrument in wanted}
    for instrument in known:
        new = newest.get(instrument.symbol)
        if new is not None and new.size_increment != instrument.size_increment:
            raise UserError(
                f"{instrument.symbol}: this account was opened with sizes in steps of {instrument.size_increment}, "
                f"not {new.size_increment}: choose another --state-dir"
            )
        if instrument.quote != (wanted[0].quote if wanted else instrument.quote):
            raise UserError(f"this account is held in {instrument.quote}, not {wanted[0].quote}: choose another --state-dir")
    seen = {instrument.symbol for instrument in known}
    return (
        *(newest.get(instrument.symbol, instrument) for instrument in known),
        *(instrument for instrument in wanted if instrument.symbol not in seen),
    )
