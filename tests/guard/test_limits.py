"""Each limit at its value and one increment beside it: what passes, and what a person reads when it doesn't."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.guard.support import BTC, ETH, Bench, order
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRejected, OrderRequest
from traider.domain.state import LimitUse
from traider.domain.vocabulary import Reason, Side


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def use(bench: Bench, name: str) -> LimitUse:
    return next(use for use in bench.snapshot().risk.limits if use.name == name)


def numbers(bench: Bench, name: str) -> list[Decimal | None]:
    """The limit, its use, the head-room."""
    found = use(bench, name)
    return [found.limit, found.used, found.headroom]


def test_order_notional(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_order_notional=Decimal(500)))
    bench.feed(100.0)
    assert bench.refusal(order("at", "5"))[0] is Reason.NONE
    assert bench.refusal(order("below", "4.999", limit="100"))[0] is Reason.NONE
    assert bench.refusal(order("above", "5.001")) == (
        Reason.ORDER_NOTIONAL,
        "5.001 BTC at 100 USD is 500.1 USD, above MAX_ORDER_NOTIONAL 500 USD, head-room 500 USD",
    )
    assert bench.refusal(order("limit", "5", limit="100.01"))[1].startswith("5 BTC at 100.01 USD is 500.05 USD, above")
    assert bench.refusal(order("stop", "5", stop="100.01"))[0] is Reason.ORDER_NOTIONAL
    assert numbers(bench, "max_order_notional") == [500, 0, 500]


def test_open_orders(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_open_orders=2))
    bench.feed(100.0)
    assert bench.refusal(order("a", limit="90"))[0] is Reason.NONE
    assert bench.refusal(order("b", limit="90"))[0] is Reason.NONE
    assert bench.refusal(order("c", limit="90")) == (
        Reason.OPEN_ORDERS,
        "2 orders are open; MAX_OPEN_ORDERS is 2 orders, head-room 0 orders",
    )
    assert numbers(bench, "max_open_orders") == [2, 2, 0]
    bench.cancel("a")
    assert bench.refusal(order("d", limit="90"))[0] is Reason.NONE


@pytest.mark.parametrize("limit", ["5", "0.3", "12345.678"])
def test_order_size(folder: Path, limit: str) -> None:
    most = Decimal(limit)
    bench = Bench(folder, cash=1e9, limits=RiskLimits(max_order_size=most))
    bench.feed(100.0)
    assert bench.refusal(order("at", limit))[0] is Reason.NONE
    assert bench.refusal(order("below", str(most - Decimal("0.001")), limit="90"))[0] is Reason.NONE
    above = most + Decimal("0.001")
    assert bench.refusal(order("above", str(above), limit="90")) == (
        Reason.ORDER_SIZE,
        f"buying {above} BTC-USD at 90; MAX_ORDER_SIZE is {limit} BTC, head-room {limit} BTC",
    )
    assert bench.refusal(order("market", str(above)))[1].startswith(f"buying {above} BTC-USD at the market; MAX_ORDER_SIZE")
    assert bench.refusal(order("stop", str(above), stop="101"))[0] is Reason.ORDER_SIZE
    assert numbers(bench, "max_order_size") == [most, 0, most]
    assert use(bench, "max_order_size").unit == "BTC"


def test_open_orders_of_a_market(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_open_orders_per_market=2), instruments=(BTC, ETH))
    bench.feed(100.0)
    bench.feed(10.0, symbol="ETH-USD")
    assert bench.refusal(order("a", limit="90"))[0] is Reason.NONE
    assert bench.refusal(order("b", limit="90"))[0] is Reason.NONE
    assert bench.refusal(order("other", limit="9", symbol="ETH-USD"))[0] is Reason.NONE
    assert bench.refusal(order("c", limit="90")) == (
        Reason.MARKET_OPEN_ORDERS,
        "2 orders of BTC-USD are open; MAX_OPEN_ORDERS_PER_MARKET is 2 orders, head-room 0 orders",
    )
    assert numbers(bench, "max_open_orders_per_market") == [2, 2, 0], "of the market that has the most"
    bench.cancel("a")
    assert bench.refusal(order("d", limit="90"))[0] is Reason.NONE


def test_refusals_within_a_minute(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_rejections_per_minute=2, max_order_size=Decimal(1)))
    bench.feed(100.0)
    for number in range(2):
        assert bench.refusal(order(f"above {number}", "1.001"))[0] is Reason.ORDER_SIZE
        assert bench.refusal(order(f"at {number}", "1", limit="90"))[0] is Reason.NONE
    assert numbers(bench, "max_rejections_per_minute") == [2, 2, 0]
    bench.restart()
    assert numbers(bench, "max_rejections_per_minute") == [2, 2, 0], "they are known after a restart"
    bench.submit(order("once more", "1.001"))
    assert bench.snapshot().risk.kill_reason == "too many refusals within a minute: more than MAX_REJECTIONS_PER_MINUTE 2"
    bench.kill(False, "looked at")
    assert numbers(bench, "max_rejections_per_minute") == [2, 0, 2]
    assert bench.refusal(order("again", limit="90"))[0] is Reason.NONE


def test_position_size_counts_what_is_open_on_that_side(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_position_size=Decimal(3)))
    bench.feed(100.0)
    bench.submit(order("held", "1"))
    bench.feed(100.0)
    bench.submit(order("resting", "0.5", limit="90"))
    reason, detail = bench.refusal(order("above", "1.501"))
    assert reason is Reason.POSITION_SIZE
    assert detail == (
        "buying 1.501 BTC could make the position 3.001 BTC (1 held, 0.5 in open orders on that side); "
        "MAX_POSITION_SIZE is 3 BTC, head-room 1.5 BTC"
    )
    assert numbers(bench, "max_position_size") == [3, Decimal("1.5"), Decimal("1.5")]
    assert bench.refusal(order("at", "1.5"))[0] is Reason.NONE
    assert bench.refusal(order("one more", "0.001"))[0] is Reason.POSITION_SIZE
    assert bench.refusal(order("sell", "1", Side.SELL))[0] is Reason.NONE
    assert use(bench, "max_position_size").unit == "BTC"


def test_position_size_of_a_short_position(folder: Path) -> None:
    perp = Instrument(
        symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.001"), shortable=True
    )
    bench = Bench(folder, limits=RiskLimits(max_position_size=Decimal(3)), instruments=(perp,))
    bench.feed(100.0)
    bench.submit(order("short", "2", Side.SELL))
    bench.feed(100.0)
    assert bench.refusal(order("above", "1.001", Side.SELL))[1] == (
        "selling 1.001 BTC could make the position 3.001 BTC (-2 held, 0 in open orders on that side); "
        "MAX_POSITION_SIZE is 3 BTC, head-room 1 BTC"
    )
    assert numbers(bench, "max_position_size") == [3, 2, 1]
    assert bench.refusal(order("at", "1", Side.SELL))[0] is Reason.NONE


def test_daily_loss_begins_anew_each_utc_day(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_daily_loss=Decimal(20)))
    bench.feed(100.0)
    bench.submit(order("held", "10"))
    bench.feed(100.0)
    bench.feed(98.01)
    assert numbers(bench, "max_daily_loss") == [20, Decimal("19.9"), Decimal("0.1")]
    assert bench.refusal(order("just below", "0.001"))[0] is Reason.NONE
    bench.feed(98.0)
    bench.kill(False, "to see what the check says", "admin")
    reason, detail = bench.refusal(order("at", "0.001"))
    assert reason is Reason.DAILY_LOSS
    assert detail == "the day's loss of 20 USD has reached MAX_DAILY_LOSS 20 USD, head-room 0; only orders that reduce a position may go"
    assert bench.refusal(order("reduce", "1", Side.SELL))[0] is Reason.NONE
    bench.feed(98.0, minutes=24 * 60)
    assert bench.refusal(order("next day", "0.001"))[0] is Reason.NONE


def test_drawdown_is_measured_from_the_peak(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_drawdown=Decimal("0.1")))
    bench.feed(100.0)
    bench.submit(order("held", "50"))
    bench.feed(100.0)
    bench.feed(200.0)  # the peak: 5,000 cash + 50 x 200
    assert bench.snapshot().account.high_water_mark == 15_000
    bench.feed(170.01)
    assert bench.refusal(order("just above", "0.001"))[0] is Reason.NONE
    assert use(bench, "max_drawdown").used == Decimal(repr((15_000.0 - (5_000.0 + 50.0 * 170.01)) / 15_000.0))
    bench.feed(170.0)
    assert bench.snapshot().risk.kill_reason == (
        "the equity of 13500 USD is 10 % below its peak of 15000 USD: MAX_DRAWDOWN 10 % is reached, head-room 0"
    )
    bench.kill(False, "to see what the check says", "admin")
    assert bench.refusal(order("at", "0.001"))[0] is Reason.DRAWDOWN


def test_orders_per_minute(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_orders_per_minute=2))
    bench.trade(100.0, 1.0)
    assert bench.refusal(order("a", limit="1"))[0] is Reason.NONE
    bench.trade(100.0, 1.0)
    assert bench.refusal(order("b", limit="1"))[0] is Reason.NONE
    assert bench.refusal(order("c", limit="1")) == (
        Reason.ORDER_RATE,
        "2 orders were sent within the last minute; MAX_ORDERS_PER_MINUTE is 2 orders, head-room 0 orders",
    )
    assert numbers(bench, "max_orders_per_minute") == [2, 2, 0]
    for _ in range(59):
        bench.trade(100.0, 1.0)
    assert bench.refusal(order("d", limit="1"))[0] is Reason.NONE  # the first one is a minute old now
    assert bench.refusal(order("e", limit="1"))[0] is Reason.ORDER_RATE


def test_insufficient_balance(folder: Path) -> None:
    bench = Bench(folder, cash=1_000.0, fee=0.01)
    bench.feed(100.0)
    bench.submit(order("resting", "4", limit="90"))
    # 4 x 90 with the fee are reserved
    assert bench.refusal(order("above", "6.301")) == (
        Reason.INSUFFICIENT_BALANCE,
        "636.401 USD needed, fee included, 636.4 USD free",
    )
    assert bench.refusal(order("below", "6.3"))[0] is Reason.NONE
    bench.cancel()
    assert bench.refusal(order("short", "0.001", Side.SELL)) == (
        Reason.INSUFFICIENT_BALANCE,
        "selling 0.001 BTC with 0 BTC free: BTC-USD can't be sold short",
    )


def test_allowed_markets(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(allowed_markets=("ETH-USD", "SOL-USD")), instruments=(BTC, ETH))
    bench.feed(100.0)
    bench.feed(10.0, symbol="ETH-USD")
    assert bench.refusal(order("no")) == (Reason.MARKET_NOT_ALLOWED, "BTC-USD is not among ALLOWED_MARKETS (ETH-USD, SOL-USD)")
    assert bench.refusal(order("yes", symbol="ETH-USD"))[0] is Reason.NONE
    assert bench.refusal(order("unknown", symbol="SOL-USD")) == (
        Reason.MARKET_NOT_ALLOWED,
        "SOL-USD is not traded here; this guard has BTC-USD, ETH-USD",
    )
    assert bench.snapshot().risk.allowed_markets == ("ETH-USD", "SOL-USD")


COARSE = Instrument(
    symbol="BTC-USD",
    base="BTC",
    quote="USD",
    price_increment=Decimal("0.05"),
    size_increment=Decimal("0.1"),
    min_size=Decimal("0.2"),
    min_notional=Decimal(50),
)


@pytest.mark.parametrize(
    ("request_", "reason", "words"),
    [
        (order("a", "0.55", limit="100"), Reason.SIZE_INCREMENT, "size 0.55 is not a multiple of 0.1"),
        (order("a", "0.60000000000000000000001", limit="100"), Reason.SIZE_INCREMENT, "is not a multiple of 0.1"),
        (order("a", "0.6", limit="100.01"), Reason.PRICE_INCREMENT, "price 100.01 is not a multiple of 0.05"),
        (order("a", "0.6", stop="100.01"), Reason.PRICE_INCREMENT, "price 100.01 is not a multiple of 0.05"),
        (order("a", "0.1", limit="100"), Reason.MIN_SIZE, "size 0.1 is below the market's minimum of 0.2"),
        (order("a", "0.2", limit="100"), Reason.MIN_NOTIONAL, "0.2 BTC at 100 USD is 20 USD, below the market's minimum of 50 USD"),
        (order("a", "0"), Reason.INVALID_ORDER, "size and price must be positive numbers: size 0"),
        (order("a", "-1"), Reason.INVALID_ORDER, "positive"),
        (order("a", "NaN"), Reason.INVALID_ORDER, "positive"),
        (order("a", "sNaN"), Reason.INVALID_ORDER, "positive"),
        (order("a", "1", limit="Infinity"), Reason.INVALID_ORDER, "at limit Infinity"),
        (order("a", "1", stop="-5"), Reason.INVALID_ORDER, "at stop -5"),
        (order("a", "1", post_only=True), Reason.INVALID_ORDER, "are for limit orders, this is a market order"),
        (order("a", "1", stop="100", ioc=True), Reason.INVALID_ORDER, "are for limit orders, this is a stop order"),
        (order("a", "1e300"), Reason.INVALID_ORDER, "positive"),
    ],
)
def test_orders_that_no_market_takes(folder: Path, request_: OrderRequest, reason: Reason, words: str) -> None:
    bench = Bench(folder, instruments=(COARSE,))
    bench.feed(100.0)
    found, detail = bench.refusal(request_)
    assert found is reason
    assert words in detail
    assert bench.refusal(order("good", "0.5", limit="100.05"))[0] is Reason.NONE


def test_a_refusal_says_the_same_in_the_journal_and_to_the_trader(folder: Path) -> None:
    bench = Bench(folder, limits=RiskLimits(max_order_notional=Decimal(1)))
    bench.feed(100.0)
    (told,) = bench.submit(order("a")).events
    written = [entry.record for entry in bench.journal.read()][-1]
    assert isinstance(told, OrderRejected)
    assert told == written


def test_every_limit_is_shown_even_when_there_is_none(folder: Path) -> None:
    bench = Bench(folder, instruments=(BTC, ETH))
    uses = bench.snapshot().risk.limits
    assert [use.name for use in uses] == [name for name in RiskLimits.__struct_fields__ if name.startswith("max_")]
    assert {(use.limit, use.headroom) for use in uses} == {(None, None)}
    assert all(use.label for use in uses)
