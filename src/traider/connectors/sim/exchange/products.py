"""What is listed: increments, limits, flags, and which product is another's alias."""

from dataclasses import dataclass, field
from decimal import Decimal

from .units import Grid, atoms

STABLE_PAIRS = frozenset({"USDT-USDC", "EURC-USDC"})  # no alias although they are quoted in USDC
_NAMES = {"BTC": "Bitcoin", "ETH": "Ethereum", "SOL": "Solana", "USD": "US Dollar", "USDC": "USDC", "EUR": "Euro"}
FLAGS = ("is_disabled", "cancel_only", "limit_only", "post_only", "trading_disabled", "auction_mode", "view_only")


@dataclass(slots=True)
class Product:
    """One row of the list. ``market_id`` names the book that it trades on: its own, or the one that it is an alias of."""

    product_id: str
    market_id: str
    grid: Grid
    price_increment: Decimal
    size_increment: Decimal
    base_min_size: Decimal = Decimal("0.00000001")
    base_max_size: Decimal = Decimal(3400)
    quote_min_size: Decimal = Decimal(1)
    quote_max_size: Decimal = Decimal(150_000_000)
    flags: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(FLAGS, False))
    status: str = "online"
    cancels_rejected: bool = False
    alias_to: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        return self.product_id.partition("-")[0]

    @property
    def quote(self) -> str:
        return self.product_id.partition("-")[2]

    @property
    def alias(self) -> str:
        return "" if self.market_id == self.product_id else self.market_id

    @property
    def names(self) -> tuple[str, str]:
        return _NAMES.get(self.base, self.base), _NAMES.get(self.quote, self.quote)

    @property
    def min_lots(self) -> int:
        return atoms(self.base_min_size) // self.grid.lot

    @property
    def max_lots(self) -> int:
        return atoms(self.base_max_size) // self.grid.lot


def listed(product_id: str, price_increment: Decimal = Decimal("0.01"), size_increment: Decimal = Decimal("0.00000001")) -> list[Product]:
    """The product, and where it is quoted in USD its alias in USDC."""
    grid = Grid.of(price_increment, size_increment)
    base, _, quote = product_id.partition("-")
    twin = f"{base}-USDC"
    aliased = quote == "USD" and twin not in STABLE_PAIRS
    least = size_increment
    own = Product(product_id, product_id, grid, price_increment, size_increment, base_min_size=least, alias_to=(twin,) if aliased else ())
    if not aliased:
        return [own]
    return [own, Product(twin, product_id, grid, price_increment, size_increment, base_min_size=least)]
