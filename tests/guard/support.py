"""A guard on a journal in a temporary folder, driven without sockets."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    AnyAsk,
    Cancel,
    Done,
    Feed,
    MarketEvent,
    Open,
    Refused,
    SetKillSwitch,
    Snapshot,
    Submit,
)
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderRejected, OrderRequest
from traider.domain.vocabulary import EventKind, OrderType, Reason, Side, TimeInForce
from traider.guard.approval import Guard
from traider.guard.base import Effects
from traider.guard.books import Books, GuardConfig
from traider.guard.journal import Disk, Journal
from traider.kernel.layout import ARRIVING
from traider.kernel.simulation import FillMode

START_NS = 1_700_006_400_000_000_000  # midnight UTC
MINUTE_NS = 60_000_000_000
BTC = Instrument(symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.001"))
ETH = Instrument(symbol="ETH-USD", base="ETH", quote="USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.001"))
TRADER, OBSERVER = 1, 2


class SteppingClock:
    """The machine's clock as the test sets it."""

    def __init__(self) -> None:
        self.ns = 1_750_000_000_000_000_000

    def now_ns(self) -> int:
        return self.ns


class Bench:
    """One state directory; the guard on it can be stopped dead and started again."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: RiskLimits | None = None,
        cash: float | None = 10_000.0,
        instruments: Sequence[Instrument] = (BTC,),
        disk: Disk | None = None,
        fee: float = 0.0,
        fill: FillMode = FillMode.NEXT_OPEN,
        session: str = "test",
        kinds: int = 0,
    ) -> None:
        self.path = folder / "journal.jsonl"
        self.clock = SteppingClock()
        self.config = GuardConfig(
            instruments=tuple(instruments), limits=limits or RiskLimits(), cash=cash, maker_fee=fee, taker_fee=fee, fill=fill
        )
        self.session = session
        self.kinds = kinds
        self.told: list[AnyOrderEvent] = []
        self.seq = 0
        self.start(disk)

    def start(self, disk: Disk | None = None) -> Effects:
        self.journal = Journal.open(self.path, clock=self.clock, disk=disk)
        try:
            self.guard = Guard(self.journal, self.config, self.clock)
            started = self.guard.start()
            self.told += started.events
            self.open_clients()
        except BaseException:
            self.journal.close()
            raise
        return started

    def open_clients(self) -> None:
        for client, role in ((TRADER, "trader"), (OBSERVER, "observer")):
            effects = self.guard.handle(
                Open(seq=0, version=PROTOCOL_VERSION, role=role, client=role, session=self.session, kinds=self.kinds), client
            )
            assert isinstance(effects.reply, Done), effects.reply
            self.told += effects.events

    def die(self) -> None:
        """As a SIGKILL would: nothing is said or written any more."""
        self.journal.close()

    def restart(self, disk: Disk | None = None) -> Effects:
        self.die()
        return self.start(disk)

    @property
    def books(self) -> Books:
        return self.guard.books

    def ask(self, ask: AnyAsk, client: int = TRADER) -> Effects:
        effects = self.guard.handle(ask, client)
        assert effects.reply.seq == ask.seq
        self.told += effects.events
        return effects

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def feed(self, *prices: float, symbol: str = "BTC-USD", minutes: int = 1) -> Effects:
        """Bars that open, close and stay at the price, each one ``minutes`` after the one before."""
        return self.feed_bars(*((price, price, price, price) for price in prices), symbol=symbol, minutes=minutes)

    def feed_bars(self, *bars: tuple[float, float, float, float], symbol: str = "BTC-USD", minutes: int = 1) -> Effects:
        index = self.books.index
        now_ns = self.books.now_ns or START_NS
        events = tuple(
            MarketEvent(
                index=index + i,
                kind=EventKind.BAR,
                symbol=symbol,
                ts_ns=now_ns + i * minutes * MINUTE_NS,
                a=open_,
                b=high,
                c=low,
                d=close,
                e=1.0,
            )
            for i, (open_, high, low, close) in enumerate(bars, 1)
        )
        return self.done(Feed(seq=self.next_seq(), events=events))

    def trade(self, price: float, size: float, symbol: str = "BTC-USD") -> Effects:
        now_ns = self.books.now_ns or START_NS
        event = MarketEvent(index=self.books.index + 1, kind=EventKind.TRADE, symbol=symbol, ts_ns=now_ns + 10**9, a=price, b=size)
        return self.done(Feed(seq=self.next_seq(), events=(event,)))

    def done(self, ask: AnyAsk, client: int = TRADER) -> Effects:
        effects = self.ask(ask, client)
        assert isinstance(effects.reply, Done), effects.reply
        return effects

    def refused(self, ask: AnyAsk, client: int = TRADER) -> str:
        effects = self.ask(ask, client)
        assert isinstance(effects.reply, Refused), effects.reply
        return effects.reply.message

    def submit(self, *requests: OrderRequest) -> Effects:
        return self.done(Submit(seq=self.next_seq(), orders=requests))

    def cancel(self, *identifiers: str) -> Effects:
        return self.done(Cancel(seq=self.next_seq(), client_order_ids=identifiers))

    def kill(self, on: bool, reason: str = "", by: str = "owner") -> Effects:
        return self.done(SetKillSwitch(seq=self.next_seq(), on=on, reason=reason, by=by), OBSERVER)

    def snapshot(self) -> Snapshot:
        return self.guard.snapshot()

    def refusal(self, request: OrderRequest) -> tuple[Reason, str]:
        """Why the guard refuses it; NONE when it takes it."""
        event = self.submit(request).events[0]
        return (event.reason, event.detail) if isinstance(event, OrderRejected) else (Reason.NONE, "")


def order(
    identifier: str,
    size: str = "1",
    side: Side = Side.BUY,
    *,
    limit: str | None = None,
    stop: str | None = None,
    symbol: str = "BTC-USD",
    ioc: bool = False,
    post_only: bool = False,
) -> OrderRequest:
    kind = OrderType.LIMIT if limit is not None else OrderType.STOP if stop is not None else OrderType.MARKET
    return OrderRequest(
        client_order_id=identifier,
        symbol=symbol,
        side=side,
        type=kind,
        size=Decimal(size),
        limit_price=None if limit is None else Decimal(limit),
        stop_price=None if stop is None else Decimal(stop),
        time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
        post_only=post_only,
        strategy="tests",
    )


def described(books: Books) -> dict[str, Any]:
    """Everything that the guard knows, for comparing a rebuilt one with the one that died."""
    desk = books.desk
    account = desk.account
    count = len(books.config.instruments)
    placed = min(int(account["submissions"]), len(desk.record["submissions"]))
    recent = [int(desk.record["submissions"][i]) for i in range(placed)]
    return {
        "account": {name: account[name].item() for name in ACCOUNT_FIELDS},
        "rate": [ts for ts in recent if ts > account["now_ns"] - MINUTE_NS],
        "positions": [tuple(position.tolist()) for position in desk.positions[:count]],
        "working": [working(order, desk.open_orders()) for order in desk.open_orders()],
        "orders": dict(books.open),
        "lines": books.lines,
        "ids": books.id_of,
        "kill": books.kill,
        "session": (books.session, books.session_n, books.index, books.checkpoint_index),
        "breach_seen": books.breach_seen,
        "snapshot": (books.open_orders(), books.config),
    }


def working(order: Any, others: list[Any]) -> dict[str, Any]:
    """A row of the desk's table. What ties it to others is told by their ids: numbers of such ties are made anew at a start."""
    row = {name: order[name].item() for name in order.dtype.names}
    for name in ("ref", "new_size", "new_price"):  # the last two are of an amendment that is over
        del row[name]
    if row["stage"] != ARRIVING:
        del row["active_ns"]  # it is there, since whenever
    row["oco"] = [int(other["id"]) for other in others if other["oco"] == order["oco"]] if order["oco"] else []
    row["parent"] = [int(other["id"]) for other in others if other["ref"] == order["parent"]] if order["parent"] else []
    return row


ACCOUNT_FIELDS = [
    *("cash", "equity", "high_water_mark", "day_start_equity", "day_end_ns", "now_ns", "maker_fee", "taker_fee", "fees"),
    *("killed", "venue", "instruments", "next_id", "open_orders", "fills"),
]
