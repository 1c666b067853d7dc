"""``traider verify parity SESSION``: recorded sessions on paper and on the simulated exchange, beside the backtest's fills."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.exchange.running import Running, exchange
from tests.services.strategies import Restless
from tests.services.support import Place, bars_plan, until
from tests.services.test_live_guard import Ear
from tests.services.test_recording import plan, whole
from tests.services.test_trader_tied import Both
from traider.bus.memory import MemoryBus
from traider.cli.main import run as traider
from traider.cli.plan import PaperPlan, RecordingPlan
from traider.connectors.coinbase.build import Options, coinbase_venue
from traider.connectors.coinbase.config import Addresses
from traider.connectors.coinbase.credentials import read_key_file
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.session_record import Warmed
from traider.domain.vocabulary import EventKind
from traider.guard.books import GuardConfig
from traider.guard.client import GuardClient
from traider.guard.place import JOURNAL, find_guard
from traider.kernel.events import Quote
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.runtime.clock import SystemClock
from traider.services.guard import GuardOptions, run_guard
from traider.services.trader import Trader
from traider.storage.session_file import read_session

BTC = Instrument(symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal(1), size_increment=Decimal("0.001"))
Report = dict[str, Any]


def compared(capsys: pytest.CaptureFixture[str], *words: str, status: int) -> Report:
    capsys.readouterr()
    assert traider(["verify", "parity", *words, "--json"]) == status
    report: Report = json.loads(capsys.readouterr().out)
    return report


def recordings(folder: Path) -> list[Path]:
    return sorted((folder / "sessions").glob("*.jsonl"), key=lambda path: int(path.stem[1:]))


# -- on paper, in lock step


async def test_a_replay_on_paper_has_the_backtests_fills(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = await whole(tmp_path, plan(data_dir, tmp_path))
    (recording,) = recordings(tmp_path)
    report = compared(capsys, str(recording), status=0)
    fills = len(place.fills())
    assert fills > 40
    assert (report["parity"], report["fills_session"], report["fills_backtest"]) == (True, fills, fills)
    sums = report["sums"]
    assert (sums["same"], sums["different"], sums["missed"], sums["extra"]) == (fills, 0, 0, 0)
    assert (Decimal(sums["slippage"]), Decimal(sums["fee_difference"]), sums["later_ms_max"]) == (Decimal(0), Decimal(0), 0)
    assert Decimal(sums["fees_session"]) > 0
    assert compared(capsys, recording.stem, "--state-dir", str(tmp_path), status=0) == report, "named by its id"
    assert traider(["verify", "parity", str(recording)]) == 0
    assert "the same fills as the backtest's" in capsys.readouterr().out


async def test_orders_of_timers_ties_and_amendments_are_found_again_in_the_backtest(
    tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An order of a timer is asked for between two market events, and has its own kind of id."""
    recorded = RecordingPlan(bars_plan(Both, data_dir, rows=300, quantity=0.5), tmp_path, "tests.services.test_trader_tied:Both")
    place = await whole(tmp_path, recorded)
    (recording,) = recordings(tmp_path)
    report = compared(capsys, str(recording), status=0)
    assert report["fills_session"] == len(place.fills()) > 20
    assert report["sums"]["same"] == report["fills_session"]
    assert any("t1-" in one["client_order_id"] for one in report["compared"])


async def test_the_second_session_of_an_account_begins_with_what_the_first_left(
    tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cash, position and peak are the first one's, under a limit that the position counts against."""
    limits = RiskLimits(max_position_size=Decimal(2), max_orders_per_minute=40)
    place = Place(tmp_path, limits=limits)
    await place.start()
    for rows, quantity in ((137, 0.5), (300, 0.7)):
        recorded = RecordingPlan(bars_plan(Restless, data_dir, rows=rows, quantity=quantity, every=2), tmp_path, NAME)
        await Trader(recorded, bus=place.bus, clock=place.clock, state_dir=tmp_path).run()
        recorded.close()
    start = place.guard.snapshot().session_start
    assert start is not None
    assert [position.size > 0 for position in start.positions] == [True]
    await place.stop()
    first, second = recordings(tmp_path)
    assert compared(capsys, str(first), status=0)["fills_session"] > 20
    report = compared(capsys, str(second), status=0)
    assert report["fills_session"] > 20
    assert report["fills_session"] + compared(capsys, str(first), status=0)["fills_session"] == len(place.fills())


async def test_what_the_session_only_looked_at_is_not_traded_on_in_the_backtest_either(
    tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = plan(data_dir, tmp_path)
    recorded.plan.source_of().untraded = 50  # type: ignore[misc]  # the replay's own attribute
    place = await whole(tmp_path, recorded)
    (recording,) = recordings(tmp_path)
    assert any(isinstance(line, Warmed) for line in read_session(recording))
    report = compared(capsys, str(recording), status=0)
    assert report["fills_session"] == len(place.fills()) > 40
    assert report["market_events"] == 400


async def test_what_the_guard_refused_is_missed_with_its_reason(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kill switch goes on in the middle, which no backtest knows of."""
    place = Place(tmp_path)
    await place.start()
    recorded = plan(data_dir, tmp_path)
    trading = asyncio.create_task(Trader(recorded, bus=place.bus, clock=place.clock, state_dir=tmp_path).run())
    await place.handled(300, trading)
    watching = await GuardClient.connect(*find_guard(tmp_path), Ear(), role="observer", client="owner")
    await watching.set_kill_switch(on=True, reason="enough", by="owner")
    watching.close()
    await trading
    await place.stop()
    recorded.close()
    (recording,) = recordings(tmp_path)
    report = compared(capsys, str(recording), status=1)
    assert not report["parity"]
    missed = [one for one in report["compared"] if one["verdict"] == "missed"]
    assert report["sums"]["missed"] == len(missed) > 20
    assert report["sums"]["missed"] == report["fills_backtest"] - report["fills_session"]
    assert any(one["reason"].startswith("refused: kill switch is on") for one in missed)
    assert all(one["reason"] for one in missed)
    assert any("the kill switch was turned on by owner" in note for note in report["notes"])
    assert traider(["verify", "parity", str(recording)]) == 1
    printed = capsys.readouterr().out
    assert "kill switch is on" in " ".join(printed.split())
    assert "not the backtest's fills" in printed


# -- on an exchange


class Buyer(Strategy):
    """One and a half at every other quote."""

    def setup(self) -> None:
        self.quotes = 0

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        if self.quotes % 2 == 0:
            ctx.buy(1.5)
        self.quotes += 1


NAME = "tests/services/strategies.py:Restless"
BUYER = "tests/services/test_session_parity.py:Buyer"


class Quotes:
    """A market that is told here, quote by quote."""

    symbol, untraded, in_moments, unfed = "BTC-USD", 0, True, ()

    def __init__(self) -> None:
        self.told: asyncio.Queue[MarketEvent] = asyncio.Queue()
        self.index = self.handled = 0

    def tell(self, bid: float, ask: float, size: float) -> None:
        ts_ns = SystemClock().now_ns()
        self.told.put_nowait(
            MarketEvent(index=self.index, kind=EventKind.QUOTE, symbol="BTC-USD", ts_ns=ts_ns, a=bid, b=size, c=ask, d=size)
        )
        self.index += 1

    def continue_after(self, last_index: int, last_ns: int) -> None:
        pass

    def history_start(self, last_index: int) -> int:
        return 0

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]:
        return []

    async def events(self, start_index: int) -> AsyncIterator[MarketEvent]:
        while True:
            yield await self.told.get()
            self.handled += 1


@dataclass
class Live:
    """A trader at a guard whose orders go to the simulated exchange."""

    state_dir: Path
    market: Quotes
    ear: Ear
    watching: GuardClient


@asynccontextmanager
async def live(folder: Path, running: Running, *, simulated: bool = False) -> AsyncIterator[Live]:
    key_file = folder / "key.json"
    key_file.write_text(json.dumps(running.key))
    socket = running.base.replace("http", "ws")
    options = Options(addresses=Addresses(rest_url=running.base, market_url=socket, user_urls=(socket,)))
    config = GuardConfig(instruments=(BTC,), limits=RiskLimits(), cash=0.0, maker_fee=0.004, taker_fee=0.006, simulated=simulated)
    guard = GuardOptions(state_dir=folder, store_url=f"sqlite:///{folder / 'store.sqlite3'}", config=config)
    key = read_key_file(key_file)
    process = asyncio.create_task(run_guard(guard, SystemClock(), lambda: coinbase_venue(key, SystemClock(), options)))
    await until(lambda: process.done() or (folder / "guard.endpoint").exists())
    market, ear = Quotes(), Ear()
    watching = await GuardClient.connect(*find_guard(folder), ear, role="observer", client="w")
    await until(lambda: ear.gates == ())
    kinds = 1 << EventKind.QUOTE
    recorded = RecordingPlan(PaperPlan(Buyer, {}, BTC, {"live": "test"}, lambda: market, interpreted=True, kinds=kinds), folder, BUYER)
    trading = asyncio.create_task(Trader(recorded, bus=MemoryBus(), clock=SystemClock(), state_dir=folder).run())
    try:
        yield Live(folder, market, ear, watching)
    finally:
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)
        watching.close()
        recorded.close()
        (folder / "guard.endpoint").unlink()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(process, 20)


def count(ear: Ear, event: str) -> int:
    return sum(told.endswith(event) for told in ear.events)


@pytest.mark.parametrize("simulated", [False, True])
async def test_a_session_on_the_exchange_shows_its_partial_fills_its_slippage_and_its_latency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], simulated: bool
) -> None:
    """The exchange has 1 at 101 and 2 at 102, and takes an order late; the backtest fills the whole of it at the next quote."""
    async with exchange(virtual=False) as running:
        await running.fault(match={"method": "POST", "path": "/orders"}, do="delay", when="before_apply", seconds=0.05)
        async with live(tmp_path, running, simulated=simulated) as session:
            for _ in range(2):
                session.market.tell(99.0, 101.0, 1.0)
            await until(lambda: count(session.ear, " filled") == 2)
            await session.watching.set_kill_switch(on=True, reason="enough", by="owner")
            for _ in range(2):
                session.market.tell(99.0, 102.0, 1.5)
            await until(lambda: count(session.ear, " rejected") == 1)
            await until(lambda: session.market.handled == 4)
    (recording,) = recordings(tmp_path)
    report = compared(capsys, str(recording), status=1)
    assert (report["venue"], report["fills_session"], report["market_events"]) == ("simulated" if simulated else "live", 2, 4)
    first, second, *missed = report["compared"]
    assert [(one["verdict"], Decimal(one["size"])) for one in (first, second)] == [("different", 1), ("different", Decimal("0.5"))]
    assert [Decimal(one["session"]["price"]) for one in (first, second)] == [101, 102]
    assert [Decimal(one["backtest"]["price"]) for one in (first, second)] == [101, 101]
    assert [Decimal(one["slippage"]) for one in (first, second)] == [0, Decimal("0.5")]
    assert Decimal(report["sums"]["slippage"]) == Decimal("0.5")
    # 0.5 more than 1.5 at 101
    assert Decimal(report["sums"]["basis_points"]).quantize(Decimal("0.01")) == Decimal("33.00")
    assert all(one["later_ms"] >= 45.0 for one in (first, second)), "the delay, less the time to the next quote"
    assert all("filled in 2 parts" in one["reason"] and "ms later" in one["reason"] for one in (first, second))
    fee = Decimal(report["sums"]["fee_difference"])
    assert fee == sum(Decimal(one["session"]["fee"]) for one in (first, second)) - Decimal("1.5") * 101 * Decimal("0.006")
    assert [one["verdict"] for one in missed] == ["missed"] * len(missed)
    assert [Decimal(one["size"]) for one in missed] == [Decimal("1.5")], "the second order"
    assert missed[0]["reason"].startswith("refused: kill switch is on")
    assert traider(["verify", "parity", str(recording)]) == 1
    assert ("on the simulated exchange" if simulated else "on an exchange") in capsys.readouterr().out


# -- what can't be compared


async def test_what_does_not_belong_together_is_told(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refusal(*words: str) -> str:
        capsys.readouterr()
        assert traider(["verify", "parity", *words]) == 2
        return capsys.readouterr().err

    await whole(tmp_path / "a", plan(data_dir, tmp_path / "a"))
    (recording,) = recordings(tmp_path / "a")
    other = tmp_path / "b"
    place = Place(other)
    await place.start()
    await place.stop()
    assert "line 2 begins no session" in refusal(str(recording), "--state-dir", str(other))
    assert "the guard's journal is not there" in refusal(str(recording), "--state-dir", str(tmp_path / "c"))
    assert "no session s99 is recorded" in refusal("s99", "--state-dir", str(other))
    assert "leave out --data, --fill" in refusal("s2", "--data", "x.parquet", "--fill", "close")
    assert "sma_cross is a strategy" in refusal("sma_cross", "--state-dir", str(other))
    journal = tmp_path / "a" / JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"maker_fee":0.001', b'"maker_fee":0.002', 1))
    capsys.readouterr()
    assert traider(["verify", "parity", str(recording)]) == 1
    assert "journal.jsonl" in capsys.readouterr().err, "an edited journal proves nothing"
