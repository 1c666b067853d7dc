"""The simulated exchange of one run: its market, one account, its key, and the truth about them."""

from decimal import Decimal

from traider.connectors.sim.exchange.generated import GeneratedMarket, past_trades
from traider.connectors.sim.exchange.orders import SELL, Fill, Order, Status
from traider.connectors.sim.exchange.settings import Bounds, Config, Switches
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.connectors.sim.exchange.units import atoms, decimal
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import Instrument
from traider.domain.venue import Balance, VenueFill, VenueOrder
from traider.domain.vocabulary import EventKind, Liquidity, OrderStatus, Side
from traider.guard.audit.truth import Arrival, RateLimit, Truth
from traider.runtime.virtual_time import START_NS

SYMBOL = "BTC-USD"
ACCOUNT = "main"
PRICE = 100.0
FASTER = 40.0  # the market moves so many times as fast as real ones do, for a minute has to be enough
INSTRUMENT = Instrument(
    symbol=SYMBOL, base="BTC", quote="USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.001"), min_notional=Decimal(1)
)
SECOND_NS = 1_000_000_000
_PAST_S = 900
_PAST_PER_S = 4
_ENDS = {
    Status.FILLED: OrderStatus.FILLED,
    Status.CANCELLED: OrderStatus.CANCELLED,
    Status.EXPIRED: OrderStatus.CANCELLED,
    Status.FAILED: OrderStatus.REJECTED,
}


class ChaosExchange:
    """Made within the running loop, whose time it keeps."""

    def __init__(self, seed: int, *, cash: Decimal = Decimal(100_000)) -> None:
        config = Config(seed=seed, switches=Switches(), bounds=Bounds(truth=50_000, trades=200, minutes=60, hours=24))
        self.simulator = Simulator(Setup(config, speed=FASTER, loop_start_ns=START_NS))
        self.product = self.simulator.list_product(SYMBOL, INSTRUMENT.price_increment, INSTRUMENT.size_increment)
        self.account = self.simulator.open_account(ACCOUNT, {"USD": atoms(cash)})
        self.key = self.simulator.issue_key(self.account, "ed25519", ("view", "trade"))
        self._market = GeneratedMarket(self.product, seed=seed, start=PRICE, depth=8, steps_per_s=4.0 / FASTER, trades_per_s=3.0 / FASTER)
        self.simulator.play(self.product, self._market)

    @property
    def rate_limit(self) -> RateLimit:
        """As the exchange enforces it: so many a second, half as many again at once."""
        per_s = self.simulator.exchange.switches.private_per_s
        return RateLimit(per_s=per_s, burst=int(per_s * 1.5))

    def past(self) -> list[MarketEvent]:
        """Trades of the minutes before, four a second, that lead to where the market begins."""
        every_s = FASTER / _PAST_PER_S
        trades = past_trades(self._market, START_NS, round(_PAST_S * FASTER / 3600), every_s=round(every_s))
        grid = self.product.grid
        return [
            MarketEvent(
                index=index,
                kind=EventKind.TRADE,
                symbol=SYMBOL,
                ts_ns=START_NS - (len(trades) - index) * SECOND_NS // _PAST_PER_S,
                a=float(decimal(ticks * grid.tick)),
                b=float(decimal(lots * grid.lot)),
            )
            for index, (_, ticks, lots) in enumerate(trades)
        ]

    def orders(self) -> tuple[VenueOrder, ...]:
        return tuple(map(_order, self.account.orders.values()))

    def open_orders(self) -> tuple[VenueOrder, ...]:
        return tuple(map(_order, self.account.open.values()))

    def balances(self) -> tuple[Balance, ...]:
        return tuple(
            Balance(currency=wallet.currency, available=decimal(wallet.available), held=decimal(wallet.hold))
            for wallet in self.account.wallets.values()
        )

    def truth(self, arrivals: list[Arrival]) -> Truth:
        fills = tuple(map(_fill, self.account.fills))
        return Truth(orders=self.orders(), fills=fills, balances=self.balances(), arrivals=tuple(arrivals))


def _order(order: Order) -> VenueOrder:
    grid = order.product.grid
    return VenueOrder(
        venue_order_id=order.order_id,
        client_order_id=order.client_order_id,
        symbol=order.product.product_id,
        side=Side.SELL if order.side == SELL else Side.BUY,
        status=_ENDS.get(order.status, OrderStatus.PARTIALLY_FILLED if order.filled_lots else OrderStatus.OPEN),
        size=decimal(order.lots * grid.lot),
        filled_size=decimal(order.filled_lots * grid.lot),
        limit_price=decimal(order.ticks * grid.tick) if order.ticks else None,
        stop_price=decimal(order.stop_ticks * grid.tick) if order.stop_ticks else None,
        created_ts_ns=order.created_ns,
    )


def _fill(fill: Fill) -> VenueFill:
    order, grid = fill.order, fill.order.product.grid
    return VenueFill(
        trade_id=fill.trade_id,
        venue_order_id=order.order_id,
        client_order_id=order.client_order_id,
        symbol=order.product.product_id,
        side=Side.SELL if order.side == SELL else Side.BUY,
        price=decimal(fill.ticks * grid.tick),
        size=decimal(fill.lots * grid.lot),
        fee=decimal(fill.fee),
        liquidity=Liquidity.MAKER if fill.maker else Liquidity.TAKER,
        ts_ns=fill.ts_ns,
    )
