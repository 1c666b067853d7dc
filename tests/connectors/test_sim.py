"""Replayed and generated markets: complete, repeatable, and at the right pace."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.connectors.sim.generator import INTERVAL_NS, Generator
from traider.connectors.sim.replay import Replay
from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import BAR_MADE, BOOK_CLEAR, BOOK_END, EventKind
from traider.engine.tape import Tape, bars_tape, tape_of, trades_tape

NOW_NS = 1_750_000_000_500_000_000


class SetClock:
    def __init__(self, ns: int = NOW_NS) -> None:
        self.ns = ns

    def now_ns(self) -> int:
        return self.ns


def generator(seed: int = 1, clock: SetClock | None = None) -> Generator:
    return Generator(symbol="BTC-USD", seed=seed, clock=clock or SetClock(), anchor=Decimal(60_000))


def bars_replay(count: int, speed: float = 0.0) -> Replay:
    rows = np.arange(count, dtype=np.float64)
    ts_ns = np.arange(count, dtype=np.int64) * 60_000_000_000
    tape = bars_tape(ts_ns, rows + 100, rows + 102, rows + 99, rows + 101, rows * 2)
    return Replay(tape, ["BTC-USD"], sha256="ab", speed=speed)


async def taken(events: AsyncIterator[MarketEvent], count: int) -> list[MarketEvent]:
    found = []
    async for event in events:
        found.append(event)
        if len(found) == count:
            break
    return found


async def test_a_replay_gives_every_row_once_in_order_from_any_start() -> None:
    replay = bars_replay(5000)
    everything = [event async for event in replay.events(0)]
    assert len(everything) == len(replay) == 5000
    assert everything[4999] == MarketEvent(
        index=4999, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=4999 * 60_000_000_000, a=5099.0, b=5101.0, c=5098.0, d=5100.0, e=9998.0
    )
    assert [event async for event in replay.events(4321)] == everything[4321:]
    assert list(replay.history(10, 20)) == everything[10:20]
    assert [event async for event in replay.events(5000)] == []
    assert replay.history_start(4000) == 0


async def test_a_replay_of_trades_tells_price_size_and_taker_side() -> None:
    tape = trades_tape(np.array([7, 7], np.int64), np.array([100.5, 101.0]), np.array([0.25, 2.0]), np.array([1.0, -1.0]))
    replay = Replay(tape, ["X-USD"], sha256="")
    assert [(event.kind, event.ts_ns, event.a, event.b, event.c, event.d) async for event in replay.events(0)] == [
        (EventKind.TRADE, 7, 100.5, 0.25, 1.0, 0.0),
        (EventKind.TRADE, 7, 101.0, 2.0, -1.0, 0.0),
    ]


async def test_a_replay_tells_every_kind_with_its_flags_and_instrument() -> None:
    kind = np.array([EventKind.DEPTH | BOOK_CLEAR, EventKind.DEPTH | BOOK_END, EventKind.BAR | BAR_MADE, EventKind.FUNDING], np.uint8)
    numbers = [np.arange(4.0) + 10 * column for column in range(5)]
    tape = Tape(np.array([1, 2, 3, 4], np.int64), kind, np.array([0, 1, 0, 1], np.uint16), *numbers)
    replay = Replay(tape, ["A-USD", "B-USD"], sha256="ab")
    told = [(event.kind, event.flags, event.symbol, event.a, event.e) async for event in replay.events(0)]
    assert told == [
        (EventKind.DEPTH, BOOK_CLEAR, "A-USD", 0.0, 40.0),
        (EventKind.DEPTH, BOOK_END, "B-USD", 1.0, 41.0),
        (EventKind.BAR, BAR_MADE, "A-USD", 2.0, 42.0),
        (EventKind.FUNDING, 0, "B-USD", 3.0, 43.0),
    ]
    again = tape_of(list(replay.history(0, 4)), {"A-USD": 0, "B-USD": 1})
    assert all(np.array_equal(one, other) for one, other in zip(again.columns(), tape.columns(), strict=True))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, without sleeping: the clock stands still, so each entry counts from the first event."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("traider.connectors.sim.pace.monotonic", lambda: 1000.0)
    monkeypatch.setattr("traider.connectors.sim.pace.sleep", note)
    return waits


async def test_a_bar_is_due_when_it_is_complete_and_speed_divides_the_wait(slept: list[float]) -> None:
    await taken(bars_replay(4, speed=120.0).events(0), 4)
    assert slept == [0.0, 0.5, 1.0, 1.5]
    slept.clear()
    await taken(bars_replay(4).events(0), 4)
    assert slept == []


async def test_a_made_bar_is_due_with_the_trade_behind_it(slept: list[float]) -> None:
    ts_ns = np.array([0, 10_000_000_000, 0, 60_000_000_000], np.int64)
    kind = np.array([EventKind.TRADE, EventKind.TRADE, EventKind.BAR | BAR_MADE, EventKind.TRADE], np.uint8)
    replay = Replay(Tape(ts_ns, kind, np.zeros(4, np.uint16), *[np.ones(4)] * 5), ["A-USD"], sha256="", speed=10.0)
    assert len([event async for event in replay.events(0)]) == 4
    assert slept == [0.0, 1.0, 6.0, 6.0]


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    first, second = generator(7), generator(7, SetClock(NOW_NS + 10**15))
    assert [(event.a, event.e) for event in first.history(0, 500)] == [(event.a, event.e) for event in second.history(0, 500)]
    assert [event.a for event in generator(8).history(0, 500)] != [event.a for event in first.history(0, 500)]


@given(start=st.integers(0, 10**9), count=st.integers(1, 200), seed=st.integers(0, 2**63))
def test_any_stretch_is_a_possible_market(start: int, count: int, seed: int) -> None:
    bars = generator(seed).history(start, start + count)
    assert [bar.index for bar in bars] == list(range(start, start + count))
    for bar in bars:
        assert 0 < bar.c <= min(bar.a, bar.d) <= max(bar.a, bar.d) <= bar.b
        assert bar.e > 0
        assert all(round(price * 100) / 100 == price for price in (bar.a, bar.b, bar.c, bar.d))
    for earlier, later in pairwise(bars):
        assert later.a == earlier.d
        assert later.ts_ns == earlier.ts_ns + INTERVAL_NS


def test_a_stretch_does_not_depend_on_where_it_was_begun() -> None:
    whole = generator(3).history(0, 400)
    assert list(generator(3).history(123, 321)) == list(whole[123:321])


def test_the_market_moves_as_a_random_walk_does() -> None:
    closes = np.log([bar.d for bar in generator(5).history(0, 40_000)])
    second, minute = np.diff(closes).std(), np.diff(closes[::60]).std()
    assert 5e-5 < second < 5e-4
    assert 0.5 < minute / second / 60**0.5 < 1.5
    assert abs(closes - np.log(60_000)).max() < 0.2


def test_the_first_bar_begins_now_at_the_anchor() -> None:
    market = generator(9)
    (first,) = market.history(0, 1)
    assert (first.a, first.ts_ns) == (60_000.0, NOW_NS // INTERVAL_NS * INTERVAL_NS)
    assert (market.instrument.base, market.instrument.quote) == ("BTC", "USD")
    assert list(market.history(5, 5)) == []
