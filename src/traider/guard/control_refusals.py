"""The explanations of refusals by the controls of ``traider.kernel.controls``."""

from decimal import Decimal

from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import OrderType, Reason, Side

from .books import Books
from .numbers import exact
from .words import decimal_text, limit_text


def explain_control(reason: Reason, request: OrderRequest, books: Books, number: int) -> str:
    """Which control refused the order, its value, what was asked, the head-room left."""
    limits, controls = books.config.limits, books.controls
    match reason:
        case Reason.ORDER_SIZE:
            return limit_text("MAX_ORDER_SIZE", limits.max_order_size, _order(request), 0, books.config.instruments[number].base)
        case Reason.MARKET_OPEN_ORDERS:
            open_now = books.desk.open_orders_by_instrument()[number]
            told = f"{open_now} orders of {request.symbol} are open"
            return limit_text("MAX_OPEN_ORDERS_PER_MARKET", limits.max_open_orders_per_market, told, open_now, "orders")
        case Reason.PRICE_COLLAR:
            return _away("MAX_PRICE_DEVIATION", limits.max_price_deviation, request, books, number)
        case Reason.PRICE_BAND:
            half = None if controls is None else controls.band_width(number)
            if half is None:
                seen = 0 if controls is None else controls.returns_seen(number)
                needed = limits.atr_window if limits.volatility_method == "atr" else limits.volatility_window
                return f"the volatility band of {request.symbol} is not known yet: it has {seen} of the {needed or 1} returns that it needs"
            name = f"the {limits.volatility_method} band of VOLATILITY_MULT {limits.volatility_mult}"
            return _away(name, exact(half), request, books, number)
        case Reason.STALE_MARKET_DATA:
            seen_ns = 0 if controls is None else controls.seen_ns(number)
            age = Decimal(books.now_ns - seen_ns) / 1_000_000_000
            told = (
                f"the last price of {request.symbol} is {decimal_text(age, 3)} s old" if seen_ns else f"{request.symbol} has no price yet"
            )
            return limit_text("MAX_MARKET_DATA_AGE_S", limits.max_market_data_age_s, told, age, "s")
        case Reason.DUPLICATE_ORDER:
            window = decimal_text(limits.duplicate_window_s)
            return f"the same order was sent less than DUPLICATE_WINDOW_S {window} s ago: {_order(request)}"
        case Reason.SELF_MATCH:
            return f"{_order(request)} could trade with an own order on the other side; cancel that first (PREVENT_SELF_MATCH)"
        case Reason.REPEATED_REJECTIONS:
            return limit_text(
                "MAX_REJECTIONS_IN_A_ROW", limits.max_rejections_in_a_row, _halted(reason), _most(limits.max_rejections_in_a_row), "orders"
            )
        case Reason.REJECTION_RATE:
            most = limits.max_rejections_per_minute
            return limit_text("MAX_REJECTIONS_PER_MINUTE", most, _halted(reason), _most(most), "orders/min")
        case _:
            most = limits.max_executions_per_minute
            return limit_text("MAX_EXECUTIONS_PER_MINUTE", most, _halted(reason), _most(most), "fills/min")


def explain_halt(reason: Reason, limits: RiskLimits) -> str:
    """What has come too fast, so that nothing goes any more."""
    if reason is Reason.REPEATED_REJECTIONS:
        return f"{reason.label}: MAX_REJECTIONS_IN_A_ROW {limits.max_rejections_in_a_row} is reached"
    if reason is Reason.REJECTION_RATE:
        return f"{reason.label}: more than MAX_REJECTIONS_PER_MINUTE {limits.max_rejections_per_minute}"
    return f"{reason.label}: more than MAX_EXECUTIONS_PER_MINUTE {limits.max_executions_per_minute} fills"


def explain_flood(books: Books) -> str:
    """Too many orders or amendments within a second."""
    limits, controls = books.config.limits, books.controls
    sent = 0 if controls is None else controls.orders_last_second(books.now_ns)
    if limits.max_orders_per_second is not None and sent >= limits.max_orders_per_second:
        told = f"{sent} orders were sent within the last second"
        return limit_text("MAX_ORDERS_PER_SECOND", limits.max_orders_per_second, told, sent, "orders")
    amended = 0 if controls is None else controls.amends_last_second(books.now_ns)
    told = f"{amended} orders were amended within the last second"
    return limit_text("MAX_AMENDS_PER_SECOND", limits.max_amends_per_second, told, amended, "orders")


def _away(name: str, limit: Decimal | None, request: OrderRequest, books: Books, number: int) -> str:
    mark = exact(books.desk.positions[number]["mark_price"])
    around = request.stop_price if request.type is OrderType.STOP_LIMIT and request.stop_price else mark
    price = request.limit_price or Decimal(0)
    off = abs(price / around - 1) * 100
    half = (limit or Decimal(0)) * 100
    low, high = around * (1 - half / 100), around * (1 + half / 100)
    return (
        f"{request.side.name.lower()} at {decimal_text(price)} is {decimal_text(off, 4)} % from the market's {decimal_text(around)}; "
        f"{name} is {decimal_text(half, 4)} %: prices from {decimal_text(low, 2)} to {decimal_text(high, 2)} pass"
    )


def _order(request: OrderRequest) -> str:
    price = request.limit_price or request.stop_price
    at = "at the market" if price is None else f"at {decimal_text(price)}"
    return f"{'buying' if request.side is Side.BUY else 'selling'} {decimal_text(request.size)} {request.symbol} {at}"


def _halted(reason: Reason) -> str:
    return f"halted, because of {reason.label}; switching the kill switch off lets orders go again"


def _most(limit: int | None) -> int:
    return limit or 0
