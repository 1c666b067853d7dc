"""The hashes of a few runs' fills, which every Python, every number of threads and every way of cutting the data must give.

    python -m tests.engine.result_hashes            compares with result_hashes.json, exit status 1 where one differs
    python -m tests.engine.result_hashes --write    writes it anew: only when a rule of matching or risk has changed

Needs nothing but what traider itself needs, so that ``make pythons`` can run it on an interpreter without the tests' packages.
"""

import hashlib
import json
import platform
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.kernel.samples import Everything, Quoter
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.sweep import run_sweep
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees, FillMode
from traider.storage.market import read_market_file
from traider.strategies.ema_band import EmaBand
from traider.strategies.momentum import Momentum
from traider.strategies.sma_cross import SmaCross

HASHES = Path(__file__).with_suffix(".json")
DATA = Path(__file__).parents[1] / "data"
BARS = DATA / "bars" / "coinbase_btcusd_1m_2018-05.parquet"
TRADES = DATA / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet"
BTC: Instrument = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
GRID: list[dict[str, object]] = [{"fast": fast, "slow": slow} for fast in range(5, 50, 5) for slow in (60, 90, 120)]


def tape_of(path: Path) -> Tape:
    market = read_market_file(path)
    return (bars_tape if market.kind == "bars" else trades_tape)(market.ts_ns, *market.columns.values())


def specs() -> dict[str, tuple[BacktestSpec, Path]]:
    """The runs by name: each built-in strategy, and the samples that use every order method, on bars and on trades."""
    limits = RiskLimits(max_position_size=Decimal(9), max_open_orders=5, max_orders_per_minute=300)
    fees = Fees(maker=0.001, taker=0.002)

    def of(strategy: type[Strategy], fill: FillMode = FillMode.NEXT_OPEN, **parameters: object) -> BacktestSpec:
        return BacktestSpec(strategy, parameters, BTC, 1e6, fees, fill, limits if strategy is Everything else RiskLimits())

    return {
        "sma_cross": (of(SmaCross), BARS),
        "sma_cross, fill same": (of(SmaCross, FillMode.SAME, fast=3, slow=8), BARS),
        "momentum": (of(Momentum, quantity=0.3), BARS),
        "everything": (of(Everything, width=3.0, quantity=1.5), BARS),
        "ema_band": (of(EmaBand, span=50, band=0.00001, quantity=0.01), TRADES),
        "quoter": (of(Quoter, quantity=0.01, gap=0.5), TRADES),
    }


def sweep_sha256(tape: Tape, threads: int) -> str:
    """Over the figures of every trial, and those of the whole."""
    spec, _ = specs()["sma_cross"]
    result = run_sweep(spec, GRID, tape, threads=threads)
    trials = [(trial.parameters, trial.final_equity, trial.fills, trial.fees, trial.max_drawdown, trial.sharpe) for trial in result.trials]
    text = repr((trials, result.best, result.deflated_sharpe, result.pbo))
    return hashlib.sha256(text.encode()).hexdigest()


def result_hashes() -> dict[str, str]:
    """Of each run, compiled and interpreted, and of a sweep with one thread and with three."""
    tapes = {path: tape_of(path) for path in (BARS, TRADES)}
    found: dict[str, str] = {}
    for name, (spec, path) in specs().items():
        for way in (False, True):
            result = run_backtest(replace(spec, interpreted=way), tapes[path])
            found[f"{name}, {result.mode}"] = result.fills_sha256
    for threads in (1, 3):
        found[f"sweep, {threads} threads"] = sweep_sha256(tapes[BARS], threads)
    return found


def different(found: dict[str, str], expected: dict[str, Any]) -> list[str]:
    """The runs whose hash isn't the expected one, or that only one of the two has."""
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def main(words: list[str]) -> int:
    found = result_hashes()
    if words == ["--write"]:
        HASHES.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return 0
    unequal = different(found, json.loads(HASHES.read_text(encoding="utf-8")))
    for name in unequal:
        print(f"Python {platform.python_version()}: {name}: another result than {HASHES.name} has")
    print(f"Python {platform.python_version()}: {len(found) - len(unequal)} of {len(found)} results are the same bit for bit")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
