"""The exchange itself: markets, accounts, and the life of every order. No sockets, no waiting; time comes from the agenda.

What happened is told to ``feed`` as it happens; ``told`` marks the end of one step, when what belongs together is complete.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from .accounts import Account, Ledger, Wallet, identity, remember_end, remember_fill, remember_order
from .agenda import SECOND_NS, Agenda
from .configurations import attached_bracket, bracket_limit
from .markets import Candles, Market, Print
from .matching import Match, Matcher
from .orders import TERMINAL, UP, Fill, Kind, Order, Status, Terms, TimeInForce
from .products import Product
from .settings import Config
from .units import PPM


class Feed(Protocol):
    """Who is told what happens."""

    def printed(self, market: Market, trade: Print) -> None: ...

    def order_changed(self, order: Order) -> None: ...

    def told(self, market: Market) -> None:
        """One step of this market is complete."""
        ...


class Exchange:
    """Markets and accounts, by their ids."""

    def __init__(self, config: Config, agenda: Agenda, feed: Feed) -> None:
        self.config, self.agenda, self.feed = config, agenda, feed
        self.switches = config.switches
        self.ledger = Ledger()
        self.products: dict[str, Product] = {}
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}  # by user id
        self.orders: dict[str, Order] = {}  # by order id; those that their account still remembers
        self.order_count = 0
        self.fill_observers: list[Callable[[Fill], None]] = []
        self.order_observers: list[Callable[[Order], None]] = []
        self.keep: Callable[[Iterable[Order], Market], None] | None = None  # called with what a step changed, before anybody is told
        self._touched: dict[str, Order] = {}  # changed in this step
        self._followers: list[Order] = []  # orders whose attached order is to be placed
        self._reached: dict[str, tuple[int, int]] = {}  # lowest and highest print of this step, by market
        self.random = random.Random(config.seed)  # noqa: S311  - a simulation, and the same for the same seed

    # What there is

    def list_product(self, product: Product) -> None:
        self.products[product.product_id] = product
        if product.market_id not in self.markets:
            market = Market(
                product.market_id,
                Matcher(partial(self._settle, product.market_id), self._stopped_itself),
                Candles(self.config.bounds),
                deque(maxlen=self.config.bounds.trades),
            )
            self.markets[product.market_id] = market

    def open_account(self, name: str, funds: dict[str, int]) -> Account:
        """A user with this much of each currency, in atoms. The same name gives the same ids."""
        seed = self.config.seed
        account = Account(name, identity(seed, "user", name), identity(seed, "portfolio", name), {})
        self.accounts[account.user_id] = account
        for product in self.products.values():
            self.wallet(account, product.base)
            self.wallet(account, product.quote)
        for currency, amount in funds.items():
            self.ledger.deposit(self.wallet(account, currency), amount)
        return account

    def wallet(self, account: Account, currency: str) -> Wallet:
        if currency not in account.wallets:
            uuid = identity(self.config.seed, "wallet", account.name, currency)
            account.wallets[currency] = Wallet(uuid, currency, self.agenda.now_ns())
        return account.wallets[currency]

    def market_of(self, product: Product) -> Market:
        return self.markets[product.market_id]

    def now_ns(self) -> int:
        return self.agenda.now_ns()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Now where it is no time, else when it has passed."""
        if seconds > 0:
            self.agenda.after(seconds, call)
        else:
            call()

    # The market

    def step(self, market: Market, change: Callable[[Matcher], None]) -> None:
        """One thing that happens to a market, with everything that follows from it."""
        change(market.matcher)
        self.finish(market)

    def finish(self, market: Market) -> None:
        """Stops that were reached, orders that follow others; then everybody is told."""
        while market.market_id in self._reached or self._followers:
            reached = self._reached.pop(market.market_id, None)
            followers, self._followers = self._followers, []
            for parent in followers:
                self._follow(parent)
            if reached is None:
                continue
            low, high = reached
            for order in list(market.stops):
                if (high if order.terms.stop_direction == UP else -low) >= order.stop_ticks * order.terms.stop_direction:
                    self._trigger(market, order)
        touched, self._touched = self._touched, {}
        if self.keep is not None:
            self.keep(touched.values(), market)
        for order in touched.values():
            self.feed.order_changed(order)
            for observe in self.order_observers:
                observe(order)
        self.feed.told(market)

    def _settle(self, market_id: str, match: Match) -> None:
        market = self.markets[market_id]
        now_ns = self.now_ns()
        market.trade_count += 1
        market.last = match.ticks
        trade = Print(market.trade_count, match.ticks, match.lots, match.taker_side, now_ns)
        market.trades.append(trade)
        market.candles.add(now_ns, match.ticks, match.lots)
        low, high = self._reached.get(market.market_id, (match.ticks, match.ticks))
        self._reached[market.market_id] = min(low, match.ticks), max(high, match.ticks)
        self.feed.printed(market, trade)
        taker, maker_order = match.taker, match.maker
        same = taker is not None and maker_order is not None and taker.product is maker_order.product
        for order, maker in ((match.taker, False), (match.maker, True)):
            if order is not None:
                self._fill(market, order, match, maker=maker, against_market=not same)

    def settle_by_hand(self, market: Market, match: Match) -> None:
        """A match that no book made."""
        self._settle(market.market_id, match)

    def _fill(self, market: Market, order: Order, match: Match, *, maker: bool, against_market: bool) -> None:
        trade = market.trades[-1]
        account, lots, ticks = order.account, match.lots, match.ticks
        cost = order.product.grid.cost(ticks, lots)
        fee = order.fee_for(cost, maker=maker)
        released = order.released_by(lots, ticks if maker else order.ticks, cost, fee)
        self.ledger.settle(order, ticks=ticks, lots=lots, released=released, fee=fee, against_market=against_market)
        self.ledger.count_volume(account, cost, fee, trade.ts_ns)
        order.filled_lots += lots
        order.filled_value += cost
        order.fees += fee
        order.last_fill_ns = trade.ts_ns
        account.fill_count += 1
        seed = self.config.seed
        fill = Fill(
            account.fill_count,
            identity(seed, "entry", account.name, account.fill_count),
            identity(seed, "trade", market.market_id, trade.trade_id, order.number),
            order,
            ticks,
            lots,
            fee,
            maker,
            trade.ts_ns,
            max(trade.ts_ns + round(self.switches.fill_lag_s * SECOND_NS), order.fills_hidden_until_ns),
        )
        order.fills.append(fill)
        remember_fill(account, fill, self.config.bounds)
        for observe in self.fill_observers:
            observe(fill)
        self.touch(order)
        if order.lots and not order.remaining:
            self.end(order, Status.FILLED)

    # Orders

    def touch(self, order: Order) -> None:
        order.updated_ns = self.now_ns()
        self._touched[order.order_id] = order

    def add_order(self, order: Order) -> None:
        self.orders[order.order_id] = order
        remember_order(order.account, order)
        self.touch(order)

    def work(self, order: Order) -> None:
        """The order meets the book: it takes what it may, and rests, waits or ends."""
        market, terms = self.market_of(order.product), order.terms
        if terms.kind is Kind.STOP_LIMIT and not order.triggered:
            market.stops.append(order)
        elif terms.kind is Kind.TWAP:
            self.agenda.at(self.agenda.time_ns() + terms.start_ns - self.now_ns(), lambda: self._turn(order))
        elif terms.kind is Kind.SCALED:
            for ticks, lots in terms.slices:
                order.ticks = ticks
                self._take(order, ticks, lots, rests=True)
        elif terms.kind is Kind.MARKET:
            self._take_at_market(market, order)
        elif (
            terms.tif is TimeInForce.FOK
            and market.matcher.available(order, order.ticks, order.remaining, self.switches.self_trade)[0] < order.remaining
        ):
            self.end(order, Status.CANCELLED, "fill or kill: not there in full")
        else:
            self._take(order, order.ticks, order.remaining, rests=terms.tif in (TimeInForce.GTC, TimeInForce.GTD))
            if terms.kind is Kind.BRACKET and not order.triggered and not order.ended:
                market.stops.append(order)

    def put_back(self, order: Order) -> None:
        """An open order of an exchange that was started anew: it waits for its price again, or rests at the end of its queue.

        Where the market has passed its price meanwhile, it is filled there, as the maker that it is.
        """
        market, terms = self.market_of(order.product), order.terms
        order.status, order.pending = Status.OPEN, (0, 0)
        if terms.kind in (Kind.STOP_LIMIT, Kind.BRACKET) and not order.triggered:
            market.stops.append(order)
        if terms.kind is not Kind.STOP_LIMIT or order.triggered:
            market.matcher.rest(order, order.ticks, order.remaining, front=False)
            market.matcher.uncross()
        if terms.end_ns and not order.ended:
            self.expire_at(order, terms.end_ns)

    def _take(self, order: Order, ticks: int, lots: int, *, rests: bool) -> None:
        matcher = self.market_of(order.product).matcher
        before = order.filled_lots
        clear = matcher.take(order, ticks, lots, self.switches.self_trade)
        left = lots - (order.filled_lots - before)
        if not left or order.ended:
            return
        if not clear:
            self.end(order, Status.CANCELLED, "self trade prevention")
        elif rests:
            matcher.rest(order, ticks, left, front=self.switches.queue == "front")
        else:
            self.end(order, Status.CANCELLED, "immediate or cancel: not filled at once")

    def _take_at_market(self, market: Market, order: Order) -> None:
        if order.terms.budget:
            fee_ppm = order.taker_ppm if self.switches.quote_size_includes_fees else 0
            order.lots = market.matcher.affordable(order, order.terms.budget, fee_ppm, self.switches.self_trade)
        clear = market.matcher.take(order, 0, order.remaining, self.switches.self_trade)
        if not order.ended:
            self.end(order, Status.CANCELLED, "no liquidity" if clear else "self trade prevention")

    def _turn(self, order: Order) -> None:
        """One part of a TWAP; what a turn doesn't get is asked for in the next."""
        if order.ended:
            return
        terms = order.terms
        due = sum(lots for _, lots in terms.slices[: order.turn + 1])
        if due > order.filled_lots:
            self.market_of(order.product).matcher.take(order, order.ticks, due - order.filled_lots, self.switches.self_trade)
        order.turn += 1
        if order.turn < len(terms.slices):
            self.agenda.at(self.agenda.time_ns() + terms.slice_ns, lambda: self._turn(order))
        self.finish(self.market_of(order.product))

    def _trigger(self, market: Market, order: Order) -> None:
        if order.ended or order not in market.stops:
            return
        market.stops.remove(order)
        order.triggered = True
        self.touch(order)
        if order.terms.kind is Kind.BRACKET:
            market.matcher.leave(order)
            order.ticks = bracket_limit(order.stop_ticks, order.side)
        self.work(order)

    def _follow(self, parent: Order) -> None:
        """Places the order that was attached to this one, for what it got."""
        from_parent = (parent.attached or {})["trigger_bracket_gtc"]
        terms = attached_bracket(parent.product, -parent.side, from_parent, parent.filled_lots)
        own = {"trigger_bracket_gtc": from_parent | {"base_size": parent.product.grid.size(parent.filled_lots)}}
        child = self.new_order(parent.account, parent.product, -parent.side, terms, own, order_id=parent.attached_id)
        child.parent_id = parent.order_id
        self.add_order(child)
        if self.place_hold(child):
            self.work(child)
        else:
            child.reject_reason = "HOLD_FAILURE"
            self.end(child, Status.FAILED)

    def new_order(
        self,
        account: Account,
        product: Product,
        side: int,
        terms: Terms,
        configuration: dict[str, Any],
        *,
        client_order_id: str = "",
        order_id: str = "",
        source: str = "RETAIL_ADVANCED",
    ) -> Order:
        """An order that is nowhere yet."""
        self.order_count += 1
        now_ns = self.now_ns()
        tier = account.fee_tier(self.config.fee_tiers, now_ns)
        order_id = order_id or identity(self.config.seed, "order", self.order_count)
        return Order(
            number=self.order_count,
            order_id=order_id,
            client_order_id=client_order_id or identity(self.config.seed, "client", self.order_count),
            account=account,
            product=product,
            side=side,
            terms=terms,
            configuration=configuration,
            created_ns=now_ns,
            maker_ppm=tier.maker,
            taker_ppm=tier.taker,
            visible_ns=now_ns + round(self.switches.order_lag_s * SECOND_NS),
            source=source,
            lots=terms.lots,
            ticks=terms.ticks,
            stop_ticks=terms.stop_ticks,
            hold_ticks=bracket_limit(terms.stop_ticks, side) if terms.kind is Kind.BRACKET and side > 0 else 0,
            updated_ns=now_ns,
        )

    def hold_needed(self, order: Order) -> int:
        """What the order holds when it is taken."""
        terms = order.terms
        if terms.kind is Kind.SCALED:
            return sum(order.hold_for(lots, ticks) for ticks, lots in terms.slices)
        if terms.kind is not Kind.MARKET:
            return order.hold_for(order.lots, order.hold_ticks or order.ticks)
        if terms.budget:
            return terms.budget if self.switches.quote_size_includes_fees else terms.budget // PPM * (PPM + order.taker_ppm)
        if order.side < 0:
            return order.lots * order.product.grid.lot
        _, cost = self.market_of(order.product).matcher.available(order, 0, order.lots, self.switches.self_trade)
        return order.hold_for(1, cost)

    def place_hold(self, order: Order) -> bool:
        """Holds what the order needs; False where it isn't there."""
        needed = self.hold_needed(order)
        if not self.ledger.hold(self.wallet(order.account, order.currency), needed):
            return False
        order.hold = needed
        return True

    def end(self, order: Order, status: Status, reason: str = "") -> None:
        """The order is over: it leaves the book, and what it still holds is free again."""
        if order.ended:
            return
        market = self.market_of(order.product)
        if order.rests_at:
            market.matcher.leave(order)
        if order in market.stops:
            market.stops.remove(order)
        if order.hold:
            self.ledger.release(order.account.wallets[order.currency], order.hold)
            order.hold = 0
        order.status = status
        order.cancel_reason = reason
        self.touch(order)
        if order.expiry is not None:
            order.expiry.cancel()
        for forgotten in remember_end(order.account, order, self.config.bounds):
            del self.orders[forgotten.order_id]
            forgotten.fills = []  # they know the order: without the circle it is freed at once
        if order.attached is not None and order.filled_lots:
            self._followers.append(order)

    def _stopped_itself(self, order: Order) -> None:
        self.end(order, Status.CANCELLED, "self trade prevention")

    def expire_at(self, order: Order, end_ns: int) -> None:
        def expire() -> None:
            if order.status not in TERMINAL:
                self.end(order, Status.EXPIRED, "its time was over")
                self.finish(self.market_of(order.product))

        order.expiry = self.agenda.at(self.agenda.time_ns() + end_ns - self.now_ns(), expire)
