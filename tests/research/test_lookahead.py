"""Every known leak in ``leaks/`` is found, with its lines; nothing in ``honest/`` gives an alarm."""

import pickle
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from traider.domain.errors import DataError, StrategyError, TraiderError
from traider.domain.limits import RiskLimits
from traider.engine.lookahead.memory import DEVIATIONS
from traider.engine.session import acts_on
from traider.kernel.kit import Strategy
from traider.research import inputs, lookahead
from traider.research.hints import hints
from traider.research.lookahead import Lookahead, check_lookahead, parsed
from traider.research.market import MarketData
from traider.research.witness import Settings
from traider.research.witnesses import Witnesses, witnesses
from traider.strategies.registry import BUILT_IN, find_strategy

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LEAKS = sorted(path.stem for path in (HERE / "leaks").glob("*.py"))
BY_MEMORY = ["native_reader", "pickled_signals"]  # what they know is in no data that another future could change
HONEST = [
    f"{path.stem}:{name}"
    for path in sorted((HERE / "honest").glob("*.py"))
    for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)
]
ROWS = 1_500


pytestmark = pytest.mark.timeout(180)  # the first one waits for two processes, which may have to compile the kernel


@pytest.fixture(scope="module")
def running() -> Iterator[Witnesses]:
    with witnesses() as processes:
        yield processes


@pytest.fixture
def folder(data_dir: Path, tmp_path: Path) -> Path:
    """Where the strategies find their files: data, settings, and signals that were made from all of the data."""
    bars = pq.read_table(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet").slice(0, ROWS)
    pq.write_table(bars, tmp_path / "bars.parquet")
    trades = pq.read_table(data_dir / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet").slice(0, ROWS)
    pq.write_table(trades, tmp_path / "trades.parquet")
    (tmp_path / "settings.json").write_text('{"window": 25}')
    ts, close = bars["ts"].to_numpy().tolist(), bars["close"].to_numpy().tolist()
    following = [later - now for now, later in zip(close, [*close[1:], close[-1]], strict=True)]
    (tmp_path / "signals.pkl").write_bytes(pickle.dumps(dict(zip(ts, following, strict=True))))
    for kind in ("l2", "trades", "quotes"):
        name = {"l2": "l2", "trades": "trades", "quotes": "bbo"}[kind]
        shutil.copy(data_dir / kind / f"binance_usdm_btcusdt_{name}_2024-08-08_first.parquet", tmp_path / f"futures_{kind}.parquet")
    return tmp_path


def settings_of(strategy: str, market: MarketData, **parameters: object) -> Settings:
    cls = find_strategy(strategy)
    return Settings(
        strategy=strategy,
        parameters=parsed(cls, parameters),
        instruments=inputs.instruments_of(market, None, cls.market),
        cash=1e6,
        maker_fee=0.0005,
        taker_fee=0.001,
        fill="next-open",
        limits=RiskLimits(),
        data=tuple(str(file.path) for file in market.files),
        kinds=market.kinds,
    )


def check(running: Witnesses, strategy: str, data: Path | list[Path], *, cuts: int = 2, **parameters: object) -> Lookahead:
    market = inputs.market_data(data, strategy=find_strategy(strategy), symbol="BTC-USD", price_increment=None)
    return check_lookahead(settings_of(strategy, market, **parameters), market, running, cuts=cuts)


def data_for(folder: Path, strategy: type[Strategy]) -> list[Path]:
    """Recorded data that hold what the strategy acts on; of an order book with its trades and quotes."""
    files = {
        "bars": ["bars"],
        "trades": ["trades"],
        "quotes": ["futures_quotes"],
        "book": ["futures_l2", "futures_trades", "futures_quotes"],
    }
    return [folder / f"{name}.parquet" for name in next(files[kind] for kind in acts_on(strategy))]


def leak(folder: Path, name: str) -> str:
    file = shutil.copy(HERE / "leaks" / f"{name}.py", folder)
    return f"{file}:{''.join(word.title() for word in name.split('_'))}"


def lines(place: str, mark: str) -> list[str]:
    """The places in the file of the strategy whose line ends with ``# MARK``."""
    file = place.rpartition(":")[0]
    return [f"{file}:{number}" for number, line in enumerate(Path(file).read_text().splitlines(), 1) if line.endswith(f"# {mark}")]


def test_there_are_enough_of_both() -> None:
    assert len(LEAKS) >= 12
    assert len(HONEST) + len(BUILT_IN) >= 10


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_says_what_it_leaks(name: str) -> None:
    assert (HERE / "leaks" / f"{name}.py").read_text().startswith('"""Leaks: ')


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(LEAKS) - set(BY_MEMORY)))
def test_a_known_leak_is_found_with_its_lines(name: str, folder: Path, running: Witnesses) -> None:
    strategy = leak(folder, name)
    found = check(running, strategy, data_for(folder, find_strategy(strategy)))
    assert found.verdict == "leak"
    first = found.leaks[0]
    assert first.difference.place in lines(strategy, "ORDER")
    assert first.event < first.cut.row
    assert first.event == min(one.event for one in found.leaks)
    assert any(read.market for read in found.reads)
    # The line that leaks is named: where the state that differs is assigned, or, where it is a row too far, by its looks.
    named = [first.state.place if first.state else "", *(hint.place for hint in hints(find_strategy(strategy)))]
    assert set(named) & set(lines(strategy, "LEAK"))


def test_on_an_order_book_a_file_that_is_not_given_leaves_it_unproven(folder: Path, running: Witnesses) -> None:
    found = check(running, leak(folder, "next_best_bid"), [folder / "futures_l2.parquet", folder / "futures_trades.parquet"])
    assert (found.verdict, found.leaks, found.remembered) == ("unproven", [], 0.0)
    assert [(Path(read.path).name, read.market) for read in found.reads] == [("futures_quotes.parquet", False)]
    assert "give files of market data with --data" in found.why


@pytest.mark.parametrize("name", BY_MEMORY)
def test_what_no_other_future_changes_is_found_by_what_it_remembers(name: str, folder: Path, running: Witnesses) -> None:
    found = check(running, leak(folder, name), folder / "bars.parquet")
    assert found.verdict == "leak"
    assert not found.leaks
    assert found.remembered > DEVIATIONS
    assert "trades the recorded one" in found.why


def test_the_file_that_a_remembering_strategy_read_is_named(folder: Path, running: Witnesses) -> None:
    strategy = leak(folder, "pickled_signals")
    found = check(running, strategy, folder / "bars.parquet")
    assert [(Path(read.path).name, read.place, read.market) for read in found.reads] == [("signals.pkl", *lines(strategy, "READ"), False)]


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_an_honest_strategy_gives_no_alarm(name: str, folder: Path, running: Witnesses) -> None:
    file, _, cls = name.partition(":")
    copied = shutil.copy(HERE / "honest" / f"{file}.py", folder)
    found = check(running, f"{copied}:{cls}", data_for(folder, find_strategy(f"{copied}:{cls}")), quantity=0.5)
    assert (found.verdict, found.leaks) == ("clean", [])
    assert found.decisions > 0


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_built_in_strategy_gives_no_alarm(name: str, folder: Path, running: Witnesses) -> None:
    parameters: dict[str, Any] = {"span": 50, "band": 0.00001} if name == "ema_band" else {}
    found = check(running, name, data_for(folder, BUILT_IN[name]), quantity=0.01, **parameters)
    assert found.verdict == "clean"
    assert found.decisions > 10


@pytest.mark.parametrize(("name", "file", "parameters"), [("Everything", "bars", {}), ("Quoter", "trades", {"gap": 0.2})])
def test_every_order_method_gives_no_alarm(name: str, file: str, parameters: dict[str, Any], folder: Path, running: Witnesses) -> None:
    found = check(running, f"{ROOT}/tests/kernel/samples.py:{name}", folder / f"{file}.parquet", quantity=0.01, **parameters)
    assert found.verdict == "clean"
    assert found.decisions > 15


@pytest.mark.parametrize(("page", "number", "name"), [("docs/authors-guide.md", 0, "Pullback"), ("README.md", 0, "Trend")])
def test_a_strategy_in_the_documents_gives_no_alarm(page: str, number: int, name: str, folder: Path, running: Witnesses) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    file = folder / "documented.py"
    file.write_text(blocks[number], encoding="utf-8")
    assert check(running, f"{file}:{name}", folder / "bars.parquet", quantity=0.5).verdict == "clean"


UNSEEDED = """
import random
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if random.random() < 0.5 else 0.0)
"""
SET_ORDER = """
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def setup(self) -> None:
        self.words = {"buy", "hold", "wait", "sell", "quit", "more", "less"}

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        for word in self.words:
            ctx.buy_limit(0.1, float(len(word) + ord(word[0])))
"""
HONEST_BUT_NATIVE = """
from pathlib import Path
from typing import Any
import pyarrow.parquet as pq
from pyarrow import fs
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def setup(self) -> None:
        with fs.LocalFileSystem().open_input_file(str(Path(__file__).with_name("bars.parquet"))) as file:
            self.closes = pq.ParquetFile(file).read()["close"].to_pylist()
        self.row = 0

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if self.closes[self.row] > bar.open else 0.0)
        self.row += 1
"""
NEVER = """
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if bar.close < 0.0:
            ctx.buy(1.0)
"""
NEEDS_ALL_ROWS = """
from pathlib import Path
from typing import Any
import pandas as pd
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def setup(self) -> None:
        if len(pd.read_parquet(Path(__file__).with_name("bars.parquet"))) < 1500:
            raise ValueError("too few bars")

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if bar.close > bar.open else 0.0)
"""
FAILS = """
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(1.0 / (bar.volume * 0.0))
"""


def mine(folder: Path, source: str) -> str:
    (folder / "mine.py").write_text(source)
    return f"{folder}/mine.py:Mine"


@pytest.mark.parametrize("source", [UNSEEDED, SET_ORDER], ids=["random numbers", "the order of a set"])
def test_one_that_decides_otherwise_each_time_is_told_to_be_that_and_no_leak(source: str, folder: Path, running: Witnesses) -> None:
    found = check(running, mine(folder, source), folder / "bars.parquet")
    assert (found.verdict, found.leaks, found.runs) == ("unrepeatable", [], 2)
    assert found.unrepeatable is not None
    assert found.unrepeatable.place.startswith(f"{folder}/mine.py:")


def test_a_read_that_can_not_be_led_elsewhere_leaves_it_unproven(folder: Path, running: Witnesses) -> None:
    found = check(running, mine(folder, HONEST_BUT_NATIVE), folder / "bars.parquet")
    assert found.verdict == "unproven"
    assert "native code" in found.why


def test_one_that_asks_for_nothing_is_unproven(folder: Path, running: Witnesses) -> None:
    found = check(running, mine(folder, NEVER), folder / "bars.parquet")
    assert (found.verdict, found.decisions) == ("unproven", 0)
    assert "nothing to compare" in found.why


def test_one_that_can_not_do_without_the_future_is_a_leak(folder: Path, running: Witnesses) -> None:
    found = check(running, mine(folder, NEEDS_ALL_ROWS), folder / "bars.parquet")
    assert found.verdict == "leak"
    assert found.leaks[0].future == "truncated"
    stop = found.leaks[0].difference.stop
    assert stop is not None
    assert (stop.during, stop.ts_ns) == ("setup", None)
    assert "too few bars" in stop.why


def test_one_that_fails_on_the_recorded_market_is_told_as_a_backtest_tells_it(folder: Path, running: Witnesses) -> None:
    with pytest.raises(StrategyError, match=r"ZeroDivisionError.*mine\.py:6"):
        check(running, mine(folder, FAILS), folder / "bars.parquet")


WRITES = """
from pathlib import Path
from typing import Any
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def setup(self) -> None:
        Path(__file__).with_name("bars.parquet").write_bytes(b"gone")

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if bar.close > bar.open else 0.0)
"""


def test_the_users_file_is_left_as_it_is_whatever_the_strategy_does(folder: Path, running: Witnesses) -> None:
    before = (folder / "bars.parquet").read_bytes()
    assert check(running, mine(folder, WRITES), folder / "bars.parquet").verdict == "clean"
    assert (folder / "bars.parquet").read_bytes() == before


def test_the_same_seed_gives_the_same_finding(folder: Path, running: Witnesses) -> None:
    strategy = leak(folder, "future_extremes")
    assert check(running, strategy, folder / "bars.parquet") == check(running, strategy, folder / "bars.parquet")


def test_bars_beside_other_data_are_refused(folder: Path, running: Witnesses) -> None:
    with pytest.raises(DataError, match=r"bars\.parquet: holds bars, and there are bars and trades: .* leave the bars or the others out"):
        check(running, "sma_cross", [folder / "bars.parquet", folder / "trades.parquet"])


ENDS = """
import sys
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        sys.exit(3)
"""
HANGS_WITHOUT_A_FUTURE = """
from pathlib import Path
import pyarrow.parquet as pq
from traider import Bar, Context, Strategy

class Mine(Strategy):
    def setup(self) -> None:
        while pq.read_metadata(Path(__file__).with_name("bars.parquet")).num_rows < 1500:
            pass

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.target(self.quantity if bar.close > bar.open else 0.0)
"""


def test_one_that_ends_the_process_is_told(folder: Path, running: Witnesses) -> None:
    with pytest.raises(StrategyError, match="ended the process itself: exit status 3"):
        check(running, mine(folder, ENDS), folder / "bars.parquet")


def test_one_that_never_ends_on_another_future_is_stopped_and_told(
    folder: Path, running: Witnesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "_LEAST_LIMIT_S", 2)
    monkeypatch.setattr(lookahead, "_TIMES_SLOWER", 0)
    with pytest.raises(TraiderError, match=r"it took more than 2 s over truncated-\d+ data"):
        check(running, mine(folder, HANGS_WITHOUT_A_FUTURE), folder / "bars.parquet", cuts=1)
    assert check(running, "sma_cross", folder / "bars.parquet", cuts=1).verdict == "clean"
