"""Where rows come from, batch by batch: a Parquet file, or a frame in memory."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ...domain.errors import DataError
from .values import row_words

BATCH_ROWS = 131_072  # decoded together: large enough that what is done once a batch costs nothing, small beside any memory
_READ_AHEAD = 1 << 20  # bytes of a column that are read at a time, so that a large row group is not in memory as a whole

_NO_FILE = "there is no such file; give the path of a Parquet file of market data"

Batch = Mapping[str, Any]


class Source(Protocol):
    """Columns of equal length, in the order of the rows. ``path`` is what messages call it."""

    path: Path
    schema: pa.Schema
    rows: int

    def batches(self, names: tuple[str, ...], rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """The columns of these names, at most so many rows a batch; any number of times."""
        ...

    def sha256(self) -> str | None:
        """Of a file's bytes."""
        ...


class ParquetSource:
    """DataError says why the file can't be opened, is damaged, or has changed since it was opened first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        parquet = self._open()
        self._state = _state(path)
        self.schema = parquet.schema_arrow
        self.rows = int(parquet.metadata.num_rows)
        groups = sum(parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups))
        if self.rows < 0 or groups != self.rows:
            raise DataError(f"{path}: can't be read: it says that it has {self.rows} rows, and has {groups}; write it again")

    def batches(self, names: tuple[str, ...], rows: int = BATCH_ROWS) -> Iterator[Batch]:
        path, at = self.path, 0
        parquet = self._open()
        if _state(path) != self._state:
            raise DataError(f"{path}: has changed since it was checked; start again when nothing writes to it")
        try:
            for batch in parquet.iter_batches(rows, columns=list(names), use_threads=False):
                if len(batch):
                    yield {name: batch.column(name) for name in names}
                at += len(batch)
            if at != self.rows:
                raise pa.ArrowInvalid(f"it says that it has {self.rows} rows, and has {at}")
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path}: can't be read after {row_words(at)}: {first_line(error)}; the file is damaged, write it again"
            ) from None
        finally:
            parquet.close()
            pa.default_memory_pool().release_unused()  # what decoding needed is of no more use

    def sha256(self) -> str:
        """Of the file's bytes."""
        return file_sha256(self.path)

    def _open(self) -> pq.ParquetFile:
        path = self.path
        if not path.exists():
            raise DataError(f"{path}: {_NO_FILE}")
        try:
            parquet = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_AHEAD)
            _ = parquet.schema_arrow  # read now, so that what is wrong with it is told here
        except pa.ArrowInvalid:
            raise DataError(
                f"{path}: is not a Parquet file (or it is cut off); write it with pyarrow, polars or pandas.to_parquet"
            ) from None
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise DataError(f"{path}: can't be read: {error.strerror}; check its permissions") from None
            raise DataError(f"{path}: is damaged: {first_line(error)}; write it again") from None
        return parquet


def file_sha256(path: Path) -> str:
    """Of the file's bytes; DataError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DataError(f"{path}: {_NO_FILE}") from None
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror}; give the path of a Parquet file of market data") from None


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


class FrameSource:
    """A table in memory; anything that Arrow can read, as pyarrow, pandas and polars have it."""

    def __init__(self, frame: object) -> None:
        self.path = Path("frame")
        try:
            self._table = frame if isinstance(frame, pa.Table) else pa.table(frame)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(
                f"data is {type(frame).__name__}: {first_line(error)}; give a path, or a pyarrow, pandas or polars frame of market data"
            ) from None
        self.schema = self._table.schema
        self.rows = int(self._table.num_rows)

    def batches(self, names: tuple[str, ...], rows: int = BATCH_ROWS) -> Iterator[Batch]:
        for start in range(0, self.rows, rows):
            part = self._table.slice(start, rows)
            yield {name: _one_array(part.column(name)) for name in names}

    def sha256(self) -> str | None:
        """None: what a frame's columns hold is known when they are decoded."""
        return None


def _one_array(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].strip()
