"""Market data on the command line: several files, instruments and kinds, bars of trades, and manifests that name them all."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from traider.cli.main import run

BOTH = """
from traider import Bar, Context, Strategy, Trade


class Both(Strategy):
    def setup(self) -> None:
        self.last = 0.0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.last = trade.price

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if bar.close < bar.open and self.last < bar.high else 0.0)


class OnlyBars(Strategy):
    def setup(self) -> None:
        self.bars = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.bars += 1
        ctx.target(self.quantity if self.bars % 2 else 0.0)
"""


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def trades(data_dir: Path) -> Path:
    return data_dir / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet"


@pytest.fixture
def parts(trades: Path, tmp_path: Path) -> Path:
    """A folder with the trades in three files."""
    table = pq.read_table(trades)
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, (start, stop) in enumerate(((0, 1700), (1700, 1701), (1701, 5000))):
        pq.write_table(table.slice(start, stop - start), folder / f"btcusdt_{number}.parquet")
    return folder


@pytest.fixture
def strategies(tmp_path: Path) -> Path:
    path = tmp_path / "both.py"
    path.write_text(BOTH)
    return path


Backtest = Callable[..., dict[str, Any]]


@pytest.fixture
def backtest(capsys: pytest.CaptureFixture[str]) -> Backtest:
    """Runs it with these words, and gives what it prints."""

    def do(strategy: str, *words: str) -> dict[str, Any]:
        status = run(["backtest", strategy, *words, "--quantity", "0.01", "--fee-taker", "0.001", "--json"])
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        said: dict[str, Any] = json.loads(printed.out)
        return said

    return do


EMA = ("--param", "span=100", "--param", "band=0.00005", "--fill", "same")


def test_files_that_follow_one_another_are_as_one(backtest: Backtest, trades: Path, parts: Path) -> None:
    whole = backtest("ema_band", "--data", str(trades), *EMA)
    assert whole["fills"] > 10
    files = [word for number in (2, 0, 1) for word in ("--data", str(parts / f"btcusdt_{number}.parquet"))]
    for words in (["--data", str(parts)], ["--data", str(parts / "*.parquet")], files):
        said = backtest("ema_band", *words, *EMA)
        assert (said["fills_sha256"], said["final_equity"], said["events"]) == (whole["fills_sha256"], whole["final_equity"], 5000)
    assert "instruments" not in whole
    assert whole["position"] in (0.0, 0.01)


def test_files_that_overlap_are_status_2(capsys: pytest.CaptureFixture[str], trades: Path, parts: Path) -> None:
    assert run(["backtest", "ema_band", "--data", str(parts), "--data", str(trades)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "begins before" in told
    assert told.count("\n") == 1


def test_each_instrument_has_its_own_result(backtest: Backtest, strategies: Path, data_dir: Path, tmp_path: Path) -> None:
    bars = data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet"
    table = pq.read_table(bars).slice(0, 500)
    for name in ("btc-usd.parquet", "eth-usd.parquet"):
        pq.write_table(table, tmp_path / name)
    alone = backtest(f"{strategies}:OnlyBars", "--data", str(tmp_path / "btc-usd.parquet"))
    said = backtest(f"{strategies}:OnlyBars", "--data", str(tmp_path / "btc-usd.parquet"), "--data", str(tmp_path / "eth-usd.parquet"))
    assert said["events"] == 2 * alone["events"] == 1000
    assert list(said["instruments"]) == ["BTC-USD", "ETH-USD"]
    assert said["position"] == said["instruments"]["BTC-USD"]["position"]
    assert sum(one["fills"] for one in said["instruments"].values()) == said["fills"]
    assert sum(one["fees"] for one in said["instruments"].values()) == pytest.approx(said["fees"])
    profit = sum(one["realized"] + one["unrealized"] - one["fees"] for one in said["instruments"].values())
    assert profit == pytest.approx(said["net_profit"])


def test_bars_are_made_of_trades_for_a_strategy_on_bars(backtest: Backtest, strategies: Path, trades: Path, parts: Path) -> None:
    said = backtest(f"{strategies}:OnlyBars", "--data", str(trades), "--bars", "5s")
    ts = pq.read_table(trades)["ts"].to_numpy() // 5_000_000_000
    bars = len(set(ts.tolist())) - 1  # the last one is not complete
    assert said["events"] == 5000 + bars
    assert said["fills"] == bars
    assert backtest(f"{strategies}:OnlyBars", "--data", str(parts), "--bars", "5s")["fills_sha256"] == said["fills_sha256"]


def test_a_strategy_on_both_sees_both(backtest: Backtest, strategies: Path, trades: Path) -> None:
    compiled = backtest(f"{strategies}:Both", "--data", str(trades), "--bars", "volume:1")
    assert compiled["fills"] > 10
    interpreted = backtest(f"{strategies}:Both", "--data", str(trades), "--bars", "volume:1", "--interpreted")
    assert interpreted["fills_sha256"] == compiled["fills_sha256"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--bars", "1week"), "--bars is '1week'; give a time"),
        ((), "holds trades, and strategy sma_cross acts on bars; give such data"),
    ],
)
def test_what_does_not_fit_is_status_2(capsys: pytest.CaptureFixture[str], trades: Path, words: tuple[str, ...], told: str) -> None:
    assert run(["backtest", "sma_cross", "--data", str(trades), *words]) == 2
    assert told in capsys.readouterr().err


# --- manifests ---


@pytest.fixture
def manifest(backtest: Backtest, strategies: Path, parts: Path, tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    backtest(f"{strategies}:Both", "--data", str(parts), "--bars", "volume:1", "--manifest-out", str(path))
    return path


def reproduced(capsys: pytest.CaptureFixture[str], manifest: Path, *words: str) -> bool:
    assert run(["verify", "reproduce", str(manifest), *words, "--json"]) == 0
    return bool(json.loads(capsys.readouterr().out)["reproduced"])


def test_a_manifest_names_every_file_and_the_bars(manifest: Path, parts: Path) -> None:
    said = json.loads(manifest.read_text())
    assert [source["path"] for source in said["data"]] == [str(parts / f"btcusdt_{number}.parquet") for number in range(3)]
    assert (said["manifest"], said["bars"], [one["symbol"] for one in said["instruments"]]) == (2, "volume:1", ["BTC-USDT"])


def test_it_runs_again_wherever_its_files_are(capsys: pytest.CaptureFixture[str], manifest: Path, parts: Path, tmp_path: Path) -> None:
    assert reproduced(capsys, manifest)
    moved = tmp_path / "moved"
    moved.mkdir()
    for number, name in enumerate("zyx"):  # other names, in another order
        shutil.move(parts / f"btcusdt_{number}.parquet", moved / f"{name}.parquet")
    assert reproduced(capsys, manifest, "--data", str(moved))


def test_a_file_too_many_or_too_few_is_status_2(capsys: pytest.CaptureFixture[str], manifest: Path, parts: Path, trades: Path) -> None:
    assert run(["verify", "reproduce", str(manifest), "--data", str(parts), "--data", str(trades)]) == 2
    assert "is not the file of the manifest" in capsys.readouterr().err
    assert run(["verify", "reproduce", str(manifest), "--data", str(parts / "btcusdt_0.parquet")]) == 2
    assert "btcusdt_1.parquet: is a file of the manifest and not among the data" in capsys.readouterr().err


def test_a_manifest_of_the_first_release_runs_again(
    capsys: pytest.CaptureFixture[str], backtest: Backtest, data_dir: Path, tmp_path: Path
) -> None:
    bars, path = data_dir / "bars" / "coinbase_btcusd_1d_lean.parquet", tmp_path / "run.json"
    backtest("sma_cross", "--data", str(bars), "--manifest-out", str(path))
    said = json.loads(path.read_text())
    first = {name: value for name, value in said.items() if name not in ("instruments", "data", "bars", "fee_tiers", "simulation")}
    first |= {"manifest": 1, "instrument": said["instruments"][0], "data": {name: said["data"][0][name] for name in ("path", "sha256")}}
    path.write_text(json.dumps(first))
    assert reproduced(capsys, path)
    path.write_text(json.dumps({**first, "bars": "1m"}))
    assert run(["verify", "reproduce", str(path)]) == 2
    assert "unknown field `bars`" in capsys.readouterr().err


def test_an_order_book_with_its_trades_is_one_file(backtest: Backtest, data_dir: Path, tmp_path: Path) -> None:
    """As the contract writes it: kind, price, size, side, is_snapshot."""
    depth = pq.read_table(data_dir / "l2" / "binance_usdm_btcusdt_l2_2024-08-08_first.parquet")
    trades = pq.read_table(data_dir / "trades" / "binance_usdm_btcusdt_trades_2024-08-08_first.parquet")
    levels = pa.table(
        {
            "ts": depth["ts"],
            "kind": depth["side"],
            "price": depth["price"],
            "size": depth["size"],
            "side": pa.nulls(len(depth), pa.string()),
            "is_snapshot": depth["is_snapshot"],
        }
    )
    takers = pa.table(
        {
            "ts": trades["ts"],
            "kind": pa.array(["trade"] * len(trades)),
            "price": trades["price"],
            "size": trades["size"],
            "side": trades["side"],
            "is_snapshot": pa.array([False] * len(trades)),
        }
    )
    both = pa.concat_tables([levels, takers], promote_options="permissive")
    first = pc.less(both["ts"], levels["ts"][0])  # before the snapshot
    path = tmp_path / "btc-usdt.parquet"
    pq.write_table(both.filter(pc.invert(first)).sort_by("ts"), path)
    said = backtest("ema_band", "--data", str(path), "--param", "span=20", "--param", "band=0.00001", "--fill", "same")
    assert said["instrument"] == "BTC-USDT"
    assert said["events"] == pq.ParquetFile(path).metadata.num_rows
