"""Bars made of trades: by hand, against a plain grouping of recorded trades, in chunks, compiled and interpreted."""

import math
from collections.abc import Callable
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.desks import instrument
from tests.kernel.indicator_cases import columns_of
from traider.domain.errors import StrategyError
from traider.engine.session import Session
from traider.engine.tape import trades_tape
from traider.kernel.aggregators import NS_PER_S, BarMaker, DollarBars, TimeBars, VolumeBars
from traider.kernel.bar_columns import BarColumns, BarCutter
from traider.kernel.desk import Desk
from traider.kernel.events import Trade
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.kernel.structs import describe, read_back

MAKERS: dict[str, Callable[[], Any]] = {
    "time": lambda: TimeBars(10),
    "volume": lambda: VolumeBars(1.5),
    "dollar": lambda: DollarBars(40_000.0),
}
FIELDS = ("ts_ns", "open", "high", "low", "close", "volume", "trades")

TRADES = st.lists(
    st.tuples(st.integers(0, 9 * NS_PER_S), st.integers(1, 40), st.integers(1, 30).map(lambda n: n / 10)), min_size=1, max_size=60
)


def columns(trades: list[tuple[int, int, float]]) -> tuple[Any, Any, Any]:
    """Trades at these distances from one another, at prices of a few thousand."""
    ts_ns = np.cumsum(np.array([gap for gap, _, _ in trades], np.int64))
    return ts_ns, np.array([1000.0 * price for _, price, _ in trades]), np.array([size for _, _, size in trades])


def shown(maker: Any) -> tuple[float, ...]:
    return tuple(getattr(maker, name) for name in FIELDS)


def one_by_one(maker: Any, ts_ns: Any, price: Any, size: Any) -> tuple[list[tuple[float, ...]], list[int]]:
    """The bars that the maker shows, and the row of the trade before which each is known."""
    bars, told_before = [], []
    for i, trade in enumerate(zip(ts_ns.tolist(), price.tolist(), size.tolist(), strict=True)):
        if maker.update_trade(*trade):
            bars.append(shown(maker))
            told_before.append(i if isinstance(maker, TimeBars) else i + 1)
    return bars, told_before


def rows(bars: BarColumns) -> list[tuple[float, ...]]:
    return list(zip(*(getattr(bars, name).tolist() for name in FIELDS), strict=True))


@pytest.fixture(scope="module")
def trades(data_dir: Path) -> dict[str, Any]:
    return columns_of(data_dir / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet", 5000)


def test_a_time_bar_is_known_when_the_first_trade_after_it_comes() -> None:
    bars = TimeBars(60)
    minute = 60 * NS_PER_S
    assert not bars.update_trade(minute + 1, 5.0, 1.0)
    assert not bars.update_trade(minute + 2, 7.0, 2.0)
    assert math.isnan(bars.close), "a bar that is not complete can't be looked at"
    assert not bars.update_trade(2 * minute - 1, 4.0, 0.5)
    assert bars.update_trade(2 * minute, 9.0, 1.0), "a trade at the end is in the next bar"
    assert shown(bars) == (minute, 5.0, 7.0, 4.0, 4.0, 3.5, 3)
    assert bars.until() == 2 * minute
    assert bars.update_trade(9 * minute, 3.0, 1.0), "of the minutes without trade there is no bar"
    assert shown(bars) == (2 * minute, 9.0, 9.0, 9.0, 9.0, 1.0, 1)


def test_time_bars_before_1970_are_aligned_too() -> None:
    bars = TimeBars(60)
    bars.update_trade(-1, 5.0, 1.0)
    assert bars.update_trade(0, 6.0, 1.0)
    assert bars.ts_ns == -60 * NS_PER_S


def test_time_bars_of_bars_are_those_of_their_highs_and_lows(data_dir: Path) -> None:
    """Hours of minutes, against each hour's own first, highest, lowest, last and sum."""
    minutes = columns_of(data_dir / "bars" / "coinbase_btcusd_1m_2018-05.parquet", 10_069)
    names = ("ts_ns", "open", "high", "low", "close", "volume")
    hours = TimeBars(3600)
    told = [shown(hours) for row in zip(*(minutes[name].tolist() for name in names), strict=True) if hours.update_bar(*row)]
    places = minutes["ts_ns"] // (3600 * NS_PER_S)
    expected = []
    for hour in np.unique(places)[:-1]:
        part = {name: minutes[name][places == hour] for name in names}
        prices = (part["open"][0], part["high"].max(), part["low"].min(), part["close"][-1])
        expected.append((int(hour) * 3600 * NS_PER_S, *map(float, prices), math.fsum(part["volume"]), len(part["open"])))
    assert len(told) == len(expected) > 150
    for ours, theirs in zip(told, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-13)
        assert ours[:5] == theirs[:5]


def test_the_trade_that_reaches_the_size_closes_the_bar_and_is_in_it_whole() -> None:
    bars = VolumeBars(10.0)
    assert not bars.update_trade(7, 5.0, 6.0)
    assert bars.update_trade(8, 6.0, 25.0)
    assert shown(bars) == (7, 5.0, 6.0, 5.0, 6.0, 31.0, 2)
    assert not bars.update_trade(9, 4.0, 9.0), "nothing of the large trade was carried on"
    assert bars.close == 6.0
    assert bars.update_trade(9, 4.5, 1.0)
    assert shown(bars) == (9, 4.0, 4.5, 4.0, 4.5, 10.0, 2)


@pytest.mark.parametrize("maker", [VolumeBars(1.0), DollarBars(7.0)])
def test_ten_tenths_are_one(maker: Any) -> None:
    assert sum([0.1] * 10) < 1.0
    assert [maker.update_trade(i, 7.0, 0.1) for i in range(10)] == [False] * 9 + [True]


def test_a_dollar_bar_is_closed_by_its_worth() -> None:
    bars = DollarBars(1000.0)
    assert not bars.update_trade(1, 100.0, 9.0)
    assert bars.update_trade(2, 200.0, 1.0)
    assert shown(bars) == (1, 100.0, 200.0, 100.0, 200.0, 10.0, 2)
    assert bars.worth == 1100.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TimeBars(0), "TimeBars: seconds is 0; give a whole number of at least 1"),
        (lambda: TimeBars(1.5), "TimeBars: seconds is 1.5; give a whole number of at least 1"),  # type: ignore[arg-type]  # that is the point
        (lambda: VolumeBars(0.0), "VolumeBars: size is 0.0; give a number above 0"),
        (lambda: VolumeBars(math.nan), "VolumeBars: size is nan; give a number above 0"),
        (lambda: DollarBars(math.inf), "DollarBars: notional is inf; give a number above 0"),
    ],
)
def test_a_setting_that_makes_no_bars_is_refused(make: Any, words: str) -> None:
    with pytest.raises(StrategyError) as refusal:
        make()
    assert str(refusal.value) == words


def test_recorded_trades_in_bars_of_ten_seconds_are_those_of_a_plain_grouping(trades: dict[str, Any]) -> None:
    told = rows(BarCutter(TimeBars(10)).cut(trades["ts_ns"], trades["price"], trades["size"]))
    expected = []
    events = zip(trades["ts_ns"].tolist(), trades["price"].tolist(), trades["size"].tolist(), strict=True)
    for start, group in groupby(events, key=lambda event: event[0] // (10 * NS_PER_S)):
        part = list(group)
        prices = [price for _, price, _ in part]
        volume = sum(size for _, _, size in part)
        expected.append((start * 10 * NS_PER_S, prices[0], max(prices), min(prices), prices[-1], volume, len(part)))
    assert told == expected[:-1], "the last one is not complete"
    assert len(told) > 15


def test_recorded_trades_in_volume_bars_keep_every_trade_once(trades: dict[str, Any]) -> None:
    bars = BarCutter(VolumeBars(1.5)).cut(trades["ts_ns"], trades["price"], trades["size"])
    assert len(bars.open) > 20
    ends = bars.told_before
    starts = np.concatenate(([0], ends[:-1]))
    sizes = [Decimal(repr(size)) for size in trades["size"].tolist()]
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        assert sum(sizes[start:end]) >= Decimal("1.5") > sum(sizes[start : end - 1])
        assert bars.trades[i] == end - start
        assert bars.ts_ns[i] == trades["ts_ns"][start]
        assert (bars.open[i], bars.close[i]) == (trades["price"][start], trades["price"][end - 1])
        assert (bars.high[i], bars.low[i]) == (trades["price"][start:end].max(), trades["price"][start:end].min())


@pytest.mark.parametrize("kind", MAKERS)
def test_columns_are_cut_as_the_maker_does_trade_by_trade(kind: str, trades: dict[str, Any]) -> None:
    events = trades["ts_ns"], trades["price"], trades["size"]
    bars, told_before = one_by_one(MAKERS[kind](), *events)
    cut = BarCutter(MAKERS[kind]()).cut(*events)
    assert rows(cut) == bars
    assert cut.told_before.tolist() == told_before
    assert len(bars) > 15


@pytest.mark.parametrize("kind", MAKERS)
@given(trades=TRADES, ends=st.sets(st.integers(0, 60)))
def test_where_the_stream_is_cut_into_chunks_changes_nothing(kind: str, trades: list[tuple[int, int, float]], ends: set[int]) -> None:
    ts_ns, price, size = columns(trades)
    whole = BarCutter(MAKERS[kind]()).cut(ts_ns, price, size)
    cutter = BarCutter(MAKERS[kind]())
    places = [0, *sorted(end for end in ends if end < len(ts_ns)), len(ts_ns)]
    parts = [cutter.cut(ts_ns[a:b], price[a:b], size[a:b]) for a, b in pairwise(places)]
    for column, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert np.concatenate(pieces).tobytes() == column.tobytes()
    bars, told_before = one_by_one(MAKERS[kind](), ts_ns, price, size)
    assert rows(whole) == bars
    assert whole.told_before.tolist() == told_before


def test_more_bars_than_there_is_room_for_at_once(monkeypatch: pytest.MonkeyPatch, trades: dict[str, Any]) -> None:
    events = trades["ts_ns"], trades["price"], trades["size"]
    whole = BarCutter(VolumeBars(0.01)).cut(*events)
    monkeypatch.setattr("traider.kernel.bar_columns.ROOM", 7)
    few = BarCutter(VolumeBars(0.01)).cut(*events)
    assert len(whole.open) > 1000
    assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, few, strict=True))


class Aggregating(Strategy):
    """Writes down what each maker shows at each trade."""

    def setup(self) -> None:
        self.seconds, self.sizes, self.worths = TimeBars(10), VolumeBars(1.5), DollarBars(40_000.0)
        self.told = np.zeros(5000 * 24)
        self.row = 0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        a = self.seconds.update_trade(trade.ts_ns, trade.price, trade.size)
        b = self.sizes.update_trade(trade.ts_ns, trade.price, trade.size)
        c = self.worths.update_trade(trade.ts_ns, trade.price, trade.size)
        self.write(0, a, self.seconds)
        self.write(8, b, self.sizes)
        self.write(16, c, self.worths)
        self.row += 1

    def write(self, at: int, done: bool, bar: BarMaker) -> None:
        told, at = self.told, 24 * self.row + at
        told[at], told[at + 1], told[at + 2], told[at + 3] = done, bar.ts_ns, bar.open, bar.high
        told[at + 4], told[at + 5], told[at + 6], told[at + 7] = bar.low, bar.close, bar.volume, bar.trades


def test_compiled_and_interpreted_makers_are_equal_bit_for_bit(trades: dict[str, Any]) -> None:
    tape = trades_tape(*(trades[name] for name in ("ts_ns", "price", "size", "side")))
    both = []
    for interpreted in (False, True):
        strategy = Aggregating()
        session = Session(strategy, Desk([instrument()], cash=1.0), interpreted=interpreted)
        assert session.step(tape, 0, 5000) == 5000
        if not interpreted:
            read_back(strategy, describe(strategy), session.block)
        both.append(strategy.told)
    assert both[0].tobytes() == both[1].tobytes()
    assert both[0].reshape(-1, 3, 8)[:, :, 0].sum(axis=0).min() > 15
