"""A desk spoken to in words, for tests that read like the rules that they are about."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, EventKind, OrderType, Reason, Side, TimeInForce
from traider.kernel import entry, layout
from traider.kernel.desk import Desk, Execution
from traider.kernel.interpreter import Context
from traider.kernel.simulation import Fees, FillMode, Simulation

T = TypeVar("T")
BUY, SELL = int(Side.BUY), int(Side.SELL)
MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_040 * 1_000_000_000  # the start of a minute, 22:14 UTC


def instrument(
    symbol: str = "BTC-USD",
    *,
    price: str = "0.01",
    size: str = "0.001",
    min_size: str = "0",
    min_notional: str = "0",
    shortable: bool = False,
    initial_margin: str = "0",
    maintenance_margin: str = "0",
    maker_fee: str | None = None,
    taker_fee: str | None = None,
) -> Instrument:
    base, _, quote = symbol.partition("-")
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        price_increment=Decimal(price),
        size_increment=Decimal(size),
        min_size=Decimal(min_size),
        min_notional=Decimal(min_notional),
        shortable=shortable,
        initial_margin=Decimal(initial_margin),
        maintenance_margin=Decimal(maintenance_margin),
        maker_fee=None if maker_fee is None else Decimal(maker_fee),
        taker_fee=None if taker_fee is None else Decimal(taker_fee),
    )


class Pit:
    """Orders and market events by their names; each event comes ``step_ns``, a minute, after the one before."""

    step_ns = MINUTE_NS

    def __init__(
        self,
        *instruments: Instrument,
        cash: float = 1_000_000.0,
        limits: RiskLimits | None = None,
        fees: Fees | None = None,
        fill: FillMode = FillMode.NEXT_OPEN,
        simulation: Simulation | None = None,
        remote: bool = False,
        marks: Iterable[float] = (),
    ) -> None:
        self.desk = Desk(
            instruments or (instrument(),), cash=cash, limits=limits, fees=fees, fill=fill, simulation=simulation, remote=remote
        )
        self.now_ns = START_NS
        for number, mark in enumerate(marks):
            self.trade(mark, inst=number)

    def bar(self, open_: float, high: float, low: float, close: float, *, inst: int = 0, volume: float = 1.0) -> list[Execution]:
        """What happened on this bar."""
        return self._event(EventKind.BAR, inst, open_, high, low, close, volume)

    def trade(self, price: float, size: float = 1.0, *, side: int = 0, inst: int = 0) -> list[Execution]:
        """What happened at this trade."""
        return self._event(EventKind.TRADE, inst, price, size, side, 0.0, 0.0)

    def quote(self, bid: float, ask: float, *, bid_size: float = 1.0, ask_size: float = 1.0, inst: int = 0) -> list[Execution]:
        """What happened at this quote."""
        return self._event(EventKind.QUOTE, inst, bid, bid_size, ask, ask_size, 0.0)

    def level(self, side: int, price: float, size: float, *, inst: int = 0, end: bool = True, clear: bool = False) -> list[Execution]:
        """What happened when this level of the order book took this size; ``end`` ends the book's message."""
        flags = (BOOK_END if end else 0) | (BOOK_CLEAR if clear else 0)
        return self._event(EventKind.DEPTH, inst, price, size, float(side), 0.0, 0.0, flags=flags)

    def book(self, bids: Iterable[tuple[float, float]], asks: Iterable[tuple[float, float]], *, inst: int = 0) -> list[Execution]:
        """What happened when the order book became this: (price, size) of each level."""
        rows = [(BUY, *level) for level in bids] + [(SELL, *level) for level in asks]
        happened: list[Execution] = []
        for number, (side, price, size) in enumerate(rows):
            happened += self.level(side, price, size, inst=inst, end=number == len(rows) - 1, clear=number == 0)
        return happened

    def funding(self, rate: float, *, inst: int = 0) -> list[Execution]:
        """What happened at this funding."""
        return self._event(EventKind.FUNDING, inst, rate, 0.0, 0.0, 0.0, 0.0)

    def _event(self, kind: EventKind, inst: int, a: float, b: float, c: float, d: float, e: float, *, flags: int = 0) -> list[Execution]:
        self.now_ns += self.step_ns
        self.desk.on_market(int(kind) | flags, inst, self.now_ns, a, b, c, d, e)
        return self.desk.drain()

    def market(self, side: int, size: float, *, inst: int = 0) -> int:
        return self._accepted(self.ask(side, size, OrderType.MARKET, inst=inst))

    def limit(self, side: int, size: float, price: float, *, ioc: bool = False, post_only: bool = False, inst: int = 0) -> int:
        return self._accepted(self.ask(side, size, OrderType.LIMIT, limit_price=price, ioc=ioc, post_only=post_only, inst=inst))

    def stop(self, side: int, size: float, price: float, *, inst: int = 0) -> int:
        return self._accepted(self.ask(side, size, OrderType.STOP, stop_price=price, inst=inst))

    def ask(
        self,
        side: int,
        size: float,
        type: OrderType = OrderType.MARKET,
        *,
        limit_price: float = 0.0,
        stop_price: float = 0.0,
        ioc: bool = False,
        post_only: bool = False,
        inst: int = 0,
    ) -> tuple[int, Reason]:
        """The order's id and NONE, or 0 and why it was refused."""
        return self.desk.submit(
            inst=inst,
            side=side,
            type=int(type),
            tif=int(TimeInForce.IOC if ioc else TimeInForce.GTC),
            post_only=post_only,
            size=size,
            limit_price=limit_price,
            stop_price=stop_price,
        )

    def stop_limit(self, side: int, size: float, stop: float, limit: float, *, inst: int = 0) -> int:
        return self._placed(side, size, OrderType.STOP_LIMIT, inst=inst, stop_price=stop, limit_price=limit)

    def trailing(self, side: int, size: float, *, amount: float = 0.0, fraction: float = 0.0, inst: int = 0) -> int:
        kind = layout.TRAIL_AMOUNT if amount else layout.TRAIL_FRACTION
        return self._placed(side, size, OrderType.TRAILING_STOP, inst=inst, trail=amount or fraction, trail_kind=kind)

    def timed(self, side: int, size: float, price: float, tif: TimeInForce, *, expire_ns: int = 0) -> int:
        """A limit order with this time in force."""
        return self._placed(side, size, OrderType.LIMIT, limit_price=price, tif=int(tif), expire_ns=expire_ns)

    def _placed(self, side: int, size: float, type: OrderType, *, inst: int = 0, **more: Any) -> int:
        return self._accepted(self.desk.submit(inst=inst, side=side, type=int(type), size=size, **more))

    def _accepted(self, answer: tuple[int, Reason]) -> int:
        order_id, reason = answer
        assert reason is Reason.NONE, reason.label
        return order_id

    def strategy(self, wish: Callable[[Context], T]) -> T:
        """Asks for something as a strategy does: what it wants is settled when it has returned."""
        asked = wish(Context(self.desk.records))
        entry.settle_requests(self.desk.address)
        return asked

    def hold(self, size: float, price: float, *, inst: int = 0) -> None:
        """A position bought (or, with a negative size, sold) at this price, which is the mark from now on."""
        self.trade(price, inst=inst)
        self.desk.apply_fill(
            order_id=0,
            inst=inst,
            side=BUY if size > 0 else SELL,
            price=price,
            size=abs(size),
            fee=0.0,
            ts_ns=self.now_ns,
            maker=False,
        )
        self.desk.drain()

    def position(self, inst: int = 0) -> float:
        return float(self.desk.positions[inst]["size"])

    @property
    def cash(self) -> float:
        return float(self.desk.account["cash"])

    @property
    def equity(self) -> float:
        return float(self.desk.account["equity"])

    @property
    def peak(self) -> float:
        return float(self.desk.account["high_water_mark"])

    @property
    def max_drawdown(self) -> float:
        return float(self.desk.account["max_drawdown"])


def fills(executions: Iterable[Execution]) -> list[tuple[int, float, float, bool]]:
    """Order, price, size and whether as maker, of the fills among these."""
    return [(x.order_id, x.price, x.size, x.maker) for x in executions if x.kind == "fill"]


def cancels(executions: Iterable[Execution]) -> list[tuple[int, Reason]]:
    """Order and reason of the cancellations among these."""
    return [(x.order_id, x.reason) for x in executions if x.kind == "cancel"]
