"""No money is made or lost, whatever accounts and market do."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.connectors.exchange.floor import Floor
from traider.connectors.sim.exchange.orders import Kind, Order
from traider.connectors.sim.exchange.refusals import EditRefusedError, OrderRefusedError

SIDES = st.sampled_from(["BUY", "SELL"])
PRICES = st.integers(80, 120)
SIZES = st.integers(1, 4000).map(lambda lots: f"{lots / 1000:.3f}")
WHO = st.sampled_from([0, 1])
PRODUCT = st.sampled_from(["BTC-USD", "BTC-USDC"])
ACTIONS = st.one_of(
    st.tuples(st.just("limit"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("market"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("spend"), WHO, st.just("BUY"), PRICES, SIZES, PRODUCT),
    st.tuples(st.just("stop"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("bracket"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("scaled"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("attached"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("edit"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("cancel"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("level"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("trade"), WHO, SIDES, PRICES, SIZES, PRODUCT),
    st.tuples(st.just("by hand"), WHO, SIDES, PRICES, SIZES, PRODUCT),
)
Action = tuple[str, int, str, int, str, str]


def act(floor: Floor, action: Action) -> None:
    word, who, side, price, size, product = action
    account = (floor.alice, floor.bob)[who]
    sign = 1 if side == "BUY" else -1
    far = str(price + 20 * sign)
    open_orders = list(account.open.values())
    match word:
        case "limit":
            floor.limit(side, price, size, by=account, product=product)
        case "attached":
            fields = {"limit_price": str(price + 9 * sign), "stop_trigger_price": str(price - 9 * sign)}
            floor.limit(side, price, size, by=account, product=product, attached_order_configuration={"trigger_bracket_gtc": fields})
        case "market":
            floor.order(side, {"market_market_ioc": {"base_size": size}}, by=account, product=product)
        case "spend":
            floor.order(side, {"market_market_ioc": {"quote_size": str(price)}}, by=account, product=product)
        case "stop":
            fields = {"base_size": size, "limit_price": far, "stop_price": str(price)}
            direction = "STOP_DIRECTION_STOP_UP" if sign > 0 else "STOP_DIRECTION_STOP_DOWN"
            floor.order(side, {"stop_limit_stop_limit_gtc": fields | {"stop_direction": direction}}, by=account, product=product)
        case "bracket":
            fields = {"base_size": size, "limit_price": str(price - 9 * sign), "stop_trigger_price": str(price + 9 * sign)}
            floor.order(side, {"trigger_bracket_gtc": fields}, by=account, product=product)
        case "scaled":
            fields = {"base_size": size, "min_price": str(price), "max_price": str(price + 6), "num_orders": "3"}
            floor.order(side, {"scaled_limit_gtc": fields}, by=account, product=product)
        case "edit" if open_orders:
            floor.entry.edit(account, {"order_id": open_orders[0].order_id, "price": str(price), "size": size})
        case "cancel" if open_orders:
            floor.entry.cancel(account, open_orders[-1].order_id)
        case "by hand" if open_orders and open_orders[0].terms.kind is Kind.LIMIT:
            floor.entry.fill_by_hand(open_orders[0], 100, 0)
            floor.exchange.finish(floor.market)
        case "level":
            floor.level(sign, price, size)
        case "trade":
            floor.trade(sign, price, size)
        case _:
            pass


def outstanding(floor: Floor, order: Order) -> int:
    """What an open order must hold, reckoned from its terms and its place in the book alone."""
    if order.terms.kind is not Kind.SCALED:
        return order.hold_for(order.remaining, order.hold_ticks or order.ticks)
    queues = floor.market.matcher.side(order.side).queues
    return sum(order.hold_for(entry.lots, ticks) for ticks in set(order.rests_at) for entry in queues[ticks] if entry.order is order)


@settings(max_examples=150)
@given(st.lists(ACTIONS, min_size=5, max_size=40), st.sampled_from(["cancel_newest", "cancel_oldest", "allow"]))
def test_money_is_neither_made_nor_lost_and_holds_are_those_of_open_orders(actions: list[Action], self_trade: str) -> None:
    floor = Floor(self_trade=self_trade)
    accounts = (floor.alice, floor.bob)
    for account in accounts:
        floor.exchange.ledger.deposit(floor.exchange.wallet(account, "USDC"), account.wallets["USD"].available)
    for action in actions:
        try:
            act(floor, action)
        except (OrderRefusedError, EditRefusedError):
            pass
        assert set(floor.exchange.ledger.totals(accounts).values()) == {0}
        for account in accounts:
            assert all(wallet.available >= 0 and wallet.hold >= 0 for wallet in account.wallets.values())
            for currency, wallet in account.wallets.items():
                orders = [order for order in account.open.values() if order.currency == currency]
                assert wallet.hold == sum(order.hold for order in orders) == sum(outstanding(floor, order) for order in orders)
            for order in account.orders.values():
                assert order.filled_lots == sum(fill.lots for fill in order.fills) <= max(order.lots, order.terms.lots)
                assert order.ended == (order.order_id not in account.open)


@settings(max_examples=100)
@given(st.lists(ACTIONS, min_size=5, max_size=40))
def test_the_book_is_never_crossed_and_shows_every_open_order(actions: list[Action]) -> None:
    floor = Floor()
    for action in actions:
        try:
            act(floor, action)
        except (OrderRefusedError, EditRefusedError):
            pass
    for sign in (1, -1):
        ladder = floor.market.matcher.side(sign)
        assert ladder.keys == sorted(set(ladder.keys))
        assert {key * sign for key in ladder.keys} == set(ladder.lots) | set(ladder.queues)
        assert all(lots > 0 for lots in ladder.lots.values())
        for ticks, queue in ladder.queues.items():
            aheads = [entry.ahead for entry in queue]
            assert aheads == sorted(aheads)
            assert all(
                entry.lots > 0 and ticks in entry.order.rests_at and 0 <= entry.ahead <= ladder.lots.get(ticks, 0) for entry in queue
            )
    own_bids, own_asks = ([*floor.market.matcher.side(sign).queues] for sign in (1, -1))
    if own_bids and own_asks:
        assert max(own_bids) < min(own_asks)
    best_bid, best_ask = floor.market.matcher.bids.best(), floor.market.matcher.asks.best()
    if own_bids and best_ask:
        assert max(own_bids) < best_ask or best_ask not in floor.market.matcher.asks.lots
    if own_asks and best_bid:
        assert min(own_asks) > best_bid or best_bid not in floor.market.matcher.bids.lots
