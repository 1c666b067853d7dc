"""The simulated venue on the command line: what each option changes, what can't be used, and the market maker's contract."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traider.cli.main import run

BARS = ("bars", "coinbase_btcusd_1m_2018-05.parquet")
BOOK = ("l2", "binance_usdm_btcusdt_l2_2024-08-08_first.parquet")
PRINTS = ("trades", "binance_usdm_btcusdt_trades_2024-08-08_first.parquet")
TICKS_A_UNIT, LOT = 10, 0.001  # of the Binance futures recording

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAIDER_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Run:
    def told(*words: object) -> dict[str, Any]:
        assert run(["backtest", *map(str, words), "--json"]) == 0, capsys.readouterr().err
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return told


@pytest.fixture
def sma(told: Run, data_dir: Path) -> Run:
    """``sma_cross`` on recorded bars with these options."""
    shared = ("--data", data_dir.joinpath(*BARS), "--param", "fast=20", "--param", "slow=50", "--quantity", "1", "--cash", "1000000")
    return lambda *words: told("sma_cross", *shared, *words)


def test_slippage_makes_takers_pay(sma: Run) -> None:
    plain, slipped = sma(), sma("--slippage", "ticks:10")
    assert slipped["fills"] == plain["fills"]
    assert plain["final_equity"] - slipped["final_equity"] == pytest.approx(plain["fills"] * 10 * 0.01, abs=1e-6)


def test_latency_beyond_a_bar_moves_every_fill_to_a_later_open(sma: Run) -> None:
    plain, late = sma(), sma("--latency", "90s")
    assert plain["fills_sha256"] != late["fills_sha256"]
    assert sma("--latency", "0ms")["fills_sha256"] == plain["fills_sha256"]


def test_a_latency_that_is_drawn_is_the_same_for_the_same_seed(sma: Run) -> None:
    drawn = ("--latency", "lognormal:40s,1s:1.5")
    assert sma(*drawn, "--latency-seed", "7")["fills_sha256"] == sma(*drawn, "--latency-seed", "7")["fills_sha256"]
    assert sma(*drawn, "--latency-seed", "7")["fills_sha256"] != sma(*drawn, "--latency-seed", "8")["fills_sha256"]


def test_a_recorded_latency_is_read_from_a_file(sma: Run, tmp_path: Path) -> None:
    file = tmp_path / "latency.csv"
    file.write_text("ts_ns,out_ns,back_ns\n0,90000000000,90000000000\n", encoding="utf-8")
    assert sma("--latency", file)["fills_sha256"] == sma("--latency", "90s")["fills_sha256"]


def test_participation_spreads_large_orders_over_bars(sma: Run) -> None:
    plain, spread = sma(), sma("--participation", "0.05")
    assert spread["fills"] > plain["fills"]


def test_fee_tiers_follow_the_volume(sma: Run) -> None:
    flat, tiered = sma("--fee-taker", "0.001"), sma("--fee-taker", "0.001", "--fee-tier", "1000000:0:0.0005")
    assert tiered["fills"] == flat["fills"]
    assert 0.5 * flat["fees"] < tiered["fees"] < flat["fees"]


def test_an_instrument_has_fees_of_its_own(sma: Run) -> None:
    plain, dear = sma("--fee-taker", "0.001"), sma("--fee-taker", "0.001", "--instrument", "BTC-USD.taker_fee=0.002")
    assert dear["fills"] == plain["fills"] > 0
    assert dear["fees"] == pytest.approx(2 * plain["fees"])
    assert sma("--fee-taker", "0.001", "--instrument", "taker_fee=0.002")["fees"] == dear["fees"]


def test_what_is_said_of_one_instrument_goes_before_what_is_said_of_all(sma: Run) -> None:
    assert sma("--instrument", "taker_fee=0.002", "--instrument", "BTC-USD.taker_fee=0")["fees"] == 0


def test_an_order_below_the_instruments_minimum_notional_is_refused(sma: Run) -> None:
    """One bitcoin is between 7,000 and 10,000 dollars in this recording."""
    assert sma("--instrument", "BTC-USD.min_notional=5000")["fills"] == sma()["fills"]
    assert sma("--instrument", "BTC-USD.min_notional=20000")["fills"] == 0


def test_a_manifest_keeps_the_venue(sma: Run, told: Run) -> None:
    made = sma(
        "--instrument", "taker_fee=0.0007", "--slippage", "fraction:0.0001", "--participation", "0.5", "--intrabar-path", "nearest-first"
    )
    again = told("--manifest", made["manifest"])
    assert again["fills_sha256"] == made["fills_sha256"]
    assert again["provenance"]["simulation"] == made["provenance"]["simulation"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--queue", "fifo"), "--queue is 'fifo'; give one of risk-averse, power, log"),
        (("--intrabar-path", "up"), "--intrabar-path is 'up'; give one of pessimistic, open-high-low-close"),
        (("--latency", "5"), "--latency 5: write a time such as 5ms"),
        (("--latency", "nowhere.csv"), "--latency nowhere.csv: can't be read"),
        (("--slippage", "some"), "--slippage some: write KIND:VALUE"),
        (("--slippage", "ticks:-1"), "slippage is -1.0; give a number of at least 0"),
        (("--participation", "2"), "participation is 2.0; give a fraction"),
        (("--market", "futures"), "--market is 'futures'; give one of spot, margin"),
        (("--leverage", "5"), "--leverage is for --market margin"),
        (("--market", "margin", "--leverage", "0.5"), "--leverage is 0.5; give a number from 1 to 1000"),
        (("--instrument", "cheap"), "--instrument cheap: write SYMBOL.NAME=VALUE"),
        (("--instrument", "tick=1"), "tick is not a setting of an instrument; give one of size_increment, min_size"),
        (("--instrument", "taker_fee=x"), "--instrument taker_fee=x: 'x' is not a decimal"),
        (("--instrument", "taker_fee=1"), "--instrument taker_fee=1: give a fraction of the notional between -1 and 1"),
        (("--instrument", "size_increment=0"), "--instrument size_increment=0: give a decimal above zero"),
        (("--instrument", "taker_fee=0", "--instrument", "taker_fee=0"), "--instrument taker_fee is given twice"),
        (("--instrument", "ETH-USD.taker_fee=0"), "--instrument: the data hold BTC-USD, and no ETH-USD"),
        (("--instrument", "initial_margin=0.5"), "BTC-USD is held on spot, which has no margin"),
        (
            ("--market", "margin", "--instrument", "maintenance_margin=0.5"),
            "BTC-USD has a maintenance margin of 0.5, above the initial margin of 0.1",
        ),
        (("--fee-tier", "cheap"), "--fee-tier cheap: write VOLUME:MAKER:TAKER"),
    ],
)
def test_what_can_not_be_used_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], data_dir: Path, words: tuple[str, ...], message: str
) -> None:
    assert run(["backtest", "sma_cross", "--data", str(data_dir.joinpath(*BARS)), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


# --- the market maker on an order book -------------------------------------------------------------------------------


@pytest.fixture
def one_file(data_dir: Path, tmp_path: Path) -> Path:
    """The recorded book and its trades in one file, without message numbers."""
    book, prints = (pq.read_table(data_dir.joinpath(*name)) for name in (BOOK, PRINTS))
    rows = pa.concat_tables(
        [
            pa.table(
                {
                    "ts": book["ts"],
                    "kind": book["side"].cast(pa.string()),
                    "price": book["price"],
                    "size": book["size"],
                    "side": pa.nulls(len(book), pa.string()),
                    "is_snapshot": book["is_snapshot"],
                }
            ),
            pa.table(
                {
                    "ts": prints["ts"],
                    "kind": ["trade"] * len(prints),
                    "price": prints["price"],
                    "size": prints["size"],
                    "side": prints["side"].cast(pa.string()),
                    "is_snapshot": [False] * len(prints),
                }
            ),
        ]
    )
    path = tmp_path / "btcusdt.parquet"
    order: Any = np.argsort(rows["ts"].to_numpy(), kind="stable")
    pq.write_table(rows.take(order), path)
    return path


class Maker:
    """The contract of ``touch_maker`` over dictionaries: whole fills, risk-averse queue, no latency, no fee."""

    def __init__(self, quantity: float, max_position: float) -> None:
        self.lots, self.most = round(quantity / LOT), round(max_position / LOT)
        self.levels: dict[int, dict[int, float]] = {1: {}, -1: {}}
        self.orders: dict[int, list[float]] = {}  # side: [tick, volume before it]
        self.position, self.cash, self.fills, self.mid = 0, 0, 0, 0

    def fill(self, side: int) -> None:
        tick, _ = self.orders.pop(side)
        self.position += side * self.lots
        self.cash -= side * self.lots * int(tick)
        self.fills += 1

    def level(self, side: int, tick: int, size: float) -> None:
        self.levels[side].pop(tick, None) if size == 0 else self.levels[side].update({tick: size})
        own, other = self.orders.get(side), self.orders.get(-side)
        if own is not None and own[0] == tick:
            own[1] = min(own[1], size)
        if other is not None and size > 0 and side * (tick - other[0]) >= 0:
            self.fill(-side)

    def trade(self, taker: int, tick: int, size: float) -> None:
        own = self.orders.get(-taker)
        if own is None or taker * (tick - own[0]) < 0:
            return
        if tick == own[0]:
            own[1] -= size
            if round(-own[1] / LOT) <= 0:
                return
        self.fill(-taker)

    def act(self) -> None:
        if not self.levels[1] or not self.levels[-1]:
            return
        touch = {1: max(self.levels[1]), -1: min(self.levels[-1])}
        if touch[1] + touch[-1] == self.mid:
            return
        self.mid = touch[1] + touch[-1]
        for side in (1, -1):
            allowed = side * self.position < self.most
            if side in self.orders and (self.orders[side][0] != touch[side] or not allowed):
                del self.orders[side]
            if side not in self.orders and allowed:
                self.orders[side] = [touch[side], self.levels[side][touch[side]]]

    def profit(self) -> float:
        return (self.cash + self.position * self.mid / 2) * LOT / TICKS_A_UNIT


@pytest.mark.parametrize(("quantity", "most"), [(0.01, 1.0), (0.5, 1.0), (0.02, 0.02)])
def test_the_market_maker_fills_as_its_contract_says(told: Run, one_file: Path, quantity: float, most: float) -> None:
    maker = Maker(quantity, most)
    rows = pq.read_table(one_file).to_pylist()
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        tick = round(row["price"] * TICKS_A_UNIT)
        if row["kind"] == "trade":
            maker.trade(1 if row["side"] == "buy" else -1, tick, row["size"])
        else:
            maker.level(1 if row["kind"] == "bid" else -1, tick, row["size"])
        if after is None or after["ts"] != row["ts"]:
            maker.act()
    words = ("--quantity", quantity, "--param", f"max_position={most}", "--queue", "risk-averse")
    found = told("touch_maker", "--data", one_file, *words)
    assert maker.fills > 2
    assert found["fills"] == maker.fills
    assert found["position"] == pytest.approx(maker.position * LOT, abs=1e-12)
    assert found["net_profit"] == pytest.approx(maker.profit(), abs=1e-6)


def test_another_queue_model_fills_differently(told: Run, one_file: Path) -> None:
    def hashed(*words: str) -> str:
        found: str = told("touch_maker", "--data", one_file, "--quantity", "0.01", *words)["fills_sha256"]
        return found

    assert len({hashed(), hashed("--queue", "power"), hashed("--latency", "50ms")}) == 3
    assert hashed() == hashed("--queue", "risk-averse")


def test_each_fill_says_why_it_happened(told: Run, one_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "fills.parquet"
    found = told("touch_maker", "--data", one_file, "--quantity", "0.01", "--explain-fills", "--fills", file)
    table = pq.read_table(file)
    assert len(found["explained_fills"]) == found["fills"] == table.num_rows
    for sentence, reason in zip(found["explained_fills"], table["why"].to_pylist(), strict=True):
        assert sentence.endswith(reason)
    assert any("stood before it when it came to its level" in sentence for sentence in found["explained_fills"])
