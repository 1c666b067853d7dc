"""The limits that the risk check holds an account to."""

from decimal import Decimal
from typing import Literal

import msgspec

VolatilityMethod = Literal["std", "ewma", "atr"]


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """``None`` means that there is no such limit. Money is in the quote currency, sizes in the base currency.

    ``max_drawdown`` is a fraction of the equity's high-water mark (0.1 is 10 %); the day of ``max_daily_loss`` is the UTC day.
    ``max_order_size``, ``max_open_orders_per_market`` and all from ``max_gross_exposure`` on are the controls of
    ``traider.kernel.controls``; ``docs/guard.md`` has each in words.
    """

    allowed_markets: tuple[str, ...] | None = None
    max_order_notional: Decimal | None = None
    max_order_size: Decimal | None = None
    max_open_orders: int | None = None
    max_open_orders_per_market: int | None = None
    max_position_size: Decimal | None = None
    max_daily_loss: Decimal | None = None
    max_drawdown: Decimal | None = None
    max_orders_per_minute: int | None = None
    max_gross_exposure: Decimal | None = None
    max_price_deviation: Decimal | None = None  # of a limit price from the market, as a fraction
    max_market_data_age_s: Decimal | None = None
    max_orders_per_second: int | None = None
    max_amends_per_second: int | None = None
    duplicate_window_s: Decimal | None = None
    max_rejections_in_a_row: int | None = None
    max_rejections_per_minute: int | None = None
    max_executions_per_minute: int | None = None
    volatility_window: int | None = None
    volatility_mult: Decimal | None = None
    volatility_alpha: Decimal = Decimal("0.94")
    volatility_span_s: Decimal = Decimal(60)  # returns are measured between the last prices of spans so long
    atr_window: int | None = None
    volatility_method: VolatilityMethod = "std"
    prevent_self_match: bool = False
    safe_mode: bool = False  # only orders that reduce a position may go
