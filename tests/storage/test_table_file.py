"""Result tables: whole or not at all, as Parquet or CSV, and one line where that can't be."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from traider.domain.errors import UserError
from traider.storage.table_file import check_table_path, write_table

TABLE = pa.table({"ts": pa.array([1, 2**62], pa.int64()), "side": ["buy", "sell"], "price": [0.1, 1e-9]})


def test_parquet_keeps_every_bit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "fills.parquet"
    write_table(path, TABLE, "--fills")
    assert pq.read_table(path) == TABLE
    assert list(path.parent.iterdir()) == [path]


def test_csv_has_a_heading_and_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "fills.CSV"
    write_table(path, TABLE, "--fills")
    assert path.read_text(encoding="utf-8").splitlines()[0] == '"ts","side","price"'
    assert pa_csv.read_csv(path) == TABLE


def test_what_stood_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "fills.parquet"
    path.write_bytes(b"old")
    write_table(path, TABLE, "--fills")
    assert pq.read_table(path).num_rows == 2


@pytest.mark.parametrize("name", ["fills.xlsx", "fills", "fills.parquet.gz"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"^--fills .*ends in \.parquet or \.csv$"):
        check_table_path(tmp_path / name, "--fills")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "fills.parquet"
    folder.mkdir()
    with pytest.raises(UserError, match="is a folder"):
        write_table(folder, TABLE, "--fills")


def test_a_place_that_can_not_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"^--fills .*can't be written: ") as raised:
        write_table(tmp_path / "file" / "fills.csv", TABLE, "--fills")
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_keeps_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    path.write_text("old")
    nested = pa.table({"ts": [[1, 2]]})  # which CSV has no way to write
    with pytest.raises(pa.ArrowInvalid):
        write_table(path, nested, "--fills")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("fills.csv", "old")]
