"""The limits that the risk check holds an account to."""

from decimal import Decimal

import msgspec


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """``None`` means that there is no such limit. Money is in the quote currency, sizes in the base currency.

    ``max_drawdown`` is a fraction of the equity's high-water mark (0.1 is 10 %); the day of ``max_daily_loss`` is the UTC day.
    """

    allowed_markets: tuple[str, ...] | None = None
    max_order_notional: Decimal | None = None
    max_open_orders: int | None = None
    max_position_size: Decimal | None = None
    max_daily_loss: Decimal | None = None
    max_drawdown: Decimal | None = None
    max_orders_per_minute: int | None = None
