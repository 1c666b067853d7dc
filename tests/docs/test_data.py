"""Every recorded file says where it is from and under which licence it may be passed on."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

ROWS: dict[str, Callable[[Path], int]] = {
    ".parquet": lambda path: int(pq.ParquetFile(path).metadata.num_rows),
    ".jsonl": lambda path: len(path.read_text(encoding="utf-8").splitlines()),
    ".json": lambda path: 1,
}
ROW = re.compile(r"^\| `(?P<file>[^`]+)` \| (?P<rows>[\d,]+) \|.*\]\((?P<licence>[^)]+)\) \|$", re.MULTILINE)


def test_the_readme_describes_each_file(data_dir: Path) -> None:
    rows = {match["file"]: match for match in ROW.finditer((data_dir / "README.md").read_text(encoding="utf-8"))}
    recorded = {path.relative_to(data_dir).as_posix() for kind in ROWS for path in data_dir.rglob(f"*{kind}")}
    assert recorded, "no recorded data found"
    assert set(rows) == recorded
    for name, row in rows.items():
        path = data_dir / name
        assert ROWS[path.suffix](path) == int(row["rows"].replace(",", "")), name
        assert (data_dir / row["licence"]).is_file(), name


def test_time_never_steps_back(data_dir: Path) -> None:
    for path in data_dir.rglob("*.parquet"):
        times = pq.read_table(path, columns=["ts"])["ts"].to_numpy()
        assert (times[1:] >= times[:-1]).all(), path.name
