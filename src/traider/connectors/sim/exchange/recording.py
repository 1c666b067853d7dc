"""A recorded market as messages: a book with or without trades, trades alone (with a book made around them), or bars."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from traider.domain.errors import DataError

from .products import Product
from .quoter import Quoter
from .tape import Message, Row, Word
from .units import ONE, text

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
_LARGEST = 2**62
_MOST_ROUNDED = 0.01  # of a price: more would make another market of it


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one file. Of trades: ts, price, size, side; of bars: ts, open, high, low, close, volume.

    Of a book: ts, price, size, side (+1 bid, -1 ask; of a trade the taker's), and flags: ``trade``, ``clear`` (the first row of a
    snapshot), ``end`` (the last row of a message).
    """

    kind: str  # l2, trades, bars
    name: str
    values: Mapping[str, Any]


def recorded_market(product: Product, files: list[Columns], *, seed: int, depth: int, infer_trades: bool) -> "RecordedMarket":
    """The market in these files: at most one book and one of trades or bars."""
    kinds = [file.kind for file in files]
    if kinds.count("l2") > 1 or len(kinds) - kinds.count("l2") > 1:
        raise DataError(f"{files[-1].name}: {product.product_id} has a file of that kind already; give one book and one of trades or bars")
    book = next((_depth(product, file) for file in files if file.kind == "l2"), None)
    if book is not None and len(files) > 1 and book.trade.any():
        raise DataError(f"{files[-1].name}: the trades of {product.product_id} are in the book's file already; leave one of them out")
    trades = next((_trades(product, file) for file in files if file.kind == "trades"), None)
    trades = trades or next((_bars(product, file) for file in files if file.kind == "bars"), None)
    return RecordedMarket(product, book, trades, seed, depth, infer_trades)


@dataclass(frozen=True, slots=True)
class Depth:
    """A book, with trades where they were recorded with it: they keep their places among its rows."""

    ts_ns: Integers
    side: Integers
    ticks: Integers
    lots: Integers
    trade: Flags
    clear: Flags
    starts: Integers  # the first row of each message

    def message(self, number: int) -> tuple[int, list[Row]]:
        """Time and rows of one message."""
        first = int(self.starts[number])
        last = int(self.starts[number + 1]) if number + 1 < len(self.starts) else len(self.ts_ns)
        part = slice(first, last)
        columns = (self.trade, self.clear, self.side, self.ticks, self.lots)
        rows: list[Row] = []
        for trade, clear, side, ticks, lots in zip(*(column[part].tolist() for column in columns), strict=True):
            if clear:
                rows.append((Word.CLEAR, 0, 0, 0))
            rows.append((Word.TRADE if trade else Word.LEVEL, side, ticks, lots))
        return int(self.ts_ns[first]), rows


@dataclass(frozen=True, slots=True)
class Trades:
    ts_ns: Integers
    side: Integers
    ticks: Integers
    lots: Integers


@dataclass(frozen=True, slots=True)
class RecordedMarket:
    product: Product
    depth: Depth | None
    trades: Trades | None
    seed: int
    levels: int
    infer: bool

    @property
    def infers_trades(self) -> bool:
        return self.infer and self.trades is None and not (self.depth is not None and self.depth.trade.any())

    def messages(self) -> Iterator[Message]:
        return self._around_trades() if self.depth is None else self._merged()

    def _merged(self) -> Iterator[Message]:
        """Trades go before the book's message of the same moment: the book already tells what they left."""
        depth, trades = self.depth, self.trades
        if depth is None:
            return
        at = 0
        for number in range(len(depth.starts)):
            ts_ns, rows = depth.message(number)
            while trades is not None and at < len(trades.ts_ns) and trades.ts_ns[at] <= ts_ns and number:
                yield Message(int(trades.ts_ns[at]), [_trade(trades, at)])
                at += 1
            yield Message(ts_ns, rows)
            while not number and trades is not None and at < len(trades.ts_ns) and trades.ts_ns[at] < ts_ns:
                at += 1  # before the book was known
        while trades is not None and at < len(trades.ts_ns):
            yield Message(int(trades.ts_ns[at]), [_trade(trades, at)])
            at += 1

    def _around_trades(self) -> Iterator[Message]:
        trades = self.trades
        if trades is None:
            return
        rng = random.Random(f"{self.seed} {self.product.product_id}")  # noqa: S311  - a simulation
        quoter = Quoter(rng, depth=self.levels, ticks=int(trades.ticks[0]), lots_per_unit=ONE / self.product.grid.notional)
        for at in range(len(trades.ts_ns)):
            word, side, ticks, lots = _trade(trades, at)
            bid, ask = (ticks - 1, ticks) if side > 0 else (ticks, ticks + 1)
            rows = quoter.requote(max(1, bid), max(2, ask)) if quoter.bid != bid else []
            yield Message(int(trades.ts_ns[at]), [*rows, *quoter.refresh(), (word, side, ticks, lots)])


def _trade(trades: Trades, at: int) -> Row:
    return (Word.TRADE, int(trades.side[at]), int(trades.ticks[at]), int(trades.lots[at]))


def _depth(product: Product, file: Columns) -> Depth:
    values = file.values
    trade: Flags = values["trade"]
    side, ticks = values["side"].astype(np.int64), _whole(file, "price", product.grid.tick, least=1)
    side[trade] = _takers(side[trade], ticks[trade])
    lots = np.maximum(_whole(file, "size", product.grid.lot, least=0), trade)  # a trade is of a lot at least
    return Depth(values["ts"], side, ticks, lots, trade, values["clear"], _starts(trade, values["end"]))


def _starts(trade: Flags, end: Flags) -> Integers:
    """The first row of each message. It begins with its first level; a trade before that is a message of its own."""
    levels = np.cumsum(~trade)
    before = np.concatenate(([0], np.flatnonzero(end) + 1))  # where the row after an end is
    ended = np.concatenate(([0], np.cumsum(end[:-1])))  # messages that are over, at each row
    seen: Integers = levels - np.concatenate(([0], levels))[before][ended]
    starts: Integers = np.flatnonzero((seen == 0) | (~trade & (seen == 1)))
    return starts


def _trades(product: Product, file: Columns) -> Trades:
    ticks = _whole(file, "price", product.grid.tick, least=1)
    side = _takers(file.values["side"].astype(np.int64), ticks)
    return Trades(file.values["ts"], side, ticks, _whole(file, "size", product.grid.lot, least=1))


def _takers(side: Integers, ticks: Integers) -> Integers:
    """The takers' sides; where the tape names none, a price that doesn't fall was bought."""
    guessed = np.where(np.diff(ticks, prepend=ticks[:1]) >= 0, 1, -1)
    known: Integers = np.where(side == 0, guessed, side)
    return known


def _bars(product: Product, file: Columns) -> Trades:
    """Four trades a bar, a quarter of its volume each: open, then the nearer of high and low, the other, close."""
    values = file.values
    ts = values["ts"]
    length = int(np.median(np.diff(ts))) if len(ts) > 1 else 60 * 10**9
    rising = values["close"] >= values["open"]
    path = [
        values["open"],
        np.where(rising, values["low"], values["high"]),
        np.where(rising, values["high"], values["low"]),
        values["close"],
    ]
    prices = np.column_stack(path).ravel()
    moments = (ts[:, None] + np.array([0, 1, 2, 3]) * (length // 4)).ravel()
    sizes = np.repeat(values["volume"] / 4.0, 4)
    trades = Columns("trades", file.name, {"ts": moments, "price": prices, "size": sizes, "side": np.zeros(len(prices))})
    return _trades(product, trades)


def _whole(file: Columns, name: str, atoms: int, *, least: int) -> Integers:
    """The column as the nearest whole numbers of increments."""
    per_unit = ONE // atoms if ONE % atoms == 0 else ONE / atoms
    values = np.rint(file.values[name] * float(per_unit))
    if not np.all(np.isfinite(values)) or np.any(values > _LARGEST) or np.any(values < 0):
        row = int(np.flatnonzero(~(np.isfinite(values) & (values <= _LARGEST) & (values >= 0)))[0])
        raise DataError(f"{file.name}: {name} is {file.values[name][row]} in row {row}; it must be a number that is not negative")
    whole: Integers = np.maximum(values, least).astype(np.int64)
    if name == "price":
        _check_rounding(file, whole / float(per_unit), atoms)
    return whole


def _check_rounding(file: Columns, rounded: Floats, atoms: int) -> None:
    prices = file.values["price"]
    if (far := np.abs(rounded - prices) > _MOST_ROUNDED * prices).any():
        row = int(np.flatnonzero(far)[0])
        raise DataError(
            f"{file.name}: price {prices[row]} in row {row} is far from a multiple of the price increment {text(atoms)}; "
            "give a finer --price-increment"
        )
