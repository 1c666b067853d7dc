"""Compiles the kernel and the built-in strategies ahead of their first use: ``python -m traider.cli.warm``.

It takes up to a minute of one core, once for each version of traider and each machine; what it makes is kept in the cache folder.
"""

import sys
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.messages import BookMessage, read_message
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.vocabulary import BAR_MADE, BOOK_END, EventKind, OrderType, Side, TimeInForce
from traider.engine.session import Session
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.aggregators import TimeBars
from traider.kernel.bar_columns import BarCutter
from traider.kernel.cache import is_warm, note_warm
from traider.kernel.desk import Desk
from traider.kernel.kit import Strategy
from traider.kernel.ladder import Ladder
from traider.kernel.order_row import OrderRows
from traider.strategies.registry import BUILT_IN


def warm_up(strategies: list[type[Strategy]]) -> None:
    """Runs everything once that is compiled when it is first called."""
    instrument = _instrument()
    desk = Desk([instrument], cash=1e6)
    for number in range(3):
        desk.on_market(int(EventKind.BAR), 0, number, 1.0, 1.0, 1.0, 1.0, 1.0)
        placed, _ = desk.submit(
            inst=0,
            side=int(Side.BUY),
            type=int(OrderType.LIMIT),
            tif=int(TimeInForce.GTC),
            post_only=False,
            size=1.0,
            limit_price=0.5,
            stop_price=0.0,
        )
        desk.cancel(placed)
    rows = OrderRows(1)
    rows.put(0, 0, int(Side.BUY), int(OrderType.LIMIT), 1.0, 0.5, 0.0, int(TimeInForce.GTC), False, 0.0, 0, 0)
    desk.submit_rows(rows, 0, 1)
    if desk.controls is not None:
        desk.reserve_rows(desk.controls, rows, 0, 1)
    desk.apply_fill(order_id=0, inst=0, side=1, price=1.0, size=1.0, fee=0.0, ts_ns=3, maker=False)
    desk.restore_marks(day_start_equity=1e6, day_index=0, high_water_mark=1e6, marks=[1.0], now_ns=4)
    desk.breached()
    desk.orders_last_minute()
    desk.cash_reserved()
    levels = np.array([EventKind.DEPTH, EventKind.DEPTH | BOOK_END], np.uint8), np.array([1.0, 2.0]), np.ones(2), np.array([1.0, -1.0])
    Ladder().mids(*levels)
    BarCutter(TimeBars(1)).cut(np.arange(2), np.ones(2), np.ones(2))
    for strategy in strategies:
        for tape in streams(strategy):
            for interpreted in (False, True):
                Session(strategy(), Desk([instrument], cash=1e6), interpreted=interpreted).step(tape, 0, len(tape))


def warm_up_feed() -> None:
    """The same for the reader of Coinbase's frames and its books."""
    feed = CompiledMarketFeed([_instrument()], channels=("level2",), depth=False)
    moment = "2031-03-04T05:06:07.000008Z"
    for number, kind in enumerate(("snapshot", "update")):
        rows = [
            {"side": side, "event_time": moment, "price_level": price, "new_quantity": str(1 + number)}
            for side, price in (("bid", "1.00"), ("offer", "2.00"))
        ]
        event = {"type": kind, "product_id": "BTC-USD", "updates": rows}
        frame = msgspec.json.encode({"channel": "l2_data", "timestamp": moment, "sequence_num": number, "events": [event]})
        if kind == "update":
            feed.take_frame(frame, number, 0)
        elif isinstance(message := read_message(frame), BookMessage):
            feed.on_message(message, 0)
    feed.keepers["BTC-USD"].book.reach(1, 1.0)


def _instrument() -> Instrument:
    return instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))


def streams(strategy: type[Strategy]) -> list[Tape]:
    """A few events of each kind of file that the strategy acts on: it has code of its own for each."""
    ts_ns = np.arange(100, dtype=np.int64)
    ones, price = np.ones(100), np.linspace(1.0, 2.0, 100).round(2)
    handlers = strategy.handlers()
    if "on_bar" in handlers:
        return [bars_tape(ts_ns, price, price, price, price, price), _made_bars(ts_ns, price)]
    if "on_book" in handlers:
        return [_book(ts_ns, with_trades=with_trades) for with_trades in (False, True)]
    return [trades_tape(ts_ns, price, price, ones)]


def _made_bars(ts_ns: np.ndarray[Any, np.dtype[np.int64]], price: np.ndarray[Any, np.dtype[np.float64]]) -> Tape:
    """Trades and bars made of them, in turns, as a live market brings them."""
    kind = np.where(np.arange(len(ts_ns)) % 2 == 0, EventKind.TRADE, EventKind.BAR | BAR_MADE).astype(np.uint8)
    columns = (price, price, np.ones(len(ts_ns)), price, price)
    kinds = 1 << EventKind.TRADE | 1 << EventKind.BAR
    return Tape(ts_ns, kind, np.zeros(len(ts_ns), np.uint16), *columns, kinds=kinds, instruments=1)


def _book(ts_ns: np.ndarray[Any, np.dtype[np.int64]], *, with_trades: bool) -> Tape:
    """A bid at 1.00 and an ask at 2.00 that change their sizes, in turns, with a sale at the bid as the third of three."""
    turn = np.arange(len(ts_ns)) % (3 if with_trades else 2)
    kind = np.where(turn < 2, EventKind.DEPTH | BOOK_END, EventKind.TRADE).astype(np.uint8)
    price, side = np.where(turn == 1, 2.0, 1.0), np.where(turn == 0, 1.0, -1.0)
    size, zeros = np.linspace(1.0, 2.0, len(ts_ns)).round(2), np.zeros(len(ts_ns))
    kinds = 1 << EventKind.DEPTH | (1 << EventKind.TRADE if with_trades else 0)
    return Tape(ts_ns, kind, np.zeros(len(ts_ns), np.uint16), price, size, side, zeros, zeros, kinds=kinds, instruments=1)


def compile_ahead() -> None:
    """Compiles everything, where that was not done; the processes of a platform would each do it, in silence."""
    if is_warm():
        return
    print("compiling the engine, once for this version and machine: about a minute", file=sys.stderr, flush=True)
    main()


def main() -> None:
    warm_up(list(BUILT_IN.values()))
    warm_up_feed()
    note_warm()


if __name__ == "__main__":
    main()
