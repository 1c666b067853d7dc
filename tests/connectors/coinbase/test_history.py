"""Candles in pages: the same bars whatever is asked for and however large a page is; and over the exchange simulator's own."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.exchange.running import exchange
from traider.cli.recordings import read_recording
from traider.connectors.coinbase import Addresses, Options
from traider.connectors.coinbase import wire_market as wire
from traider.connectors.coinbase.history import CandleHistory, candle_history
from traider.connectors.coinbase.market_calls import MOST_CANDLES, MarketCalls
from traider.connectors.sim.exchange.generated import GeneratedMarket
from traider.connectors.sim.exchange.recording import recorded_market
from traider.connectors.sim.exchange.serving import Address, Serving
from traider.connectors.sim.exchange.settings import Bounds, Config, Switches
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.domain.history import BarHistory, BarPage, PastBar, ProviderRefusedError, ProviderUnavailableError
from traider.domain.venue import VenueUnavailableError
from traider.runtime.clock import SystemClock
from traider.storage.market import read_market_file

SECOND_NS = 10**9
START_S = 1_767_225_600  # 2026-01-01


class AskedHere:
    """Answers for candles as the venue does: newest first, both ends counted in, and nothing where there was no trade."""

    def __init__(self, starts_s: set[int], *, off_s: int = 0) -> None:
        self.starts_s = starts_s
        self.asked: list[tuple[int, int]] = []
        self._off_s = off_s

    async def ask(self, path: str, shape: Any, query: Sequence[tuple[str, str]], *, private: bool) -> wire.CandlesReply:
        assert (path, shape, private) == ("/market/products/BTC-USD/candles", wire.CandlesReply, False)
        fields = dict(query)
        first_s, last_s = int(fields["start"]), int(fields["end"])
        self.asked.append((first_s, last_s))
        found = sorted((start_s for start_s in self.starts_s if first_s <= start_s <= last_s), reverse=True)
        assert len(found) <= MOST_CANDLES
        return wire.CandlesReply(candles=[self._candle(start_s) for start_s in found])

    def _candle(self, start_s: int) -> wire.Candle:
        price = str(1 + start_s % 1000)
        return wire.Candle(start=str(start_s + self._off_s), open=price, high=price, low=price, close=price, volume=str(start_s % 7))


class Clock:
    def __init__(self, now_s: int = START_S + 10**7) -> None:
        self.now_s = now_s

    def now_ns(self) -> int:
        return self.now_s * SECOND_NS


def history(asked: AskedHere, span_s: int, most: int = MOST_CANDLES, clock: Clock | None = None) -> CandleHistory:
    calls = MarketCalls(asked)  # type: ignore[arg-type]
    return CandleHistory(calls, clock or Clock(), symbol="BTC-USD", span_s=span_s, most=most)


async def everything(of: BarHistory, first_ns: int, end_ns: int) -> tuple[list[PastBar], list[BarPage]]:
    pages = [page async for page in of.pages(first_ns, end_ns)]
    return [bar for page in pages for bar in page.bars], pages


@given(
    span_s=st.sampled_from([60, 300, 3600]),
    first=st.integers(-5000, 5000),
    seconds=st.integers(1, 200_000),
    most=st.integers(1, MOST_CANDLES),
    traded=st.sets(st.integers(-100, 4000), max_size=300),
)
def test_any_span_in_any_pages_is_the_same_bars(span_s: int, first: int, seconds: int, most: int, traded: set[int]) -> None:
    first_ns, end_ns = (START_S + first) * SECOND_NS, (START_S + first + seconds) * SECOND_NS
    most = max(most, -(-seconds // span_s) // 200 + 1)
    asked = AskedHere({START_S + number * span_s for number in traded})
    bars, pages = asyncio.run(everything(history(asked, span_s, most), first_ns, end_ns))
    wanted = sorted(start_s for start_s in asked.starts_s if first_ns <= start_s * SECOND_NS < end_ns)
    assert [bar.ts_ns for bar in bars] == [start_s * SECOND_NS for start_s in wanted]
    assert [bar.volume for bar in bars] == [Decimal(start_s % 7) for start_s in wanted]
    assert all(last_s - start_s < most * span_s for start_s, last_s in asked.asked)
    assert [page.until_ns for page in pages] == sorted({page.until_ns for page in pages})
    assert not pages or pages[-1].until_ns >= end_ns
    gaps = list(history(asked, span_s).gaps([bar.ts_ns for bar in bars], first_ns, end_ns))
    missing = [gap.first_ns + number * span_s * SECOND_NS for gap in gaps for number in range(gap.bars)]
    there = -(-first_ns // (span_s * SECOND_NS)), -(-end_ns // (span_s * SECOND_NS))
    assert sorted(missing + [bar.ts_ns for bar in bars]) == [number * span_s * SECOND_NS for number in range(*there)]
    assert all(gap.last_ns == gap.first_ns + (gap.bars - 1) * span_s * SECOND_NS for gap in gaps)


async def test_a_candle_that_starts_where_none_does_is_refused() -> None:
    off = history(AskedHere({START_S}, off_s=7), 60)
    with pytest.raises(ProviderUnavailableError, match="starts at 1767225607 s"):
        await everything(off, START_S * SECOND_NS, (START_S + 60) * SECOND_NS)


@pytest.mark.parametrize(("minutes", "known"), [({0, 1, 2}, 3), ({0}, 2), ({0, 9}, 10), (set(), 2)])
async def test_a_candle_of_the_last_minutes_that_is_missing_may_be_late(minutes: set[int], known: int) -> None:
    """Twelve minutes after the start ten candles are over; of the last ten minutes no more is known than what is there."""
    of = history(AskedHere({START_S + 60 * minute for minute in minutes}), 60, clock=Clock(START_S + 12 * 60))
    _, pages = await everything(of, START_S * SECOND_NS, (START_S + 11 * 60) * SECOND_NS)
    assert pages[-1].until_ns == (START_S + known * 60) * SECOND_NS


async def test_a_late_candle_is_not_taken_for_known_because_a_page_follows() -> None:
    of = history(AskedHere({START_S + 60 * minute for minute in (0, 1, 2, 3)}), 60, most=3, clock=Clock(START_S + 12 * 60))
    _, pages = await everything(of, START_S * SECOND_NS, (START_S + 11 * 60) * SECOND_NS)
    assert [(page.until_ns // SECOND_NS - START_S) // 60 for page in pages] == [3, 4, 4, 4]


async def test_a_request_without_an_answer_is_a_providers_error() -> None:
    class Down(AskedHere):
        async def ask(self, *_: object, **__: object) -> Any:
            raise VenueUnavailableError("status 503")

    with pytest.raises(ProviderUnavailableError, match="Coinbase: status 503"):
        await everything(history(Down(set()), 60), START_S * SECOND_NS, (START_S + 60) * SECOND_NS)


# -- over sockets, before the exchange simulator


def options_at(port: int) -> Options:
    return Options(addresses=Addresses(rest_url=f"http://127.0.0.1:{port}"))


def simulator_at(moment: str) -> Simulator:
    start_ns = int(np.datetime64(moment, "ns").astype(np.int64))
    config = Config(seed=3, switches=Switches(limits=False), bounds=Bounds())
    return Simulator(Setup(config, virtual_start_ns=start_ns))


async def test_a_recording_that_was_played_is_downloaded_as_it_was_recorded(data_dir: Path) -> None:
    """Three hours of recorded minutes, each played as four trades: the candles are the recorded bars."""
    path = data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet"
    recorded = read_market_file(path)
    simulator = simulator_at("2026-01-01T00:00:00")
    product = simulator.list_product("BTC-USD", Decimal("0.01"), Decimal("0.00000001"))
    simulator.play(product, recorded_market(product, [read_recording(path, "BTC-USD")], seed=1, depth=5, infer_trades=True))
    simulator.begin()
    async with Serving(simulator, Address(control_port=0)) as serving:
        await simulator.agenda.advance(3 * 3600)
        async with candle_history("BTC-USD", 60, options_at(serving.port), SystemClock()) as of:
            until_ns = await of.complete_until_ns()
            bars, pages = await everything(of, START_S * SECOND_NS, until_ns)
    assert until_ns == (START_S + 3 * 3600 - 60) * SECOND_NS, "the last one may lack trades for some seconds"
    assert (len(bars), len(pages)) == (179, 1)
    moved_ns = START_S * SECOND_NS - int(recorded.ts_ns[0])
    assert [bar.ts_ns - moved_ns for bar in bars] == recorded.ts_ns[:179].tolist()
    for name in ("open", "high", "low", "close"):
        assert [float(getattr(bar, name)) for bar in bars] == recorded.columns[name][:179].tolist(), name
    assert np.allclose([float(bar.volume) for bar in bars], recorded.columns["volume"][:179], rtol=0, atol=5e-8)


async def test_a_made_up_market_is_downloaded_over_several_pages() -> None:
    simulator = simulator_at("2026-01-02T12:00:00")
    product = simulator.list_product("BTC-USD", Decimal("0.01"), Decimal("0.00000001"))
    simulator.play(product, GeneratedMarket(product, 7, 65_000.0), past_hours=24)
    simulator.begin()
    minutes = simulator.exchange.market_of(product).candles.minutes()
    async with Serving(simulator, Address(control_port=0)) as serving:
        for span_s in (60, 300, 3600):
            async with candle_history("BTC-USD", span_s, options_at(serving.port), SystemClock()) as of:
                until_ns = await of.complete_until_ns()
                bars, pages = await everything(of, (START_S + 12 * 3600) * SECOND_NS, until_ns)
            assert len(pages) == -(-(until_ns - (START_S + 12 * 3600) * SECOND_NS) // (350 * span_s * SECOND_NS))
            within = [minute for minute in minutes if minute.start_s < until_ns // SECOND_NS]
            assert sum(bar.volume for bar in bars) == sum(minute.lots for minute in within) * Decimal("0.00000001")
            assert max(bar.high for bar in bars) == max(minute.high for minute in within) * Decimal("0.01")
            assert list(of.gaps([bar.ts_ns for bar in bars], bars[0].ts_ns, until_ns)) == []


async def test_an_unknown_product_is_refused() -> None:
    async with exchange() as running:
        with pytest.raises(ProviderRefusedError, match="Coinbase has no product XYZ-USD"):
            async with candle_history("XYZ-USD", 60, options_at(running.serving.port), SystemClock()):
                pass


async def test_what_is_complete_follows_the_venues_clock_and_not_this_machines() -> None:
    class Wrong:
        def now_ns(self) -> int:
            return 10**18

    async with exchange() as running:
        for _ in range(2):
            async with candle_history("BTC-USD", 60, options_at(running.serving.port), Wrong()) as of:
                now_ns = running.simulator.agenda.now_ns()
                until_ns = await of.complete_until_ns()
                assert until_ns % (60 * SECOND_NS) == 0
                assert 9 * SECOND_NS <= now_ns - until_ns <= 71 * SECOND_NS
            await running.advance(59)
