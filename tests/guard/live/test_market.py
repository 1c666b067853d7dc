"""Group D of the fault matrix: the guard's own market is lost, has a gap, stands still or is old, and what a market takes."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.guard.live.bench import Bench, Side, order
from tests.guard.live.exchange import Fault, down
from tests.guard.live.market import Market
from tests.guard.support import BTC, ETH
from traider.domain.limits import RiskLimits
from traider.domain.venue import BestPrices, MarketState, MarketStatus
from traider.domain.vocabulary import Reason
from traider.guard.gates import Cause as Gate
from traider.runtime.virtual_time import play


def story(folder: Path, told: Callable[[Bench, Market], Awaitable[None]], **how: Any) -> None:
    """A guard that watches a market of its own, which has come with 99 / 101 when the story begins; the trader feeds nothing."""

    async def whole() -> None:
        bench = Bench(folder, **how)
        bench.exchange.price["BTC-USD"] = Decimal(100)
        bench.market = market = Market()
        async with bench.up(price=None):
            assert bench.closed() == {Gate.MARKET_DATA}, "closed before the first snapshot"
            comes(bench, market)
            await asyncio.sleep(0.5)
            assert bench.closed() == set()
            await told(bench, market)

    play(whole)


def comes(bench: Bench, market: Market, bid: float = 99.0, ask: float = 101.0) -> None:
    """A snapshot, of a book that is the exchange's."""
    bench.exchange.best["BTC-USD"] = BestPrices(bid=bid, ask=ask)
    market.come(bid, ask)


def mark(bench: Bench) -> float:
    return float(bench.books.desk.positions[0]["mark_price"])


def test_the_mark_is_the_middle_of_the_guards_own_book_whatever_the_trader_feeds(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.feed(250.0)
        assert mark(bench) == 100.0
        assert bench.books.index == 0, "it counts the trader's events"
        market.tell(104.0, 105.0)
        await asyncio.sleep(0.1)
        assert mark(bench) == 104.5

    story(tmp_path, told)


def test_the_collar_measures_from_the_guards_own_book(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.feed(200.0)
        assert bench.refusal(order("far", limit="111"))[0] is Reason.PRICE_COLLAR
        assert bench.refusal(order("near", limit="110"))[0] is Reason.NONE

    story(tmp_path, told, limits=RiskLimits(max_price_deviation=Decimal("0.1")))


def test_the_collar_holds_for_what_a_market_order_reaches_to(tmp_path: Path) -> None:
    """R4: a market order has no price that could be a slip, and a size that is one trades through the book."""

    async def told(bench: Bench, market: Market) -> None:
        market.depth, market.behind = 1.0, [(110.0, 1.0), (110.01, 1.0)]
        assert bench.refusal(order("at", "2"))[0] is Reason.NONE, "the limit itself, at the last level"
        assert bench.refusal(order("above", "2.001")) == (
            Reason.PRICE_COLLAR,
            "buying 2.001 BTC-USD at market trades up to 110.01, 10.01 % from the market's 100; MAX_PRICE_DEVIATION is 10 %",
        )
        assert bench.refusal(order("all", "4")) == (
            Reason.PRICE_COLLAR,
            "buying 4 BTC-USD at market is more than the order book has: it would trade at any price (MAX_PRICE_DEVIATION)",
        )
        assert bench.refusal(order("stop", "4", stop="105"))[0] is Reason.NONE, "what it meets is not known yet"

    story(tmp_path, told, limits=RiskLimits(max_price_deviation=Decimal("0.1")))


def test_d1_a_gap_closes_the_gate_at_once_and_a_fresh_snapshot_opens_it(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        market.lose("messages are missing before number 7")
        reason, detail = bench.refusal(order("a", limit="90"))
        assert reason is Reason.GATE_CLOSED, "before the loss was even read from the stream"
        await asyncio.sleep(1)
        reason, detail = bench.refusal(order("b", limit="90"))
        assert (reason, "messages are missing before number 7" in detail) == (Reason.GATE_CLOSED, True)
        market.live = True  # connected again, and no snapshot yet
        await asyncio.sleep(1)
        assert Gate.MARKET_DATA in bench.closed()
        comes(bench, market)
        await asyncio.sleep(0.1)
        assert bench.refusal(order("c", limit="90"))[0] is Reason.NONE

    story(tmp_path, told)


def test_an_approved_order_is_held_back_when_the_book_becomes_invalid_before_it_is_sent(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.submit(order("a", limit="90"))
        market.lose("a gap")
        await asyncio.sleep(1)
        assert bench.story_of("a") == ["submitted", "rejected"]
        assert bench.exchange.count("submit") == 0

    story(tmp_path, told)


def test_orders_that_reduce_pass_a_market_that_is_lost(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.exchange.fill(bench.exchange.id_of("a"))
        await asyncio.sleep(1)
        market.lose("a gap")
        assert bench.refusal(order("more", limit="90"))[0] is Reason.GATE_CLOSED
        assert bench.refusal(order("less", side=Side.SELL, limit="120"))[0] is Reason.NONE

    story(tmp_path, told)


def test_d4_a_calm_market_is_no_stale_one(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        await asyncio.sleep(600)
        assert bench.refusal(order("a", limit="90"))[0] is Reason.NONE
        assert market.begun_again == []
        asked = bench.exchange.count("best_prices")
        assert 150 < asked <= 300, "asked for every two seconds while nothing is told, which the pace of one second makes two to three"

    story(tmp_path, told, limits=RiskLimits(max_market_data_age_s=Decimal(5)))


def test_d4_a_stream_that_stands_still_while_the_market_moves_is_found_out(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.best["BTC-USD"] = BestPrices(bid=95.0, ask=96.0)
        await asyncio.sleep(6)
        assert len(market.begun_again) == 1
        assert "stands at 99 / 101, the exchange at 95 / 96" in market.begun_again[0]
        assert bench.refusal(order("a", limit="90"))[0] is Reason.GATE_CLOSED
        assert any("the exchange at 95 / 96" in note for note in bench.notes())
        comes(bench, market, 95.0, 96.0)
        await asyncio.sleep(0.1)
        assert bench.refusal(order("b", limit="90"))[0] is Reason.NONE
        assert mark(bench) == 95.5

    story(tmp_path, told)


def test_d4_one_contradiction_may_be_news_under_way(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.best["BTC-USD"] = BestPrices(bid=95.0, ask=96.0)
        await asyncio.sleep(2)
        assert bench.exchange.count("best_prices") == 1
        market.tell(95.0, 96.0)
        await asyncio.sleep(10)
        assert market.begun_again == []
        assert bench.closed() == set()

    story(tmp_path, told)


@pytest.mark.parametrize(("limit_s", "most_s"), [(None, 10), (Decimal(4), 4)])
def test_d4_prices_that_can_not_be_asked_for_grow_old(tmp_path: Path, limit_s: Decimal | None, most_s: int) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.always["best_prices"] = Fault(before=down())
        market.tell(98.0, 101.0)
        await asyncio.sleep(most_s - 0.5)
        assert bench.closed() == set()
        await asyncio.sleep(1)
        assert bench.closed() == {Gate.MARKET_DATA}
        market.tell(99.0, 101.0)
        await asyncio.sleep(0.1)
        assert bench.closed() == set()

    story(tmp_path, told, limits=RiskLimits(max_market_data_age_s=limit_s))


def test_prices_that_come_late_are_as_old_as_the_exchange_says(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.always["best_prices"] = Fault(before=down())
        await asyncio.sleep(8)
        market.tell(98.0, 101.0, age_s=6.0)
        await asyncio.sleep(5)
        assert bench.closed() == {Gate.MARKET_DATA}

    story(tmp_path, told)


STATES = {
    "limit_only": ({"m", "stop"}, "limit orders alone"),
    "post_only": ({"m", "stop", "limit", "ioc"}, "post-only orders alone"),
    "auction": ({"m", "stop", "ioc"}, "auction"),
    "cancel_only": ({"m", "stop", "limit", "ioc", "post"}, "cancels only"),
}


@pytest.mark.parametrize("flag", STATES)
def test_r12_a_market_takes_what_the_exchange_says_that_it_takes(tmp_path: Path, flag: str) -> None:
    refused, words = STATES[flag]

    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.states["BTC-USD"] = msgspec.structs.replace(MarketState(symbol="BTC-USD", tradable=True), **{flag: True})
        await asyncio.sleep(31)
        orders = {
            "m": order("m"),
            "stop": order("stop", stop="120"),
            "limit": order("limit", limit="90"),
            "ioc": order("ioc", limit="91", ioc=True),
            "post": order("post", limit="89", post_only=True),
        }
        answers = {name: bench.refusal(request) for name, request in orders.items()}
        assert {name for name, (reason, _) in answers.items() if reason is Reason.GATE_CLOSED} == refused
        assert all(words in detail for name, (_, detail) in answers.items() if name in refused)
        bench.exchange.states.clear()
        await asyncio.sleep(31)
        assert bench.refusal(order("later"))[0] is Reason.NONE

    story(tmp_path, told)


def test_r12_trading_that_is_disabled_closes_the_gate_of_that_market(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.states["BTC-USD"] = MarketState(symbol="BTC-USD", tradable=False)
        await asyncio.sleep(31)
        reason, detail = bench.refusal(order("a", limit="90"))
        assert reason is Reason.GATE_CLOSED
        assert "venue for BTC-USD: exchange does not trade it now" in detail

    story(tmp_path, told)


def test_r12_what_the_stream_says_of_a_market_is_acted_on_at_once_and_asked_about(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        bench.exchange.states["BTC-USD"] = MarketState(symbol="BTC-USD", tradable=False)
        market.say(MarketStatus(symbol="BTC-USD", tradable=False, detail="delisted"))
        market.say(MarketStatus(symbol="ETH-USD", tradable=False))
        await asyncio.sleep(0.1)
        reason, detail = bench.refusal(order("a", limit="90"))
        assert (reason, "venue for BTC-USD: exchange does not trade it now" in detail) == (Reason.GATE_CLOSED, True)
        market.say(MarketStatus(symbol="BTC-USD", tradable=True))
        await asyncio.sleep(5.1)
        assert bench.closed() == {Gate.VENUE}, "that it is traded again the exchange says, asked for it"
        bench.exchange.states.clear()
        market.say(MarketStatus(symbol="BTC-USD", tradable=True))
        await asyncio.sleep(5.1)
        assert bench.closed() == set()

    story(tmp_path, told)


def test_r12_a_status_that_says_nothing_new_has_the_exchange_asked_for_what_it_leaves_out(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        asked = bench.exchange.count("market_states")
        bench.exchange.states["BTC-USD"] = MarketState(symbol="BTC-USD", tradable=True, limit_only=True)
        for _ in range(20):
            market.say(MarketStatus(symbol="BTC-USD", tradable=True))
        await asyncio.sleep(0.1)
        assert bench.refusal(order("m"))[0] is Reason.GATE_CLOSED
        await asyncio.sleep(2)
        assert bench.exchange.count("market_states") - asked == 1, "a flood of them is one question"

    story(tmp_path, told)


def test_a_restart_knows_the_day_and_the_peak_of_the_guards_own_marks(tmp_path: Path) -> None:
    async def whole() -> tuple[float, float]:
        bench = Bench(tmp_path, money={"USD": "1000", "BTC": "1"})
        bench.market = market = Market()
        async with bench.up(price=None, client=False):
            comes(bench, market)
            await asyncio.sleep(0.5)
            market.tell(199.0, 201.0)
            await asyncio.sleep(65)
            bench.exchange.best["BTC-USD"] = BestPrices(bid=149.0, ask=151.0)
            market.tell(149.0, 151.0)
            await asyncio.sleep(0.1)
            peak = float(bench.books.desk.account["high_water_mark"])
        bench.market = Market()
        async with bench.up(price=None, client=False):
            return peak, float(bench.books.desk.account["high_water_mark"])

    before, after = play(whole)
    assert before == after == 1200.0


def test_a_stream_that_is_wrong_is_not_believed_before_it_has_begun_anew(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        market.deaf = True  # asked to begin anew, it does nothing for now
        bench.exchange.best["BTC-USD"] = BestPrices(bid=95.0, ask=96.0)
        await asyncio.sleep(6)
        assert market.best("BTC-USD") is not None
        assert bench.closed() == {Gate.MARKET_DATA}
        market.lose("begins anew")
        comes(bench, market, 95.0, 96.0)
        await asyncio.sleep(0.1)
        assert bench.closed() == set()

    story(tmp_path, told)


def test_the_book_is_looked_at_in_the_moment_before_an_order_is_sent(tmp_path: Path) -> None:
    async def told(bench: Bench, market: Market) -> None:
        request = order("a", limit="90")
        bench.submit(request)
        assert bench.guard.why_not_send(request)[0] is Reason.NONE
        market.live = False  # and nobody has read it from the stream
        assert bench.guard.why_not_send(request)[0] is Reason.GATE_CLOSED

    story(tmp_path, told)


class OneMarket(Market):
    """As an exchange's: of a market that was not subscribed to it can say nothing at all."""

    def best(self, symbol: str) -> BestPrices | None:
        return {"ETH-USD": super().best("ETH-USD")}[symbol]


def test_a_market_of_an_earlier_start_is_neither_followed_nor_traded_and_what_is_held_of_it_is_told(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path, instruments=(BTC, ETH), money={"USD": "100000", "BTC": "0", "ETH": "0"})
        bench.exchange.price |= {"BTC-USD": Decimal(100), "ETH-USD": Decimal(10)}
        async with bench.up():
            bench.feed(10.0, "ETH-USD")
            bench.submit(order("a"))
            await asyncio.sleep(2)
            assert bench.books.find("a") is not None
            assert float(bench.books.desk.positions[0]["size"]) == 1.0
        bench.config = msgspec.structs.replace(bench.config, instruments=(ETH,))
        bench.market = market = OneMarket()
        async with bench.up(price=None):
            bench.exchange.best["ETH-USD"] = BestPrices(bid=9.0, ask=11.0)
            market.live = True
            market.tell(9.0, 11.0, "ETH-USD")
            await asyncio.sleep(1)
            assert bench.closed() == set(), "what was traded before closes no gate"
            assert "1.0 of BTC-USD are held, and it is not followed" in bench.path.read_text()
            reason, detail = bench.refusal(order("b", limit="90"))
            assert (reason, "does not follow BTC-USD" in detail) == (Reason.MARKET_NOT_ALLOWED, True)
            assert bench.refusal(order("c", limit="9", symbol="ETH-USD"))[0] is Reason.NONE
            await asyncio.sleep(5)
            bench.check()

    play(whole)
