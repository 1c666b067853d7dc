"""``traider.backtest``: the command's run from Python, over files and over frames of every kind."""

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import traider
from traider.cli.main import run
from traider.domain.errors import UserError
from traider.domain.limits import RiskLimits
from traider.kernel.simulation import Simulation, Slippage, SlippageKind
from traider.strategies.sma_cross import SmaCross

MINUTE_NS = 60_000_000_000
FRAMES: dict[str, Callable[[pa.Table], object]] = {
    "pyarrow": lambda table: table,
    "record batch": lambda table: table.to_batches()[0],
    "pandas": lambda table: table.to_pandas(),
    "pandas with an index": lambda table: table.to_pandas().set_index("ts", drop=False),
    "polars": polars.from_arrow,
    "columns": lambda table: table.to_pydict(),
}
every_frame = pytest.mark.parametrize("frame_of", FRAMES.values(), ids=FRAMES)


def waves(rows: int = 400) -> pa.Table:
    price = np.round(100 + 10 * np.sin(np.arange(rows) / 20), 2)
    columns = {"ts": np.arange(rows) * MINUTE_NS, "open": price, "high": price, "low": price, "close": price, "volume": np.ones(rows)}
    return pa.table(columns)


def ticks(rows: int = 400) -> pa.Table:
    price = np.round(100 + 10 * np.sin(np.arange(rows) / 20), 2)
    side = (["buy", "sell", None] * rows)[:rows]
    return pa.table({"ts": np.arange(rows) * MINUTE_NS, "price": price, "size": np.ones(rows), "side": side})


@pytest.fixture
def bars(data_dir: Path) -> Path:
    return data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet"


def test_a_file_gives_what_the_command_gives(
    bars: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path))
    words = ["--param", "fast=10", "--quantity", "0.5", "--cash", "50000", "--fee-taker", "0.001", "--fill", "close", "--json"]
    assert run(["backtest", "sma_cross", "--data", str(bars), *words]) == 0
    said = json.loads(capsys.readouterr().out)
    ours = traider.backtest("sma_cross", bars, params={"fast": 10}, quantity=0.5, cash=50_000, fee_taker=0.001, fill="close")
    assert (ours.fills_sha256, ours.final_equity) == (said["fills_sha256"], said["final_equity"])
    assert (ours.parameters, ours.notes, ours.run.data.sha256) == (said["params"], said["notes"], said["data_sha256"])
    assert json.loads(json.dumps(ours.statistics)) == said["statistics"]
    assert ours.provenance == said["provenance"]
    assert (said["provenance"]["fidelity"], said["provenance"]["fill"], said["provenance"]["data_sha256"]) == (
        "bars",
        "same",
        said["data_sha256"],
    )


def test_every_setting_of_the_command_is_one_of_a_notebook_and_reaches_the_engine() -> None:
    """Each of these changes what comes out; a setting that is taken and forgotten would not. (Tiers count from the next day on.)"""
    three_days = waves(4320)
    plain = traider.backtest(SmaCross, three_days, params={"fast": 3, "slow": 9}, fee_taker=0.001)
    settings: dict[str, dict[str, Any]] = {
        "simulation": {"simulation": Simulation(slippage=Slippage(kind=SlippageKind.TICKS, value=5))},
        "fee_tiers": {"fee_tiers": [(500.0, 0.0, 0.0005)]},
        "instruments": {"instruments": {"*": {"taker_fee": "0.002"}}},
        "fill": {"fill": "close"},
        "limits": {"limits": {"max_order_notional": 100}},
        "cash": {"cash": 90.0},
    }
    for name, changed in settings.items():
        run = traider.backtest(SmaCross, three_days, params={"fast": 3, "slow": 9}, **{"fee_taker": 0.001, **changed})
        assert run.final_equity - run.run.spec.cash != plain.final_equity - plain.run.spec.cash, name
    margin = traider.backtest(SmaCross, waves(), market="margin", leverage=4).run.spec.instrument
    assert (margin.shortable, margin.initial_margin) == (True, Decimal("0.25"))


def test_bars_are_made_of_trades_as_the_command_makes_them() -> None:
    """400 trades, a minute apart, are 40 bars of ten minutes, and the last one is not complete."""
    run = traider.backtest(SmaCross, ticks(), bars="10m", params={"fast": 2, "slow": 5})
    assert run.result.events == 400 + 39
    assert run.fills.num_rows > 0


@every_frame
def test_bars_of_every_kind_of_frame_are_the_same(tmp_path: Path, frame_of: Callable[[pa.Table], object]) -> None:
    path = tmp_path / "btcusd.parquet"
    pq.write_table(waves(), path)
    of_file = traider.backtest(SmaCross, path, params={"fast": 3, "slow": 9})
    of_frame = traider.backtest(SmaCross, frame_of(waves()), params={"fast": 3, "slow": 9}, symbol="BTC-USD")
    assert of_frame.fills == of_file.fills
    assert of_frame.fills.num_rows > 4
    assert of_frame.run.data.sha256 == traider.backtest(SmaCross, waves()).run.data.sha256


@every_frame
def test_trades_of_every_kind_of_frame_are_the_same(frame_of: Callable[[pa.Table], object]) -> None:
    first = traider.backtest("ema_band", ticks(), params={"span": 10})
    assert first.fills.num_rows > 4
    again = traider.backtest("ema_band", frame_of(ticks()), params={"span": 10})
    assert (again.fills_sha256, again.run.data.sha256) == (first.fills_sha256, first.run.data.sha256)


def test_sides_may_be_categories() -> None:
    first = traider.backtest("ema_band", ticks(), params={"span": 10})
    of_polars = polars.DataFrame(ticks()).with_columns(polars.col("side").cast(polars.Categorical))
    of_pandas = ticks().to_pandas().astype({"side": "category"})
    for frame in (of_polars, of_pandas):
        assert traider.backtest("ema_band", frame, params={"span": 10}).run.data.sha256 == first.run.data.sha256


def test_other_values_have_another_hash() -> None:
    changed = waves().to_pydict()
    changed["volume"][7] = 2.0
    assert traider.backtest(SmaCross, changed).run.data.sha256 != traider.backtest(SmaCross, waves()).run.data.sha256


def test_tables_go_to_pandas_and_polars(bars: Path) -> None:
    result = traider.backtest(SmaCross, bars, quantity=1, fee_taker=0.001)
    assert result.fills.column_names == ["ts", "symbol", "side", "liquidity", "price", "size", "fee"]
    assert result.equity.column_names == ["ts", "equity", "drawdown", "held"]
    fills = result.fills.to_pandas()
    assert isinstance(fills, pandas.DataFrame)
    cash = 100_000 - (np.where(fills.side == "buy", 1, -1) * fills.price * fills["size"] + fills.fee).sum()
    held = (np.where(fills.side == "buy", 1, -1) * fills["size"]).sum()
    last = pq.read_table(bars)["close"][-1].as_py()
    assert cash + held * last == pytest.approx(result.final_equity)
    trips = polars.from_arrow(result.round_trips)
    assert isinstance(trips, polars.DataFrame)
    assert trips["net_pnl"].sum() == pytest.approx(np.sum(result.round_trips["pnl"].to_numpy()) - np.sum(trips["fees"].to_numpy()))
    equity = result.equity.to_pydict()
    assert (equity["equity"][0], equity["equity"][-1]) == (100_000.0, result.final_equity)
    assert equity["ts"] == sorted(equity["ts"])


def test_a_report_and_tables_are_written(tmp_path: Path) -> None:
    result = traider.backtest(SmaCross, waves(), params={"fast": 3, "slow": 9})
    page = result.report(tmp_path / "new" / "report.html", title="Waves")
    text = page.read_text(encoding="utf-8")
    assert result.fills_sha256 in text
    assert "<title>Waves" in text
    result.write(fills=tmp_path / "fills.csv", round_trips=tmp_path / "trips.parquet", equity=str(tmp_path / "equity.parquet"))
    assert pq.read_table(tmp_path / "trips.parquet") == result.round_trips
    assert pq.read_table(tmp_path / "equity.parquet") == result.equity
    for name in ("trips", "equity"):
        assert json.loads(pq.read_schema(tmp_path / f"{name}.parquet").metadata[b"traider"]) == result.provenance
    with pytest.raises(UserError, match=r"^fills .*\.parquet or \.csv"):
        result.write(fills=tmp_path / "fills.xlsx")


def test_interpreted_and_numpy_numbers_are_the_same() -> None:
    compiled = traider.backtest(SmaCross, waves(), params={"fast": 3, "slow": np.int64(9)}, quantity=np.float64(0.5), cash=np.float64(1e5))
    plain = traider.backtest(SmaCross, waves(), params={"fast": 3, "slow": 9, "quantity": 0.5}, interpreted=True)
    assert plain.fills_sha256 == compiled.fills_sha256
    assert (plain.result.mode, compiled.result.mode) == ("interpreted", "compiled")


def test_limits_by_name_or_as_they_are() -> None:
    for limits in ({"max_order_notional": 50}, RiskLimits(max_order_notional=Decimal(50))):
        refused = traider.backtest(SmaCross, waves(), params={"fast": 3, "slow": 9}, limits=limits)
        assert refused.fills.num_rows == 0
        assert [reason.name for reason in refused.result.refusals] == ["ORDER_NOTIONAL"]
    named: dict[str, object] = {"allowed_markets": ["BTC-USD", "ETH-USD"], "max_open_orders": 3}
    allowed = traider.backtest(SmaCross, waves(), params={"fast": 3, "slow": 9}, limits=named, symbol="ETH-USD")
    assert allowed.fills.num_rows > 0
    assert allowed.run.spec.limits.allowed_markets == ("BTC-USD", "ETH-USD")


def test_it_says_what_it_is() -> None:
    said = repr(traider.backtest(SmaCross, waves(), params={"fast": 3, "slow": 9}, symbol="BTC-USD"))
    assert said.startswith("<Backtest sma_cross on BTC-USD: 400 events, ")
    assert "net profit +" in said


def broken(**columns: object) -> dict[str, object]:
    return {**waves().to_pydict(), **columns}


BAD: dict[str, tuple[object, dict[str, Any], str]] = {
    "no frame": (42, {}, "data is int: .*; give a path, or a pyarrow, pandas or polars frame"),
    "nothing": (None, {}, "data is NoneType"),
    "no such file": ("none.parquet", {}, "there is no such file"),
    "a column is missing": ({"ts": [1]}, {}, "^frame: column 'open' is missing"),
    "no rows": (waves().slice(0, 0), {}, "^frame: has no rows"),
    "times of another type": (broken(ts=np.arange(400).astype("datetime64[ns]")), {}, "'ts' is timestamp.*int64"),
    "a value is missing": (broken(close=[None, *[1.0] * 399]), {}, r"'close' has no value in row 1 \(index 0\)"),
    "a time steps back": (broken(ts=np.arange(400)[::-1].copy()), {}, "time steps back in row 2"),
    "unknown strategy": (waves(), {"strategy": "holy_grail"}, "unknown strategy 'holy_grail'"),
    "no strategy": (waves(), {"strategy": int}, "give a class derived from traider.Strategy"),
    "trades for bars": (ticks(), {}, "^frame: holds trades, and strategy sma_cross acts on bars"),
    "unknown parameter": (waves(), {"params": {"bogus": 1}}, "no parameter bogus"),
    "quantity twice": (waves(), {"params": {"quantity": 1}, "quantity": 2}, "quantity is given twice"),
    "quantity off the grid": (waves(), {"quantity": 0.123456789}, "set size_increment"),
    "cash": (waves(), {"cash": 0}, "^cash is 0; "),
    "cash in words": (waves(), {"cash": "much"}, "^cash is 'much'; give a number"),
    "fee": (waves(), {"fee_taker": 2}, "^fee_taker is 2; "),
    "fill": (waves(), {"fill": "later"}, "^fill is 'later'; "),
    "limit": (waves(), {"limits": {"max_luck": 1}}, "^limits: .*max_order_notional"),
    "increment": (waves(), {"price_increment": "x"}, "^price_increment is 'x'"),
    "increment of zero": (waves(), {"size_increment": 0}, "^size_increment is 0; "),
}


@pytest.mark.parametrize(("data", "settings", "words"), BAD.values(), ids=BAD)
def test_wrong_input_is_one_line(data: object, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        traider.backtest(**{"strategy": SmaCross, "data": data, **settings})
    assert "\n" not in str(raised.value)


TYPED_IN = """
import numpy as np
import traider

class Typed(traider.Strategy):
    def setup(self) -> None:
        self.bars = 0

    def on_bar(self, bar: traider.Bar, ctx: traider.Context) -> None:
        self.bars += 1
        ctx.target(self.quantity if self.bars % 10 < 5 else 0.0)

price = np.full(100, 10.0)
frame = dict(ts=np.arange(100) * 60_000_000_000, open=price, high=price, low=price, close=price, volume=price)
result = traider.backtest(Typed, frame)
result.report("report.html")
print(result.fills.num_rows)
"""


def test_a_strategy_that_was_typed_into_a_prompt_runs_and_reports(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-"], input=TYPED_IN, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert int(done.stdout) == 20  # in and out again, ten times
    assert (tmp_path / "report.html").is_file()


def test_import_traider_loads_neither_numpy_nor_arrow() -> None:
    code = "import sys, traider; print(sorted({'numpy', 'pyarrow', 'numba', 'traider.research'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
