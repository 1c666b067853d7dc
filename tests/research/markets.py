"""A small market of real bars for tests of sweeps."""

from pathlib import Path

from traider.engine.backtest import BacktestSpec
from traider.engine.tape import Tape
from traider.kernel.simulation import Fees
from traider.research import inputs
from traider.storage.market import read_market_file
from traider.strategies.sma_cross import SmaCross

BARS = Path(__file__).parents[1] / "data" / "bars" / "coinbase_btcusd_1m_2018-05.parquet"
TRADES = Path(__file__).parents[1] / "data" / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet"


def bars(count: int = 3000) -> tuple[BacktestSpec, Tape, str]:
    """The moving-average strategy, the first bars, and the file's hash."""
    file = read_market_file(BARS)
    spec = BacktestSpec(
        strategy=SmaCross, parameters={"quantity": 1.0}, instrument=inputs.instrument_of(file, None), cash=1e6, fees=Fees(taker=0.0002)
    )
    return spec, inputs.tape_of(file).head(count), file.sha256
