"""A small exchange for tests: one market with a book of one's own, on virtual time, without sockets."""

from decimal import Decimal
from itertools import count
from typing import Any

from traider.connectors.sim.exchange.accounts import Account
from traider.connectors.sim.exchange.agenda import Agenda
from traider.connectors.sim.exchange.exchange import Exchange
from traider.connectors.sim.exchange.markets import Market, Print
from traider.connectors.sim.exchange.order_entry import OrderEntry
from traider.connectors.sim.exchange.orders import Order
from traider.connectors.sim.exchange.products import listed
from traider.connectors.sim.exchange.settings import Bounds, Config, FeeTier, Switches
from traider.connectors.sim.exchange.units import atoms, decimal

START_NS = 1_767_225_600 * 10**9  # 2026-01-01
MAKER, TAKER = Decimal("0.004"), Decimal("0.006")
Number = Any  # a Decimal; tests compare it with whole numbers
TIERS = (FeeTier("Flat", 0, 4000, 6000),)
FUNDS = {"USD": atoms(100_000), "BTC": atoms(10)}


class Ears:
    """A feed that keeps what it is told."""

    def __init__(self) -> None:
        self.prints: list[Print] = []
        self.orders: list[Order] = []

    def printed(self, market: Market, trade: Print) -> None:
        self.prints.append(trade)

    def order_changed(self, order: Order) -> None:
        self.orders.append(order)

    def told(self, market: Market) -> None:
        market.matcher.bids.touched.clear()
        market.matcher.asks.touched.clear()


class Floor:
    """BTC-USD in steps of 1 USD and 0.001 BTC: a price of 100 is 100 ticks, a size of 1 is 1000 lots."""

    def __init__(self, bounds: Bounds | None = None, **switches: Any) -> None:
        self.agenda = Agenda(START_NS)
        self.ears = Ears()
        config = Config(switches=Switches(**switches), fee_tiers=TIERS, bounds=bounds or Bounds())
        self.exchange = Exchange(config, self.agenda, self.ears)
        for product in listed("BTC-USD", Decimal(1), Decimal("0.001")):
            self.exchange.list_product(product)
        self.entry = OrderEntry(self.exchange)
        self.market = self.exchange.markets["BTC-USD"]
        self.alice, self.bob = (self.exchange.open_account(name, FUNDS) for name in ("alice", "bob"))
        self._numbers = count(1)

    def level(self, side: int, price: int, size: str) -> None:
        """The market's size at a price; what it crosses trades."""
        lots = int(Decimal(size) * 1000)
        self.market.matcher.on_level(side, price, lots)
        self.exchange.step(self.market, lambda matcher: matcher.uncross())

    def book(self, bids: dict[int, str], asks: dict[int, str]) -> None:
        for price, size in bids.items():
            self.level(1, price, size)
        for price, size in asks.items():
            self.level(-1, price, size)

    def trade(self, side: int, price: int, size: str) -> None:
        """A recorded trade; ``side`` is the taker's."""
        self.exchange.step(self.market, lambda matcher: matcher.on_trade(side, price, int(Decimal(size) * 1000)))

    def order(
        self,
        side: str,
        configuration: dict[str, Any],
        *,
        by: Account | None = None,
        client_order_id: str = "",
        product: str = "BTC-USD",
        **more: Any,
    ) -> Order:
        body = {
            "client_order_id": client_order_id or f"c-{next(self._numbers)}",
            "product_id": product,
            "side": side,
            "order_configuration": configuration,
        }
        return self.entry.create(by or self.alice, body | more)

    def limit(self, side: str, price: int, size: str, *, by: Account | None = None, post_only: bool = False, **more: Any) -> Order:
        fields = {"base_size": size, "limit_price": str(price), "post_only": post_only}
        return self.order(side, {"limit_limit_gtc": fields}, by=by, **more)

    def free(self, account: Account, currency: str) -> Number:
        return decimal(account.wallets[currency].available)

    def held(self, account: Account, currency: str) -> Number:
        return decimal(account.wallets[currency].hold)

    def bids(self) -> dict[int, Decimal]:
        """What the book shows, best first."""
        return self._shown(1)

    def asks(self) -> dict[int, Decimal]:
        return self._shown(-1)

    def _shown(self, side: int) -> dict[int, Decimal]:
        ladder = self.market.matcher.side(side)
        return {ticks: Decimal(ladder.shown(ticks)) / 1000 for ticks in ladder.levels()}


def filled(order: Order) -> Number:
    return Decimal(order.filled_lots) / 1000


def value(order: Order) -> Number:
    return decimal(order.filled_value)
