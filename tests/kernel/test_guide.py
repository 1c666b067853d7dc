"""The code in the documents is code that runs, compiled and interpreted."""

import re
from pathlib import Path

import pytest

from tests.kernel.desks import instrument
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.tape import Tape, bars_tape
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
        ("docs/authors-guide.md", 1, USING_VOLUME, "Busy"),
        ("docs/authors-guide.md", 2, "", "HourlyTrend"),
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


def test_no_block_is_left_out() -> None:
    assert len(blocks("docs/authors-guide.md")) == 3
    assert len(blocks("docs/indicators.md")) == 1
    assert len(blocks("README.md")) == 1
