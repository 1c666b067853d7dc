"""The guard's books, read back from the journal.

Fills rebuild cash, positions and fees; order events the order table; the last checkpoint the marks, the day and the peak. What a
checkpoint says of cash and positions must be what the fills come to: else the journal does not describe this account, and the
guard does not start. Orders that were journalled as submitted and have no outcome stay pending: ``Guard.start`` deals with them.
"""

from collections import deque
from collections.abc import Iterable

import msgspec
import numpy as np

from traider.domain.errors import JournalError, OrderStateError, UserError
from traider.domain.instruments import Instrument
from traider.domain.order_state import Order
from traider.domain.orders import (
    LIQUIDATION,
    AnyOrderEvent,
    OrderAccepted,
    OrderAmended,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
)
from traider.domain.vocabulary import Liquidity, OrderStatus, OrderType, Reason
from traider.kernel import layout
from traider.kernel.desk import Desk
from traider.kernel.orders import trail_from
from traider.runtime.collector import collector_paused

from .books import Books, GuardConfig, desk_order, merged_instruments, more_of, new_desk
from .carried import carry, contradiction, restore, unlike
from .journal import Journal
from .records import (
    JOURNAL_VERSION,
    LIVE,
    READABLE_VERSIONS,
    SIMULATED,
    Advanced,
    Checkpoint,
    Configured,
    Entry,
    KillSwitchSet,
    PaperCarried,
    SegmentStarted,
    SessionStarted,
)


def recover(journal: Journal, config: GuardConfig, *, whole: bool = False) -> Books:
    """The books that the journal describes, on a desk with the limits and fees of ``config``.

    The newest segment is read, which begins with a snapshot; the ``whole`` journal comes to the same, and proves the snapshots.
    ``UserError`` when ``config`` is for another account, ``JournalError`` when the journal contradicts itself.
    """
    reader = _Reader(config)
    try:
        with collector_paused():
            reader.read(journal.read(1 if whole else journal.segment.first_n))
        return reader.finish()
    except OrderStateError as error:
        raise JournalError(f"{journal.path}: line {reader.n}: {error}") from error


class _Reader:
    def __init__(self, config: GuardConfig) -> None:
        self.n = 0
        self.begun = False  # another entry was read before this one
        self._config = config
        self._books = Books(config, new_desk(config))
        self._checkpoint: Checkpoint | None = None
        self._advanced_ns = 0  # what the time was advanced to since
        self._placed_ts_ns: deque[int] = deque(maxlen=layout.RATE_WINDOW)
        self._accepted_n: dict[str, int] = {}
        self._largest_id = 0

    def read(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.begun, self.n = self.n > 0, entry.n
            if entry.index != self._books.index:
                self._books.index, self._books.tick = entry.index, 0
            match entry.record:
                case Configured():
                    self._on_configured(entry.record)
                case SessionStarted():
                    self._books.start_session(entry.record)
                    self._placed_ts_ns.clear()
                case KillSwitchSet() as kill:
                    self._books.set_kill(kill, entry.wall_ns)
                case Checkpoint():
                    self._on_checkpoint(entry.record)
                case Advanced():
                    self._books.take(entry.record, entry.wall_ns)
                    self._advanced_ns = entry.record.ts_ns
                case SegmentStarted():
                    self._on_segment(entry)
                case OrderEvent():
                    self._on_order_event(entry.record)

    def _on_configured(self, record: Configured) -> None:
        if record.version not in READABLE_VERSIONS:
            raise UserError(f"the journal is of version {record.version}, this guard writes version {JOURNAL_VERSION}")
        if record.fill in (LIVE, SIMULATED):
            where = "an exchange" if record.fill == LIVE else "the simulated exchange"
            raise UserError(f"this account trades on {where}: choose another --state-dir for one on the paper venue")
        if self._books.configured is None:
            config = msgspec.structs.replace(self._config, cash=record.cash, instruments=record.instruments)
            self._books = Books(config, new_desk(config))
        else:
            self._set_instruments(record.instruments)
        self._books.configured = record

    def _on_segment(self, entry: Entry) -> None:
        record = entry.record
        if not isinstance(record, SegmentStarted) or not isinstance(record.books, PaperCarried):
            raise UserError("this account trades on an exchange: choose another --state-dir for one on the paper venue")
        if self.begun:
            parts = unlike(carry(self._books, entry.n), record.books, but=("next_id", "submissions_ns"))
            if parts:
                raise JournalError(contradiction(entry.n, parts))
            self._books.take(record, entry.wall_ns)
        else:
            self._restore(record.books)
            self._books.index = entry.index
        self._on_checkpoint(record.books.checkpoint)

    def _restore(self, carried: PaperCarried) -> None:
        if carried.configured is not None:
            self._on_configured(carried.configured)
        books = self._books
        restore(books, carried)
        books.over = dict(carried.over)
        books.id_of = {
            int(order.venue_order_id): identifier for identifier, order in books.open.items() if order.venue_order_id is not None
        }
        self._placed_ts_ns.extend(carried.submissions_ns)
        self._largest_id = carried.next_id
        self._accepted_n = dict.fromkeys(carried.accepted_ts_ns, 0)

    def _set_instruments(self, instruments: tuple[Instrument, ...]) -> None:
        """The same account on a desk with these instruments; the ones it had keep their numbers."""
        old = self._books.desk
        config = msgspec.structs.replace(self._books.config, instruments=instruments)
        desk = new_desk(config)
        desk.record["account"] = old.record["account"]
        desk.account["instruments"] = len(instruments)
        desk.record["positions"] = old.record["positions"]
        desk.record["controls"] = old.record["controls"]
        self._books.config, self._books.desk, self._books.controls = config, desk, desk.controls

    def _on_checkpoint(self, record: Checkpoint) -> None:
        account = self._books.desk.account
        sizes = tuple(self._books.desk.positions["size"][: len(record.sizes)].tolist())
        if float(account["cash"]) != record.cash or sizes != record.sizes:
            raise JournalError(
                f"line {self.n}: the fills come to cash {float(account['cash'])!r} and positions {sizes}, "
                f"the checkpoint says {record.cash!r} and {record.sizes}"
            )
        self._checkpoint = record
        self._advanced_ns = 0
        self._books.checkpoint_index = self._books.index
        self._books.breach_seen = record.breached

    def _on_order_event(self, event: AnyOrderEvent) -> None:
        order = self._books.note(event)
        self._count(event, order)
        if isinstance(event, OrderAccepted) and order.request.strategy != LIQUIDATION:
            self._placed_ts_ns.append(event.ts_ns)
            self._accepted_n[event.client_order_id] = event.n
            self._largest_id = max(self._largest_id, int(event.venue_order_id))
        elif isinstance(event, OrderFilled):
            desk = self._books.desk
            desk.apply_fill(
                order_id=0,  # the order table is filled at the end
                inst=self._books.instrument_number(event.symbol),
                side=int(event.side),
                price=float(event.price),
                size=float(event.size),
                fee=float(event.fee),
                ts_ns=event.ts_ns,
                maker=event.liquidity is Liquidity.MAKER,
            )
            desk.account["executions"] = desk.account["told"] = 0
        elif isinstance(event, OrderAmended) and event.amend_id and event.reason is not Reason.ORDER_RATE:
            self._placed_ts_ns.append(event.ts_ns)
        if not order.is_open:
            self._accepted_n.pop(event.client_order_id, None)

    def _count(self, event: AnyOrderEvent, order: Order) -> None:
        """What the controls have counted of it."""
        controls = self._books.controls
        if controls is None or order.request.strategy == LIQUIDATION:
            return
        if isinstance(event, OrderSubmitted):
            controls.accepted()  # by the desk; refusals of what was asked after it stand before the line that accepts it
        elif isinstance(event, OrderAccepted):
            inst = self._books.instrument_number(order.request.symbol)
            controls.placed(event.ts_ns, **desk_order(inst, order.request))
        elif isinstance(event, OrderAmended) and event.amend_id and event.reason is not Reason.ORDER_RATE:
            controls.amended(event.ts_ns)
        elif isinstance(event, OrderFilled):
            controls.executed(event.ts_ns)
        elif isinstance(event, OrderRejected) and event.reason is not Reason.NOT_SENT:
            controls.refused(event.ts_ns, event.reason)

    def finish(self) -> Books:
        books = self._books
        if self._books.configured is not None:
            cash = self._books.configured.cash
            if self._config.cash not in (None, cash):
                raise UserError(
                    f"this account was opened with {cash:.10g} {books.config.currency}, not {self._config.cash:.10g}: "
                    f"leave out the cash, or choose another --state-dir"
                )
            self._set_instruments(merged_instruments(self._books.configured.instruments, self._config.instruments))
        desk = books.desk
        for order in books.open.values():
            if order.venue_order_id is not None:
                _restore_order(desk, books, order)
        self._restore_stages(desk, books)
        account = desk.account
        account["next_id"] = self._largest_id
        account["due_ns"] = 0  # what is under way is looked for at the next event
        count = len(self._placed_ts_ns)
        desk.record["submissions"][:count] = np.fromiter(self._placed_ts_ns, np.int64, count)
        account["submissions"] = count
        account["killed"] = int(books.kill.on)
        self._restore_market(desk, books)
        books.book_lost = books.index >= 0
        return books

    def _restore_stages(self, desk: Desk, books: Books) -> None:
        """What a working order has been through at the venue: whether it met the market, whether its stop was reached."""
        checkpoint = self._checkpoint
        if checkpoint is None:
            return
        for working in desk.record["orders"][: desk.account["open_orders"]]:
            identifier = books.id_of[int(working["id"])]
            # After a checkpoint no market event was matched: whatever was accepted since has yet to meet its first.
            arriving = identifier in checkpoint.arriving or self._accepted_n[identifier] > checkpoint.n
            working["active_ns"] = checkpoint.active.get(identifier, int(working["active_ns"]))
            working["queue"], working["queue_start"], working["traded"] = checkpoint.places.get(identifier, (0.0, 0.0, 0.0))
            if working["stage"] != layout.WAITING:
                working["stage"] = layout.ARRIVING if arriving else layout.RESTING
            kind = books.open[identifier].request.type
            if kind is OrderType.TRAILING_STOP:
                stop = checkpoint.trailing.get(identifier)
                mark = checkpoint.marks[int(working["inst"])]  # what one that was placed since began to follow
                working["stop_price"] = trail_from(desk.record, working, mark) if stop is None else stop
            if identifier in checkpoint.triggered:
                working["type"] = int(OrderType.LIMIT if kind is OrderType.STOP_LIMIT else OrderType.MARKET)

    def _restore_market(self, desk: Desk, books: Books) -> None:
        checkpoint = self._checkpoint
        if checkpoint is None:
            return
        new_session = checkpoint.n < books.session_n
        desk.restore_marks(
            day_start_equity=checkpoint.day_start_equity,
            day_index=checkpoint.day_end_ns // layout.DAY_NS - 1,
            high_water_mark=checkpoint.high_water_mark,
            marks=checkpoint.marks,
            now_ns=0 if new_session else max(checkpoint.ts_ns, self._advanced_ns),
        )
        if new_session:
            desk.account["day_end_ns"] = 0


def _restore_order(desk: Desk, books: Books, order: Order) -> None:
    if order.status not in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED):
        raise JournalError(f"order {order.request.client_order_id} is {order.status} at the paper venue, which can't be")
    request = order.request
    size, oco, parent = books.ties(request, float(request.size))
    if request.parent not in books.refs:
        size, parent = float(request.size), 0  # what it waited for is over, so it waits no more
    ref = desk.next_ref
    desk.account["next_ref"] = ref
    books.note_ref(request, ref)
    desk.restore_order(
        order_id=int(order.venue_order_id or 0),
        inst=books.instrument_number(request.symbol),
        side=int(request.side),
        type=int(request.type),
        tif=int(request.time_in_force),
        post_only=request.post_only,
        filled=float(order.filled_size),
        limit_price=float(request.limit_price or 0),
        stop_price=float(request.stop_price or 0),
        ts_ns=books.accepted_ts_ns[request.client_order_id],
        **more_of(request),
        size=size,
        ref=ref,
        oco=oco,
        parent=parent,
    )
