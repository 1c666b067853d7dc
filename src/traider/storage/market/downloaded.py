"""Files of bars that were downloaded: ordinary market data files that also say of what they are, and of which time.

The time is told because bars can't tell it: a minute without a trade has no bar, and one that was never asked for has none either.
"""

import os
from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...domain.errors import DataError
from ...domain.history import BarsOf, PastBar, ProviderError
from ..table_file import replacing
from .file import read_market_file
from .formats import BAR_COLUMNS, FileKind
from .source import first_line
from .values import Integers

_KEY = b"traider.download"
_COLUMNS: list[tuple[str, pa.DataType]] = [("ts", pa.int64()), *((name, pa.float64()) for name in BAR_COLUMNS), ("symbol", pa.string())]
SCHEMA = pa.schema(_COLUMNS)


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds: all bars of this kind that start in [``first_ns``, ``end_ns``)."""

    bars_of: BarsOf
    first_ns: int
    end_ns: int


class BarRows:
    """Bars as they come in, 48 bytes each."""

    def __init__(self) -> None:
        self._ts_ns = array("q")
        self._numbers = {name: array("d") for name in BAR_COLUMNS}

    def __len__(self) -> int:
        return len(self._ts_ns)

    def add(self, bars: Sequence[PastBar]) -> None:
        self._ts_ns.extend(bar.ts_ns for bar in bars)
        for name, numbers in self._numbers.items():
            numbers.extend(float(getattr(bar, name)) for bar in bars)

    def table(self, symbol: str) -> pa.Table:
        """The columns of a market data file."""
        numbers = [np.frombuffer(numbers, np.float64) for numbers in self._numbers.values()]
        return pa.table([np.frombuffer(self._ts_ns, np.int64), *numbers, pa.repeat(symbol, len(self))], schema=SCHEMA)


def read_downloaded(path: Path) -> tuple[Holding, pa.Table]:
    """What the file says that it holds, and its rows; DataError where it was not downloaded, or is damaged."""
    read_market_file(path)
    table = pq.read_table(path, use_threads=False)
    told = (table.schema.metadata or {}).get(_KEY)
    if told is None:
        raise DataError(f"{path}: is there, and is no file that was downloaded; give another --out, or --force to replace it")
    try:
        holding = msgspec.json.decode(told, type=Holding)
        return holding, table.select(SCHEMA.names).cast(SCHEMA)
    except (msgspec.MsgspecError, pa.ArrowException, KeyError) as error:
        raise DataError(f"{path}: does not say what was downloaded: {first_line(error)}; --force replaces it") from None


def write_downloaded(path: Path, holding: Holding, table: pa.Table) -> None:
    """Puts the file in place as a whole, after it has passed the checks of every market data file.

    ``ProviderError`` says what is wrong with the bars; then, and on any other error, what stood there before stays.
    """
    with replacing(path, "--out") as part:
        with part.open("wb") as file:
            pq.write_table(table.replace_schema_metadata({_KEY: msgspec.json.encode(holding)}), file)
            file.flush()
            os.fsync(file.fileno())
        try:
            checked = read_market_file(part)
        except DataError as error:
            reason = str(error).removeprefix(f"{part}: ")
            raise ProviderError(f"{path} is not written, what {holding.bars_of.provider} told can't be right: {reason}") from None
        first_ns, last_ns = checked.found.first_ns, checked.found.last_ns
        if checked.kind is not FileKind.BARS or not holding.first_ns <= first_ns <= last_ns < holding.end_ns:
            raise ProviderError(f"{path} is not written: its bars are not all of the time that was asked for")


def starts_of(table: pa.Table) -> Integers:
    """The bars' starts, in nanoseconds."""
    found: Integers = table.column("ts").combine_chunks().to_numpy()
    return found
