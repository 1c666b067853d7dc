"""Market files that the exchange simulator plays: books with or without trades, trades, bars."""

from pathlib import Path

import numpy as np

from traider.connectors.sim.exchange.recording import Columns
from traider.domain.errors import DataError
from traider.domain.vocabulary import BOOK_CLEAR, BOOK_END, KIND_BITS, EventKind
from traider.storage.market import FileKind, MarketFile, Rows, read_market_file


def read_recording(path: Path) -> list[Columns]:
    """The file's columns, of a book with trades those of both; DataError in one line says what is wrong with it."""
    file = read_market_file(path)
    if len(file.symbols) > 1:
        raise DataError(f"{path}: holds {', '.join(file.symbols)}; give a file of one market")
    match file.kind:
        case FileKind.BARS | FileKind.TRADES:
            return [Columns(file.kind, str(path), {"ts": file.ts_ns, **file.columns})]
        case FileKind.DEPTH | FileKind.BOOK:
            return _book(file)
        case _:
            raise DataError(f"{path}: holds {file.kind}, which can't be traded on; give an order book, trades or bars")


def _book(file: MarketFile) -> list[Columns]:
    rows = Rows.joined(list(file.chunks()))
    depth = rows.kind & KIND_BITS == EventKind.DEPTH
    ends = (rows.kind & BOOK_END != 0).astype(np.int64)
    values = {
        "ts": rows.ts_ns[depth],
        "side": rows.c[depth],
        "price": rows.a[depth],
        "size": rows.b[depth],
        "is_snapshot": (rows.kind & BOOK_CLEAR != 0)[depth],
        "seq": (np.cumsum(ends) - ends)[depth],  # of its message
    }
    found = [Columns("l2", str(file.path), values)]
    if not depth.all():
        trade = ~depth
        values = {"ts": rows.ts_ns[trade], "price": rows.a[trade], "size": rows.b[trade], "side": rows.c[trade]}
        found.append(Columns("trades", str(file.path), values))
    return found
