"""Users of the exchange, their wallets and keys; the ledger in which no money is made or lost."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from .orders import Fill, Order
from .settings import Bounds, FeeTier
from .units import ONE

DAY_NS = 86_400_000_000_000
VOLUME_DAYS = 30


def identity(seed: int, *words: object) -> str:
    """A UUID that is the same for the same seed and words."""
    text = blake2b(repr((seed, *words)).encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"  # the form of version 4


@dataclass(slots=True)
class Wallet:
    """One currency of one account, in atoms."""

    uuid: str
    currency: str
    created_ns: int
    available: int = 0
    hold: int = 0


@dataclass(slots=True)
class Account:
    """One user with one portfolio."""

    name: str
    user_id: str
    portfolio_id: str
    wallets: dict[str, Wallet]
    orders: dict[str, Order] = field(default_factory=dict)  # by order id, in the order of creation; bounded
    open: dict[str, Order] = field(default_factory=dict)
    closed: deque[str] = field(default_factory=deque)
    fills: deque[Fill] = field(default_factory=deque)
    fill_count: int = 0
    clients: dict[str, tuple[Order, int]] = field(default_factory=dict)  # client order id: the order, when it was made
    tier: FeeTier | None = None  # set by hand
    volume: dict[int, int] = field(default_factory=dict)  # USD atoms by day since the epoch
    total_volume: int = 0
    total_fees: int = 0

    def volume_30d(self, now_ns: int) -> int:
        first = now_ns // DAY_NS - VOLUME_DAYS + 1
        for day in [day for day in self.volume if day < first]:
            del self.volume[day]
        return sum(self.volume.values())

    def fee_tier(self, tiers: tuple[FeeTier, ...], now_ns: int) -> FeeTier:
        if self.tier is not None:
            return self.tier
        volume = self.volume_30d(now_ns)
        return next(tier for tier in reversed(tiers) if volume >= tier.usd_from * ONE or tier is tiers[0])


class Ledger:
    """Wallets, and the three accounts on the other side: the market, the exchange's fees, and what came from outside.

    The sum over everything is 0 in every currency at every moment; ``totals`` shows it.
    """

    def __init__(self) -> None:
        self.market: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.outside: dict[str, int] = {}

    def deposit(self, wallet: Wallet, amount: int) -> None:
        """From outside; a negative amount leaves, and may leave ``available`` below 0 only where the caller wants that."""
        wallet.available += amount
        _add(self.outside, wallet.currency, -amount)

    @staticmethod
    def hold(wallet: Wallet, amount: int) -> bool:
        """Moves this much from available to hold; False, and nothing moved, where it isn't there."""
        if wallet.available < amount:
            return False
        wallet.available -= amount
        wallet.hold += amount
        return True

    @staticmethod
    def release(wallet: Wallet, amount: int) -> None:
        wallet.hold -= amount
        wallet.available += amount

    def totals(self, accounts: Iterable[Account]) -> dict[str, int]:
        """Of each currency the sum of everything there is."""
        sums: dict[str, int] = {}
        for book in (self.market, self.fees, self.outside):
            for currency, amount in book.items():
                _add(sums, currency, amount)
        for account in accounts:
            for wallet in account.wallets.values():
                _add(sums, wallet.currency, wallet.available + wallet.hold)
        return sums

    def settle(self, order: Order, *, ticks: int, lots: int, released: int, fee: int, against_market: bool) -> int:
        """Books one side of a match: ``released`` leaves the hold, what the fill doesn't need of it becomes available. The cost."""
        product = order.product
        cost, base = product.grid.cost(ticks, lots), lots * product.grid.lot
        gives, gets = (cost + fee, base) if order.side > 0 else (base, cost - fee)
        wallets = order.account.wallets
        paying = wallets[order.currency]
        paying.hold -= released
        paying.available += released - gives
        getting = wallets[product.base if order.side > 0 else product.quote]
        getting.available += gets
        order.hold -= released
        _add(self.fees, product.quote, fee)
        if against_market:
            _add(self.market, product.quote, order.side * cost)
            _add(self.market, product.base, -order.side * base)
        return cost

    @staticmethod
    def count_volume(account: Account, cost: int, fee: int, now_ns: int) -> None:
        day = now_ns // DAY_NS
        account.volume[day] = account.volume.get(day, 0) + cost
        account.total_volume += cost
        account.total_fees += fee


def remember_order(account: Account, order: Order) -> None:
    account.orders[order.order_id] = order
    account.open[order.order_id] = order


def remember_end(account: Account, order: Order, bounds: Bounds) -> list[Order]:
    """The order is over. Those that ended first and are beyond the bound are forgotten, and returned."""
    account.open.pop(order.order_id, None)
    account.closed.append(order.order_id)
    forgotten = []
    while len(account.closed) > bounds.closed_orders:
        old = account.orders.pop(account.closed.popleft())
        if account.clients.get(old.client_order_id, (None, 0))[0] is old:
            del account.clients[old.client_order_id]
        forgotten.append(old)
    return forgotten


def remember_fill(account: Account, fill: Fill, bounds: Bounds) -> None:
    account.fills.append(fill)
    while len(account.fills) > bounds.fills:
        account.fills.popleft()


def _add(book: dict[str, int], currency: str, amount: int) -> None:
    book[currency] = book.get(currency, 0) + amount
