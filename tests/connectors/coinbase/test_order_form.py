"""Each kind of order in the venue's own form, field by field."""

from decimal import Context, Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.connectors.coinbase.order_form import edit_body, order_body
from traider.domain.instruments import Instrument
from traider.domain.orders import OrderRequest
from traider.domain.venue import VenueRejectedError
from traider.domain.vocabulary import OrderType, Side, TimeInForce

BTC = Instrument(
    symbol="BTC-USD",
    base="BTC",
    quote="USD",
    price_increment=Decimal("0.01"),
    size_increment=Decimal("0.00000001"),
    min_notional=Decimal(1),
)
LIMIT = OrderRequest(
    client_order_id="c-1", symbol="BTC-USD", side=Side.BUY, type=OrderType.LIMIT, size=Decimal("0.5"), limit_price=Decimal("65000.10")
)
END_NS = 1_786_309_548_000_000_000
EXACT = Context(prec=60)
END = "2026-08-09T21:05:48Z"


def order(**changes: Any) -> OrderRequest:
    return msgspec.structs.replace(LIMIT, **changes)


FORMS: list[tuple[OrderRequest, dict[str, Any]]] = [
    (order(type=OrderType.MARKET, limit_price=None), {"market_market_ioc": {"base_size": "0.5"}}),
    (order(), {"limit_limit_gtc": {"base_size": "0.5", "limit_price": "65000.10", "post_only": False}}),
    (order(post_only=True), {"limit_limit_gtc": {"base_size": "0.5", "limit_price": "65000.10", "post_only": True}}),
    (
        order(time_in_force=TimeInForce.GTD, expire_ts_ns=END_NS),
        {"limit_limit_gtd": {"base_size": "0.5", "limit_price": "65000.10", "end_time": END, "post_only": False}},
    ),
    (order(time_in_force=TimeInForce.IOC), {"sor_limit_ioc": {"base_size": "0.5", "limit_price": "65000.10"}}),
    (order(time_in_force=TimeInForce.FOK), {"limit_limit_fok": {"base_size": "0.5", "limit_price": "65000.10"}}),
    (
        order(type=OrderType.STOP_LIMIT, stop_price=Decimal(64000)),
        {
            "stop_limit_stop_limit_gtc": {
                "base_size": "0.5",
                "limit_price": "65000.10",
                "stop_price": "64000",
                "stop_direction": "STOP_DIRECTION_STOP_UP",
            }
        },
    ),
    (
        order(type=OrderType.STOP_LIMIT, side=Side.SELL, stop_price=Decimal(64000), time_in_force=TimeInForce.GTD, expire_ts_ns=END_NS),
        {
            "stop_limit_stop_limit_gtd": {
                "base_size": "0.5",
                "limit_price": "65000.10",
                "stop_price": "64000",
                "end_time": END,
                "stop_direction": "STOP_DIRECTION_STOP_DOWN",
            }
        },
    ),
    (
        order(side=Side.SELL, stop_price=Decimal("60000.5")),
        {"trigger_bracket_gtc": {"base_size": "0.5", "limit_price": "65000.10", "stop_trigger_price": "60000.5"}},
    ),
    (
        order(side=Side.SELL, stop_price=Decimal("60000.5"), time_in_force=TimeInForce.GTD, expire_ts_ns=END_NS),
        {"trigger_bracket_gtd": {"base_size": "0.5", "limit_price": "65000.10", "stop_trigger_price": "60000.5", "end_time": END}},
    ),
]


@pytest.mark.parametrize(("request_", "configuration"), FORMS, ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_each_order_has_its_form(request_: OrderRequest, configuration: dict[str, Any]) -> None:
    assert order_body(request_, BTC) == {
        "client_order_id": "c-1",
        "product_id": "BTC-USD",
        "side": request_.side.name,
        "order_configuration": configuration,
    }


def test_a_market_buy_can_be_sized_in_the_quote_currency() -> None:
    body = order_body(order(type=OrderType.MARKET, limit_price=None), BTC, quote_size=Decimal("100.50"))
    assert body["order_configuration"] == {"market_market_ioc": {"quote_size": "100.50"}}
    with pytest.raises(VenueRejectedError, match="only a buy"):
        order_body(order(type=OrderType.MARKET, side=Side.SELL, limit_price=None), BTC, quote_size=Decimal(100))


def test_the_same_request_is_the_same_bytes() -> None:
    for request, _ in FORMS:
        copy = msgspec.json.decode(msgspec.json.encode(request), type=OrderRequest)
        assert msgspec.json.encode(order_body(copy, BTC)) == msgspec.json.encode(order_body(request, BTC))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": Decimal("0.000000001")}, "INVALID_SIZE_PRECISION"),
        ({"size": Decimal(0)}, "INVALID_SIZE_PRECISION"),
        ({"size": Decimal("NaN")}, "INVALID_SIZE_PRECISION"),
        ({"size": Decimal(-1)}, "INVALID_SIZE_PRECISION"),
        ({"limit_price": Decimal("65000.101")}, "INVALID_PRICE_PRECISION"),
        ({"limit_price": Decimal("Infinity")}, "INVALID_PRICE_PRECISION"),
        ({"limit_price": None}, "INVALID_LIMIT_PRICE"),
        ({"type": OrderType.STOP_LIMIT}, "PREVIEW_INVALID_STOP_PRICE"),
        ({"type": OrderType.STOP, "stop_price": Decimal(1)}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"type": OrderType.TRAILING_STOP, "trail_amount": Decimal(1)}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"type": OrderType.MARKET, "time_in_force": TimeInForce.FOK}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"time_in_force": TimeInForce.IOC, "post_only": True}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"time_in_force": TimeInForce.GTD}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"stop_price": Decimal(1), "time_in_force": TimeInForce.IOC}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"oco": "pair"}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"parent": "c-0"}, "UNSUPPORTED_ORDER_CONFIGURATION"),
        ({"client_order_id": ""}, "INVALID_REQUEST"),
        ({"symbol": "ETH-USD"}, "INVALID_PRODUCT_ID"),
    ],
)
def test_what_the_venue_would_refuse_is_not_sent(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(VenueRejectedError, match="not sent") as caught:
        order_body(order(**changes), BTC)
    assert caught.value.code == code


@given(st.integers(1, 10**30), st.sampled_from(["0.01", "0.05", "5", "0.00000001", "2.5"]), st.sampled_from([2, 3, 7]))
def test_multiples_go_exactly_and_nothing_else_goes(count: int, increment: str, parts: int) -> None:
    step = Decimal(increment)
    size = EXACT.multiply(Decimal(count), step)
    instrument = msgspec.structs.replace(BTC, size_increment=step)
    configuration: Any = order_body(order(size=size), instrument)["order_configuration"]
    assert Decimal(configuration["limit_limit_gtc"]["base_size"]) == size
    with pytest.raises(VenueRejectedError):
        order_body(order(size=EXACT.add(size, EXACT.divide(step, Decimal(parts)))), instrument)


def test_an_edit_names_both_numbers() -> None:
    assert edit_body("v-1", BTC, size=Decimal("0.25"), price=Decimal("64999.99")) == {
        "order_id": "v-1",
        "price": "64999.99",
        "size": "0.25",
    }
    with pytest.raises(VenueRejectedError):
        edit_body("v-1", BTC, size=Decimal("0.25"), price=Decimal("64999.999"))
