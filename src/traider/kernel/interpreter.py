"""A strategy as ordinary Python: for a debugger, for scikit-learn and PyTorch, and as the oracle of the compiled form.

``Context`` is also what type checkers and editors see. Its methods are those of ``traider.kernel.context``, called on the
same record.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import entry
from .driver import note_curve
from .events import Bar, Fill, Trade
from .kit import Strategy
from .layout import BAR, FILL, IOC, LIMIT, MARKET, STOP


class Context:
    """The market and the account as the strategy sees them. See ``docs/authors-guide.md``."""

    __slots__ = ("_address", "_averages", "_cash", "_equity", "_marks", "_open_orders", "_records", "_sizes", "current", "requested")

    def __init__(self, records: Any) -> None:
        self._records = records  # kept alive for its address
        self._address = int(records.ctypes.data)
        account, positions = records["account"], records["positions"][0]
        # views, because to read a field of a numpy record takes five times as long
        self._sizes, self._averages, self._marks = (memoryview(positions[name]) for name in ("size", "average_price", "mark_price"))
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
        """Mark price of the instrument: the last close or trade."""
        price: float = self._marks[self.current]
        return price

    def cash(self) -> float:
        """Cash in quote currency; what open orders would take is still in it."""
        cash: float = self._cash[0]
        return cash

    def equity(self) -> float:
        """Cash plus the positions at their marks, in quote currency."""
        equity: float = self._equity[0]
        return equity

    def pending(self) -> float:
        """Signed size of the instrument's orders that are open or just asked for."""
        return entry.pending(self._address)

    def open_orders(self) -> int:
        """How many orders of the account are open."""
        count: int = self._open_orders[0]
        return count

    def buy(self, size: float) -> int:
        """A market order to buy. Order methods return the order's number; 0 means too many requests at one event."""
        self.requested = True
        return entry.request(self._address, self.current, 1, MARKET, 0, 0, float(size), 0.0, 0.0)

    def sell(self, size: float) -> int:
        """A market order to sell."""
        self.requested = True
        return entry.request(self._address, self.current, -1, MARKET, 0, 0, float(size), 0.0, 0.0)

    def buy_limit(self, size: float, limit_price: float) -> int:
        """A limit order to buy, good till cancelled."""
        self.requested = True
        return entry.request(self._address, self.current, 1, LIMIT, 0, 0, float(size), float(limit_price), 0.0)

    def sell_limit(self, size: float, limit_price: float) -> int:
        """A limit order to sell, good till cancelled."""
        self.requested = True
        return entry.request(self._address, self.current, -1, LIMIT, 0, 0, float(size), float(limit_price), 0.0)

    def buy_post_only(self, size: float, limit_price: float) -> int:
        """A limit order to buy that is cancelled rather than take liquidity."""
        self.requested = True
        return entry.request(self._address, self.current, 1, LIMIT, 0, 1, float(size), float(limit_price), 0.0)

    def sell_post_only(self, size: float, limit_price: float) -> int:
        """A limit order to sell that is cancelled rather than take liquidity."""
        self.requested = True
        return entry.request(self._address, self.current, -1, LIMIT, 0, 1, float(size), float(limit_price), 0.0)

    def buy_ioc(self, size: float, limit_price: float) -> int:
        """A limit order to buy at once; what doesn't fill at once is cancelled."""
        self.requested = True
        return entry.request(self._address, self.current, 1, LIMIT, IOC, 0, float(size), float(limit_price), 0.0)

    def sell_ioc(self, size: float, limit_price: float) -> int:
        """A limit order to sell at once; what doesn't fill at once is cancelled."""
        self.requested = True
        return entry.request(self._address, self.current, -1, LIMIT, IOC, 0, float(size), float(limit_price), 0.0)

    def buy_stop(self, size: float, stop_price: float) -> int:
        """A market order to buy once the price reaches the stop."""
        self.requested = True
        return entry.request(self._address, self.current, 1, STOP, 0, 0, float(size), 0.0, float(stop_price))

    def sell_stop(self, size: float, stop_price: float) -> int:
        """A market order to sell once the price reaches the stop."""
        self.requested = True
        return entry.request(self._address, self.current, -1, STOP, 0, 0, float(size), 0.0, float(stop_price))

    def target(self, size: float) -> int:
        """A market order for what is missing to this position, open orders counted; 0 when nothing is missing."""
        order = entry.target(self._address, float(size))
        if order:
            self.requested = True
        return order

    def cancel(self, order: int) -> bool:
        """Takes back the order with this number; one that isn't open any more is let be."""
        self.requested = True
        return entry.cancel(self._address, order)

    def cancel_all(self) -> int:
        """Takes back the instrument's open orders; how many."""
        self.requested = True
        return entry.cancel_all(self._address)


_CHUNK = 4096


class InterpretedStrategy:
    """Runs a strategy as ordinary Python; the same interface as ``CompiledStrategy``, the same fills."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._on_bar: Callable[[Bar, Context], None] | None = getattr(strategy, "on_bar", None)
        self._on_trade: Callable[[Trade, Context], None] | None = getattr(strategy, "on_trade", None)
        self._on_fill: Callable[[Fill, Context], None] | None = getattr(strategy, "on_fill", None)

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
        noted = int(account["curve_stride"]) > 0
        left = int(account["curve_left"])
        on_bar, on_trade, on_fill = self._on_bar, self._on_trade, self._on_fill
        market_event, new = entry.market_event, tuple.__new__  # a named tuple's own constructor takes twice as long
        done = 0
        for ts_ns, kind, inst, a, b, c, d, e in rows:
            ctx.current = inst
            if on_fill is None:
                full = market_event(address, kind, inst, ts_ns, a, b, c, d)
            else:
                entry.match_event(address, kind, inst, ts_ns, a, b, c, d)
                self._tell_fills(desk, ctx, on_fill)
                full = entry.mark_event(address, kind, inst, a, d)
            if kind == BAR:
                if on_bar is not None:
                    on_bar(new(Bar, (ts_ns, inst, a, b, c, d, e)), ctx)
            elif on_trade is not None:
                on_trade(new(Trade, (ts_ns, inst, a, b, int(c))), ctx)
            if ctx.requested:
                ctx.requested = False
                full = entry.settle_requests(address)
            done += 1
            if noted:
                left -= 1
                if left <= 0:
                    note_curve(desk, curve, inst, ts_ns)
                    left = int(account["curve_stride"])
            if full:
                break
        account["curve_left"] = left
        return done

    def _tell_fills(self, desk: Any, ctx: Context, on_fill: Callable[[Fill, Context], None]) -> None:
        account = desk["account"]
        while account["told"] < account["executions"]:
            kind, _, ref, inst, side, maker, _, ts_ns, price, size, fee = desk["executions"][account["told"]].item()
            account["told"] += 1
            if kind == FILL:
                on_fill(Fill(ts_ns, inst, ref, side, price, size, fee, maker), ctx)
