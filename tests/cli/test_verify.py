"""``traider verify parity`` with a real guard process: what a replay fills is what the backtest fills, for every kind of order."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from traider.cli.instruments import format_instrument, parse_instrument
from traider.cli.main import run
from traider.cli.verify import _first_difference
from traider.domain.instruments import instrument_from_symbol
from traider.engine.fills import FILLS
from traider.research.evidence import read_evidence, version_of
from traider.strategies.sma_cross import SmaCross

MANY_ORDERS = '''
from traider import Bar, Context, Fill, Strategy


class ManyOrders(Strategy):
    """Market, limit, post-only, immediate-or-cancel and stop orders, cancels, and reactions to fills."""

    def setup(self) -> None:
        self.bars = 0
        self.fills = 0
        self.stop = 0

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.fills += 1
        if fill.side > 0 and ctx.position() > 0.0:
            ctx.cancel(self.stop)
            self.stop = ctx.sell_stop(ctx.position(), float(int(fill.price * 0.999)))

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.bars += 1
        step = self.bars % 12
        if step == 1:
            ctx.buy_limit(self.quantity, float(int(bar.close) - 2))
        elif step == 3:
            ctx.buy_post_only(self.quantity, float(int(bar.close) + 1))
        elif step == 5:
            ctx.buy_ioc(self.quantity, float(int(bar.close) + 5))
        elif step == 7:
            ctx.cancel_all()
        elif step == 9 and ctx.position() > 0.0:
            ctx.sell_limit(ctx.position(), float(int(bar.close) + 3))
        elif step == 11:
            ctx.cancel_all()
            ctx.target(0.0)
'''


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


def head_of(source: Path, rows: int, path: Path) -> Path:
    pq.write_table(pq.read_table(source).slice(0, rows), path)
    return path


def parity(capsys: pytest.CaptureFixture[str], words: list[str]) -> dict[str, Any]:
    assert run(["verify", "parity", *words, "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


TIED = {
    "TiedOnBars": ("bars/coinbase_btcusd_1m_2018-05.parquet",),
    "Timed": ("bars/coinbase_btcusd_1m_2018-05.parquet",),
    "TiedOnTrades": ("trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet",),
    "TimedOnTrades": ("trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet",),
    "TiedOnBook": (
        "l2/binance_usdm_btcusdt_l2_2024-08-08_first.parquet",
        "trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet",
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("strategy", TIED)
def test_amendments_ties_brackets_and_timers(strategy: str, capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path) -> None:
    """Compiled as interpreted as replayed through the guard's process."""
    files = [data_dir / name for name in TIED[strategy]]
    if strategy in ("TiedOnBars", "Timed"):
        files = [head_of(files[0], 600, tmp_path / "btcusd.parquet")]
    data = [word for file in files for word in ("--data", str(file))]
    report = parity(capsys, [f"tests/guard/tied.py:{strategy}", *data, "--quantity", "0.01", "--cash", "1000000", "--fee-taker", "0.001"])
    assert report["parity"], report["difference"]
    assert len({way["fills_sha256"] for way in report["ways"]}) == 1
    assert [way["fills"] > 10 for way in report["ways"]] == [True, True, True]


@pytest.mark.slow
def test_bars(capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path) -> None:
    data = head_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 2500, tmp_path / "btcusd.parquet")
    report = parity(capsys, ["sma_cross", "--data", str(data), "--cash", "1000000", "--fee-taker", "0.001"])
    assert report["parity"]
    assert len({way["fills_sha256"] for way in report["ways"]}) == 1
    assert [way["fills"] > 40 for way in report["ways"]] == [True, True, True]
    (evidence,) = read_evidence(tmp_path / "state")
    assert (evidence.kind, evidence.passed, evidence.version) == ("parity", True, version_of(SmaCross, SmaCross().values()))
    assert evidence.settings["fills_sha256"] == report["ways"][0]["fills_sha256"]
    assert report["evidence"] == str(tmp_path / "state" / "evidence" / evidence.file_name())


@pytest.mark.slow
def test_trades(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    data = data_dir / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet"
    words = [
        "ema_band",
        "--data",
        str(data),
        "--param",
        "span=200",
        "--param",
        "band=0.00002",
        "--quantity",
        "0.01",
        "--fee-taker",
        "0.001",
    ]
    report = parity(capsys, words)
    assert report["parity"]
    assert report["ways"][0]["fills"] > 10


QUOTE_TRADER = '''
from traider import Context, Quote, Strategy


class QuoteTrader(Strategy):
    """Stop-limit, trailing and good-till-date orders in turn, on quotes."""

    def setup(self) -> None:
        self.quotes = 0

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        self.quotes += 1
        step = self.quotes % 40
        if step == 1:
            ctx.buy_stop_limit(self.quantity, quote.ask, quote.ask + 1.0)
        elif step == 11 and ctx.position() > 0.0:
            ctx.sell_trailing_stop(ctx.position(), 0.1)
        elif step == 21:
            ctx.good_till(ctx.buy_limit(self.quantity, quote.bid), quote.ts_ns + 50_000_000)
        elif step == 31:
            ctx.target(0.0)
'''


@pytest.mark.slow
def test_quotes(capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path) -> None:
    strategy = tmp_path / "quote_trader.py"
    strategy.write_text(QUOTE_TRADER)
    data = data_dir / "quotes" / "binance_usdm_btcusdt_bbo_2024-08-08_first.parquet"
    report = parity(capsys, [f"{strategy}:QuoteTrader", "--data", str(data), "--quantity", "0.01", "--fee-taker", "0.001"])
    assert report["parity"]
    assert report["ways"][0]["fills"] > 20


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_order_book_with_its_trades(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    words = [
        f"--data={data_dir}/{name}_2024-08-08_first.parquet"
        for name in ("l2/binance_usdm_btcusdt_l2", "trades/binance_usdm_btcusdt_trades")
    ]
    report = parity(capsys, ["touch_maker", *words, "--quantity", "0.01", "--cash", "1000000"])
    assert report["parity"]
    assert report["ways"][0]["fills"] == 10


def test_bars_beside_other_data_are_refused(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    words = [
        f"--data={data_dir}/bars/coinbase_btcusd_1m_2018-05.parquet",
        f"--data={data_dir}/trades/coinbase_btcusd_trades_2018-04-16.parquet",
    ]
    assert run(["verify", "parity", "sma_cross", *words]) == 2
    assert "give bars alone, or no bars" in capsys.readouterr().err


def test_an_instrument_on_margin_is_told_to_the_guard_as_it_is() -> None:
    plain = instrument_from_symbol("BTC-USDT", price_increment=Decimal("0.1"), size_increment=Decimal("0.001"))
    on_margin = msgspec.structs.replace(plain, shortable=True, initial_margin=Decimal("0.1"), maintenance_margin=Decimal("0.05"))
    for instrument in (plain, on_margin):
        assert parse_instrument(format_instrument(instrument)) == instrument


@pytest.mark.slow
def test_every_kind_of_order_and_a_limit_that_refuses(capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path) -> None:
    data = head_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 1500, tmp_path / "btcusd.parquet")
    strategy = tmp_path / "many_orders.py"
    strategy.write_text(MANY_ORDERS)
    words = [f"{strategy}:ManyOrders", "--data", str(data), "--quantity", "0.5", "--fee-taker", "0.001", "--fee-maker", "0.0005"]
    report = parity(capsys, [*words, "--limit", "max_position_size=1.5"])
    assert report["parity"]
    assert report["ways"][0]["fills"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["max_daily_loss=300", "max_drawdown=0.02"])
def test_a_loss_limit_that_is_reached_ends_both_in_the_same_place(
    capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path, limit: str
) -> None:
    data = head_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 2500, tmp_path / "btcusd.parquet")
    strategy = tmp_path / "many_orders.py"
    strategy.write_text(MANY_ORDERS)
    words = [f"{strategy}:ManyOrders", "--data", str(data), "--fee-taker", "0.002", "--cash", "20000"]
    free = parity(capsys, words)
    limited = parity(capsys, [*words, "--limit", limit])
    assert limited["parity"]
    assert 10 < limited["ways"][0]["fills"] < free["ways"][0]["fills"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits",
    [
        ("max_price_deviation=0.001", "duplicate_window_s=600", "prevent_self_match=true", "max_gross_exposure=20000"),
        ("volatility_method=ewma", "volatility_mult=2", "max_orders_per_second=1", "max_amends_per_second=1"),
        ("max_executions_per_minute=1",),
        ("max_order_size=0.5", "max_open_orders_per_market=2", "max_rejections_per_minute=20"),
        ("max_rejections_in_a_row=2", "max_order_notional=8000"),
    ],
    ids=" ".join,
)
def test_the_controls_refuse_the_same_orders_at_the_guard(
    capsys: pytest.CaptureFixture[str], data_dir: Path, tmp_path: Path, limits: tuple[str, ...]
) -> None:
    data = head_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 1500, tmp_path / "btcusd.parquet")
    strategy = tmp_path / "many_orders.py"
    strategy.write_text(MANY_ORDERS)
    words = [f"{strategy}:ManyOrders", "--data", str(data), "--cash", "100000"]
    free = parity(capsys, words)
    limited = parity(capsys, [*words, *(word for limit in limits for word in ("--limit", limit))])
    assert limited["parity"]
    assert limited["ways"][0]["fills"] < free["ways"][0]["fills"]


@pytest.mark.slow
def test_without_data_a_made_up_market_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    report = parity(capsys, ["--fill", "close", "--quantity", "0.1"])
    assert report["parity"]
    assert report["ways"][0]["fills"] > 50


def test_trades_are_not_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "parity", "ema_band"]) == 2
    assert "give --data FILE" in capsys.readouterr().err


def test_the_first_difference_is_told() -> None:
    fills = np.zeros(3, FILLS)
    other = fills.copy()
    other["price"][1] = 5.0
    told = _first_difference({"backtest": (fills, 0.0), "replay": (other, 0.0)})
    assert told.startswith("fill 2: backtest (0, 0, 0, 0, 0.0")
    assert _first_difference({"backtest": (fills, 0.0), "replay": (fills[:2], 0.0)}) == "backtest has 3 fills, replay 2"
