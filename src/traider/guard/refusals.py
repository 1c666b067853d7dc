"""Why an order was refused, in a person's words: the limit, its value, what was asked, the head-room left.

The same text stands in the journal, the log, the API, the dashboard and the alert.
"""

from datetime import UTC, datetime
from decimal import Decimal

from traider.domain.instruments import Instrument
from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import OrderType, Reason, Side, TimeInForce
from traider.kernel.control_desk import gross_exposure

from .books import Books
from .control_refusals import explain_control, explain_flood
from .numbers import exact
from .words import decimal_text as _text
from .words import limit_text as _limit

# a price of their own that lies behind the market does not make them small: they fill at the market's
_AT_THE_MARKET = ((OrderType.LIMIT, Side.SELL), (OrderType.STOP, Side.BUY))


def explain(reason: Reason, request: OrderRequest, books: Books) -> str:
    """The explanation of a refusal by the check, from the books as they are at that moment."""
    number = books.instrument_number(request.symbol)
    if number < 0:
        known = ", ".join(instrument.symbol for instrument in books.config.instruments)
        return f"{request.symbol} is not traded here; this guard has {known}"
    instrument = books.config.instruments[number]
    match reason:
        case Reason.KILL_SWITCH:
            return explain_kill(books)
        case Reason.MARKET_NOT_ALLOWED:
            allowed = ", ".join(books.config.limits.allowed_markets or ()) or "none"
            return f"{request.symbol} is not among ALLOWED_MARKETS ({allowed})"
        case Reason.NO_MARKET_DATA:
            return f"no market event of {request.symbol} has arrived yet, so nothing can be measured"
        case Reason.INVALID_ORDER:
            return _invalid(request)
        case Reason.SIZE_INCREMENT:
            return f"size {request.size} is not a multiple of {instrument.size_increment}"
        case Reason.PRICE_INCREMENT:
            return f"price {_own_price(request)} is not a multiple of {instrument.price_increment}"
        case Reason.MIN_SIZE:
            return f"size {request.size} is below the market's minimum of {instrument.min_size}"
        case Reason.OPEN_ORDERS:
            open_now = int(books.desk.account["open_orders"])
            return _limit("MAX_OPEN_ORDERS", books.config.limits.max_open_orders, f"{open_now} orders are open", open_now, "orders")
        case Reason.ORDER_RATE:
            sent = books.desk.orders_last_minute()
            limit = books.config.limits.max_orders_per_minute
            if limit is None or sent < limit:
                return explain_flood(books)
            return _limit("MAX_ORDERS_PER_MINUTE", limit, f"{sent} orders were sent within the last minute", sent, "orders")
        case Reason.DAILY_LOSS | Reason.DRAWDOWN:
            return f"{explain_breach(reason, books)}; only orders that reduce a position may go"
        case Reason.SAFE_MODE:
            return "SAFE_MODE is on: only orders that reduce a position may go"
        case (
            Reason.ORDER_SIZE
            | Reason.MARKET_OPEN_ORDERS
            | Reason.PRICE_COLLAR
            | Reason.PRICE_BAND
            | Reason.STALE_MARKET_DATA
            | Reason.DUPLICATE_ORDER
            | Reason.SELF_MATCH
            | Reason.REPEATED_REJECTIONS
            | Reason.REJECTION_RATE
            | Reason.REPEATED_EXECUTIONS
        ):
            return explain_control(reason, request, books, number)
        case _:
            return _sized(reason, request, books, number, instrument)


def explain_kill(books: Books) -> str:
    kill = books.kill
    at = datetime.fromtimestamp(kill.ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"the kill switch is on since {at}, set by {kill.by}: {kill.reason or 'no reason given'}; an admin has to switch it off"


def explain_breach(reason: Reason, books: Books) -> str:
    """Which of the account's limits is reached, and by how much."""
    account, limits, currency = books.desk.account, books.config.limits, books.config.currency
    equity = exact(account["equity"])
    if reason is Reason.DAILY_LOSS:
        loss = exact(account["day_start_equity"]) - equity
        limit = f"{_text(limits.max_daily_loss)} {currency}"
        return f"the day's loss of {_text(loss)} {currency} has reached MAX_DAILY_LOSS {limit}, head-room 0"
    peak = exact(account["high_water_mark"])
    if not peak:
        return "the account holds nothing, so every loss is too much"
    fall = (peak - equity) / peak * 100
    ceiling = None if limits.max_drawdown is None else limits.max_drawdown * 100
    return (
        f"the equity of {_text(equity)} {currency} is {_text(fall, 2)} % below its peak of {_text(peak)} {currency}: "
        f"MAX_DRAWDOWN {_text(ceiling)} % is reached, head-room 0"
    )


def _invalid(request: OrderRequest) -> str:
    if request.oco or request.parent:
        return "orders that hang together (oco, parent) are not taken yet: place and cancel them one by one"
    if request.type is not OrderType.LIMIT and (request.post_only or request.time_in_force is TimeInForce.IOC):
        return f"post-only and immediate-or-cancel are for limit orders, this is a {request.type.name.lower()} order"
    prices = {OrderType.LIMIT: f" at limit {request.limit_price}", OrderType.STOP: f" at stop {request.stop_price}"}
    return f"size and price must be positive numbers: size {request.size}{prices.get(request.type, '')}"


def _sized(reason: Reason, request: OrderRequest, books: Books, number: int, instrument: Instrument) -> str:
    """The limits that a smaller order might keep."""
    limits, currency, base = books.config.limits, books.config.currency, instrument.base
    mark = exact(books.desk.positions[number]["mark_price"])
    price = _own_price(request) or mark
    if reason is not Reason.MIN_NOTIONAL and (request.type, request.side) in _AT_THE_MARKET:
        price = max(price, mark)
    notional = price * request.size
    asked = f"{_text(request.size)} {base} at {_text(price)} {currency} is {_text(notional)} {currency}"
    position = books.desk.positions[number]
    held = exact(position["size"])
    if reason is Reason.ORDER_NOTIONAL:
        limit = f"{_text(limits.max_order_notional)} {currency}"
        return f"{asked}, above MAX_ORDER_NOTIONAL {limit}, head-room {limit}"
    if reason is Reason.GROSS_EXPOSURE:
        used = exact(gross_exposure(books.desk.record))
        return _limit("MAX_GROSS_EXPOSURE", limits.max_gross_exposure, f"{asked}, with {_text(used)} {currency} exposed", used, currency)
    if reason is Reason.MIN_NOTIONAL:
        return f"{asked}, below the market's minimum of {_text(instrument.min_notional)} {currency}"
    if reason is Reason.POSITION_SIZE:
        resting = exact(position["open_buys"] if request.side is Side.BUY else position["open_sells"])
        used = held * request.side + resting
        verb = "buying" if request.side is Side.BUY else "selling"
        return _limit(
            "MAX_POSITION_SIZE",
            limits.max_position_size,
            f"{verb} {_text(request.size)} {base} could make the position {_text(used + request.size)} {base} "
            f"({_text(held)} held, {_text(resting)} in open orders on that side)",
            used,
            base,
        )
    if reason is Reason.INSUFFICIENT_BALANCE and request.side is Side.SELL:
        free = held - exact(position["open_sells"])
        return f"selling {_text(request.size)} {base} with {_text(free)} {base} free: {instrument.symbol} can't be sold short"
    if reason is Reason.INSUFFICIENT_BALANCE:
        account = books.desk.account
        needed = notional * (1 + exact(max(account["taker_fee"], account["maker_fee"])))
        free = exact(account["cash"]) - exact(books.desk.cash_reserved())
        return f"{_text(needed)} {currency} needed, fee included, {_text(free)} {currency} free"
    return reason.label


def _own_price(request: OrderRequest) -> Decimal | None:
    return request.limit_price if request.type is OrderType.LIMIT else request.stop_price if request.type is OrderType.STOP else None
