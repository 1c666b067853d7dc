"""The whole exchange, put together; ``server`` puts it on the network."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from .accounts import Account
from .acts import Bench
from .agenda import Agenda
from .api import Api
from .exchange import Exchange
from .faults import Faults
from .generated import GeneratedMarket, past_trades
from .hub import Hub
from .keys import KeyKind, KeyRing
from .markets import Print
from .memory import Memory
from .order_entry import OrderEntry
from .orders import Status
from .pipeline import Pipeline
from .player import Player
from .products import Product, listed
from .session import Session
from .settings import Config
from .subscriptions import Subscriptions
from .tape import Tape
from .tokens import TokenChecker
from .truth import Truth

_PAST_PRINTS = 900  # seconds before the beginning of a made-up market that are told trade by trade


@dataclass(frozen=True, slots=True)
class Setup:
    """How the exchange is to be. ``virtual_start_ns`` makes its time virtual, ``loop_start_ns`` that of the loop it runs on."""

    config: Config = field(default_factory=Config)
    speed: float = 1.0
    once: bool = False  # a recording is played once, and not again from its beginning
    virtual_start_ns: int | None = None
    loop_start_ns: int | None = None
    truth_file: Path | None = None
    state_file: Path | None = None  # what is remembered over restarts; None: nothing


class Simulator:
    """Products, accounts and their keys are added, then ``play`` starts the markets."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.agenda = Agenda(setup.virtual_start_ns, loop_start_ns=setup.loop_start_ns)
        self.hub = Hub()
        self.exchange = Exchange(setup.config, self.agenda, self.hub)
        self.hub.attach(self.exchange)
        self.entry = OrderEntry(self.exchange)
        self.ring = KeyRing()
        self.truth = Truth(self.exchange, setup.truth_file)
        tokens = TokenChecker(self.ring, self.exchange.switches)
        self.bench = Bench(self.entry, self.hub, self.ring, self.truth.sessions)
        self.faults = Faults(self.bench)
        self.pipeline = Pipeline(Api(self.entry, tokens), self.faults, self.truth)
        self.subscriptions = Subscriptions(self.exchange, self.hub, tokens)
        self.players: dict[str, Player] = {}
        self.funds: dict[str, dict[str, int]] = {}
        self.memory = None if setup.state_file is None else Memory(setup.state_file, self.exchange, self.ring)
        if self.memory is not None:
            self.bench.changed = self.memory.changed

    def list_product(
        self, product_id: str, price_increment: Decimal = Decimal("0.01"), size_increment: Decimal = Decimal("0.00000001")
    ) -> Product:
        """Lists it, and its alias in USDC."""
        products = listed(product_id, price_increment, size_increment)
        for product in products:
            self.exchange.list_product(product)
        return products[0]

    def remembers(self) -> bool:
        """Whether there is an earlier run to go on from. Then its accounts and keys are there, once the products are listed."""
        if self.memory is None or not self.memory.found:
            return False
        self.memory.restore()
        self.funds |= self.memory.funds
        return True

    @property
    def runs(self) -> int:
        """How many runs there were before this one."""
        return 0 if self.memory is None else self.memory.runs

    def begin(self) -> None:
        """The markets are being played: what was remembered goes back to work, and from here on everything is kept."""
        if self.memory is not None:
            self.memory.resume()
            self.memory.begin()

    def open_account(self, name: str, funds: dict[str, int]) -> Account:
        self.funds[name] = funds
        if self.memory is not None:
            self.memory.opened(name, funds)
        return self.exchange.open_account(name, funds)

    def issue_key(self, account: Account, kind: KeyKind, scopes: Collection[str]) -> dict[str, Any]:
        """A new key's file content."""
        return self.ring.issue(account, kind, scopes)

    def play(self, product: Product, tape: Tape, *, past_hours: int = 0) -> None:
        """Starts the product's market; a generated one may have a past, for candles."""
        market = self.exchange.market_of(product)
        if isinstance(tape, GeneratedMarket) and not tape.run:
            for ts_ns, ticks, lots in past_trades(tape, self.exchange.now_ns(), past_hours, fine=_PAST_PRINTS):
                market.candles.add(ts_ns, ticks, lots)
                market.trade_count += 1
                market.trades.append(Print(market.trade_count, ticks, lots, 1 if lots % 2 else -1, ts_ns))
        player = self.players[product.market_id] = Player(self.exchange, market, tape, speed=self.setup.speed, once=self.setup.once)
        player.start()

    def opened(self, session: Session) -> None:
        self.truth.opened(session)
        self.subscriptions.opened(session)

    def received(self, session: Session, message: str | bytes) -> None:
        self.truth.asked(session, message)
        self.subscriptions.received(session, message)

    def closed(self, session: Session) -> None:
        session.leave()
        self.truth.closed(session)

    def reset(self) -> None:
        """Open orders are cancelled, balances are as at the start, and neither faults nor the truth are left."""
        self.faults.clear()
        for account in self.exchange.accounts.values():
            for order in list(account.open.values()):
                self.exchange.end(order, Status.CANCELLED, "the exchange was reset")
                self.exchange.finish(self.exchange.market_of(order.product))
            for currency, wallet in account.wallets.items():
                self.exchange.ledger.deposit(wallet, self.funds.get(account.name, {}).get(currency, 0) - wallet.available)
        self.truth.reset()
        self.bench.changed()

    def sessions(self) -> Iterable[Session]:
        return self.truth.sessions.values()

    def close(self) -> None:
        self.truth.close()
        if self.memory is not None:
            self.memory.close()
