"""Who trades with whom, at which price, in which order; each number worked out by hand."""

from decimal import Decimal

import pytest

from tests.connectors.exchange.floor import Floor, filled, value
from traider.connectors.sim.exchange.orders import Status
from traider.connectors.sim.exchange.refusals import OrderRefusedError


@pytest.fixture
def floor() -> Floor:
    """Bids 99 x 1, 98 x 2; asks 101 x 1, 102 x 2."""
    floor = Floor()
    floor.book({99: "1", 98: "2"}, {101: "1", 102: "2"})
    return floor


def test_a_market_buy_takes_the_best_prices_first(floor: Floor) -> None:
    order = floor.order("BUY", {"market_market_ioc": {"base_size": "2"}})
    assert order.status is Status.FILLED
    assert value(order) == 1 * 101 + 1 * 102
    assert floor.asks() == {102: Decimal(1)}


def test_what_was_taken_is_gone_until_the_market_tells_the_level_again(floor: Floor) -> None:
    floor.order("BUY", {"market_market_ioc": {"base_size": "1"}})
    assert 101 not in floor.asks()
    floor.level(-1, 101, "0.7")
    assert floor.asks()[101] == Decimal("0.7")


def test_a_market_order_larger_than_the_book_is_cancelled_with_what_it_got(floor: Floor) -> None:
    order = floor.order("SELL", {"market_market_ioc": {"base_size": "5"}})
    assert (order.status, filled(order)) == (Status.CANCELLED, Decimal(3))
    assert floor.held(floor.alice, "BTC") == 0


def test_a_market_order_into_an_empty_book_is_refused() -> None:
    with pytest.raises(OrderRefusedError, match="nobody"):
        Floor().order("BUY", {"market_market_ioc": {"base_size": "1"}})


def test_a_buy_by_quote_size_spends_it_with_the_fee(floor: Floor) -> None:
    # 1 BTC at 101 costs 101 x 1.006 = 101.606. With 50 USD: floor(50 / (0.101 x 1.006)) = 492 lots.
    order = floor.order("BUY", {"market_market_ioc": {"quote_size": "50"}})
    assert filled(order) == Decimal("0.492")
    assert order.status is Status.FILLED
    spent = Decimal(100_000) - floor.free(floor.alice, "USD")
    assert spent == Decimal("0.492") * 101 * Decimal("1.006") <= 50


def test_with_the_switch_a_quote_size_is_without_the_fee() -> None:
    floor = Floor(quote_size_includes_fees=False)
    floor.book({}, {100: "1"})
    order = floor.order("BUY", {"market_market_ioc": {"quote_size": "50"}})
    assert value(order) == 50
    assert Decimal(100_000) - floor.free(floor.alice, "USD") == 50 * Decimal("1.006")


def test_a_limit_order_takes_up_to_its_limit_and_rests_with_the_rest(floor: Floor) -> None:
    order = floor.limit("BUY", 101, "3")
    assert (order.status, filled(order)) == (Status.OPEN, Decimal(1))
    assert floor.bids()[101] == Decimal(2)


def test_a_resting_order_is_shown_in_the_book(floor: Floor) -> None:
    floor.limit("BUY", 99, "0.5")
    assert floor.bids() == {99: Decimal("1.5"), 98: Decimal(2)}


def test_immediate_or_cancel_keeps_what_it_gets(floor: Floor) -> None:
    order = floor.order("BUY", {"sor_limit_ioc": {"base_size": "3", "limit_price": "101"}})
    assert (order.status, filled(order)) == (Status.CANCELLED, Decimal(1))


def test_fill_or_kill_gets_all_or_nothing(floor: Floor) -> None:
    fields = {"base_size": "3.001", "limit_price": "102"}
    killed = floor.order("BUY", {"limit_limit_fok": fields})
    assert (killed.status, filled(killed)) == (Status.CANCELLED, Decimal(0))
    done = floor.order("BUY", {"limit_limit_fok": fields | {"base_size": "3"}})
    assert (done.status, value(done)) == (Status.FILLED, Decimal(101 + 2 * 102))


def test_a_post_only_order_that_would_take_is_refused(floor: Floor) -> None:
    with pytest.raises(OrderRefusedError) as refused:
        floor.limit("BUY", 101, "1", post_only=True)
    assert refused.value.reason == "INVALID_LIMIT_PRICE_POST_ONLY"
    assert floor.limit("BUY", 100, "1", post_only=True).status is Status.OPEN


class TestQueue:
    """An own bid of 1 at 99, behind the market's 1."""

    @pytest.fixture
    def floor(self, floor: Floor) -> Floor:
        self.order = floor.limit("BUY", 99, "1")
        return floor

    def test_a_trade_fills_those_in_front_first(self, floor: Floor) -> None:
        floor.trade(-1, 99, "1")
        assert filled(self.order) == 0
        floor.trade(-1, 99, "0.4")
        assert filled(self.order) == Decimal("0.4")

    def test_one_trade_can_use_up_the_queue_and_reach_the_order(self, floor: Floor) -> None:
        floor.trade(-1, 99, "1.25")
        assert filled(self.order) == Decimal("0.25")

    def test_a_trade_at_a_worse_price_fills_the_order_at_its_own(self, floor: Floor) -> None:
        floor.trade(-1, 98, "0.6")
        assert (filled(self.order), value(self.order)) == (Decimal("0.6"), Decimal("59.4"))

    def test_a_trade_at_a_better_price_or_of_the_other_side_does_nothing(self, floor: Floor) -> None:
        floor.trade(-1, 100, "5")
        floor.trade(1, 99, "5")
        assert filled(self.order) == 0

    def test_a_smaller_level_leaves_no_more_than_itself_in_front(self, floor: Floor) -> None:
        floor.level(1, 99, "0.2")
        floor.trade(-1, 99, "0.3")
        assert filled(self.order) == Decimal("0.1")

    def test_a_larger_level_joins_behind(self, floor: Floor) -> None:
        floor.level(1, 99, "9")
        floor.trade(-1, 99, "1.5")
        assert filled(self.order) == Decimal("0.5")

    def test_what_is_recorded_and_not_taken_is_told_as_it_was(self, floor: Floor) -> None:
        floor.trade(-1, 99, "1.25")
        assert [(p.ticks, p.lots, p.taker_side) for p in floor.ears.prints] == [(99, 250, -1), (99, 1000, -1)]

    def test_a_market_that_reaches_the_order_trades_with_it_at_its_price(self, floor: Floor) -> None:
        floor.level(1, 99, "0")
        floor.level(-1, 97, "0.3")
        assert (filled(self.order), value(self.order)) == (Decimal("0.3"), Decimal("29.7"))
        assert 97 not in floor.asks()

    def test_with_the_switch_an_order_stands_in_front(self) -> None:
        floor = Floor(queue="front")
        floor.book({99: "1"}, {101: "1"})
        order = floor.limit("BUY", 99, "1")
        floor.trade(-1, 99, "0.4")
        assert filled(order) == Decimal("0.4")


class TestAccounts:
    """Two accounts in one book."""

    def test_they_trade_with_one_another_at_the_resting_price(self, floor: Floor) -> None:
        resting = floor.limit("SELL", 100, "1", by=floor.bob)
        taking = floor.limit("BUY", 101, "1")
        assert filled(resting) == filled(taking) == 1
        assert value(taking) == 100
        assert (resting.fills[0].maker, taking.fills[0].maker) == (True, False)
        assert resting.fills[0].trade_id != taking.fills[0].trade_id
        assert floor.asks() == {101: Decimal(1), 102: Decimal(2)}

    def test_at_one_price_the_earlier_comes_first(self, floor: Floor) -> None:
        first, second = floor.limit("SELL", 100, "1", by=floor.bob), floor.limit("SELL", 100, "1")
        carol = floor.exchange.open_account("carol", {"USD": 10**30})
        floor.order("BUY", {"market_market_ioc": {"base_size": "1.5"}}, by=carol)
        assert (filled(first), filled(second)) == (Decimal(1), Decimal("0.5"))

    def test_the_market_in_front_is_served_before_both(self, floor: Floor) -> None:
        resting = floor.limit("SELL", 101, "1", by=floor.bob)
        floor.order("BUY", {"market_market_ioc": {"base_size": "1.2"}})
        assert filled(resting) == Decimal("0.2")

    def test_an_account_does_not_trade_with_itself(self, floor: Floor) -> None:
        resting = floor.limit("SELL", 100, "1")
        taking = floor.limit("BUY", 101, "2")
        assert (resting.status, filled(resting)) == (Status.OPEN, 0)
        assert (taking.status, taking.cancel_reason) == (Status.CANCELLED, "self trade prevention")

    def test_with_the_switch_the_older_order_gives_way(self) -> None:
        floor = Floor(self_trade="cancel_oldest")
        floor.book({99: "1"}, {101: "1"})
        resting = floor.limit("SELL", 100, "1")
        taking = floor.limit("BUY", 101, "1")
        assert (resting.status, taking.status) == (Status.CANCELLED, Status.FILLED)
        assert value(taking) == 101

    def test_with_the_switch_it_trades_with_itself(self) -> None:
        floor = Floor(self_trade="allow")
        resting, taking = floor.limit("SELL", 100, "1"), floor.limit("BUY", 100, "1")
        assert resting.status is taking.status is Status.FILLED
        assert floor.free(floor.alice, "USD") == 100_000 - 100 * Decimal("0.01")  # both fees

    def test_an_alias_shares_the_book_and_pays_in_its_own_currency(self, floor: Floor) -> None:
        floor.exchange.ledger.deposit(floor.exchange.wallet(floor.bob, "USDC"), floor.bob.wallets["USD"].available)
        resting = floor.limit("SELL", 100, "1")
        floor.limit("BUY", 100, "1", by=floor.bob, product="BTC-USDC")
        assert filled(resting) == 1
        assert floor.free(floor.bob, "USD") == 100_000
        assert floor.free(floor.bob, "USDC") == 100_000 - 100 * Decimal("1.006")
        assert set(floor.exchange.ledger.totals([floor.alice, floor.bob]).values()) == {0}
