"""The life of an order: holds, stops, brackets, parts, edits, cancels, time."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest

from tests.connectors.exchange.floor import FUNDS, START_NS, Floor, filled, value
from traider.connectors.sim.exchange import shapes
from traider.connectors.sim.exchange.configurations import parse_configuration
from traider.connectors.sim.exchange.orders import Order, Status
from traider.connectors.sim.exchange.products import listed
from traider.connectors.sim.exchange.refusals import EditRefusedError, OrderRefusedError, RequestRefusedError
from traider.connectors.sim.exchange.settings import Bounds, Switches
from traider.connectors.sim.exchange.shapes import iso

STOP_UP = {
    "stop_limit_stop_limit_gtc": {
        "base_size": "1",
        "limit_price": "120",
        "stop_price": "115",
        "stop_direction": "STOP_DIRECTION_STOP_UP",
    }
}
BRACKET = {"trigger_bracket_gtc": {"base_size": "1", "limit_price": "120", "stop_trigger_price": "90"}}


@pytest.fixture
def floor() -> Floor:
    """Bids 99 x 1, 98 x 2; asks 101 x 1, 102 x 2; the last trade at 100."""
    floor = Floor()
    floor.book({99: "1", 98: "2"}, {101: "1", 102: "2"})
    floor.trade(1, 100, "1")
    return floor


def reason(refused: Any) -> str:
    return str(refused.value.reason)


class TestHolds:
    def test_a_buy_holds_its_cost_with_the_takers_fee_and_a_sell_its_size(self, floor: Floor) -> None:
        floor.limit("BUY", 90, "2")
        floor.limit("SELL", 110, "3")
        assert floor.held(floor.alice, "USD") == 2 * 90 * Decimal("1.006")
        assert floor.held(floor.alice, "BTC") == 3

    def test_what_a_better_price_or_a_makers_fee_leaves_of_the_hold_is_free(self, floor: Floor) -> None:
        floor.limit("BUY", 110, "1")
        assert floor.held(floor.alice, "USD") == 0
        assert floor.free(floor.alice, "USD") == 100_000 - 101 * Decimal("1.006")
        floor.limit("BUY", 95, "1")
        floor.trade(-1, 94, "1")
        assert floor.free(floor.alice, "USD") == 100_000 - 101 * Decimal("1.006") - 95 * Decimal("1.004")

    def test_what_is_not_there_is_refused(self, floor: Floor) -> None:
        with pytest.raises(OrderRefusedError) as refused:
            floor.limit("SELL", 110, "10.001")
        assert (reason(refused), refused.value.preview) == ("INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND")
        assert not floor.alice.orders

    def test_all_of_it_may_be_used(self, floor: Floor) -> None:
        assert floor.limit("SELL", 110, "10").status is Status.OPEN
        assert floor.free(floor.alice, "BTC") == 0

    def test_a_cancelled_order_holds_nothing(self, floor: Floor) -> None:
        order = floor.limit("BUY", 90, "2")
        assert floor.entry.cancel(floor.alice, order.order_id) == ""
        assert (floor.held(floor.alice, "USD"), floor.free(floor.alice, "USD")) == (0, 100_000)

    def test_more_open_orders_than_allowed_are_refused(self) -> None:
        floor = Floor(max_open_orders=2)
        floor.limit("BUY", 90, "1")
        floor.limit("BUY", 90, "1")
        with pytest.raises(OrderRefusedError, match="too many"):
            floor.limit("BUY", 90, "1")


class TestClientOrderIds:
    def test_the_same_id_gives_the_same_order(self, floor: Floor) -> None:
        first = floor.limit("BUY", 90, "1", client_order_id="x")
        assert floor.limit("BUY", 91, "5", client_order_id="x") is first
        assert len(floor.alice.orders) == 1

    def test_another_account_may_use_it(self, floor: Floor) -> None:
        assert floor.limit("BUY", 90, "1", client_order_id="x") is not floor.limit("BUY", 90, "1", client_order_id="x", by=floor.bob)

    def test_with_the_switch_it_is_refused(self) -> None:
        floor = Floor(client_order_ids="reject_duplicate")
        floor.limit("BUY", 90, "1", client_order_id="x")
        with pytest.raises(OrderRefusedError) as refused:
            floor.limit("BUY", 90, "1", client_order_id="x")
        assert reason(refused) == "DUPLICATE_CLIENT_ORDER_ID"

    async def test_with_the_switch_it_is_forgotten(self) -> None:
        floor = Floor(client_order_ids="forget", forget_after_s=60)
        first = floor.limit("BUY", 90, "1", client_order_id="x")
        await floor.agenda.advance(59)
        assert floor.limit("BUY", 90, "1", client_order_id="x") is first
        await floor.agenda.advance(1)
        assert floor.limit("BUY", 90, "1", client_order_id="x") is not first

    def test_none_at_all_is_a_bad_request(self, floor: Floor) -> None:
        with pytest.raises(RequestRefusedError):
            floor.entry.create(floor.alice, {"product_id": "BTC-USD", "side": "BUY", "order_configuration": {}})

    def test_one_that_is_too_long_is_told_as_such(self, floor: Floor) -> None:
        with pytest.raises(RequestRefusedError) as refused:
            floor.limit("BUY", 90, "1", client_order_id="x" * 129)
        assert "longer than 128" in str(refused.value.body)


class TestRefusals:
    @pytest.mark.parametrize(
        ("side", "configuration", "word"),
        [
            ("BUY", {}, "UNSUPPORTED_ORDER_CONFIGURATION"),
            ("BUY", {"market_market_fok": {"base_size": "1"}}, "UNSUPPORTED_ORDER_CONFIGURATION"),
            ("SELL", {"market_market_ioc": {"quote_size": "10"}}, "UNSUPPORTED_ORDER_CONFIGURATION"),
            ("LONG", {"market_market_ioc": {"base_size": "1"}}, "INVALID_SIDE"),
            ("BUY", {"market_market_ioc": {"base_size": "0.0001"}}, "INVALID_SIZE_PRECISION"),
            ("BUY", {"market_market_ioc": {"quote_size": "10.5"}}, "INVALID_SIZE_PRECISION"),
            ("BUY", {"limit_limit_gtc": {"base_size": "1", "limit_price": "90.5"}}, "INVALID_PRICE_PRECISION"),
            ("BUY", {"limit_limit_gtc": {"base_size": "1", "limit_price": "0"}}, "INVALID_LIMIT_PRICE"),
            ("BUY", {"limit_limit_gtc": {"base_size": "-1", "limit_price": "90"}}, "INVALID_REQUEST"),
            ("BUY", {"limit_limit_gtc": {"base_size": "3400.001", "limit_price": "1"}}, "INVALID_REQUEST"),
            ("BUY", {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "999"}}, "INVALID_REQUEST"),  # 0.999 USD
            ("BUY", {"market_market_ioc": {"base_size": "1", "quote_size": "10"}}, "INVALID_REQUEST"),
            ("BUY", {"limit_limit_gtd": {"base_size": "1", "limit_price": "90", "end_time": "2025-12-31T23:59:59Z"}}, "INVALID_REQUEST"),
        ],
    )
    def test_each_has_its_word(self, floor: Floor, side: str, configuration: dict[str, Any], word: str) -> None:
        with pytest.raises(OrderRefusedError) as refused:
            floor.order(side, configuration)
        assert reason(refused) == word

    def test_an_increment_is_told_as_a_plain_number(self, floor: Floor) -> None:
        fine = listed("ETH-USD", Decimal("0.00000001"), Decimal("0.00000001"))[0]
        configuration = {"limit_limit_gtc": {"base_size": "1", "limit_price": "90.000000001"}}
        with pytest.raises(OrderRefusedError, match=r"the increment is 0\.00000001$"):
            parse_configuration(fine, 1, configuration, now_ns=0, last=0, switches=Switches())

    def test_an_unknown_product(self, floor: Floor) -> None:
        with pytest.raises(OrderRefusedError) as refused:
            floor.limit("BUY", 90, "1", product="BTC-XYZ")
        assert reason(refused) == "INVALID_PRODUCT_ID"

    @pytest.mark.parametrize(
        ("flag", "kind", "goes"),
        [
            ("trading_disabled", "limit", False),
            ("cancel_only", "limit", False),
            ("is_disabled", "limit", False),
            ("view_only", "limit", False),
            ("limit_only", "market", False),
            ("limit_only", "limit", True),
            ("post_only", "limit", False),
            ("post_only", "post", True),
            ("auction_mode", "market", False),
        ],
    )
    def test_what_the_products_state_allows(self, floor: Floor, flag: str, kind: str, goes: bool) -> None:
        floor.exchange.products["BTC-USD"].flags[flag] = True
        configuration: dict[str, Any] = {"market_market_ioc": {"base_size": "1"}}
        if kind != "market":
            configuration = {"limit_limit_gtc": {"base_size": "1", "limit_price": "90", "post_only": kind == "post"}}
        if goes:
            assert floor.order("BUY", configuration).status is Status.OPEN
        else:
            with pytest.raises(OrderRefusedError):
                floor.order("BUY", configuration)

    def test_with_the_switch_a_limit_far_from_the_market_is_refused(self) -> None:
        floor = Floor(price_band=0.1)
        floor.trade(1, 100, "1")
        assert floor.limit("BUY", 90, "1").status is Status.OPEN
        with pytest.raises(OrderRefusedError) as refused:
            floor.limit("BUY", 89, "1")
        assert reason(refused) == "INVALID_LIMIT_PRICE"


class TestStops:
    @staticmethod
    def stop(floor: Floor, side: str, limit: int, stop: int, direction: str) -> Order:
        fields = {
            "base_size": "1",
            "limit_price": str(limit),
            "stop_price": str(stop),
            "stop_direction": f"STOP_DIRECTION_STOP_{direction}",
        }
        return floor.order(side, {"stop_limit_stop_limit_gtc": fields})

    def test_it_waits_for_the_last_trade_and_then_is_a_limit_order(self, floor: Floor) -> None:
        order = self.stop(floor, "SELL", 95, 97, "DOWN")
        floor.trade(-1, 98, "0.1")
        assert (order.triggered, floor.asks().get(95)) == (False, None)
        floor.trade(-1, 97, "0.1")
        assert order.triggered
        assert (filled(order), value(order)) == (1, 99)  # the bid at 99 is better than its limit

    def test_one_that_rises_wakes_upwards(self, floor: Floor) -> None:
        order = self.stop(floor, "BUY", 110, 105, "UP")
        floor.trade(1, 106, "0.1")
        assert (order.status, value(order)) == (Status.FILLED, 101)

    def test_an_own_trade_wakes_others(self, floor: Floor) -> None:
        order = self.stop(floor, "BUY", 110, 102, "UP")
        floor.order("BUY", {"market_market_ioc": {"base_size": "2"}}, by=floor.bob)
        assert order.status is Status.FILLED

    @pytest.mark.parametrize(
        ("side", "limit", "stop", "direction", "word"),
        [
            ("SELL", 95, 100, "DOWN", "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE"),
            ("BUY", 110, 100, "UP", "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE"),
            ("SELL", 98, 97, "DOWN", "PREVIEW_STOP_PRICE_BELOW_LIMIT_PRICE"),
            ("BUY", 104, 105, "UP", "PREVIEW_STOP_PRICE_ABOVE_LIMIT_PRICE"),
        ],
    )
    def test_a_stop_that_makes_no_sense_is_refused(self, floor: Floor, side: str, limit: int, stop: int, direction: str, word: str) -> None:
        with pytest.raises(OrderRefusedError) as refused:
            self.stop(floor, side, limit, stop, direction)
        assert refused.value.preview == word

    def test_a_cancelled_stop_never_wakes(self, floor: Floor) -> None:
        order = self.stop(floor, "SELL", 95, 97, "DOWN")
        floor.entry.cancel(floor.alice, order.order_id)
        floor.trade(-1, 90, "0.1")
        assert (order.status, order.triggered) == (Status.CANCELLED, False)


class TestBrackets:
    FIELDS: ClassVar = {"limit_price": "110", "stop_trigger_price": "95"}

    def test_the_target_rests_and_the_stop_turns_it_into_a_limit_5_percent_through(self, floor: Floor) -> None:
        order = floor.order("SELL", {"trigger_bracket_gtc": self.FIELDS | {"base_size": "5"}})
        assert floor.asks()[110] == 5
        floor.trade(-1, 95, "0.1")
        assert order.triggered
        assert (filled(order), value(order)) == (3, 99 + 2 * 98)  # both bids are above 95 x 0.95
        assert floor.asks()[90] == 2
        assert 110 not in floor.asks()

    def test_the_target_fills_as_maker(self, floor: Floor) -> None:
        order = floor.order("SELL", {"trigger_bracket_gtc": self.FIELDS | {"base_size": "1"}})
        floor.trade(1, 111, "1")
        assert (order.status, order.fills[0].maker) == (Status.FILLED, True)
        floor.trade(-1, 90, "0.1")
        assert not order.triggered

    def test_a_buy_holds_what_its_stop_may_cost(self, floor: Floor) -> None:
        floor.order("BUY", {"trigger_bracket_gtc": {"base_size": "1", "limit_price": "90", "stop_trigger_price": "120"}})
        assert floor.held(floor.alice, "USD") == 126 * Decimal("1.006")

    def test_one_that_is_attached_follows_its_order(self, floor: Floor) -> None:
        parent = floor.limit("BUY", 101, "1", attached_order_configuration={"trigger_bracket_gtc": self.FIELDS})
        child = floor.alice.orders[parent.attached_id]
        assert (child.parent_id, child.side, child.lots, child.status) == (parent.order_id, -1, 1000, Status.OPEN)
        assert floor.asks()[110] == 1

    def test_it_follows_with_what_a_cancelled_order_got(self, floor: Floor) -> None:
        parent = floor.limit("BUY", 101, "3", attached_order_configuration={"trigger_bracket_gtc": self.FIELDS})
        assert parent.attached_id not in floor.alice.orders
        floor.entry.cancel(floor.alice, parent.order_id)
        assert floor.alice.orders[parent.attached_id].lots == 1000

    def test_nothing_follows_an_order_that_got_nothing(self, floor: Floor) -> None:
        parent = floor.limit("BUY", 90, "1", attached_order_configuration={"trigger_bracket_gtc": self.FIELDS})
        floor.entry.cancel(floor.alice, parent.order_id)
        assert parent.attached_id not in floor.alice.orders


class TestParts:
    async def test_a_twap_takes_its_parts_one_after_the_other(self, floor: Floor) -> None:
        fields = {
            "base_size": "2",
            "limit_price": "102",
            "start_time": iso(START_NS, digits=0),
            "end_time": iso(START_NS + 40 * 10**9, digits=0),
            "number_buckets": "4",
        }
        order = floor.order("BUY", {"twap_limit_gtd": fields})
        assert floor.held(floor.alice, "USD") == 2 * 102 * Decimal("1.006")
        got = []
        for _ in range(4):
            await floor.agenda.advance(0.001)
            got.append(filled(order))
            await floor.agenda.advance(9.999)
        assert got == [Decimal(x) for x in ("0.5", "1", "1.5", "2")]
        assert order.status is Status.FILLED

    async def test_one_that_does_not_get_it_all_expires_with_what_it_got(self, floor: Floor) -> None:
        fields = {"base_size": "4", "limit_price": "101", "end_time": iso(START_NS + 40 * 10**9), "number_buckets": "2"}
        order = floor.order("BUY", {"twap_limit_gtd": fields})
        await floor.agenda.advance(41)
        assert (order.status, filled(order)) == (Status.EXPIRED, 1)

    def test_a_scaled_order_rests_at_several_prices(self, floor: Floor) -> None:
        fields = {"base_size": "3", "min_price": "90", "max_price": "94", "num_orders": "3", "price_distribution": "FLAT"}
        order = floor.order("BUY", {"scaled_limit_gtc": fields})
        assert [floor.bids()[price] for price in (94, 92, 90)] == [1, 1, 1]
        assert floor.held(floor.alice, "USD") == (94 + 92 + 90) * Decimal("1.006")
        floor.trade(-1, 91, "9")
        assert (filled(order), value(order)) == (2, 94 + 92)
        assert floor.held(floor.alice, "USD") == 90 * Decimal("1.006")
        floor.entry.cancel(floor.alice, order.order_id)
        assert (floor.held(floor.alice, "USD"), 90 in floor.bids()) == (0, False)

    def test_its_sizes_may_grow_with_the_price(self, floor: Floor) -> None:
        fields = {"base_size": "3", "min_price": "110", "max_price": "111", "num_orders": "2", "size_distribution": "INCREASING"}
        floor.order("SELL", {"scaled_limit_gtc": fields})
        assert [floor.asks()[price] for price in (110, 111)] == [1, 2]


class TestTime:
    async def test_good_till_date_ends_then(self, floor: Floor) -> None:
        fields = {"base_size": "1", "limit_price": "90", "end_time": iso(START_NS + 60 * 10**9)}
        order = floor.order("BUY", {"limit_limit_gtd": fields})
        await floor.agenda.advance(59.999)
        assert order.status is Status.OPEN
        await floor.agenda.advance(0.001)
        assert (order.status, floor.held(floor.alice, "USD"), 90 in floor.bids()) == (Status.EXPIRED, 0, False)

    def test_volume_of_30_days_makes_the_tier(self, floor: Floor) -> None:
        tiers = Floor().exchange.config.fee_tiers
        floor.order("BUY", {"market_market_ioc": {"base_size": "1"}})
        assert floor.alice.fee_tier(tiers, START_NS).name == "Flat"
        day_ns = 86_400 * 10**9
        assert floor.alice.volume_30d(START_NS + 29 * day_ns) == floor.alice.total_volume > 0
        assert floor.alice.volume_30d(START_NS + 30 * day_ns) == 0


class TestCancel:
    def test_what_can_not_be_cancelled_says_why(self, floor: Floor) -> None:
        done = floor.limit("BUY", 101, "1")
        resting = floor.limit("BUY", 90, "1")
        assert floor.entry.cancel(floor.alice, done.order_id) == "ORDER_IS_FULLY_FILLED"
        assert floor.entry.cancel(floor.alice, resting.order_id) == ""
        assert floor.entry.cancel(floor.alice, resting.order_id) == "DUPLICATE_CANCEL_REQUEST"
        assert floor.entry.cancel(floor.alice, "nothing") == "UNKNOWN_CANCEL_ORDER"
        assert floor.entry.cancel(floor.bob, done.order_id) == "UNKNOWN_CANCEL_ORDER"

    async def test_with_a_delay_it_can_still_be_filled(self) -> None:
        floor = Floor(cancel_delay_s=5)
        floor.book({99: "1"}, {101: "1"})
        first, second = floor.limit("BUY", 100, "1"), floor.limit("BUY", 98, "1")
        for order in (first, second):
            assert floor.entry.cancel(floor.alice, order.order_id) == ""
            assert order.status is Status.CANCEL_QUEUED
        floor.trade(-1, 100, "1")
        await floor.agenda.advance(5)
        assert (first.status, second.status) == (Status.FILLED, Status.CANCELLED)


class TestEdit:
    def test_a_smaller_size_keeps_the_place_and_another_price_does_not(self, floor: Floor) -> None:
        first, second = floor.limit("BUY", 97, "2"), floor.limit("BUY", 97, "1", by=floor.bob)
        floor.entry.edit(floor.alice, {"order_id": first.order_id, "price": "97", "size": "1"})
        floor.trade(-1, 97, "1")
        assert (filled(first), filled(second)) == (1, 0)
        third = floor.limit("BUY", 96, "1")
        floor.entry.edit(floor.alice, {"order_id": third.order_id, "price": "97", "size": "1"})
        floor.trade(-1, 97, "1")
        assert (filled(second), filled(third)) == (1, 0)
        assert third.edits == [(97, 1000, START_NS)]

    def test_the_hold_follows(self, floor: Floor) -> None:
        order = floor.limit("BUY", 90, "1")
        floor.entry.edit(floor.alice, {"order_id": order.order_id, "price": "91", "size": "2"})
        assert floor.held(floor.alice, "USD") == 2 * 91 * Decimal("1.006")
        floor.entry.edit(floor.alice, {"order_id": order.order_id, "price": "80", "size": "1"})
        assert floor.held(floor.alice, "USD") == 80 * Decimal("1.006")

    def test_a_price_that_crosses_trades(self, floor: Floor) -> None:
        order = floor.limit("BUY", 90, "1")
        floor.entry.edit(floor.alice, {"order_id": order.order_id, "price": "101", "size": "1"})
        assert order.status is Status.FILLED

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"price": "90", "size": "2"}, "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"),
            ({"price": "91", "size": ""}, "INVALID_EDITED_SIZE"),
            ({"price": "91", "size": "0.5"}, "CANNOT_EDIT_TO_BELOW_FILLED_SIZE"),
            ({"price": "91.5", "size": "2"}, "INVALID_EDITED_PRICE"),
            ({"price": "91", "size": "2000"}, "COMMANDER_REJECTED_EDIT_ORDER"),
            ({"order_id": "x", "price": "91", "size": "2"}, "ORDER_NOT_FOUND"),
        ],
    )
    def test_what_can_not_be_done_says_why(self, floor: Floor, change: dict[str, str], word: str) -> None:
        order = floor.limit("BUY", 90, "2")
        floor.entry.fill_by_hand(order, 500, 90)
        with pytest.raises(EditRefusedError) as refused:
            floor.entry.edit(floor.alice, {"order_id": order.order_id} | change)
        assert reason(refused) == word

    @pytest.mark.parametrize(("switch", "price", "size", "stop"), [("current", "121", "3", "116"), ("original", "120", "2", "115")])
    def test_an_edited_order_tells_its_terms_as_the_switch_says(self, switch: str, price: str, size: str, stop: str) -> None:
        floor = Floor(edited_configuration=switch)
        floor.book({99: "1"}, {101: "1"})
        floor.trade(1, 100, "1")
        fields = {"base_size": "2", "limit_price": "120", "stop_price": "115", "stop_direction": "STOP_DIRECTION_STOP_UP"}
        order = floor.order("BUY", {"stop_limit_stop_limit_gtc": fields})
        floor.entry.edit(floor.alice, {"order_id": order.order_id, "price": "121", "size": "3", "stop_price": "116"})
        told = shapes.order(order)
        changed = fields | {"base_size": size, "limit_price": price, "stop_price": stop}
        assert told["order_configuration"] == {"stop_limit_stop_limit_gtc": changed}
        assert [(edit["price"], edit["size"]) for edit in told["edit_history"]] == [("121", "3")]

    @pytest.mark.parametrize(
        ("side", "configuration", "change"),
        [
            ("BUY", STOP_UP, {"price": "121", "stop_price": "99"}),  # reached already
            ("BUY", STOP_UP, {"price": "114", "stop_price": "115"}),  # it would wake above its limit
            ("SELL", BRACKET, {"price": "120", "stop_price": "101"}),
            ("SELL", BRACKET, {"price": "89", "stop_price": "90"}),  # the target below the stop
        ],
    )
    def test_an_edit_does_not_move_a_stop_to_where_a_new_one_may_not_be(
        self, floor: Floor, side: str, configuration: dict[str, Any], change: dict[str, str]
    ) -> None:
        order = floor.order(side, configuration)
        with pytest.raises(EditRefusedError) as refused:
            floor.entry.edit(floor.alice, {"order_id": order.order_id, "size": "1", **change})
        assert reason(refused) == "INVALID_EDITED_STOP_PRICE"
        floor.entry.edit(floor.alice, {"order_id": order.order_id, "size": "0.5", "price": "120"})

    def test_an_order_whose_size_is_in_quote_currency_is_not_edited(self, floor: Floor) -> None:
        order = floor.order("BUY", {"limit_limit_gtc": {"quote_size": "180", "limit_price": "90"}})
        with pytest.raises(EditRefusedError) as refused:
            floor.entry.edit(floor.alice, {"order_id": order.order_id, "price": "91", "size": "2"})
        assert reason(refused) == "SIZE_IN_QUOTE_EDITS_NOT_ALLOWED"

    def test_only_open_limit_orders(self, floor: Floor) -> None:
        done = floor.limit("BUY", 101, "1")
        with pytest.raises(EditRefusedError) as refused:
            floor.entry.edit(floor.alice, {"order_id": done.order_id, "price": "91", "size": "2"})
        assert reason(refused) == "ONLY_OPEN_ORDERS_CAN_BE_EDITED"

    async def test_with_a_delay_the_old_terms_hold_until_then(self) -> None:
        floor = Floor(edit_delay_s=2)
        floor.book({99: "1"}, {101: "1"})
        order = floor.limit("BUY", 90, "1")
        floor.entry.edit(floor.alice, {"order_id": order.order_id, "price": "95", "size": "1"})
        assert (order.status, order.ticks) == (Status.EDIT_QUEUED, 90)
        await floor.agenda.advance(2)
        assert (order.status, order.ticks, floor.bids()[95]) == (Status.OPEN, 95, Decimal(1))


def test_beyond_the_bound_the_oldest_closed_orders_and_fills_are_forgotten() -> None:
    floor = Floor(Bounds(closed_orders=3, fills=2))
    floor.level(-1, 100, "99")
    orders = [floor.limit("BUY", 100, "0.1", client_order_id=f"n{number}") for number in range(5)]
    assert list(floor.alice.orders) == [order.order_id for order in orders[2:]]
    assert (len(floor.alice.fills), floor.alice.fill_count, "n0" in floor.alice.clients) == (2, 5, False)
    assert set(floor.exchange.orders) == set(floor.alice.orders)


def test_ids_are_the_same_for_the_same_seed() -> None:
    first, second = (Floor().limit("BUY", 90, "1") for _ in range(2))
    assert first.order_id == second.order_id
    assert FUNDS.keys() == {"USD", "BTC"}
