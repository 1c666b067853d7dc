"""Every order type, timers and all handlers, on every kind of market data: compiled and interpreted, the same bit for bit."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.test_parity import both, figures, replaced
from tests.kernel.desks import instrument
from tests.kernel.samples import Juggler
from tests.kernel.test_structs import values_of
from traider.domain.vocabulary import EventKind, FillRule, Reason
from traider.engine import backtest
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.session import Session
from traider.engine.stream import Stream
from traider.engine.tape import Tape
from traider.kernel.desk import Desk
from traider.kernel.simulation import (
    Fees,
    FeeTier,
    FillMode,
    IntrabarPath,
    Latency,
    LatencyKind,
    QueueModel,
    Simulation,
    Slippage,
    SlippageKind,
)
from traider.kernel.structs import describe, read_back
from traider.research.market import checked_file, together

FEES = Fees(maker=0.0001, taker=0.0004, tiers=(FeeTier(1e6, 0.0, 0.0003),))
SPOT = instrument("BTC-USD", price="0.01", size="0.001", shortable=True)
PERPETUAL = instrument("BTC-PERP", price="0.1", size="0.001", initial_margin="0.1", maintenance_margin="0.05", taker_fee="0.0005")
PLAIN = Simulation()
ROUGH = Simulation(
    path=IntrabarPath.NEAREST_FIRST,
    participation=0.05,
    queue=QueueModel.POWER,
    partial_fills=True,
    latency=Latency(out_ns=20_000_000, back_ns=30_000_000, kind=LatencyKind.LOGNORMAL, sigma=0.5),
    slippage=Slippage(SlippageKind.VOLUME_SHARE, 0.001),
    liquidation_fee=0.01,
    seed=5,
)
DATA = {
    "trades": ("trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet",),
    "quotes": ("quotes/binance_usdm_btcusdt_bbo_2024-08-08_first.parquet", "trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet"),
    "book": ("l2/binance_usdm_btcusdt_l2_2024-08-08_first.parquet", "trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet"),
}
KINDS = ["bars", *DATA]


@pytest.fixture(scope="module")
def streams(data_dir: Path) -> dict[str, Stream]:
    """Bars are those of two instruments in turn, with a funding now and then."""
    found: dict[str, Stream] = {}
    for name, files in DATA.items():
        found[name] = together([checked_file(data_dir / file, symbol="BTC-PERP", price_increment=Decimal("0.1")) for file in files])
    (bars,) = together([checked_file(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet")]).chunks()
    return {"bars": two_instruments(bars.head(4000)), **found}


def two_instruments(bars: Tape) -> Tape:
    kind, inst = bars.kind.copy(), bars.inst.copy()
    inst[1::2] = 1
    values = [column.copy() for column in (bars.a, bars.b, bars.c, bars.d, bars.e)]
    funding = np.arange(479, len(bars), 480)
    kind[funding] = int(EventKind.FUNDING)
    values[0][funding] = 0.0001
    return Tape(bars.ts_ns, kind, inst, *values, kinds=1 << EventKind.BAR | 1 << EventKind.FUNDING, instruments=2)


def spec_for(name: str, simulation: Simulation, **more: Any) -> BacktestSpec:
    others = (replace_symbol(SPOT, "ETH-USD"),) if name == "bars" else ()
    width = 20.0 if name == "bars" else 1.0
    parameters: dict[str, object] = {"width": width, "quantity": 0.05 if name == "bars" else 0.01}
    return BacktestSpec(Juggler, parameters, PERPETUAL, 20_000.0, FEES, simulation=simulation, others=others, **more)


def replace_symbol(market: Any, symbol: str) -> Any:
    return instrument(symbol, price=str(market.price_increment), size=str(market.size_increment), shortable=market.shortable)


@pytest.mark.parametrize("simulation", [PLAIN, ROUGH], ids=["plain", "rough"])
@pytest.mark.parametrize("name", KINDS)
def test_every_order_is_the_same_compiled_and_interpreted(name: str, simulation: Simulation, streams: dict[str, Stream]) -> None:
    compiled, interpreted = both(spec_for(name, simulation), streams[name])  # type: ignore[arg-type]  # a stream is what is run over
    assert figures(compiled) == figures(interpreted)
    assert len(compiled.fills) > 20


@pytest.mark.parametrize("fill", [FillMode.SAME, FillMode.NEXT_CLOSE])
@pytest.mark.parametrize("name", ["bars", "quotes"])
def test_it_is_so_in_the_other_fill_modes(name: str, fill: FillMode, streams: dict[str, Stream]) -> None:
    compiled, interpreted = both(spec_for(name, PLAIN, fill=fill), streams[name])  # type: ignore[arg-type]
    assert figures(compiled) == figures(interpreted)


def state_after(spec: BacktestSpec, stream: Stream) -> tuple[bytes, Any]:
    """The engine's record, its order books and the strategy's attributes after the last event."""
    strategy = spec.strategy(**spec.parameters)
    desk = Desk(spec.instruments, cash=spec.cash, fees=spec.fees, fill=spec.fill, simulation=spec.simulation)
    session = Session(strategy, desk, interpreted=spec.interpreted)
    for chunk in stream.chunks():
        done = 0
        while done < len(chunk):
            done = session.step(chunk, done, len(chunk))
            desk.take_executions()
            desk.drain_day_ends()
    if not spec.interpreted:
        read_back(strategy, describe(strategy), session.block)
    for log in ("executions", "day_ends", "requests"):  # beyond what is counted lies what was there before
        desk.record[log] = np.zeros_like(desk.record[log])
    desk.account["books_at"] = desk.record["settings"]["latency_at"] = 0
    books = desk.books.tobytes() if desk.books is not None else b""
    return desk.records.tobytes() + books, values_of(strategy)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_left_at_the_end_is_the_same(name: str, streams: dict[str, Stream]) -> None:
    spec = spec_for(name, ROUGH)
    compiled, interpreted = (state_after(replaced(spec, interpreted=how), streams[name]) for how in (False, True))
    assert compiled[1] == interpreted[1]
    assert compiled[0] == interpreted[0]


@pytest.mark.parametrize("name", ["bars", "book"])
def test_it_is_the_same_in_many_pieces(name: str, streams: dict[str, Stream], monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_for(name, ROUGH)
    whole = run_backtest(spec, streams[name])
    monkeypatch.setattr(backtest, "_BATCH", 7)
    assert figures(run_backtest(spec, streams[name])) == figures(whole)


def test_another_seed_gives_other_times(streams: dict[str, Stream]) -> None:
    first, again, other = (run_backtest(spec_for("book", replace(ROUGH, seed=seed)), streams["book"]).fills_sha256 for seed in (5, 5, 6))
    assert first == again != other


def test_the_samples_reach_every_rule(streams: dict[str, Stream]) -> None:
    """What is not reached is not compared."""
    rules: set[int] = set()
    reasons: set[Reason] = set()
    for name in KINDS:
        for simulation in (PLAIN, ROUGH):
            result = run_backtest(spec_for(name, simulation), streams[name])
            rules |= set(result.fills["rule"].tolist())
            reasons |= set(result.cancels)
    everywhere = set(FillRule) - {FillRule.NONE, FillRule.NEXT_CLOSE, FillRule.SAME_PRICE, FillRule.LIQUIDATION}
    assert everywhere - rules == set()
    wanted = {Reason.OCO, Reason.PARENT_ENDED, Reason.EXPIRED, Reason.FOK_UNFILLED, Reason.IOC_UNFILLED, Reason.REQUESTED}
    assert wanted - reasons == set()
