"""Whoever opens the market data file by its path is given the copy, by whatever library; and the line that did is known."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from traider.research.opened import Opened

# Each reads the file at PATH; the copy has two rows, the original three.
READERS = {
    "open": "len(pq.read_table(io.BytesIO(open(PATH, 'rb').read())))",
    "Path.open": "len(pq.read_table(Path(PATH).open('rb')))",
    "Path.read_bytes": "len(pq.read_table(io.BytesIO(Path(PATH).read_bytes())))",
    "os.open": "len(pq.read_table(os.fdopen(os.open(PATH, os.O_RDONLY), 'rb')))",
    "gzip": "gzip.open(GZ, 'rt').read().count(chr(10)) - 1",
    "numpy.load": "len(np.load(NPY))",
    "numpy.load mapped": "len(np.load(NPY, mmap_mode='r'))",
    "numpy.fromfile": "len(np.fromfile(RAW, np.float64))",
    "numpy.memmap": "len(np.memmap(RAW, np.float64, 'r'))",
    "numpy.loadtxt": "len(np.loadtxt(CSV, skiprows=1))",
    "pyarrow.parquet.read_table": "len(pq.read_table(PATH))",
    "pyarrow.parquet.read_table named": "len(pq.read_table(source=PATH))",
    "pyarrow.parquet.ParquetFile": "pq.ParquetFile(PATH).metadata.num_rows",
    "pyarrow.parquet.ParquetDataset": "len(pq.ParquetDataset(PATH).read())",
    "pyarrow.dataset": "ds.dataset(PATH).count_rows()",
    "pyarrow.dataset of a list": "ds.dataset([PATH]).count_rows()",
    "pyarrow.memory_map": "len(pq.read_table(pa.memory_map(PATH)))",
    "pyarrow.csv": "len(pa_csv.read_csv(CSV))",
    "pyarrow.feather": "len(feather.read_table(FEATHER))",
    "pandas.read_parquet": "len(pd.read_parquet(PATH))",
    "pandas.read_parquet Path": "len(pd.read_parquet(Path(PATH)))",
    "pandas.read_csv": "len(pd.read_csv(CSV))",
    "pandas.read_feather": "len(pd.read_feather(FEATHER))",
    "polars.read_parquet": "len(pl.read_parquet(PATH))",
    "polars.scan_parquet": "len(pl.scan_parquet(PATH).collect())",
    "polars.read_csv": "len(pl.read_csv(CSV))",
    "polars.scan_csv": "len(pl.scan_csv(CSV).collect())",
    "polars.read_ipc": "len(pl.read_ipc(FEATHER))",
}
SUFFIXES = {"PATH": "parquet", "GZ": "csv.gz", "NPY": "npy", "RAW": "raw", "CSV": "csv", "FEATHER": "feather"}
SCRIPT = """
import json, sys
from pathlib import Path
from traider.research.redirect import Redirect
original, copy, readers = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
names = {name: f"market.{suffix}" for name, suffix in json.loads(sys.argv[4]).items()}
redirect = Redirect({original / name: copy / name for name in names.values()})
redirect.install()
import gzip, io, os
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
import pyarrow.csv as pa_csv, pyarrow.dataset as ds, pyarrow.feather as feather, pyarrow.parquet as pq
paths = {name: str(original / file) for name, file in names.items()}
found = {}
for reader, expression in readers.items():
    redirect._reads.clear()
    found[reader] = [eval(expression, {**globals(), **paths}), any(read.market for read in redirect.reads)]
print(json.dumps(found))
"""


def write(path: Path, rows: int) -> None:
    """A column of so many rows, in the format that the name says."""
    values = np.arange(float(rows))
    table = pa.table({"close": values})
    text = "close\n" + "".join(f"{value}\n" for value in values)
    match path.suffix:
        case ".parquet":
            pq.write_table(table, path)
        case ".feather":
            feather.write_feather(table, str(path), compression="uncompressed")
        case ".csv":
            pa_csv.write_csv(table, path)
        case ".gz":
            path.write_bytes(gzip.compress(text.encode()))
        case ".npy":
            np.save(path, values)
        case ".raw":
            values.tofile(path)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, bool]]:
    """Of each reader how many rows it got, and whether it was noticed; all in one process, which is then done for."""
    folder = tmp_path_factory.mktemp("readers")
    for name, rows in (("original", 3), ("copy", 2)):
        (folder / name).mkdir()
        for suffix in SUFFIXES.values():
            write(folder / name / f"market.{suffix}", rows)
    script = folder / "author.py"
    script.write_text(SCRIPT)
    words = [str(script), str(folder / "original"), str(folder / "copy"), json.dumps(READERS), json.dumps(SUFFIXES)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    read: dict[str, tuple[int, bool]] = json.loads(done.stdout)
    return read


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_is_given_the_copy(reader: str, found: dict[str, tuple[int, bool]]) -> None:
    rows, noticed = found[reader]
    assert rows == 2
    assert noticed


def test_opening_a_file_is_noticed_whoever_opens_it(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"data")
    opened = Opened(file)
    try:
        assert not opened.seen()
        subprocess.run(["cat", str(file)], check=True, capture_output=True)
        assert opened.seen() == (sys.platform == "linux")
        assert not opened.seen()
    finally:
        opened.close()


def test_a_file_that_is_not_there_is_opened_by_nobody(tmp_path: Path) -> None:
    assert not Opened(tmp_path / "none").seen()
