"""The command-line contract of ``traider backtest``: one JSON object, manifests that run again, one line for bad input."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from traider.cli.main import run

KEYS = {
    "strategy",
    "params",
    "instrument",
    "mode",
    "events",
    "fills",
    "fees",
    "final_equity",
    "net_profit",
    "max_drawdown",
    "sharpe",
    "fills_sha256",
    "data_sha256",
    "engine_seconds",
    "compile_seconds",
    "events_per_second",
}


@pytest.fixture
def bars(data_dir: Path) -> Path:
    return data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet"


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


def contract(data: Path, *more: str, fast: int = 20, slow: int = 50) -> list[str]:
    settings = ["--quantity", "1", "--cash", "10000000", "--fee-taker", "0.001", "--fee-maker", "0.001", "--fill", "next-open", "--json"]
    return ["backtest", "sma_cross", "--data", str(data), "--param", f"fast={fast}", "--param", f"slow={slow}", *settings, *more]


def result_of(capsys: pytest.CaptureFixture[str], words: list[str]) -> dict[str, Any]:
    status = run(words)
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    result: dict[str, Any] = json.loads(printed.out)
    return result


def by_hand(data: Path, fast: int, slow: int) -> tuple[int, Fraction, Fraction, float]:
    """Fills, fees, final equity and maximum drawdown of the contract's rules, in exact arithmetic."""
    table = pq.read_table(data).to_pydict()
    opens = [Fraction(Decimal(repr(x))) for x in table["open"]]
    closes = [Fraction(Decimal(repr(x))) for x in table["close"]]
    rate = Fraction("0.001")
    cash, held, wanted, fees, fills = Fraction(10_000_000), 0, 0, Fraction(0), 0
    peak, worst = cash, 0.0
    for i, close in enumerate(closes):
        if wanted != held:
            fee = opens[i] * rate
            cash -= (wanted - held) * opens[i] + fee
            fees += fee
            fills += 1
            held = wanted
        equity = cash + held * close
        peak = max(peak, equity)
        worst = max(worst, float((peak - equity) / peak))
        if i + 1 >= slow:
            above = sum(closes[i + 1 - fast : i + 1]) * slow > sum(closes[i + 1 - slow : i + 1]) * fast
            wanted = int(above)
    return fills, fees, cash + held * closes[-1], worst


@pytest.mark.parametrize(("fast", "slow"), [(20, 50), (1, 30)])
def test_the_contract_gives_what_its_rules_give_by_hand(capsys: pytest.CaptureFixture[str], bars: Path, fast: int, slow: int) -> None:
    result = result_of(capsys, contract(bars, fast=fast, slow=slow))
    fills, fees, equity, drawdown = by_hand(bars, fast, slow)
    assert set(result) >= KEYS
    assert (result["events"], result["fills"], result["mode"]) == (10_069, fills, "compiled")
    assert result["params"] == {"quantity": 1.0, "fast": fast, "slow": slow}
    assert result["fees"] == pytest.approx(float(fees), rel=1e-12)
    assert result["final_equity"] == pytest.approx(float(equity), rel=1e-12)
    assert result["net_profit"] == pytest.approx(float(equity - 10_000_000), rel=1e-9)
    assert result["max_drawdown"] == pytest.approx(drawdown, rel=1e-9)


def test_equal_means_are_not_above(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    # Prices in tenths: as floats 0.1 + 0.2 + 0.3 is not 0.6, as increments 1 + 2 + 3 is 6. The means of 1 and of 3 bars tie
    # at every third bar.
    close = np.tile([10.1, 10.3, 10.2], 200)
    data = write_bars(tmp_path / "ties.parquet", close)
    fills, _, equity, _ = by_hand(data, 1, 3)
    result = result_of(capsys, contract(data, fast=1, slow=3))
    assert (result["fills"], result["final_equity"]) == (fills, pytest.approx(float(equity), rel=1e-12))


def test_interpreted_fills_are_the_same_bit_for_bit(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    compiled = result_of(capsys, contract(bars))
    interpreted = result_of(capsys, contract(bars, "--interpreted"))
    assert interpreted["mode"] == "interpreted"
    assert interpreted["fills_sha256"] == compiled["fills_sha256"]


def test_a_manifest_runs_again_to_the_same_fills(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    first = result_of(capsys, contract(bars))
    again = result_of(capsys, ["backtest", "--manifest", first["manifest"], "--json"])
    assert again["fills_sha256"] == first["fills_sha256"]
    assert again["params"] == first["params"]


def test_a_manifest_refuses_another_file(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    first = result_of(capsys, contract(bars))
    other = write_bars(tmp_path / "other.parquet", np.full(100, 10.0))
    assert run(["backtest", "--manifest", first["manifest"], "--data", str(other)]) == 2
    assert "is not the file of the manifest" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--cash", "5"), ("--fee-taker", "0.1"), ("--fill", "close"), ("--limit", "max_drawdown=0.1"), ("--interpreted",)]
)
def test_a_manifest_is_not_run_with_other_settings(capsys: pytest.CaptureFixture[str], bars: Path, option: tuple[str, ...]) -> None:
    first = result_of(capsys, contract(bars))
    assert run(["backtest", "--manifest", first["manifest"], *option]) == 2
    assert "give no others" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"params": {"fast": 21}}, "unknown field `params`"),
        ({"manifest": 3}, "it is of version 3, and this traider reads versions 1 and 2"),
        ({"limits": {"max_drawdown": "-1"}}, "limit max_drawdown: -1 must be above zero"),
    ],
)
def test_a_manifest_that_says_what_is_not_understood_is_refused(
    capsys: pytest.CaptureFixture[str], bars: Path, change: dict[str, Any], told: str
) -> None:
    path = Path(result_of(capsys, contract(bars))["manifest"])
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert run(["backtest", "--manifest", str(path)]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (["max_open_orders=1.5"], "max_open_orders: 1.5 is no whole number of at most 1,000,000,000"),
        (["max_open_orders=1e30"], "max_open_orders: 1e30 is no whole number of at most 1,000,000,000"),
        (["max_drawdown=5"], "max_drawdown: 5 is more than 1; it is a fraction, 0.05 is 5 %"),
        (["max_price_deviation=1.01"], "max_price_deviation: 1.01 is more than 1; it is a fraction, 0.05 is 5 %"),
        (["volatility_alpha=1"], "volatility_alpha: 1 is not below 1"),
        (["max_drawdown=0.1", "max_drawdown=0.2"], "max_drawdown is given twice; give it once"),
        (["allowed_markets="], "allowed_markets: '' names no market; write BTC-USD,ETH-USD"),
    ],
)
def test_a_limit_that_can_not_be_meant_is_told(capsys: pytest.CaptureFixture[str], bars: Path, limits: list[str], words: str) -> None:
    assert run(contract(bars, *(word for limit in limits for word in ("--limit", limit)))) == 2
    assert capsys.readouterr().err == f"error: --limit {words}\n"


def test_the_markets_of_a_limit_may_have_blanks_between_them(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    result = result_of(capsys, contract(bars, "--limit", "allowed_markets=ETH-USD, BTC-USD"))
    assert json.loads(Path(result["manifest"]).read_text(encoding="utf-8"))["limits"]["allowed_markets"] == ["ETH-USD", "BTC-USD"]


def test_a_manifest_whose_fills_differ_is_a_failure(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    path = Path(result_of(capsys, contract(bars))["manifest"])
    manifest = json.loads(path.read_text())
    manifest["parameters"]["fast"] = 21
    path.write_text(json.dumps(manifest))
    assert run(["backtest", "--manifest", str(path), "--json"]) == 1
    assert "the fills differ from the manifest's" in capsys.readouterr().err


def test_a_risk_limit_refuses_and_is_counted(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    result = result_of(capsys, contract(bars, "--limit", "max_order_notional=100"))
    assert result["fills"] == 0
    assert set(result["refusals"]) == {"order_notional"}


def test_a_control_refuses_is_counted_and_is_kept_in_the_manifest(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    controls = ("--limit", "safe_mode=true", "--limit", "volatility_method=atr", "--limit", "max_price_deviation=0.02")
    result = result_of(capsys, contract(bars, *controls))
    assert result["fills"] == 0
    assert set(result["refusals"]) == {"safe_mode"}
    limits = json.loads(Path(result["manifest"]).read_text(encoding="utf-8"))["limits"]
    assert (limits["safe_mode"], limits["volatility_method"], limits["max_price_deviation"]) == (True, "atr", "0.02")
    again = result_of(capsys, ["backtest", "--manifest", result["manifest"], "--json"])
    assert again["refusals"] == result["refusals"]


def test_what_real_data_contains_is_noted(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    notes = result_of(capsys, contract(bars))["notes"]
    assert (notes["gaps"], notes["close_outside_high_low"]) == (3, 1)


def test_the_statistics_are_those_of_the_result(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    result = result_of(capsys, contract(bars))
    statistics = result["statistics"]
    assert statistics["total_return"] == result["net_profit"] / 10_000_000
    assert (statistics["sharpe"], statistics["max_drawdown"]) == (result["sharpe"], result["max_drawdown"])
    assert statistics["realized"] + statistics["unrealized"] - result["fees"] == pytest.approx(result["net_profit"])
    closes = pq.read_table(bars)["close"].to_pylist()
    assert statistics["benchmark_return"] == pytest.approx(closes[-1] / pq.read_table(bars)["open"][0].as_py() - 1)
    assert result["fees"] == pytest.approx(statistics["turnover"] * 0.001)
    assert statistics["cagr"] is statistics["calmar"] is None  # ten days
    assert statistics["value_at_risk_95"] is None
    assert statistics["months"] == {"2018-05": pytest.approx(statistics["total_return"])}


def test_the_table_names_the_figures(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    assert run([word for word in contract(bars) if word != "--json"]) == 0
    printed = capsys.readouterr().out
    for words in (
        "Net profit",
        "Final equity",
        "Maximum drawdown",
        "Sharpe",
        "Sortino",
        "VaR",
        "Profit factor",
        "Fills",
        "3 gaps between bars",
    ):
        assert words in printed


def test_a_report_is_one_page(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = result_of(capsys, contract(bars, "--report", str(page)))
    assert result["fills_sha256"] in page.read_text(encoding="utf-8")


def test_fills_and_round_trips_as_tables(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    trades, fills = tmp_path / "out" / "trades.csv", tmp_path / "out" / "fills.parquet"
    result = result_of(capsys, contract(bars, "--trades", str(trades), "--fills", str(fills)))
    assert json.loads(pq.read_schema(fills).metadata[b"traider"]) == result["provenance"]
    filled = pq.read_table(fills)
    assert filled.column_names == ["ts", "symbol", "side", "liquidity", "price", "size", "fee"]
    assert filled.schema.field("ts").type == pa.int64()
    assert filled.num_rows == result["fills"]
    assert filled["side"].to_pylist()[:3] == ["buy", "sell", "buy"]
    assert set(filled["symbol"].to_pylist()) == {"BTC-USD"}
    assert set(filled["liquidity"].to_pylist()) == {"taker"}
    assert np.sum(filled["fee"].to_numpy()) == pytest.approx(result["fees"])
    opens = dict(zip(pq.read_table(bars)["ts"].to_pylist(), pq.read_table(bars)["open"].to_pylist(), strict=True))
    assert filled["price"].to_pylist() == [opens[ts] for ts in filled["ts"].to_pylist()]  # the next bar's open

    tripped = pa_csv.read_csv(trades)
    assert tripped.schema.field("entry_ts").type == tripped.schema.field("exit_ts").type == pa.int64()
    assert tripped.num_rows == result["statistics"]["round_trips"]
    assert set(tripped["side"].to_pylist()) == {"long"}
    for trip in tripped.to_pylist():
        bought, sold = filled.slice(trip["entry_fill"], 1).to_pylist()[0], filled.slice(trip["exit_fill"], 1).to_pylist()[0]
        assert (trip["entry_ts"], trip["exit_ts"]) == (bought["ts"], sold["ts"])
        assert (trip["entry_price"], trip["exit_price"]) == (bought["price"], sold["price"])
        assert trip["net_pnl"] == pytest.approx(sold["price"] - bought["price"] - bought["fee"] - sold["fee"])


def test_tables_of_a_run_without_fills_have_their_columns(capsys: pytest.CaptureFixture[str], bars: Path, tmp_path: Path) -> None:
    fills = tmp_path / "fills.parquet"
    assert result_of(capsys, contract(bars, "--limit", "max_order_notional=100", "--fills", str(fills)))["fills"] == 0
    schema = pq.read_table(fills).schema
    assert [str(schema.field(name).type) for name in ("ts", "side", "price")] == ["int64", "string", "double"]


@pytest.mark.parametrize("option", ["--trades", "--fills"])
def test_a_table_of_another_kind_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str], bars: Path, option: str) -> None:
    assert_one_error(capsys, ["backtest", "sma_cross", "--data", str(bars), option, "out.xlsx"], f"{option} out.xlsx")


BAD_OPTIONS = {
    "unknown parameter": (["--param", "bogus=1"], "no parameter bogus"),
    "parameter out of range": (["--param", "fast=0"], "out of range"),
    "parameter of the wrong type": (["--param", "fast=x"], "whole number"),
    "parameter without a value": (["--param", "fast"], "NAME=VALUE"),
    "cash not a number": (["--cash", "nan"], "--cash"),
    "cash infinite": (["--cash", "inf"], "--cash"),
    "negative cash": (["--cash", "-1"], "--cash"),
    "negative quantity": (["--quantity", "-1"], "quantity"),
    "zero quantity": (["--quantity", "0"], "quantity"),
    "quantity off the grid": (["--quantity", "0.123456789"], "--size-increment"),
    "negative taker fee": (["--fee-taker", "-0.001"], "--fee-taker"),
    "maker fee not a number": (["--fee-maker", "nan"], "--fee-maker"),
    "unknown fill mode": (["--fill", "later"], "--fill"),
    "unknown limit": (["--limit", "max_luck=1"], "max_order_notional"),
    "unknown option": (["--frobnicate"], "--frobnicate"),
}


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], bars: Path, options: list[str], words: str) -> None:
    assert_one_error(capsys, ["backtest", "sma_cross", "--data", str(bars), "--json", *options], words)


def test_an_unknown_strategy_is_told_which_there_are(capsys: pytest.CaptureFixture[str], bars: Path) -> None:
    assert_one_error(capsys, ["backtest", "holy_grail", "--data", str(bars)], "built in: ema_band, momentum, sma_cross")


def test_data_that_the_strategy_has_no_handler_for(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    trades = data_dir / "trades" / "coinbase_btcusd_trades_2018-04-16.parquet"
    assert_one_error(capsys, ["backtest", "sma_cross", "--data", str(trades)], "holds trades")


def test_a_missing_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert_one_error(capsys, ["backtest", "sma_cross", "--data", str(tmp_path / "none.parquet")], "there is no such file")


def test_a_row_that_is_wrong_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    close = np.full(10, 10.0)
    close[6] = np.nan
    assert_one_error(capsys, ["backtest", "sma_cross", "--data", str(write_bars(tmp_path / "nan.parquet", close))], "row 7 (index 6)")


def assert_one_error(capsys: pytest.CaptureFixture[str], words: list[str], expected: str) -> None:
    status = run(words)
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("error: ")
    assert expected in printed.err


def write_bars(path: Path, close: "np.ndarray[Any, np.dtype[np.float64]]") -> Path:
    ts = np.arange(len(close), dtype=np.int64) * 60_000_000_000
    columns = {"ts": ts, "open": close, "high": close, "low": close, "close": close, "volume": np.ones(len(close))}
    pq.write_table(pa.table(columns), path)
    return path
