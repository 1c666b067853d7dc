"""An order in the venue's own form. Prices and sizes are checked against the market's increments, never rounded to them."""

from decimal import Decimal

from traider.domain.instruments import Instrument
from traider.domain.orders import OrderRequest
from traider.domain.venue import VenueRejectedError
from traider.domain.vocabulary import OrderType, Side, TimeInForce

from .amounts import moment_text, plain

Configuration = dict[str, dict[str, str | bool]]
UNSUPPORTED = "UNSUPPORTED_ORDER_CONFIGURATION"

_SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
_STOP_DIRECTIONS = {Side.BUY: "STOP_DIRECTION_STOP_UP", Side.SELL: "STOP_DIRECTION_STOP_DOWN"}
_RESTING = {TimeInForce.GTC: "gtc", TimeInForce.GTD: "gtd"}


def order_body(request: OrderRequest, instrument: Instrument, *, quote_size: Decimal | None = None) -> dict[str, object]:
    """The body of a create call: of the same request always the same bytes. ``quote_size`` buys for so much instead of ``size``.

    Whatever the venue is known to refuse raises ``VenueRejectedError`` with the venue's word for it, and is not sent.
    """
    if not request.client_order_id:
        raise _refused("an order needs a client order id", "INVALID_REQUEST")
    if request.symbol != instrument.symbol:
        raise _refused(f"{request.symbol} is not {instrument.symbol}", "INVALID_PRODUCT_ID")
    return {
        "client_order_id": request.client_order_id,
        "product_id": request.symbol,
        "side": _SIDES[request.side],
        "order_configuration": _configuration(request, instrument, quote_size),
    }


def edit_body(venue_order_id: str, instrument: Instrument | None, *, size: Decimal, price: Decimal) -> dict[str, object]:
    """The body of an edit: both numbers, because a missing size is read as 0. ``size`` is the new total."""
    if instrument is not None:
        _check_size(size, instrument)
        _check_price(price, instrument, "price")
    return {"order_id": venue_order_id, "price": plain(price), "size": plain(size)}


def _configuration(request: OrderRequest, instrument: Instrument, quote_size: Decimal | None) -> Configuration:
    if request.oco or request.parent:
        raise _refused("the venue takes no orders that wait for one another", UNSUPPORTED)
    match request.type:
        case OrderType.MARKET:
            return _market(request, instrument, quote_size)
        case OrderType.LIMIT if request.stop_price is not None:
            return _bracket(request, instrument)
        case OrderType.LIMIT:
            return _limit(request, instrument)
        case OrderType.STOP_LIMIT:
            return _stop_limit(request, instrument)
        case _:
            raise _refused(f"the venue's spot markets have no {request.type.name.lower().replace('_', ' ')} orders", UNSUPPORTED)


def _market(request: OrderRequest, instrument: Instrument, quote_size: Decimal | None) -> Configuration:
    if request.time_in_force not in (TimeInForce.GTC, TimeInForce.IOC) or request.post_only:
        raise _refused("a market order is immediate or cancel, and takes", UNSUPPORTED)
    if quote_size is None:
        return {"market_market_ioc": {"base_size": _size(request, instrument)}}
    if request.side is not Side.BUY:
        raise _refused("only a buy can be sized in the quote currency", UNSUPPORTED)
    if quote_size <= 0 or not quote_size.is_finite():
        raise _refused(f"quote size {quote_size} is not above zero", "INVALID_SIZE_PRECISION")
    return {"market_market_ioc": {"quote_size": plain(quote_size)}}


def _limit(request: OrderRequest, instrument: Instrument) -> Configuration:
    terms: dict[str, str | bool] = {"base_size": _size(request, instrument), "limit_price": _limit_price(request, instrument)}
    if request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        if request.post_only:
            raise _refused("a post-only order has to be able to rest", UNSUPPORTED)
        return {"sor_limit_ioc" if request.time_in_force is TimeInForce.IOC else "limit_limit_fok": terms}
    return {f"limit_limit_{_resting(request)}": terms | _end_time(request) | {"post_only": request.post_only}}


def _stop_limit(request: OrderRequest, instrument: Instrument) -> Configuration:
    terms: dict[str, str | bool] = {
        "base_size": _size(request, instrument),
        "limit_price": _limit_price(request, instrument),
        "stop_price": _stop_price(request, instrument),
    }
    name = f"stop_limit_stop_limit_{_resting(request)}"
    return {name: terms | _end_time(request) | {"stop_direction": _STOP_DIRECTIONS[request.side]}}


def _bracket(request: OrderRequest, instrument: Instrument) -> Configuration:
    # A limit order with a stop price beside it: the venue takes the profit at the one and stops the loss at the other.
    terms: dict[str, str | bool] = {
        "base_size": _size(request, instrument),
        "limit_price": _limit_price(request, instrument),
        "stop_trigger_price": _stop_price(request, instrument),
    }
    return {f"trigger_bracket_{_resting(request)}": terms | _end_time(request)}


def _resting(request: OrderRequest) -> str:
    if request.time_in_force not in _RESTING or (request.post_only and request.type is not OrderType.LIMIT):
        raise _refused(f"the venue has no such order with {request.time_in_force.name}", UNSUPPORTED)
    return _RESTING[request.time_in_force]


def _end_time(request: OrderRequest) -> dict[str, str | bool]:
    if request.time_in_force is not TimeInForce.GTD:
        return {}
    if request.expire_ts_ns <= 0:
        raise _refused("good till date needs its date", UNSUPPORTED)
    return {"end_time": moment_text(request.expire_ts_ns)}


def _size(request: OrderRequest, instrument: Instrument) -> str:
    _check_size(request.size, instrument)
    return plain(request.size)


def _limit_price(request: OrderRequest, instrument: Instrument) -> str:
    if request.limit_price is None:
        raise _refused("a limit order needs its limit price", "INVALID_LIMIT_PRICE")
    _check_price(request.limit_price, instrument, "limit price")
    return plain(request.limit_price)


def _stop_price(request: OrderRequest, instrument: Instrument) -> str:
    if request.stop_price is None:
        raise _refused("a stop order needs its stop price", "PREVIEW_INVALID_STOP_PRICE")
    _check_price(request.stop_price, instrument, "stop price")
    return plain(request.stop_price)


def _check_size(size: Decimal, instrument: Instrument) -> None:
    if not _is_multiple(size, instrument.size_increment):
        raise _refused(f"size {size} is not a multiple of {instrument.size_increment} above zero", "INVALID_SIZE_PRECISION")


def _check_price(price: Decimal, instrument: Instrument, what: str) -> None:
    if not _is_multiple(price, instrument.price_increment):
        raise _refused(f"{what} {price} is not a multiple of {instrument.price_increment} above zero", "INVALID_PRICE_PRECISION")


def _is_multiple(value: Decimal, increment: Decimal) -> bool:
    if not value.is_finite() or value <= 0:
        return False
    # in whole numbers, for a Decimal's remainder is limited to its context's precision
    top, bottom = value.as_integer_ratio()
    step_top, step_bottom = increment.as_integer_ratio()
    return (top * step_bottom) % (bottom * step_top) == 0


def _refused(why: str, code: str) -> VenueRejectedError:
    return VenueRejectedError(f"not sent: {why}", code=code)
