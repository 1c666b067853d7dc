from tests.api.test_system import SECOND_NS, TAPE_NS, bar, trade
from traider.api.candles import Candles
from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import EventKind


def observe(candles: Candles, event: MarketEvent) -> None:
    candles.observe(event, event.d if event.kind is EventKind.BAR else event.a)


def test_the_ring_keeps_the_newest() -> None:
    candles = Candles(ring_size=3)
    for second in range(5):
        observe(candles, trade(second, 100.0 + second, ts_ns=TAPE_NS + second * SECOND_NS))
    assert [candle.open for candle in candles.last("BTC-USD", 10)] == [102.0, 103.0, 104.0]
    assert [candle.open for candle in candles.last("BTC-USD", 2)] == [103.0, 104.0]


def test_a_bar_that_comes_again_takes_its_place_and_an_older_one_is_passed_over() -> None:
    candles = Candles()
    for minute, close in ((0, 1.0), (1, 2.0), (1, 3.0), (0, 4.0)):
        observe(candles, bar(0, (1.0, 5.0, 0.5, close), 1.0, minute))
    assert [candle.close for candle in candles.last("BTC-USD", 10)] == [1.0, 3.0]


def test_a_late_trade_changes_no_candle() -> None:
    candles = Candles()
    observe(candles, trade(0, 100.0, ts_ns=TAPE_NS + SECOND_NS))
    observe(candles, trade(1, 50.0, ts_ns=TAPE_NS))
    assert [(candle.low, candle.volume) for candle in candles.last("BTC-USD", 10)] == [(100.0, 1.0)]


def test_each_market_has_its_own_ring() -> None:
    candles = Candles()
    observe(candles, trade(0, 100.0))
    assert candles.newest("ETH-USD") is None
    observe(candles, trade(0, 7.0, symbol="ETH-USD"))
    newest = candles.newest("ETH-USD")
    assert newest is not None
    assert newest.close == 7.0
