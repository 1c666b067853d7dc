"""Files of downloaded bars: exact, checked before they are put in place, and what stood there before stays where they are not."""

import os
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from traider.domain.errors import DataError, UserError
from traider.domain.history import BarsOf, PastBar, ProviderError
from traider.storage.market import FileKind, read_market_file
from traider.storage.market.downloaded import BarRows, Holding, read_downloaded, starts_of, write_downloaded

MINUTE_NS = 60 * 10**9
FIRST_NS = 1_767_225_600 * 10**9
HOLDING = Holding(bars_of=BarsOf(provider="Coinbase", symbol="BTC-USD", span_s=60), first_ns=FIRST_NS, end_ns=FIRST_NS + 10 * MINUTE_NS)


def bar(number: int, **more: Decimal) -> PastBar:
    prices = {"open": "65000.01", "high": "65000.03", "low": "64999.99", "close": "65000.02", "volume": "0.12345678"}
    return PastBar(ts_ns=FIRST_NS + number * MINUTE_NS, **{name: Decimal(text) for name, text in prices.items()} | more)


def rows(*bars: PastBar) -> BarRows:
    found = BarRows()
    found.add(bars)
    return found


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_market_data_and_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "new" / "anything.parquet"
    table = rows(bar(0), bar(1), bar(5)).table("BTC-USD")
    write_downloaded(path, HOLDING, table)
    file = read_market_file(path)
    assert (file.kind, file.symbols, str(file.price_increment)) == (FileKind.BARS, ("BTC-USD",), "0.01")
    assert file.ts_ns.tolist() == [FIRST_NS + number * MINUTE_NS for number in (0, 1, 5)]
    assert [str(column[0]) for column in file.columns.values()] == ["65000.01", "65000.03", "64999.99", "65000.02", "0.12345678"]
    holding, read = read_downloaded(path)
    assert (holding, starts_of(read).tolist()) == (HOLDING, file.ts_ns.tolist())
    assert read.equals(table)
    assert files(path.parent) == ["anything.parquet"]


@pytest.mark.parametrize(
    ("bars", "reason"),
    [
        ([bar(0), bar(1, high=Decimal(1))], "high 1.0 is below low 64999.99 in row 2"),
        ([bar(0), bar(0)], "two bars of one time"),
        ([bar(1), bar(0)], "time steps back in row 2"),
        ([bar(0, close=Decimal(0))], "column 'close' is 0.0 in row 1"),
        ([bar(0, volume=Decimal(-1))], "can't be negative"),
        ([bar(-1)], "not all of the time that was asked for"),
        ([bar(10)], "not all of the time that was asked for"),
        ([], "has no rows"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_what_is_no_good_is_not_put_in_place(bars: list[PastBar], reason: str, there: bool, tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    if there:
        write_downloaded(path, HOLDING, rows(bar(0)).table("BTC-USD"))
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    with pytest.raises(ProviderError, match=r"bars\.parquet is not written") as caught:
        write_downloaded(path, HOLDING, rows(*bars).table("BTC-USD"))
    assert reason in str(caught.value)
    assert ".part" not in str(caught.value)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupted_write_leaves_what_was_there(stop: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bars.parquet"
    write_downloaded(path, HOLDING, rows(bar(0)).table("BTC-USD"))
    before = path.read_bytes()

    def stopped(_: int) -> None:
        raise stop

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises((KeyboardInterrupt, UserError)):
        write_downloaded(path, HOLDING, rows(bar(0), bar(1)).table("BTC-USD"))
    assert (files(tmp_path), path.read_bytes()) == (["bars.parquet"], before)


def test_a_file_of_somebody_elses_is_told_apart(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(DataError, match="no file that was downloaded; give another --out, or --force"):
        read_downloaded(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet")
    path = tmp_path / "bars.parquet"
    table = rows(bar(0)).table("BTC-USD")
    for told in (b"no json", b"{}"):
        pq.write_table(table.replace_schema_metadata({b"traider.download": told}), path)
        with pytest.raises(DataError, match="does not say what was downloaded"):
            read_downloaded(path)
    other = table.drop_columns(["symbol"]).replace_schema_metadata({b"traider.download": msgspec.json.encode(HOLDING)})
    pq.write_table(other, path)
    with pytest.raises(DataError, match="does not say what was downloaded"):
        read_downloaded(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match="not a Parquet file"):
        read_downloaded(path)


def test_many_bars_take_little_memory_and_stay_exact() -> None:
    many = BarRows()
    many.add([bar(number, volume=Decimal(number).scaleb(-8)) for number in range(5000)])
    table = many.table("BTC-USD")
    volumes = table.column("volume").to_pylist()
    assert [str(Decimal(repr(volumes[number]))) for number in (1, 4999)] == ["1E-8", "0.00004999"]
    assert len(many) == table.num_rows == 5000
