"""Result tables as files: Parquet or CSV, told by the name's suffix, and written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ..domain.errors import UserError

SUFFIXES = (".parquet", ".csv")


def check_table_path(path: Path, name: str) -> None:
    """UserError where no table could be written; ``name`` is the setting that the path was given with."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"{name} {path}: a table is written as Parquet or CSV; give a name that ends in {' or '.join(SUFFIXES)}")
    if path.is_dir():
        raise UserError(f"{name} {path}: is a folder; give the name of a file")


def write_table(path: Path, table: pa.Table, name: str) -> None:
    """Writes the table, and makes the folders above it; what stood there before stays until the new file is complete."""
    check_table_path(path, name)
    with replacing(path, name) as part, part.open("wb") as file:
        if path.suffix.lower() == ".csv":
            pa_csv.write_csv(table, file)
        else:
            pq.write_table(table, file)


@contextmanager
def replacing(path: Path, name: str) -> Iterator[Path]:
    """A file beside ``path`` that takes its place when the block ends well, and is gone when it does not. Folders are made."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{name} {path}: can't be written: {error.strerror or error}; choose another place") from None
