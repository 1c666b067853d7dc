"""Strategies whose orders hang on one another, are amended, or come of timers; and a session of one in lock step with the paper guard."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from tests.guard.support import TRADER, Bench
from traider.domain.guard_protocol import Advance, Amend, Cancel, Done, Feed, MarketEvent, Submit
from traider.domain.instruments import Instrument
from traider.domain.orders import OrderFilled, OrderRequest
from traider.engine.live import AmendOrder, CancelOrder, LiveSession, Wish
from traider.guard.journal import Disk, entries
from traider.kernel.events import Bar, Fill, Timer, Trade
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.kernel.order_book import Book

SECOND_NS = 1_000_000_000


class UnsyncedDisk(Disk):
    def sync(self, fd: int) -> None:
        pass


class Tied(Strategy):
    """Every method that ties orders to one another or changes them; what it asks for hangs on its fills and its open orders."""

    def setup(self) -> None:
        self.events = 0
        self.fills = 0
        self.mine = 0
        self.stop = 0
        self.last = 0.0

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.fills += 1
        self.last = fill.price

    def act(self, price: float, tick: float, ctx: Context) -> None:
        self.events += 1
        turn = (self.events + self.fills + ctx.open_orders()) % 16
        near, far = 2.0 * tick, 12.0 * tick
        size = self.quantity
        if turn == 0:
            self.mine = ctx.buy(size)
            ctx.protect(self.mine, price + far, price - far)
        elif turn == 1:
            self.mine = ctx.buy_limit(2.0 * size, price - near)
        elif turn == 2:
            ctx.amend(self.mine, 3.0 * size, price - tick)
        elif turn == 3:
            ctx.amend(self.mine, size, 0.0)
        elif turn == 4:
            first = ctx.sell_limit(size, price + near)
            second = ctx.sell_stop(2.0 * size, price - near)
            ctx.oco(first, second)
        elif turn == 5:
            entry = ctx.buy_limit(size, price - tick)
            ctx.oto(entry, ctx.sell_limit(size, price + near))
            ctx.oto(entry, ctx.sell_trailing_stop(size, far))
        elif turn == 6:
            self.stop = ctx.sell_stop(size, price - far)
        elif turn == 7:
            ctx.amend(self.stop, 0.0, price - near)
        elif turn == 9:
            ctx.amend(self.mine, 0.0, price + near)
        elif turn == 10:
            self.mine = ctx.buy(size)
            ctx.cancel(self.stop)
            ctx.oto(self.mine, ctx.sell_limit(size, price + tick))
        elif turn == 11:
            ctx.amend(self.mine, size * 1e9, price)
        elif turn == 13 and ctx.open_orders() > 6:
            ctx.cancel_all()
        elif turn == 14 and self.last > 0.0:
            ctx.target(0.0)


class TiedOnBars(Tied):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.act(bar.close, 1.0, ctx)


class TiedOnTrades(Tied):
    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.act(trade.price, 0.1, ctx)


class TiedOnBook(Tied):
    def on_book(self, book: Book, ctx: Context) -> None:
        self.act(book.ask(0), 0.1, ctx)


class Timed(Strategy):
    """Acts at timers, several of which may be due before one event; orders end by their own time between events too."""

    span_ns: int = 40 * SECOND_NS

    def setup(self) -> None:
        self.fired = 0
        self.fills = 0
        self.mine = 0
        self.begun = 0

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.fills += 1

    def begin(self, ts_ns: int, ctx: Context) -> None:
        if self.begun == 0:
            self.begun = 1
            ctx.set_timer(0, ts_ns + self.span_ns)
            ctx.set_timer(3, ts_ns + 3 * self.span_ns)

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.begin(bar.ts_ns, ctx)

    def on_timer(self, timer: Timer, ctx: Context) -> None:
        self.fired += 1
        price = ctx.price()
        turn = (self.fired + self.fills) % 7
        ctx.set_timer(timer.number, timer.ts_ns + (1 + timer.number) * self.span_ns)
        if turn == 0:
            ctx.buy(self.quantity)
        elif turn == 1:
            ctx.good_till(ctx.buy_limit(self.quantity, price - 1.0), timer.ts_ns + self.span_ns // 2)
        elif turn == 2:
            self.mine = ctx.sell_limit(self.quantity, price + 2.0)
        elif turn == 3:
            ctx.amend(self.mine, 0.0, price + 1.0)
        elif turn == 4:
            ctx.protect(ctx.buy(self.quantity), price + 5.0, price - 5.0)
        elif turn == 5 and ctx.open_orders() > 4:
            ctx.cancel_all()
        elif turn == 6:
            ctx.target(0.0)


class TimedOnTrades(Timed):
    span_ns: int = 300_000_000

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.begin(trade.ts_ns, ctx)


class TimedOnBook(Timed):
    span_ns: int = 300_000_000

    def on_book(self, book: Book, ctx: Context) -> None:
        self.begin(ctx.now_ns(), ctx)


class LockStep:
    """The session and the guard through one market, event by event, as ``traider.services.trader`` does it over a connection."""

    def __init__(self, folder: Path, strategy: Strategy, market: Instrument, *, kinds: int, cash: float) -> None:
        self.bench = Bench(folder, instruments=(market,), cash=cash, kinds=kinds, disk=UnsyncedDisk())
        self.session = LiveSession(strategy, [market], session_id="s", cash=Decimal(repr(cash)), kinds=kinds)
        self.tick = 0
        self.after: Callable[[], None] = lambda: None  # called when the guard has taken something

    def run(self, events: Sequence[MarketEvent]) -> None:
        for event in events:
            self.tick = 0
            while self.session.next_timer_ns <= event.ts_ns:
                self.tick += 1
                self.ask(Advance(seq=1, index=event.index - 1, tick=self.tick, ts_ns=self.session.next_timer_ns))
                self.send(self.session.on_timer(event.index - 1, self.tick))
            self.ask(Feed(seq=1, events=(event,)))
            self.send(self.session.on_market(event))

    def send(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            match wish:
                case OrderRequest():
                    self.ask(Submit(seq=1, orders=(wish,)))
                case CancelOrder():
                    self.ask(Cancel(seq=1, client_order_ids=(wish.client_order_id,)))
                case AmendOrder():
                    self.ask(
                        Amend(
                            seq=1,
                            client_order_id=wish.client_order_id,
                            size=wish.size,
                            limit_price=wish.price,
                            amend_id=wish.amend_id,
                        )
                    )

    def ask(self, ask: Feed | Submit | Cancel | Amend | Advance) -> None:
        effects = self.bench.guard.handle(ask, TRADER)
        assert isinstance(effects.reply, Done), effects.reply
        for event in effects.events:
            self.session.on_order_event(event)
        self.after()

    def fills(self) -> list[OrderFilled]:
        """As the journal has them."""
        return [entry.record for entry in entries(self.bench.path) if isinstance(entry.record, OrderFilled)]
