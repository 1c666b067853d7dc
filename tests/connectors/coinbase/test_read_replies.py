"""REST replies turned into our words: the recorded ones, and those that only an account could record, as documented."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.coinbase.recorded import reply
from traider.connectors.coinbase import wire_account, wire_market, wire_orders
from traider.connectors.coinbase.malformed import MalformedError
from traider.connectors.coinbase.read_account import read_balance, read_fees, read_time_ns, summed
from traider.connectors.coinbase.read_market import (
    BookLevel,
    PastTrade,
    read_book,
    read_candles,
    read_instrument,
    read_state,
    read_trades,
)
from traider.connectors.coinbase.read_orders import oldest_first, read_fill, read_order
from traider.connectors.coinbase.read_reply import read_answer, read_outcome, refusal_code
from traider.connectors.coinbase.transport import Call, Reply
from traider.domain.history import PastBar
from traider.domain.instruments import Instrument
from traider.domain.venue import Balance, VenueFill, VenueOrder, VenueRejectedError, VenueUnavailableError, VenueUnknownError
from traider.domain.vocabulary import Liquidity, OrderStatus, Side

BTC = Instrument(symbol="BTC-USD", base="BTC", quote="USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
POST = Call(method="POST", path="/orders", body=b"{}")
GET = Call(method="GET", path="/orders")


def test_the_recorded_product() -> None:
    product = msgspec.json.decode(reply("product"), type=wire_market.Product)
    assert read_instrument(product) == Instrument(
        symbol="BTC-USD",
        base="BTC",
        quote="USD",
        price_increment=Decimal("0.01"),
        size_increment=Decimal("0.00000001"),
        min_size=Decimal("0.00000001"),
        min_notional=Decimal(1),
    )
    state = read_state(product)
    assert (state.tradable, state.cancel_only, state.limit_only, state.post_only, state.auction) == (True, False, False, False, False)


@pytest.mark.parametrize("flag", ["is_disabled", "trading_disabled", "view_only"])
def test_a_closed_market_is_not_tradable(flag: str) -> None:
    product = msgspec.json.decode(reply("product"), type=wire_market.Product)
    assert not read_state(msgspec.structs.replace(product, **{flag: True})).tradable
    assert not read_state(msgspec.structs.replace(product, status="delisted")).tradable


def test_the_recorded_candles_are_turned_round() -> None:
    candles = read_candles(msgspec.json.decode(reply("candles"), type=wire_market.CandlesReply).candles)
    assert candles == (
        PastBar(
            ts_ns=1712188800 * 10**9,
            low=Decimal("65857.35"),
            high=Decimal("66387.77"),
            open=Decimal("65984.18"),
            close=Decimal("66314.59"),
            volume=Decimal("358.74851052"),
        ),
        PastBar(
            ts_ns=1712192400 * 10**9,
            low=Decimal("66055.14"),
            high=Decimal("66331.99"),
            open=Decimal("66312.4"),
            close=Decimal("66181.6"),
            volume=Decimal("355.82896243"),
        ),
    )


def test_the_recorded_trades_have_the_takers_side_and_are_turned_round() -> None:
    trades = read_trades(msgspec.json.decode(reply("ticker"), type=wire_market.TradesReply).trades)
    assert [trade.trade_id for trade in trades] == ["995098661", "995098662", "995098663"]
    # 68923.67 was the best ask: a SELL that rested there was hit by a buyer
    assert trades[2] == PastTrade(
        trade_id="995098663",
        symbol="BTC-USD",
        side=Side.BUY,
        price=Decimal("68923.67"),
        size=Decimal("0.00064"),
        ts_ns=1775521738_544778000,
    )
    assert trades[0].side is Side.SELL


def test_the_recorded_book() -> None:
    book = read_book(msgspec.json.decode(reply("product_book"), type=wire_market.BookReply).pricebook)
    assert (book.symbol, book.ts_ns, len(book.bids), len(book.asks)) == ("BTC-USD", 1775521739_662782000, 5, 5)
    assert book.bids[0] == BookLevel(price=Decimal("68923.66"), size=Decimal("0.17189468"))
    assert book.asks[0] == BookLevel(price=Decimal("68923.67"), size=Decimal("0.16987193"))
    assert [level.price for level in book.bids] == sorted((level.price for level in book.bids), reverse=True)


def wire_order(**changes: Any) -> wire_orders.Order:
    raw = {
        "order_id": "v-1",
        "product_id": "BTC-USD",
        "side": "BUY",
        "status": "OPEN",
        "client_order_id": "c-1",
        "order_configuration": {"limit_limit_gtc": {"base_size": "1", "limit_price": "101.5", "post_only": False}},
        "created_time": "2031-03-04T05:06:07.5Z",
        "filled_size": "0.4",
        "average_filled_price": "",
        "last_fill_time": None,
        "a_field_of_tomorrow": {},
    }
    return msgspec.convert(raw | changes, wire_orders.Order)


def test_an_order() -> None:
    assert read_order(wire_order()) == VenueOrder(
        venue_order_id="v-1",
        client_order_id="c-1",
        symbol="BTC-USD",
        side=Side.BUY,
        status=OrderStatus.PARTIALLY_FILLED,
        size=Decimal(1),
        filled_size=Decimal("0.4"),
        limit_price=Decimal("101.5"),
        created_ts_ns=1930367167_500000000,
    )


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("OPEN", "0", OrderStatus.OPEN),
        ("OPEN", "0.4", OrderStatus.PARTIALLY_FILLED),
        ("PENDING", "", OrderStatus.OPEN),
        ("QUEUED", "0", OrderStatus.OPEN),
        ("CANCEL_QUEUED", "0", OrderStatus.OPEN),
        ("EDIT_QUEUED", "0.4", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", "1", OrderStatus.FILLED),
        ("CANCELLED", "0.4", OrderStatus.CANCELLED),
        ("EXPIRED", "0", OrderStatus.CANCELLED),
        ("FAILED", "0", OrderStatus.REJECTED),
        ("FAILED", "0.4", OrderStatus.CANCELLED),
        ("UNKNOWN_ORDER_STATUS", "0", OrderStatus.UNKNOWN),
        ("A_STATUS_OF_TOMORROW", "0", OrderStatus.UNKNOWN),
    ],
)
def test_each_status_has_a_meaning_and_a_new_one_is_no_end(status: str, filled: str, expected: OrderStatus) -> None:
    assert read_order(wire_order(status=status, filled_size=filled)).status is expected


def test_stop_and_trigger_prices_expiry_and_reasons() -> None:
    stop = wire_order(order_configuration={"stop_limit_stop_limit_gtc": {"base_size": "1", "limit_price": "99", "stop_price": "100"}})
    assert (read_order(stop).limit_price, read_order(stop).stop_price) == (Decimal(99), Decimal(100))
    bracket = wire_order(order_configuration={"trigger_bracket_gtc": {"base_size": "1", "limit_price": "99", "stop_trigger_price": "90"}})
    assert read_order(bracket).stop_price == Decimal(90)
    assert read_order(wire_order(status="EXPIRED")).reason == "EXPIRED"
    assert read_order(wire_order(status="FAILED", reject_reason="HOLD_FAILURE")).reason == "HOLD_FAILURE"
    assert (
        read_order(wire_order(status="CANCELLED", reject_reason="REJECT_REASON_UNSPECIFIED", cancel_message="User requested")).reason
        == "User requested"
    )


def test_the_last_edit_counts() -> None:
    order = wire_order(edit_history=[{"price": "102", "size": "2"}, {"price": "103", "size": "1.5", "replace_accept_timestamp": "x"}])
    assert (read_order(order).limit_price, read_order(order).size) == (Decimal(103), Decimal("1.5"))


def test_of_an_order_sized_in_the_quote_currency_the_filled_size_is_known() -> None:
    order = wire_order(order_configuration={"market_market_ioc": {"quote_size": "100"}}, status="FILLED", filled_size="0.0015")
    assert (read_order(order).size, read_order(order).filled_size) == (Decimal("0.0015"), Decimal("0.0015"))


@pytest.mark.parametrize("changes", [{"side": "HOLD"}, {"filled_size": "much"}, {"created_time": "soon"}, {"order_id": ""}])
def test_an_order_that_makes_no_sense_is_a_typed_error(changes: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        read_order(wire_order(**changes))


def wire_fill(**changes: Any) -> wire_orders.Fill:
    raw = {
        "entry_id": "e-1",
        "trade_id": "t-1",
        "order_id": "v-1",
        "trade_time": "2031-03-04T05:06:07.123456789Z",
        "trade_type": "FILL",
        "price": "101.5",
        "size": "0.4",
        "commission": "0.24",
        "product_id": "BTC-USD",
        "liquidity_indicator": "MAKER",
        "size_in_quote": False,
        "side": "SELL",
    }
    return msgspec.convert(raw | changes, wire_orders.Fill)


def test_a_fill() -> None:
    assert read_fill(wire_fill(), client_order_id="c-1", instruments={}) == VenueFill(
        trade_id="t-1",
        venue_order_id="v-1",
        client_order_id="c-1",
        symbol="BTC-USD",
        side=Side.SELL,
        price=Decimal("101.5"),
        size=Decimal("0.4"),
        fee=Decimal("0.24"),
        liquidity=Liquidity.MAKER,
        ts_ns=1930367167_123456789,
    )


@pytest.mark.parametrize("size", ["0.00000001", "0.4", "1.23456789", "33.33333333"])
def test_a_fill_in_the_quote_currency_is_turned_into_whole_increments(size: str) -> None:
    price = Decimal("65083.67")
    fill = wire_fill(size=str(Decimal(size) * price), price=str(price), size_in_quote=True)
    assert read_fill(fill, client_order_id="", instruments={"BTC-USD": BTC}).size == Decimal(size)
    # as the venue may cut it to cents
    if Decimal(size) > 1:
        cut = wire_fill(size=str((Decimal(size) * price).quantize(Decimal("0.00001"))), price=str(price), size_in_quote=True)
        assert read_fill(cut, client_order_id="", instruments={"BTC-USD": BTC}).size == Decimal(size)


def test_a_fill_in_the_quote_currency_of_an_unknown_market_is_not_guessed() -> None:
    with pytest.raises(MalformedError, match="not known"):
        read_fill(wire_fill(size_in_quote=True), client_order_id="", instruments={})


def test_fills_are_sorted_and_each_trade_counts_once() -> None:
    def fill(trade_id: str, second: int) -> VenueFill:
        return read_fill(wire_fill(trade_id=trade_id, trade_time=f"2031-03-04T05:06:{second:02}Z"), client_order_id="", instruments={})

    assert [one.trade_id for one in oldest_first([fill("10", 3), fill("9", 3), fill("8", 5), fill("10", 3)])] == ["9", "10", "8"]


def test_balances_are_exact_and_one_a_currency() -> None:
    def account(uuid: str, currency: str, free: str, held: str | None) -> Balance:
        raw = {
            "uuid": uuid,
            "currency": currency,
            "available_balance": {"value": free, "currency": currency},
            "hold": None if held is None else {"value": held},
            "type": "ACCOUNT_TYPE_CRYPTO",
        }
        return read_balance(msgspec.convert(raw, wire_account.Account))

    balances = [account("1", "USD", "0.10", "0.20"), account("2", "BTC", "1", None), account("3", "USD", "0.30", "")]
    assert summed(balances) == (
        Balance(currency="BTC", available=Decimal(1), held=Decimal(0)),
        Balance(currency="USD", available=Decimal("0.40"), held=Decimal("0.20")),
    )


def test_fees_and_time() -> None:
    raw = {"total_volume": 1000.5, "fee_tier": {"pricing_tier": "Advanced 1", "maker_fee_rate": "0.006", "taker_fee_rate": "0.012"}}
    fees = read_fees(msgspec.convert(raw, wire_account.TransactionSummary))
    assert (fees.maker, fees.taker, fees.tier) == (Decimal("0.006"), Decimal("0.012"), "Advanced 1")
    time = msgspec.json.decode(b'{"iso":"","epochSeconds":"1930367167","epochMillis":"1930367167123"}', type=wire_account.ServerTime)
    assert read_time_ns(time) == 1930367167_123_000_000
    with pytest.raises(MalformedError):
        read_time_ns(wire_account.ServerTime())


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ({"error": "X", "new_order_failure_reason": "INVALID_SIDE", "preview_failure_reason": "PREVIEW_Y"}, "INVALID_SIDE"),
        ({"error": "X", "new_order_failure_reason": "UNKNOWN_FAILURE_REASON", "preview_failure_reason": "PREVIEW_Y"}, "PREVIEW_Y"),
        ({"error": "A_REASON_OF_TOMORROW"}, "A_REASON_OF_TOMORROW"),
        ({"error": "UNKNOWN_FAILURE_REASON"}, "UNKNOWN_FAILURE_REASON"),
        ({}, "UNKNOWN_FAILURE_REASON"),
    ],
)
def test_the_most_telling_reason_counts(refusal: dict[str, str], code: str) -> None:
    assert refusal_code(wire_orders.OrderRefusal(**refusal)) == code


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"INVALID_ARGUMENT","error_details":"size","message":"bad"}',
        b'{"error":"INVALID_ARGUMENT","code":3,"message":"bad","details":[]}',
    ],
)
def test_only_a_400_that_can_be_read_is_a_refusal(body: bytes) -> None:
    with pytest.raises(VenueRejectedError) as caught:
        read_outcome(POST, Reply(status=400, body=body), wire_orders.CreateReply)
    assert caught.value.code == "INVALID_ARGUMENT"
    with pytest.raises(VenueUnknownError):
        read_outcome(POST, Reply(status=400, body=b"<html>"), wire_orders.CreateReply)
    for status in (401, 403, 404, 409, 429, 500, 503, 301):
        with pytest.raises(VenueUnknownError):
            read_outcome(POST, Reply(status=status, body=body), wire_orders.CreateReply)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 502])
def test_a_question_without_an_answer_can_be_asked_again(status: int) -> None:
    with pytest.raises(VenueUnavailableError) as caught:
        read_answer(GET, Reply(status=status, body=b"<html>secret page</html>"), wire_orders.OrdersReply)
    assert "secret page" not in str(caught.value)


def test_a_list_that_is_missing_is_not_an_empty_one() -> None:
    with pytest.raises(VenueUnavailableError, match="orders"):
        read_answer(GET, Reply(status=200, body=b'{"has_next":false}'), wire_orders.OrdersReply)
