"""Market data files: recognised by their columns, checked row by row, read in chunks.

``formats`` tells the kinds of files, ``source`` reads batches, ``block`` decodes them, ``values``, ``increment`` and ``messages``
look at what is in them, ``survey`` is the first pass over a file, ``file`` the file itself. ``docs/market-data.md`` is for users.
"""

from .file import MarketFile, market_frame, read_market_file
from .formats import BAR_COLUMNS, TRADE_COLUMNS, FileKind
from .rows import Rows
from .source import file_sha256
from .survey import RowCheck, added
from .values import Notes, row_words

__all__ = [
    "BAR_COLUMNS",
    "TRADE_COLUMNS",
    "FileKind",
    "MarketFile",
    "Notes",
    "RowCheck",
    "Rows",
    "added",
    "file_sha256",
    "market_frame",
    "read_market_file",
    "row_words",
]
