"""What the exchange remembers over its restarts: accounts, keys, orders, fills and ids; of each market its candles and last price.

A change is kept before anybody is told of it. What is not kept: the book, which the market brings anew, so a resting order joins
the end of its queue; trades that were nobody's of ours; rules, switches and the truth's log.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from traider.domain.errors import SettingsError

from .accounts import Account, remember_end, remember_fill
from .exchange import Exchange
from .keys import KeyRing
from .markets import Candle, Market
from .orders import Fill, Kind, Order, Status
from .records import (
    account_record,
    candle_of,
    candle_record,
    fill_of,
    fill_record,
    key_of,
    key_record,
    order_of,
    order_record,
    restore_account,
)
from .state_file import StateFile, read_state

RESERVED = 10_000  # trade numbers that a market may use before it says so again
_LOST = {Kind.TWAP, Kind.SCALED}


class Memory:
    """Reads the file, if there is one, and keeps it. ``begin`` starts the keeping, when the exchange is as it is to be."""

    def __init__(self, path: Path, exchange: Exchange, ring: KeyRing) -> None:
        self._exchange, self._ring = exchange, ring
        self._lines = list(read_state(path))
        self._file = StateFile(path, self._whole)
        self._fills: list[Fill] = []
        self._reserved: dict[str, int] = {}
        self._minutes: dict[str, int] = {}  # the start of the newest candle that is kept
        self.runs = 0  # how often the exchange was started before, with this file
        self.funds: dict[str, dict[str, int]] = {}  # what each account was opened with
        self._open: list[Order] = []

    @property
    def found(self) -> bool:
        """Whether there is anything to go on with."""
        return bool(self._lines)

    def restore(self) -> None:
        """Puts accounts, keys, orders and fills into the exchange; its products are listed, and nothing is played yet."""
        exchange, state = self._exchange, _folded(self._lines)
        self._lines = []
        if state["seed"] != exchange.config.seed:
            raise SettingsError(f"--seed {exchange.config.seed}: the exchange of this --state was begun with --seed {state['seed']}")
        self.runs = state["runs"] + 1
        self.funds = state["funds"]
        for name in self.funds:
            account = exchange.open_account(name, {})
            restore_account(account, state["accounts"][name], exchange.wallet)
        by_name = {account.name: account for account in exchange.accounts.values()}
        for name, record in state["keys"].items():
            self._ring.keys[name] = key_of(name, record, by_name[record["account"]])
        for record in sorted(state["orders"].values(), key=lambda record: int(record["number"])):
            self._restore_order(by_name[record["account"]], record)
        for record in state["fills"]:
            account, order = by_name[record[0]], exchange.orders.get(record[1])
            if order is not None:
                fill = fill_of(record, order)
                order.fills.append(fill)
                remember_fill(account, fill, exchange.config.bounds)
        exchange.order_count = state["order_count"]
        ledger = exchange.ledger
        ledger.market, ledger.fees, ledger.outside = (dict(book) for book in state["ledger"])
        for market_id, told in state["markets"].items():
            if market_id in exchange.markets:
                _restore_market(exchange.markets[market_id], told, state["candles"].get(market_id, []))

    def _restore_order(self, account: Account, record: dict[str, Any]) -> None:
        exchange = self._exchange
        product = exchange.products.get(record["product"])
        if product is None:  # it is not listed any more: what the order held is free again, and it is forgotten
            base, _, quote = str(record["product"]).partition("-")
            exchange.ledger.release(exchange.wallet(account, quote if record["side"] > 0 else base), record["hold"])
            return
        order = order_of(record, account, product)
        exchange.orders[order.order_id] = account.orders[order.order_id] = order
        account.clients[order.client_order_id] = (order, order.created_ns)
        if order.ended:
            for forgotten in remember_end(account, order, exchange.config.bounds):
                exchange.orders.pop(forgotten.order_id, None)
        else:
            account.open[order.order_id] = order
            self._open.append(order)

    def resume(self) -> None:
        """Open orders go back to work, once their markets have a book."""
        exchange = self._exchange
        orders, self._open = self._open, []
        for order in orders:
            market = exchange.market_of(order.product)
            if order.terms.kind in _LOST:
                exchange.end(order, Status.CANCELLED, "the exchange was started anew")
            elif order.status is Status.CANCEL_QUEUED:
                exchange.end(order, Status.CANCELLED, "User requested cancel")
            else:
                exchange.put_back(order)
            exchange.finish(market)

    # -- keeping

    def begin(self) -> None:
        """From here on every change is kept."""
        exchange = self._exchange
        self._file.begin()
        exchange.fill_observers.append(self._fills.append)
        exchange.keep = self._keep

    def opened(self, name: str, funds: dict[str, int]) -> None:
        """What a new account was opened with."""
        self.funds[name] = dict(funds)

    def changed(self) -> None:
        """Accounts or keys are others than they were, by somebody's hand."""
        if self._exchange.keep is not None:
            self._file.add(self._accounts(self._exchange.accounts.values()) | self._keys())

    def close(self) -> None:
        self._file.close()

    def _keep(self, orders: Iterable[Order], market: Market) -> None:
        """One step of a market: what it changed, in one line."""
        change: dict[str, Any] = {}
        touched = list(orders)
        if touched or self._fills:
            change["orders"] = {order.order_id: order_record(order) for order in touched}
            change["fills"] = [fill_record(fill) for fill in self._fills]
            self._fills.clear()
            change |= self._accounts({order.account.user_id: order.account for order in touched}.values())
        if market.trade_count > self._reserved.get(market.market_id, 0):
            change["markets"] = {market.market_id: self._market(market)}
        minute = market.candles.newest()
        if minute is not None and minute.start_s > self._minutes.get(market.market_id, -1):
            change |= self._candle(market, minute)
        if change:
            self._file.add(change)

    def _candle(self, market: Market, minute: Candle) -> dict[str, Any]:
        """The minute that is over, and where the market stands; the one that has begun is kept when it is over."""
        self._minutes[market.market_id] = minute.start_s
        over = market.candles.minutes()[-2:-1]
        return {
            "candles": {market.market_id: [candle_record(candle) for candle in over]},
            "markets": {market.market_id: self._market(market)},
        }

    def _market(self, market: Market) -> dict[str, int]:
        self._reserved[market.market_id] = market.trade_count + RESERVED
        return {"last": market.last, "trade_count": market.trade_count + RESERVED}

    def _accounts(self, accounts: Iterable[Account]) -> dict[str, Any]:
        ledger = self._exchange.ledger
        return {
            "accounts": {account.name: account_record(account) for account in accounts},
            "ledger": [ledger.market, ledger.fees, ledger.outside],
            "order_count": self._exchange.order_count,
        }

    def _keys(self) -> dict[str, Any]:
        return {"keys": {name: key_record(key) for name, key in self._ring.keys.items()}}

    def _whole(self) -> dict[str, Any]:
        exchange = self._exchange
        return {
            "seed": exchange.config.seed,
            "runs": self.runs,
            "funds": self.funds,
            "orders": {order.order_id: order_record(order) for order in exchange.orders.values()},
            "fills": [fill_record(fill) for account in exchange.accounts.values() for fill in account.fills],
            "markets": {market.market_id: self._market(market) for market in exchange.markets.values()},
            "candles": {
                market.market_id: [candle_record(candle) for candle in market.candles.minutes()] for market in exchange.markets.values()
            },
            **self._accounts(exchange.accounts.values()),
            **self._keys(),
        }


def _folded(lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What all lines together come to."""
    state: dict[str, Any] = {}
    for line in lines:
        for name, value in line.items():
            if name in ("accounts", "orders", "keys", "markets"):
                state.setdefault(name, {}).update(value)
            elif name == "fills":
                state.setdefault(name, []).extend(value)
            elif name == "candles":
                for market_id, candles in value.items():
                    state.setdefault(name, {}).setdefault(market_id, []).extend(candles)
            else:
                state[name] = value
    return state


def _restore_market(market: Market, told: dict[str, int], candles: list[list[int]]) -> None:
    market.last, market.trade_count = told["last"], told["trade_count"]
    by_start = {record[0]: record for record in candles}
    market.candles.restore([candle_of(record) for _, record in sorted(by_start.items())])
