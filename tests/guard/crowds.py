"""Crowds of random orders, good and bad ones, and limits that refuse some of them."""

import random
from decimal import Decimal
from typing import TypeVar

from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRequest
from traider.domain.vocabulary import OrderType, Side, TimeInForce

T = TypeVar("T")
STRANGE_SIZES = ("0.0005", "0.00100000000000000000001", "-1", "NaN", "sNaN", "Infinity", "0", "-0", "3.250")
STRANGE_PRICES = ("0", "-1", "NaN", "100.005", "1E+2", "1E+400", "100.00000000000000000001")
KINDS = (OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


def random_limits(source: random.Random) -> RiskLimits:
    """Some limits, none so tight that nothing passes."""

    def perhaps(value: T) -> T | None:
        return value if source.random() < 0.3 else None

    return RiskLimits(
        max_order_notional=perhaps(Decimal(source.randint(150, 400))),
        max_open_orders=perhaps(source.randint(10, 60)),
        max_position_size=perhaps(Decimal(source.randint(5, 60))),
        max_orders_per_minute=perhaps(source.randint(20, 120)),
        max_gross_exposure=perhaps(Decimal(source.randint(1000, 9000))),
        max_price_deviation=perhaps(Decimal("0.08")),
        max_orders_per_second=perhaps(source.randint(10, 60)),
        duplicate_window_s=perhaps(Decimal(5)),
        max_rejections_in_a_row=perhaps(source.randint(8, 20)),
        prevent_self_match=source.random() < 0.3,
        max_order_size=perhaps(Decimal(source.randint(1000, 2900)) / 1000),
        max_open_orders_per_market=perhaps(source.randint(5, 40)),
        max_rejections_per_minute=perhaps(source.randint(15, 40)),
    )


def random_orders(source: random.Random, count: int, *, tied: bool) -> list[OrderRequest]:
    """So many orders around a price of 100, of two markets and of one that is not traded; some hang on earlier ones if ``tied``."""
    made: list[OrderRequest] = []
    for number in range(count):
        kind = source.choices(KINDS, (8, 2, 1, 1, 1))[0]
        trails = kind is OrderType.TRAILING_STOP
        in_force = source.choice(list(TimeInForce)) if source.random() < 0.1 else TimeInForce.GTC
        made.append(
            OrderRequest(
                client_order_id=f"o{number}",
                symbol=source.choices(("BTC-USD", "ETH-USD", "XRP-USD"), (30, 10, 1))[0],
                side=source.choice((Side.BUY, Side.SELL)),
                type=kind,
                size=_number(source, STRANGE_SIZES, 1, 3000, 1000),
                limit_price=_number(source, STRANGE_PRICES, 9000, 11000, 100) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
                stop_price=_number(source, STRANGE_PRICES, 9000, 11000, 100) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
                time_in_force=in_force,
                post_only=source.random() < 0.1,
                strategy="crowd",
                trail_amount=_number(source, STRANGE_PRICES, 1, 500, 100) if trails and number % 2 else None,
                trail_fraction=Decimal("0.02") if trails and not number % 2 else None,
                expire_ts_ns=source.choice((0, 2 * 10**18)) if in_force is TimeInForce.GTD else 0,
                oco=f"group {number // 4}" if tied and source.random() < 0.2 else "",
                parent=source.choice(made[-5:]).client_order_id if tied and made and source.random() < 0.15 else "",
            )
        )
    return made


def _number(source: random.Random, strange: tuple[str, ...], low: int, high: int, divisor: int) -> Decimal:
    return Decimal(source.choice(strange)) if source.random() < 0.04 else Decimal(source.randint(low, high)) / divisor
