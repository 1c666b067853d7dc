"""The account and the limits as everybody sees them: exact decimals of the kernel's numbers."""

from decimal import Decimal
from typing import Any

from traider.domain.state import AccountState, LimitUse, Position, RiskState
from traider.kernel.control_desk import gross_exposure

from .books import Books
from .numbers import exact

ZERO = Decimal(0)


def account_state(books: Books) -> AccountState:
    """The account now, positions that were never held left out."""
    account = books.desk.account
    equity, peak = float(account["equity"]), float(account["high_water_mark"])
    positions = tuple(
        _position(instrument.symbol, record)
        for instrument, record in zip(books.config.instruments, books.desk.positions, strict=False)
        if record["size"] != 0.0 or record["fees"] != 0.0 or record["realized_pnl"] != 0.0
    )
    return AccountState(
        ts_ns=books.now_ns,
        currency=books.config.currency,
        cash=exact(account["cash"]),
        equity=exact(equity),
        high_water_mark=exact(peak),
        drawdown=exact(_drawdown(books)),
        daily_pnl=exact(equity) - exact(account["day_start_equity"]),
        gross_exposure=sum((abs(position.notional) for position in positions), ZERO),
        positions=positions,
    )


def _position(symbol: str, record: Any) -> Position:
    size, average, mark = exact(record["size"]), exact(record["average_price"]), exact(record["mark_price"])
    return Position(
        symbol=symbol,
        size=size,
        average_price=average,
        mark_price=mark,
        realized_pnl=exact(record["realized_pnl"]),
        unrealized_pnl=size * (mark - average),
        fees=exact(record["fees"]),
        notional=size * mark,
    )


def risk_state(books: Books) -> RiskState:
    """The kill switch, and every limit with its use and head-room."""
    kill = books.kill
    return RiskState(
        kill_switch=kill.on,
        kill_reason=kill.reason,
        kill_by=kill.by,
        kill_ts_ns=kill.ts_ns,
        limits=limit_uses(books),
        allowed_markets=books.config.limits.allowed_markets,
    )


def limit_uses(books: Books) -> tuple[LimitUse, ...]:
    """Every limit, in the order of ``RiskLimits``. What is open counts as if it were filled."""
    limits = books.config.limits
    account = books.desk.account
    currency = books.config.currency
    bases = {instrument.base for instrument in books.config.instruments}
    base = bases.pop() if len(bases) == 1 else "base currency"
    loss = max(ZERO, exact(account["day_start_equity"]) - exact(account["equity"]))
    sent = Decimal(books.desk.orders_last_minute())
    fullest = Decimal(max(books.desk.open_orders_by_instrument()))
    return (
        # A limit on one order is used by no other: the whole of it is head-room for the next one.
        _use("max_order_notional", "Order notional", limits.max_order_notional, ZERO, currency),
        _use("max_order_size", "Order size", limits.max_order_size, ZERO, base),
        _use("max_open_orders", "Open orders", limits.max_open_orders, Decimal(int(account["open_orders"])), "orders"),
        _use("max_open_orders_per_market", "Open orders in a market", limits.max_open_orders_per_market, fullest, "orders"),
        _use("max_position_size", "Position size", limits.max_position_size, _largest_position(books), base),
        _use("max_daily_loss", "Daily loss", limits.max_daily_loss, loss, currency),
        _use("max_drawdown", "Drawdown", limits.max_drawdown, exact(max(0.0, _drawdown(books))), "fraction"),
        _use("max_orders_per_minute", "Orders a minute", limits.max_orders_per_minute, sent, "orders/min"),
        _use("max_gross_exposure", "Gross exposure", limits.max_gross_exposure, exact(gross_exposure(books.desk.record)), currency),
        _use("max_price_deviation", "Distance from the market", limits.max_price_deviation, ZERO, "fraction"),
        _use("max_market_data_age_s", "Age of market data", limits.max_market_data_age_s, ZERO, "s"),
        *_counted(books),
    )


def _counted(books: Books) -> tuple[LimitUse, ...]:
    """What the controls count; none of it is used where the desk alone is asked."""
    limits, controls, now_ns = books.config.limits, books.controls, books.now_ns
    sent = 0 if controls is None else controls.orders_last_second(now_ns)
    filled = 0 if controls is None else controls.executions_last_minute(now_ns)
    refused = 0 if controls is None else controls.rejections_in_a_row()
    refused_lately = 0 if controls is None else controls.rejections_last_minute(now_ns)
    amended = 0 if controls is None else controls.amends_last_second(now_ns)
    return (
        _use("max_orders_per_second", "Orders a second", limits.max_orders_per_second, Decimal(sent), "orders/s"),
        _use("max_amends_per_second", "Amendments a second", limits.max_amends_per_second, Decimal(amended), "orders/s"),
        _use("max_rejections_in_a_row", "Refusals in a row", limits.max_rejections_in_a_row, Decimal(refused), "orders"),
        _use("max_rejections_per_minute", "Refusals a minute", limits.max_rejections_per_minute, Decimal(refused_lately), "orders/min"),
        _use("max_executions_per_minute", "Fills a minute", limits.max_executions_per_minute, Decimal(filled), "fills/min"),
    )


def _use(name: str, label: str, limit: Decimal | int | None, used: Decimal, unit: str) -> LimitUse:
    ceiling = None if limit is None else Decimal(limit)
    return LimitUse(
        name=name, label=label, limit=ceiling, used=used, headroom=None if ceiling is None else max(ZERO, ceiling - used), unit=unit
    )


def _drawdown(books: Books) -> float:
    peak = float(books.desk.account["high_water_mark"])
    return (peak - float(books.desk.account["equity"])) / peak if peak > 0.0 else 0.0


def _largest_position(books: Books) -> Decimal:
    largest = ZERO
    for _, record in zip(books.config.instruments, books.desk.positions, strict=False):
        long = exact(record["size"]) + exact(record["open_buys"])
        short = exact(record["open_sells"]) - exact(record["size"])
        largest = max(largest, long, short)
    return largest
