"""A strategy as ordinary Python: for a debugger, for scikit-learn and PyTorch, and as the oracle of the compiled form.

``Context`` is also what type checkers and editors see. Its methods are those of ``traider.kernel.context``, called on the
same record.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

from . import entry
from .book import BOOK_BYTES
from .context import METHODS
from .events import Bar, Fill, Quote, Timer, Trade
from .kit import Strategy
from .layout import BAR, BOOK_END, CURVE, DESK, FILL, KIND_BITS, QUOTE, TRADE
from .order_book import Book
from .structs import methods_of


class Context:
    """The market and the account as the strategy sees them. See ``docs/authors-guide.md``."""

    __slots__ = (
        "_address",
        "_asks",
        "_averages",
        "_bids",
        "_cash",
        "_equity",
        "_marks",
        "_open_orders",
        "_records",
        "_sizes",
        "current",
        "requested",
    )

    def __init__(self, records: Any) -> None:
        self._records = records  # kept alive for its address
        self._address = int(records.ctypes.data)
        account, positions = records["account"], records["positions"][0]
        # views, because to read a field of a numpy record takes five times as long
        self._sizes, self._averages, self._marks = (memoryview(positions[name]) for name in ("size", "average_price", "mark_price"))
        self._bids, self._asks = (memoryview(positions[name]) for name in ("bid", "ask"))
        self._cash, self._equity, self._open_orders = (memoryview(account[name]) for name in ("cash", "equity", "open_orders"))
        self.current = 0
        self.requested = False

    def position(self) -> float:
        """Size held of the instrument, in base currency; negative is short."""
        size: float = self._sizes[self.current]
        return size

    def position_of(self, instrument: int) -> float:
        """Size held of the instrument with this number; 0 where there is none."""
        size: float = self._sizes[instrument] if 0 <= instrument < len(self._sizes) else 0.0
        return size

    def average_price(self) -> float:
        """Average entry price of the position; 0 when flat."""
        price: float = self._averages[self.current]
        return price

    def price(self) -> float:
        """Mark price of the instrument: the last close or trade, the middle of a quote or of the order book."""
        price: float = self._marks[self.current]
        return price

    def price_of(self, instrument: int) -> float:
        """Mark price of the instrument with this number; 0 where there is none yet."""
        price: float = self._marks[instrument] if 0 <= instrument < len(self._marks) else 0.0
        return price

    def bid(self) -> float:
        """Best bid of the instrument; 0 where the market data tells none."""
        price: float = self._bids[self.current]
        return price

    def ask(self) -> float:
        """Best ask of the instrument; 0 where the market data tells none."""
        price: float = self._asks[self.current]
        return price

    def cash(self) -> float:
        """Cash in quote currency; what open orders would take is still in it."""
        cash: float = self._cash[0]
        return cash

    def equity(self) -> float:
        """Cash plus the positions at their marks, in quote currency."""
        equity: float = self._equity[0]
        return equity

    def open_orders(self) -> int:
        """How many orders of the account are open."""
        count: int = self._open_orders[0]
        return count

    def pending(self) -> float:
        """Signed size of the instrument's orders that are open or just asked for; without those that wait for another one's fill."""
        return entry.pending(self._address)

    def is_open(self, order: int) -> bool:
        """Whether the order with this number is open, or just asked for."""
        return entry.is_open(self._address, int(order))

    def now_ns(self) -> int:
        """The time: that of the event, and of a bar its end where that is known."""
        return entry.now_ns(self._address)

    def select(self, instrument: int) -> bool:
        """Lets the other methods speak of the instrument with this number until the handler returns; False where there is none."""
        found: bool = entry.select(self._address, int(instrument))
        if found:
            self.current = instrument
        return found

    def buy(self, size: float) -> int:
        """A market order to buy."""
        self.requested = True
        return entry.buy(self._address, float(size))

    def sell(self, size: float) -> int:
        """A market order to sell."""
        self.requested = True
        return entry.sell(self._address, float(size))

    def buy_limit(self, size: float, limit_price: float) -> int:
        """A limit order to buy, good till cancelled."""
        self.requested = True
        return entry.buy_limit(self._address, float(size), float(limit_price))

    def sell_limit(self, size: float, limit_price: float) -> int:
        """A limit order to sell, good till cancelled."""
        self.requested = True
        return entry.sell_limit(self._address, float(size), float(limit_price))

    def buy_post_only(self, size: float, limit_price: float) -> int:
        """A limit order to buy that is cancelled rather than take liquidity."""
        self.requested = True
        return entry.buy_post_only(self._address, float(size), float(limit_price))

    def sell_post_only(self, size: float, limit_price: float) -> int:
        """A limit order to sell that is cancelled rather than take liquidity."""
        self.requested = True
        return entry.sell_post_only(self._address, float(size), float(limit_price))

    def buy_ioc(self, size: float, limit_price: float) -> int:
        """A limit order to buy at once; what doesn't fill at once is cancelled."""
        self.requested = True
        return entry.buy_ioc(self._address, float(size), float(limit_price))

    def sell_ioc(self, size: float, limit_price: float) -> int:
        """A limit order to sell at once; what doesn't fill at once is cancelled."""
        self.requested = True
        return entry.sell_ioc(self._address, float(size), float(limit_price))

    def buy_fok(self, size: float, limit_price: float) -> int:
        """A limit order to buy at once and whole, or not at all."""
        self.requested = True
        return entry.buy_fok(self._address, float(size), float(limit_price))

    def sell_fok(self, size: float, limit_price: float) -> int:
        """A limit order to sell at once and whole, or not at all."""
        self.requested = True
        return entry.sell_fok(self._address, float(size), float(limit_price))

    def buy_stop(self, size: float, stop_price: float) -> int:
        """A market order to buy once the price reaches the stop."""
        self.requested = True
        return entry.buy_stop(self._address, float(size), float(stop_price))

    def sell_stop(self, size: float, stop_price: float) -> int:
        """A market order to sell once the price reaches the stop."""
        self.requested = True
        return entry.sell_stop(self._address, float(size), float(stop_price))

    def buy_stop_limit(self, size: float, stop_price: float, limit_price: float) -> int:
        """A limit order to buy once the price reaches the stop."""
        self.requested = True
        return entry.buy_stop_limit(self._address, float(size), float(stop_price), float(limit_price))

    def sell_stop_limit(self, size: float, stop_price: float, limit_price: float) -> int:
        """A limit order to sell once the price reaches the stop."""
        self.requested = True
        return entry.sell_stop_limit(self._address, float(size), float(stop_price), float(limit_price))

    def buy_trailing_stop(self, size: float, distance: float) -> int:
        """A stop to buy that stays this far, in quote currency, above the lowest price since it was placed."""
        self.requested = True
        return entry.buy_trailing_stop(self._address, float(size), float(distance))

    def sell_trailing_stop(self, size: float, distance: float) -> int:
        """A stop to sell that stays this far, in quote currency, below the highest price since it was placed."""
        self.requested = True
        return entry.sell_trailing_stop(self._address, float(size), float(distance))

    def buy_trailing_fraction(self, size: float, fraction: float) -> int:
        """A stop to buy that stays this fraction of it above the lowest price since it was placed."""
        self.requested = True
        return entry.buy_trailing_fraction(self._address, float(size), float(fraction))

    def sell_trailing_fraction(self, size: float, fraction: float) -> int:
        """A stop to sell that stays this fraction of it below the highest price since it was placed."""
        self.requested = True
        return entry.sell_trailing_fraction(self._address, float(size), float(fraction))

    def good_till(self, order: int, ts_ns: int) -> bool:
        """Lets an order that was asked for at this event, and is good till cancelled, end at this time; else False."""
        return entry.good_till(self._address, int(order), int(ts_ns))

    def oco(self, first: int, second: int) -> bool:
        """Of two orders asked for at this event, what one fills is taken from the other; False where one was not."""
        return entry.oco(self._address, int(first), int(second))

    def oto(self, parent: int, child: int) -> bool:
        """Of two orders asked for at this event, the second waits until the first is filled; False where one was not."""
        return entry.oto(self._address, int(parent), int(child))

    def protect(self, order: int, take_profit: float, stop_loss: float) -> bool:
        """A bracket around an order asked for at this event: once it is filled, a limit order and a stop close it, one or the other."""
        return entry.protect(self._address, int(order), float(take_profit), float(stop_loss))

    def cancel(self, order: int) -> bool:
        """Takes back the order with this number; one that isn't open any more is let be."""
        self.requested = True
        return entry.cancel(self._address, int(order))

    def amend(self, order: int, size: float, price: float) -> bool:
        """Gives the order another size and price (of a stop, its stop price); 0 leaves one as it is."""
        self.requested = True
        return entry.amend(self._address, int(order), float(size), float(price))

    def cancel_all(self) -> int:
        """Takes back the instrument's open orders; how many."""
        self.requested = True
        return entry.cancel_all(self._address)

    def target(self, size: float) -> int:
        """A market order for what is missing to this position, open orders counted; 0 when nothing is missing."""
        self.requested = True
        return entry.target(self._address, float(size))

    def size_for(self, notional: float) -> float:
        """The largest size, in whole increments, that this much of the quote currency is worth at the mark; 0 before the first price."""
        return entry.size_for(self._address, float(notional))

    def buy_notional(self, notional: float) -> int:
        """A market order to buy for so much of the quote currency at the mark; 0 when that is less than one increment."""
        self.requested = True
        return entry.buy_notional(self._address, float(notional))

    def sell_notional(self, notional: float) -> int:
        """A market order to sell for so much of the quote currency at the mark; 0 when that is less than one increment."""
        self.requested = True
        return entry.sell_notional(self._address, float(notional))

    def target_notional(self, notional: float) -> int:
        """As ``target``, with the position's worth at the mark."""
        self.requested = True
        return entry.target_notional(self._address, float(notional))

    def target_percent(self, fraction: float) -> int:
        """As ``target``, with the position's worth as a fraction of the equity: 0.5 is half of it."""
        self.requested = True
        return entry.target_percent(self._address, float(fraction))

    def target_risk(self, fraction: float, volatility: float) -> int:
        """As ``target``, with a position that wins or loses this fraction of the equity when the price moves by ``volatility``.

        ``volatility`` is in quote currency: an average true range, or a standard deviation of price changes. At 0 or below
        nothing is asked for.
        """
        self.requested = True
        return entry.target_risk(self._address, float(fraction), float(volatility))

    def set_timer(self, number: int, ts_ns: int) -> bool:
        """Lets ``on_timer`` be called at this time, before any event of it; False for a time that is over, or a number beyond 15."""
        return entry.set_timer(self._address, int(number), int(ts_ns))

    def clear_timer(self, number: int) -> bool:
        """Takes the timer back; False where it was not set."""
        return entry.clear_timer(self._address, int(number))


_CHUNK = 4096
_TYPES = {int: types.int64, float: types.float64}  # what the doors of ``entry`` take


def _direct(function: Any, *arguments: Any) -> Any:
    """The machine code that a call with these arguments comes to, itself to be called: it asks for no types, which takes half the time."""
    function(*arguments)
    return function.get_overload(tuple(numba.typeof(argument) for argument in arguments))


class InterpretedStrategy:
    """Runs a strategy as ordinary Python; the same interface as ``CompiledStrategy``, the same fills."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._on_bar: Callable[[Bar, Context], None] | None = getattr(strategy, "on_bar", None)
        self._on_trade: Callable[[Trade, Context], None] | None = getattr(strategy, "on_trade", None)
        self._on_quote: Callable[[Quote, Context], None] | None = getattr(strategy, "on_quote", None)
        self._on_book: Callable[[Book, Context], None] | None = getattr(strategy, "on_book", None)
        self._on_timer: Callable[[Timer, Context], None] | None = getattr(strategy, "on_timer", None)
        self._on_fill: Callable[[Fill, Context], None] | None = getattr(strategy, "on_fill", None)
        self.rehearse()

    def rehearse(self) -> None:
        """Loads what every event passes, on an account that is thrown away, and what the strategy's methods name.

        Else the first events, and the first order, would wait for it.
        """
        records = np.zeros(1, DESK)
        address = int(records.ctypes.data)
        self._match_event = _direct(entry.match_event, address, BAR, 0, 1, 1.0, 1.0, 1.0, 1.0, 1.0)
        self._mark_event = _direct(entry.mark_event, address, BAR, 0, 1.0, 1.0, 1.0, 1.0)
        self._market_event = _direct(entry.market_event, address, BAR, 0, 2, 1.0, 1.0, 1.0, 1.0, 1.0)
        self._settle_requests = _direct(entry.settle_requests, address)
        self._note_curve = _direct(entry.note_curve, address, np.zeros(1, CURVE), 0, 3)
        named = {name for method in methods_of(type(self._strategy)).values() for name in method.__code__.co_names}
        for name in sorted(named & METHODS.keys()):
            if (function := getattr(entry, name, None)) is not None:
                function.compile(tuple(_TYPES[hint] for name, hint in function.__annotations__.items() if name != "return"))

    def state_of(self, strategy: Strategy) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Nothing: the state is the instance itself."""
        return np.zeros(0, np.uint8)

    def drive(self, records: Any, block: Any, curve: Any, *columns_and_range: Any) -> int:
        """Handles the events from ``start`` to ``stop`` of the columns; the index that it got to."""
        *columns, start, stop = columns_and_range
        for begin in range(start, stop, _CHUNK):
            end = min(begin + _CHUNK, stop)
            rows = [column[begin:end].tolist() if len(column) else [0.0] * (end - begin) for column in columns]
            reached = self._drive_rows(records, curve, zip(*rows, strict=True))
            if reached < end - begin:
                return int(begin + reached)
        return int(stop)

    def _drive_rows(self, records: Any, curve: Any, rows: Any) -> int:
        address = int(records.ctypes.data)
        desk = records[0]
        account = desk["account"]
        ctx = Context(records)
        books = self._books(account)
        noted = int(account["curve_stride"]) > 0
        left = int(account["curve_left"])
        on_bar, on_trade, on_fill, on_timer = self._on_bar, self._on_trade, self._on_fill, self._on_timer
        market_event, match_event, mark_event = self._market_event, self._match_event, self._mark_event
        new = tuple.__new__  # a named tuple's own constructor takes twice as long
        timer_ns = memoryview(records["account"]["timer_ns"])
        done = 0
        for ts_ns, code, inst, a, b, c, d, e in rows:
            if on_timer is not None and ts_ns >= timer_ns[0]:
                self._fire_timers(address, desk, ctx, on_timer, timer_ns, ts_ns)
            ctx.current = inst
            if on_fill is None:
                full = market_event(address, code, inst, ts_ns, a, b, c, d, e)
            else:
                match_event(address, code, inst, ts_ns, a, b, c, d, e)
                self._tell_fills(desk, ctx, on_fill, inst)
                full = mark_event(address, code, inst, a, b, c, d)
            kind = code & KIND_BITS
            if kind == BAR:
                if on_bar is not None:
                    on_bar(new(Bar, (ts_ns, inst, a, b, c, d, e)), ctx)
            elif kind == TRADE:
                if on_trade is not None:
                    on_trade(new(Trade, (ts_ns, inst, a, b, int(c))), ctx)
            elif kind == QUOTE and self._on_quote is not None:
                self._on_quote(new(Quote, (ts_ns, inst, a, b, c, d)), ctx)
            if code & BOOK_END and self._on_book is not None:
                self._speak_of(desk, ctx, inst)
                self._on_book(books[inst], ctx)
            if ctx.requested:
                ctx.requested = False
                full = self._settle_requests(address)
            done += 1
            if noted:
                left -= 1
                if left <= 0:
                    self._note_curve(address, curve, inst, ts_ns)
                    left = int(account["curve_stride"])
            if full:
                break
        account["curve_left"] = left
        return done

    def prepare_timers(self, records: Any, block: Any) -> None:
        """Nothing has to be compiled."""

    def fire(self, records: Any, block: Any) -> None:
        """Lets the timer that is due first fire; what it asks for waits among the requests."""
        if self._on_timer is not None:
            ctx = Context(records)
            self._fire(int(records.ctypes.data), records[0], ctx, self._on_timer)

    def _fire(self, address: int, desk: Any, ctx: Context, on_timer: Callable[[Timer, Context], None]) -> None:
        number = entry.next_timer(address)
        ctx.current = 0
        if self._on_fill is not None:
            self._tell_fills(desk, ctx, self._on_fill, 0)
        on_timer(Timer(entry.now_ns(address), number), ctx)

    def _books(self, account: Any) -> list[Book]:
        if not account["books_at"]:
            return []
        return [Book(int(account["books_at"]) + number * BOOK_BYTES) for number in range(int(account["instruments"]))]

    def _fire_timers(
        self, address: int, desk: Any, ctx: Context, on_timer: Callable[[Timer, Context], None], timer_ns: Any, ts_ns: int
    ) -> None:
        while ts_ns >= timer_ns[0]:
            self._fire(address, desk, ctx, on_timer)
            if ctx.requested:
                ctx.requested = False
                entry.settle_requests(address)

    def _tell_fills(self, desk: Any, ctx: Context, on_fill: Callable[[Fill, Context], None], event_inst: int) -> None:
        account = desk["account"]
        while account["told"] < account["executions"]:
            told = desk["executions"][account["told"]]
            account["told"] += 1
            if told["kind"] == FILL:
                self._speak_of(desk, ctx, int(told["inst"]))
                on_fill(Fill(*(told[name].item() for name in _FILL_FIELDS)), ctx)
                self._speak_of(desk, ctx, event_inst)

    def _speak_of(self, desk: Any, ctx: Context, inst: int) -> None:
        """Lets ``ctx`` speak of this instrument, whatever a handler selected."""
        if ctx.current != inst:
            desk["account"]["current"] = ctx.current = inst


_FILL_FIELDS = ("ts_ns", "inst", "ref", "side", "price", "size", "fee", "maker")
