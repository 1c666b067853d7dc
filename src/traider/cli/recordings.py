"""Market data files that the exchange simulator plays: every kind that has prices, as ``docs/market-data.md`` describes them."""

from pathlib import Path
from typing import Any

import numpy as np

from traider.connectors.sim.exchange.recording import Columns
from traider.domain.errors import DataError
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, KIND_BITS, EventKind
from traider.storage.market import BAR_COLUMNS, FileKind, MarketFile, Rows


def read_recording(path: Path, product_id: str) -> Columns:
    """The product's rows of the file; a file of one instrument is played whatever it is of. DataError in one line says what is wrong."""
    from traider.research.market import checked_file  # brings a compiler along, which an exchange without recordings does not need

    file = checked_file(path)
    if file.kind is FileKind.FUNDING:
        raise DataError(f"{path}: holds funding rates, which make no market; give bars, trades, quotes or an order book")
    rows = _rows(file, product_id)
    match file.kind:
        case FileKind.BARS:
            numbers = zip(BAR_COLUMNS, (rows.a, rows.b, rows.c, rows.d, rows.e), strict=True)
            return Columns("bars", str(path), {"ts": rows.ts_ns, **dict(numbers)})
        case FileKind.TRADES:
            return Columns("trades", str(path), {"ts": rows.ts_ns, "price": rows.a, "size": rows.b, "side": rows.c})
        case FileKind.QUOTES:
            return Columns("l2", str(path), _book_of_quotes(rows))
        case _:
            return Columns("l2", str(path), _book(rows))


def _rows(file: MarketFile, product_id: str) -> Rows:
    rows = Rows.joined(list(file.chunks()))
    if len(file.symbols) == 1:
        return rows
    if product_id not in file.symbols:
        raise DataError(f"{file.path}: holds {', '.join(file.symbols)}, not {product_id}; list one of these with --product")
    chosen = rows.inst == file.symbols.index(product_id)
    return Rows(*(column[chosen] if len(column) else column for column in rows.columns()))


def _book(rows: Rows) -> dict[str, Any]:
    return {
        "ts": rows.ts_ns,
        "price": rows.a,
        "size": rows.b,
        "side": rows.c,
        "trade": (rows.kind & KIND_BITS) == EventKind.TRADE,
        "clear": (rows.kind & BOOK_CLEAR) != 0,
        "end": (rows.kind & BOOK_END) != 0,
    }


def _book_of_quotes(rows: Rows) -> dict[str, Any]:
    """A book of one level a side: each quote takes away the level that it moved from, then tells the new one."""
    count = len(rows)
    bid_left, ask_left = (np.concatenate((prices[:1], prices[:-1])) for prices in (rows.a, rows.c))
    nothing, everywhere, nowhere = np.zeros(count), np.ones(count, bool), np.zeros(count, bool)
    first = np.arange(count) == 0
    told = np.column_stack((bid_left != rows.a, ask_left != rows.c, everywhere, everywhere))
    return {
        "ts": np.repeat(rows.ts_ns, told.sum(axis=1)),
        "price": np.column_stack((bid_left, ask_left, rows.a, rows.c))[told],
        "size": np.column_stack((nothing, nothing, rows.b, rows.d))[told],
        "side": np.tile([1.0, -1.0, 1.0, -1.0], (count, 1))[told],
        "trade": np.zeros(int(told.sum()), bool),
        "clear": np.column_stack((nowhere, nowhere, first, nowhere))[told],
        "end": np.column_stack((nowhere, nowhere, nowhere, everywhere))[told],
    }
