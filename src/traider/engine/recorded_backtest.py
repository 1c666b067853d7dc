"""The backtest of what a recorded session saw: the same strategy over the same market events, on a desk that matches here.

Orders have the ids that the session gave them: both come from the session, the market event and the number at that event. A timer's
orders come between two market events; where session and backtest ask for as many, up to the next one, they are the same in this order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..domain.guard_protocol import MarketEvent
from ..domain.limits import RiskLimits
from ..domain.orders import OrderFilled, OrderRequest
from ..domain.session_record import AnyLine, Asked, Begun, Saw, Timed, Warmed
from ..domain.vocabulary import Liquidity, Reason, Side
from ..kernel import layout
from ..kernel.desk import Desk
from ..kernel.kit import Strategy
from ..kernel.loop import Shape
from ..kernel.simulation import Fees, FillMode
from .session import Session, symbols
from .tape import tape_of

_ROWS_A_TIME = 4096


@dataclass(frozen=True)
class Terms:
    """What decides the backtest beside strategy and market: as the session's guard had it."""

    fees: Fees
    fill: FillMode
    limits: RiskLimits


@dataclass
class Retold:
    """What the backtest's orders came to, by client order id, beside what the session asked for at the same events.

    ``asked`` are the session's orders, ``decided`` the index of the market event at which an order was asked for, in the session or
    here. ``event_ns`` has the times of the market events from ``first_index`` on.
    """

    first_index: int = 0
    event_ns: list[int] = field(default_factory=list)
    fills: list[OrderFilled] = field(default_factory=list)
    ordered: set[str] = field(default_factory=set)
    refusals: dict[str, Reason] = field(default_factory=dict)
    cancels: dict[str, Reason] = field(default_factory=dict)
    still_open: set[str] = field(default_factory=set)
    asked: dict[str, OrderRequest] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)


def backtest_recording(lines: Iterable[AnyLine], strategy: type[Strategy], terms: Terms) -> Retold:
    """Runs it over the whole recording; where that begins more than once, over what follows its last beginning."""
    run: _Run | None = None
    for line in lines:
        match line:
            case Begun():
                run = _Run(line, strategy, terms)
            case Warmed() if run is not None:
                run.see(line.events, trade=False)
            case Saw() if run is not None:
                run.see((line.event,), trade=True)
            case Timed() if run is not None:
                run.note_timer()
            case Asked() if run is not None:
                run.note_asked(line.wanted)
    if run is None:
        return Retold()
    run.finish()
    return run.retold


class _Run:
    def __init__(self, begun: Begun, strategy: type[Strategy], terms: Terms) -> None:
        account = begun.snapshot.account
        self.retold = Retold()
        self._id = begun.session_id
        self._kinds = begun.kinds
        self._numbers = symbols(begun.instruments)
        self._desk = Desk(begun.instruments, cash=float(account.cash), limits=terms.limits, fees=terms.fees, fill=terms.fill, trips=True)
        self._desk.account["equity"] = float(account.equity)
        self._desk.account["high_water_mark"] = float(account.high_water_mark)
        for position in account.positions:
            number = self._numbers.get(position.symbol)
            if number is not None:
                row = self._desk.positions[number]
                row["size"], row["average_price"] = float(position.size), float(position.average_price)
                row["mark_price"] = float(position.mark_price)
                row["realized_pnl"], row["fees"] = float(position.realized_pnl), float(position.fees)
        self._session = Session(strategy(**begun.values), self._desk, interpreted=begun.interpreted)
        if begun.kinds:
            self._session.prepare(Shape(begun.kinds, len(begun.instruments) == 1))
        self._id_of: dict[int, str] = {}  # of orders, by the strategy's number
        self._fills: dict[str, int] = {}
        self._last = -1  # the market event seen last
        self._asked_by: dict[int, list[str]] = {}  # what the session asked for up to this market event, since the one before
        self._timed = False  # the lines that follow are of a timer
        self._waiting: list[MarketEvent] = []
        self._trading = True

    def see(self, events: Sequence[MarketEvent], *, trade: bool) -> None:
        """The events are run some at a time: what they come to is the same."""
        if trade is not self._trading or len(self._waiting) >= _ROWS_A_TIME:
            self._go()
        self._trading = trade
        if not self._waiting and not self.retold.event_ns and events:
            self.retold.first_index = events[0].index
        self._waiting += events
        if events:
            self._last, self._timed = events[-1].index, False

    def note_timer(self) -> None:
        self._timed = True

    def note_asked(self, wanted: Sequence[OrderRequest | str]) -> None:
        for one in wanted:
            if isinstance(one, OrderRequest):
                self.retold.asked[one.client_order_id] = one
                self._asked_by.setdefault(self._last + self._timed, []).append(one.client_order_id)
                self.retold.decided[one.client_order_id] = self._last

    def finish(self) -> None:
        self._go()
        self.retold.still_open = {self._id_of[int(order["ref"])] for order in self._desk.open_orders()}

    def _go(self) -> None:
        events, self._waiting = self._waiting, []
        if not events:
            return
        desk, account, session = self._desk, self._desk.account, self._session
        tape = tape_of(events, self._numbers, kinds=self._kinds)
        # what a strategy asks for while it is only shown the market is dropped: nothing of it is sent
        account["venue"] = layout.SIMULATED if self._trading else layout.REMOTE
        for row, event in enumerate(events):
            before = int(account["next_ref"])
            session.step(tape, row, row + 1)
            account["days"] = 0
            if self._trading:
                refs = range(before + 1, int(account["next_ref"]) + 1)
                asked = self._asked_by.pop(event.index, [])
                own = [f"{self._id}-{event.index}-{number}" for number in range(len(refs))]
                for ref, identifier in zip(refs, asked if len(asked) == len(refs) else own, strict=True):
                    self._id_of[ref] = identifier
                    self.retold.ordered.add(identifier)
                    self.retold.decided.setdefault(identifier, event.index)
            else:
                account["requests"] = 0
            if account["executions"] > account["taken"]:
                self._take(desk.take_executions())
        self.retold.event_ns += [event.ts_ns for event in events]

    def _take(self, executions: Any) -> None:
        for row in executions:
            identifier = self._id_of.get(int(row["ref"]), "")
            if row["kind"] == layout.FILL:
                self.retold.fills.append(self._filled(identifier, row))
            elif row["kind"] == layout.REFUSAL:
                self.retold.refusals[identifier] = Reason(int(row["reason"]))
            elif row["kind"] == layout.CANCEL:
                self.retold.cancels[identifier] = Reason(int(row["reason"]))

    def _filled(self, identifier: str, row: Any) -> OrderFilled:
        number = self._fills[identifier] = self._fills.get(identifier, 0) + 1
        return OrderFilled(
            n=0,
            ts_ns=int(row["ts_ns"]),
            client_order_id=identifier,
            trade_id=f"{identifier}-{number}",
            symbol=self._desk.instruments[int(row["inst"])].symbol,
            side=Side(int(row["side"])),
            price=_exact(float(row["price"])),
            size=_exact(float(row["size"])),
            fee=_exact(float(row["fee"])),
            liquidity=Liquidity.MAKER if row["maker"] else Liquidity.TAKER,
        )


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))
