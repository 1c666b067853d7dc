"""The code in the documents is code that runs, compiled and interpreted."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.kernel.desks import instrument
from traider.domain.instruments import Instrument
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.stream import Stream
from traider.engine.tape import Tape, bars_tape
from traider.research.market import checked_file, together
from traider.storage.market import read_market_file
from traider.strategies.registry import find_strategy

ROOT = Path(__file__).parents[2]
BTC = instrument(price="0.01", size="0.00000001")
USING_VOLUME = """

from traider import Bar, Context, Strategy


class Busy(Strategy):
    def setup(self) -> None:
        self.usual = UsualVolume()

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        usual = self.usual.update(bar.ts_ns, bar.volume)
        ctx.target(self.quantity if bar.volume > 3.0 * usual else 0.0)
"""


@pytest.fixture(scope="module")
def tape(data_dir: Path) -> Tape:
    file = read_market_file(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet")
    return bars_tape(file.ts_ns, *file.columns.values()).head(3000)


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "number", "more", "name"),
    [
        ("docs/authors-guide.md", 0, "", "Pullback"),
        ("docs/authors-guide.md", 1, "", "Breakout"),
        ("docs/authors-guide.md", 4, USING_VOLUME, "Busy"),
        ("docs/authors-guide.md", 5, "", "HourlyTrend"),
        ("docs/indicators.md", 0, "", "Turn"),
        ("README.md", 0, "", "Trend"),
    ],
)
def test_a_strategy_in_the_documents_trades(page: str, number: int, more: str, name: str, tape: Tape, tmp_path: Path) -> None:
    file = tmp_path / "documented.py"
    file.write_text(blocks(page)[number] + more, encoding="utf-8")
    strategy = find_strategy(f"{file}:{name}")
    compiled, interpreted = (run_backtest(BacktestSpec(strategy, {}, BTC, 1e6, interpreted=how), tape) for how in (False, True))
    assert len(compiled.fills) > 4
    assert compiled.fills_sha256 == interpreted.fills_sha256
    assert not compiled.refusals


def trades_on(stream: Stream, block: int, name: str, tmp_path: Path, *others: Instrument) -> None:
    file = tmp_path / "documented.py"
    file.write_text(blocks("docs/authors-guide.md")[block], encoding="utf-8")
    strategy = find_strategy(f"{file}:{name}")
    market = instrument(price="0.1", size="0.00000001", initial_margin="0.1", maintenance_margin="0.05")
    spec = BacktestSpec(strategy, {"quantity": 0.01}, market, 1e6, others=others)
    compiled, interpreted = (run_backtest(replace(spec, interpreted=how), stream) for how in (False, True))
    assert len(compiled.fills) > 4
    assert compiled.fills_sha256 == interpreted.fills_sha256
    assert not compiled.refusals


def test_the_strategy_on_an_order_book_trades(data_dir: Path, tmp_path: Path) -> None:
    files = [data_dir / kind / f"binance_usdm_btcusdt_{kind}_2024-08-08_first.parquet" for kind in ("l2", "trades")]
    trades_on(together([checked_file(file, symbol="BTC-USD") for file in files]), 2, "Leaning", tmp_path)


def test_the_strategy_on_two_instruments_trades(tape: Tape, tmp_path: Path) -> None:
    """The second market is the first one with a wave of a twentieth in it."""
    inst = np.tile(np.array([0, 1], np.uint16), len(tape))
    wave = 1.0 + 0.05 * np.sin(np.arange(len(tape)) / 100.0)
    a, b, c, d = (np.column_stack((column, np.round(column * wave, 1))).ravel() for column in (tape.a, tape.b, tape.c, tape.d))
    times, kinds, volume = (np.repeat(column, 2) for column in (tape.ts_ns, tape.kind, tape.e))
    two = Tape(times, kinds, inst, a, b, c, d, volume, kinds=tape.kinds, instruments=2)
    other = instrument("ETH-USD", price="0.1", size="0.00000001", initial_margin="0.1", maintenance_margin="0.05")
    trades_on(two, 3, "Pair", tmp_path, other)


def test_no_block_is_left_out() -> None:
    assert len(blocks("docs/authors-guide.md")) == 6
    assert len(blocks("docs/indicators.md")) == 1
    assert len(blocks("README.md")) == 1
