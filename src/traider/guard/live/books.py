"""The books of an account on an exchange: changed by what is in the journal, and by nothing else but the market's prices.

``take`` is the one way in, for the running guard and for recovery alike, so a journal read from its beginning gives the books of
the guard that wrote it. The desk's floats serve the risk check; ``totals`` are exact, for comparing with the exchange's balances.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

import msgspec

from traider.domain.guard_protocol import OpenOrder
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.order_state import Order, apply
from traider.domain.orders import (
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderRequest,
    OrderSubmitted,
)
from traider.domain.vocabulary import Liquidity, OrderType, Reason, Side
from traider.kernel import layout, portfolio
from traider.kernel.control_desk import Controls
from traider.kernel.desk import Desk
from traider.kernel.simulation import Fees

from ..books import Books, GuardConfig, rehearsed
from ..numbers import exact, held, unheld
from ..records import Amending, AnyRecord, BalancesTaken, Checkpoint, KillSwitchSet, Looked, SegmentStarted, SessionStarted, Valued

EXTERNAL = "external"  # the strategy of orders that were not made here
ENDED_REMEMBERED = 2_000  # orders that are over, for fills that come late; a fill of an older one counts as external
TRADES_BACK_NS = 3_660_000_000_000  # trades older than the oldest fills that are still asked for, by a minute and this hour, are forgotten
_EXACT = Context(prec=80)
ZERO = Decimal(0)


@dataclass
class LiveBooks(Books):
    """``number_of`` and ``id_of`` are the desk's numbers; ``venue_ids`` leads from the exchange's order ids to ours.

    ``cancelling`` holds the open orders that somebody wants to be gone, with the reason. It is not in the journal: a wish that a
    restart forgets is told again by whoever had it, and the kill switch has it always.
    """

    asked: Controls = field(default_factory=lambda: Controls(RiskLimits()))  # the controls, which here are always there
    number_of: dict[str, int] = field(default_factory=dict)
    venue_ids: dict[str, str] = field(default_factory=dict)
    ended: dict[str, Order] = field(default_factory=dict)
    trades: dict[str, int] = field(default_factory=dict)  # the booked ones, and their times
    trades_from_ns: int = 0  # what was traded before is booked, and not remembered
    totals: dict[str, Decimal] = field(default_factory=dict)
    opened_ns: int = 0  # fills before this are in the opening balances; 0 while those were not taken
    unvalued: dict[str, float] = field(default_factory=dict)
    cancelling: dict[str, Reason] = field(default_factory=dict)
    amending: dict[str, Amending] = field(default_factory=dict)  # asked for, and not known to be done
    looked_ns: int = 0  # when, by its own time, the exchange was last asked how things stand, as far as the journal knows
    sent_after_ns: dict[str, int] = field(default_factory=dict)  # of open orders: the last such time before they were sent
    fed_ns: int = 0  # the time of the last market event that a trader fed
    is_marked: bool = False  # the guard's own market has told a price since the last checkpoint

    @property
    def is_valued(self) -> bool:
        """Not before the exchange has told what the account holds, and its coins have a price."""
        return self.opened_ns > 0 and not self.unvalued

    def touch(self, now_ns: int) -> None:
        """Moves the account's time on: here it is the machine's, not the market's."""
        self.desk.account["now_ns"] = max(int(self.desk.account["now_ns"]), now_ns)

    def find(self, identifier: str) -> Order | None:
        """The order, open or over; None when there was none, or it was over long ago."""
        return self.open.get(identifier) or self.ended.get(identifier)

    # -- what the journal says

    def take(self, record: AnyRecord, wall_ns: int) -> None:
        match record:
            case OrderEvent():  # first, because most are
                self.note(record)
            case BalancesTaken():
                self._take_balances(record)
            case Amending():
                self._take_amending(record)
            case Looked():
                self.looked_ns = record.taken_ns
            case Valued():
                self.value(record.symbol, record.price)
            case Checkpoint():
                self.breach_seen = record.breached
                self.is_marked = False
            case SegmentStarted():
                super().take(record, wall_ns)
                self.is_marked = False
            case _:
                super().take(record, wall_ns)
        if isinstance(record, KillSwitchSet):
            self.desk.set_kill(record.on)

    def note(self, event: AnyOrderEvent) -> Order:
        identifier = event.client_order_id
        order = apply(self.find(identifier), event)
        if event.n:
            self.lines.setdefault(identifier, []).append(event.n)
        match event:
            case OrderSubmitted():
                self._note_submitted(event)
            case OrderAccepted():
                self.venue_ids[event.venue_order_id] = identifier
                self.accepted_ts_ns[identifier] = event.ts_ns
                if order.request.strategy != EXTERNAL:
                    self.asked.accepted()
            case OrderRejected():
                self.asked.refused(event.ts_ns, event.reason)
            case OrderAmended():
                self.amending.pop(identifier, None)
                self._put(order.request, order.filled_size, event.ts_ns)
            case OrderFilled():
                self._note_filled(event)
        self._file(identifier, order)
        return order

    def _file(self, identifier: str, order: Order) -> None:
        if order.is_open:
            self.open[identifier] = order
            return
        self.open.pop(identifier, None)
        self.accepted_ts_ns.pop(identifier, None)
        self.sent_after_ns.pop(identifier, None)
        self.cancelling.pop(identifier, None)
        self.amending.pop(identifier, None)
        self.release(identifier)
        self.ended.pop(identifier, None)
        self.ended[identifier] = order
        while len(self.ended) > ENDED_REMEMBERED:
            oldest = self.ended.pop(next(iter(self.ended)))
            self.venue_ids.pop(oldest.venue_order_id or "", None)

    def _note_submitted(self, event: OrderSubmitted) -> None:
        self.sent_after_ns[event.client_order_id] = self.looked_ns
        if event.client_order_id not in self.number_of:  # the running guard has reserved its place before it wrote the journal
            self.reserve(event.request, event.ts_ns)

    def _note_filled(self, event: OrderFilled) -> None:
        self.trades[event.trade_id] = event.ts_ns
        base, _, quote = event.symbol.partition("-")
        notional = _EXACT.multiply(event.price, event.size)
        self._add(base, _EXACT.multiply(event.size, Decimal(int(event.side))))
        self._add(quote, _EXACT.subtract(_EXACT.multiply(notional, Decimal(-int(event.side))), event.fee))
        number = self.instrument_number(event.symbol)
        if number < 0:
            if quote == self.config.currency:
                self._move_cash(-float(notional) * int(event.side) - float(event.fee))
            return
        self.desk.apply_fill(
            order_id=self.number_of.get(event.client_order_id, 0),
            inst=number,
            side=int(event.side),
            price=float(event.price),
            size=float(event.size),
            fee=float(event.fee),
            ts_ns=event.ts_ns,
            maker=event.liquidity is Liquidity.MAKER,
        )
        self.desk.drain()
        if event.strategy != EXTERNAL:
            self.asked.executed(event.ts_ns)

    def _add(self, currency: str, amount: Decimal) -> None:
        self.totals[currency] = _EXACT.add(self.totals.get(currency, ZERO), amount)

    def start_session(self, started: SessionStarted) -> None:
        """Another trader's market from here on; the account's time, its day and its order rate go on."""
        self.session, self.session_n, self.session_start = started.session, started.n, started.account
        self.index = self.checkpoint_index = -1
        self.fed_ns = 0

    def set_instruments(self, instruments: tuple[Instrument, ...]) -> None:
        """The same account with these instruments; the ones it had keep their numbers."""
        old = self.desk.record
        self.config = msgspec.structs.replace(self.config, instruments=instruments)
        self.desk = _new_desk(self.config)
        for part in ("account", "positions", "orders", "submissions"):
            self.desk.record[part] = old[part]
        self.desk.account["instruments"] = len(instruments)

    # -- what came without a fill

    def _take_balances(self, record: BalancesTaken) -> None:
        """Money or coins that somebody moved are neither profit nor loss: peak and start of the day move along."""
        for currency in sorted(self.totals.keys() | record.totals.keys()):
            moved = _EXACT.subtract(record.totals.get(currency, ZERO), self.totals.get(currency, ZERO))
            if currency == self.config.currency:
                self._move_cash(float(moved))
            elif moved:
                self._move_coins(currency, float(moved))
        self.totals = dict(record.totals)
        self.trades.update(dict.fromkeys(record.trades, max(record.since_ns, record.ts_ns)))
        self.opened_ns = self.opened_ns or record.since_ns

    def _move_cash(self, moved: float) -> None:
        account = self.desk.account
        account["cash"] += moved
        self._move_value(moved)

    def _move_coins(self, currency: str, moved: float) -> None:
        for number, instrument in enumerate(self.config.instruments):
            if instrument.base == currency:
                self.desk.positions[number]["size"] = float(exact(float(self.desk.positions[number]["size"])) + exact(moved))
                self.unvalued[instrument.symbol] = self.unvalued.get(instrument.symbol, 0.0) + moved
                mark = float(self.desk.positions[number]["mark_price"])
                if mark > 0.0:
                    self.value(instrument.symbol, mark)
                return

    def value(self, symbol: str, price: float) -> float:
        """Counts what came without a fill as bought at this price; how much that was."""
        moved = self.unvalued.pop(symbol, 0.0)
        position = self.desk.positions[self.instrument_number(symbol)]
        if moved:
            if position["average_price"] == 0.0:
                position["average_price"] = price
            # What was held before keeps its mark until the next one: only what came is worth something new here.
            if position["mark_price"] == 0.0:
                position["mark_price"] = price
            self._move_value(moved * float(position["mark_price"]))
        return moved

    def _move_value(self, moved: float) -> None:
        account = self.desk.account
        account["high_water_mark"] += moved
        account["day_start_equity"] += moved
        portfolio.revalue(self.desk.record)

    # -- what is forgotten

    def trades_horizon_ns(self) -> int:
        """Nobody asks any more for fills of before this time, nor will: the times that are asked from only rise."""
        if not self.opened_ns:
            return 0
        asked_from_ns = max(self.looked_ns, self.opened_ns)
        for identifier in self.open:
            asked_from_ns = min(asked_from_ns, self.sent_after_ns.get(identifier) or self.opened_ns)
        return max(self.trades_from_ns, asked_from_ns - TRADES_BACK_NS)

    def remembered_trades(self) -> dict[str, int]:
        """Those that ``forget`` leaves."""
        horizon_ns = self.trades_horizon_ns()
        return {trade: ts_ns for trade, ts_ns in self.trades.items() if ts_ns >= horizon_ns}

    def forget(self) -> None:
        self.trades, self.trades_from_ns = self.remembered_trades(), self.trades_horizon_ns()
        super().forget()

    def is_booked(self, trade_id: str, ts_ns: int) -> bool:
        """Whether the books have the trade, or what the account was opened with has it."""
        return trade_id in self.trades or ts_ns < max(self.opened_ns, self.trades_from_ns)

    # -- the desk's table

    def check(self, request: OrderRequest, replaces: Order | None = None) -> Reason:
        """Why the order may not go, or NONE, by the desk's limits and the controls. Nothing changes.

        An amendment ``replaces`` an open order: that one is not counted, and nothing is said of repetitions and of how fast orders come.
        """
        number = self.instrument_number(request.symbol)
        if number < 0:
            return Reason.MARKET_NOT_ALLOWED
        reason = unexact(request)
        if reason is not Reason.NONE:
            return reason
        placed = 0 if replaces is None else self.number_of.get(replaces.request.client_order_id, 0)
        return self.desk.check(controls=self.asked, replaces=placed, **_desk_order(number, request))

    def reduces(self, request: OrderRequest, replaces: Order | None = None) -> bool:
        """Whether the position can't come out larger in the order's direction, everything else open on that side filled too."""
        number = self.instrument_number(request.symbol)
        if number < 0 or not request.size.is_finite():
            return False
        position = self.desk.positions[number]
        resting = position["open_buys"] if request.side > 0 else position["open_sells"]
        beside = exact(float(resting)) - (ZERO if replaces is None else self._counted(replaces))
        return exact(float(position["size"])) * request.side + beside + request.size <= 0

    def _counted(self, order: Order) -> Decimal:
        """With how much the open order counts: while it is being amended with the larger of its two sizes."""
        amending = self.amending.get(order.request.client_order_id)
        return max(order.request.size, ZERO if amending is None else amending.size) - order.filled_size

    def reserve(self, request: OrderRequest, ts_ns: int) -> None:
        """Puts the order into the desk's table, so that it counts in full until it is known to be over."""
        inst = self.instrument_number(request.symbol)
        if inst < 0 or not self.has_room():
            return  # an order that was made elsewhere: it is told, but there is nothing to measure it with
        number = int(self.desk.account["next_id"]) + 1
        order = _desk_order(inst, request)
        self.desk.restore_order(order_id=number, ref=0, filled=0.0, ts_ns=ts_ns, **order)
        self.number_of[request.client_order_id] = number
        self.id_of[number] = request.client_order_id
        if request.strategy == EXTERNAL:
            self.desk.account["submissions"] -= 1  # the rate is the strategies' own
        else:
            self.asked.placed(ts_ns, **order)

    def release(self, identifier: str) -> None:
        """Takes the order out of the desk's table."""
        number = self.number_of.pop(identifier, None)
        if number is not None:
            self.id_of.pop(number, None)
            self.desk.cancel(number)
            self.desk.drain()

    @contextmanager
    def without(self, order: Order) -> Iterator[None]:
        """The books as if this open order were not in the desk's table."""
        record = self.desk.records.copy()
        number, identifier = self.number_of.get(order.request.client_order_id), order.request.client_order_id
        if number is not None:
            self.desk.cancel(number)
        try:
            yield
        finally:
            self.desk.records[:] = record
            if number is not None:
                self.number_of[identifier], self.id_of[number] = number, identifier

    def put_row(self, request: OrderRequest, number: int, ts_ns: int, *, size: float, filled: float, limit_price: float) -> None:
        """Puts an open order into the desk's table as it stood there."""
        row = _desk_order(self.instrument_number(request.symbol), request) | {"size": size, "limit_price": limit_price}
        self.desk.restore_order(order_id=number, ref=0, filled=filled, ts_ns=ts_ns, **row)
        self.number_of[request.client_order_id] = number
        self.id_of[number] = request.client_order_id

    def has_room(self) -> bool:
        return int(self.desk.account["open_orders"]) < layout.MAX_ORDERS

    def _put(self, request: OrderRequest, filled: Decimal, ts_ns: int) -> None:
        """Has the open order count as this request from here on."""
        number = self.number_of.get(request.client_order_id)
        if number is None:
            return
        self.release(request.client_order_id)
        self.desk.restore_order(
            order_id=number,
            ref=0,
            filled=float(filled),
            ts_ns=ts_ns,
            **_desk_order(self.instrument_number(request.symbol), request),
        )
        self.desk.account["submissions"] -= 1  # it is no new order
        self.number_of[request.client_order_id] = number
        self.id_of[number] = request.client_order_id

    def _take_amending(self, record: Amending) -> None:
        """While nobody knows which of the two the order is, it counts as the larger size at the higher price."""
        order = self.open[record.client_order_id]
        self.amending[record.client_order_id] = record
        if record.amend_id:
            self.amendments[record.amend_id] = record.n
        old = order.request
        worst = msgspec.structs.replace(old, size=max(old.size, record.size), limit_price=max(old.limit_price or ZERO, record.limit_price))
        self._put(worst, order.filled_size, record.ts_ns)
        self.asked.amended(record.ts_ns)

    # -- what is told

    @property
    def is_beyond_checkpoint(self) -> bool:
        return self.is_marked or super().is_beyond_checkpoint

    def checkpoint(self, n: int) -> Checkpoint:
        account = self.desk.account
        return Checkpoint(
            n=n,
            ts_ns=self.now_ns,
            day_end_ns=int(account["day_end_ns"]),
            day_start_equity=float(account["day_start_equity"]),
            high_water_mark=float(account["high_water_mark"]),
            cash=float(account["cash"]),
            sizes=self._of_positions("size"),
            marks=self._of_positions("mark_price"),
            arriving=(),
            triggered=(),
            breached=self.breach_seen,
        )

    def open_orders(self) -> tuple[OpenOrder, ...]:
        return tuple(
            OpenOrder(
                request=order.request,
                filled_size=order.filled_size,
                accepted_ts_ns=self.accepted_ts_ns.get(identifier, order.created_ts_ns),
            )
            for identifier, order in self.open.items()
        )

    def own_open(self) -> Iterable[Order]:
        """Open orders that were made here."""
        return [order for order in self.open.values() if order.request.strategy != EXTERNAL]


def live_books(config: GuardConfig) -> LiveBooks:
    """Books that nothing has happened to yet: the account has what the exchange will tell."""
    controls = Controls(config.limits)
    return LiveBooks(config, _new_desk(config), controls=controls, asked=controls)


def rehearse_live(config: GuardConfig) -> None:
    """Goes once through what the live guard asks of desk and controls, on books that are thrown away; see ``books.rehearse``."""
    every = RiskLimits(
        max_order_size=Decimal(1),
        max_open_orders_per_market=1000,
        max_gross_exposure=Decimal(1),
        max_price_deviation=Decimal(1),
        max_orders_per_second=1000,
        max_amends_per_second=1000,
        max_executions_per_minute=1000,
        max_rejections_in_a_row=1000,
        max_rejections_per_minute=1000,
        duplicate_window_s=Decimal(1),
        volatility_window=2,
        volatility_mult=Decimal(1),
        prevent_self_match=True,
    )
    books = live_books(msgspec.structs.replace(config, limits=every))
    instrument = config.instruments[0]
    for second in range(1, 5):
        books.desk.on_market(layout.TRADE, 0, second * 60_000_000_000, 1.0, 1.0, 0.0, 0.0, 0.0)
        books.asked.see_market(0, second * 60_000_000_000, 1.0)
    request = OrderRequest(
        client_order_id="rehearsal",
        symbol=instrument.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        size=max(instrument.size_increment, instrument.min_size),
        limit_price=instrument.price_increment,
    )
    books.check(request)
    books.note(OrderSubmitted(n=0, ts_ns=1, client_order_id="rehearsal", request=request))
    books.note(OrderAccepted(n=0, ts_ns=1, client_order_id="rehearsal", venue_order_id="rehearsal"))
    with books.without(books.open["rehearsal"]):
        books.check(request)
    books.asked.check_amend(1)
    books.asked.amended(1)
    books.asked.refused(1, Reason.INVALID_ORDER)
    books.asked.executed(1)
    books.asked.resume()
    books.asked.band_width(0)
    books.asked.orders_last_second(1)
    books.asked.amends_last_second(1)
    books.asked.rejections_last_minute(1)
    books.asked.executions_last_minute(1)
    books.release("rehearsal")
    books.desk.reserve_rows(books.asked, rehearsed(config), 0, 1)
    books.desk.restore_marks(day_start_equity=1.0, day_index=0, high_water_mark=1.0, marks=(1.0,), now_ns=1)


def _new_desk(config: GuardConfig) -> Desk:
    fees = Fees(maker=config.maker_fee, taker=config.taker_fee)
    return Desk(config.instruments, cash=0.0, limits=config.limits, fees=fees, remote=True)


def _desk_order(inst: int, request: OrderRequest) -> dict[str, Any]:
    return {
        "inst": inst,
        "side": int(request.side),
        "type": int(request.type),
        "size": float(request.size),
        "limit_price": float(request.limit_price or 0),
        "stop_price": float(request.stop_price or 0),
        "tif": int(request.time_in_force),
        "post_only": int(request.post_only),
        "expire_ns": expiry_ns(request),
    }


def expiry_ns(request: OrderRequest) -> int:
    """When the order leaves the desk's table by itself: never. That its time is over is the exchange's to tell; until then it may fill."""
    return layout.NEVER_NS if request.expire_ts_ns > 0 else request.expire_ts_ns


def not_carried(request: OrderRequest) -> str:
    """Why the order can't be kept what it is on an exchange, in a sentence; empty where it can. See ADR 41."""
    if request.type is OrderType.TRAILING_STOP:
        return "a trailing stop is not kept on an exchange: move a stop-limit order yourself, or trade this strategy on paper"
    if request.oco or request.parent or request.leads:
        return "orders that hang together (oco, oto, protect) are not kept on an exchange: trade on paper, or place them in on_fill"
    return ""


def unexact(request: OrderRequest) -> Reason:
    """A number that the desk could not hold exactly is finer than any increment; some kinds of order no exchange here has."""
    if not_carried(request):
        return Reason.INVALID_ORDER
    for value, reason in (
        (request.size, Reason.SIZE_INCREMENT),
        (request.limit_price, Reason.PRICE_INCREMENT),
        (request.stop_price, Reason.PRICE_INCREMENT),
    ):
        if value is not None and held(value) is None:
            return unheld(value, reason)
    return Reason.NONE
