"""The made-up market: plausible, seeded, bounded."""

from itertools import islice

import pytest

from tests.connectors.exchange.floor import START_NS
from traider.connectors.sim.exchange.agenda import SECOND_NS
from traider.connectors.sim.exchange.generated import GeneratedMarket, past_trades
from traider.connectors.sim.exchange.products import listed
from traider.connectors.sim.exchange.settings import FUNDS, Bounds, Config
from traider.connectors.sim.exchange.simulator import Setup, Simulator

PRODUCT = listed("BTC-USD")[0]


def tape(seed: int = 1, depth: int = 20) -> GeneratedMarket:
    return GeneratedMarket(PRODUCT, seed, 65_000.0, depth=depth)


def test_the_same_seed_is_the_same_market_and_another_is_another() -> None:
    first, again, other = (list(islice(tape(seed).messages(), 200)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


@pytest.mark.parametrize("depth", [1, 20, 300])
async def test_the_book_is_never_crossed_and_keeps_its_depth(depth: int) -> None:
    simulator = Simulator(Setup(Config(), virtual_start_ns=START_NS))
    simulator.play(simulator.list_product("BTC-USD"), tape(depth=depth))
    matcher = simulator.exchange.markets["BTC-USD"].matcher
    for _ in range(200):
        await simulator.agenda.advance(0.5)
        assert matcher.bids.best() < matcher.asks.best()
        for ladder in (matcher.bids, matcher.asks):
            assert depth // 2 <= len(ladder.keys) <= depth + 3
    trades = simulator.exchange.markets["BTC-USD"].trades
    assert 150 < len(trades) < 1000  # about 3 a second, some of them over several levels
    assert {trade.taker_side for trade in trades} == {1, -1}


async def test_what_an_order_took_near_the_touch_comes_back() -> None:
    simulator = Simulator(Setup(Config(), virtual_start_ns=START_NS))
    simulator.play(simulator.list_product("BTC-USD"), tape())
    account = simulator.open_account("alice", FUNDS)
    bids = simulator.exchange.markets["BTC-USD"].matcher.bids
    await simulator.agenda.advance(10)
    before = len(bids.keys)
    body = {"client_order_id": "sweep", "product_id": "BTC-USD", "side": "SELL"}
    simulator.entry.create(account, body | {"order_configuration": {"market_market_ioc": {"base_size": "0.5"}}})
    assert len(bids.keys) < before - 2
    await simulator.agenda.advance(60)
    assert len(bids.keys) >= before - 2


def test_what_traded_before_leads_to_where_it_begins() -> None:
    trades = past_trades(tape(), START_NS, hours=2)
    assert len(trades) == 720
    assert [ts for ts, _, _ in trades] == sorted(ts for ts, _, _ in trades)
    assert trades[-1][0] == START_NS - 10 * SECOND_NS
    assert abs(trades[-1][1] / 6_500_000 - 1) < 0.01
    assert past_trades(tape(), START_NS, hours=0) == []


async def simulated(seed: int) -> list[object]:
    """What two minutes with an account at work come to."""
    simulator = Simulator(Setup(Config(seed=seed), virtual_start_ns=START_NS))
    product = simulator.list_product("BTC-USD")
    simulator.play(product, tape(seed))
    account = simulator.open_account("alice", FUNDS)
    for number in range(60):
        await simulator.agenda.advance(2)
        ladder = simulator.exchange.markets["BTC-USD"].matcher.bids
        fields = {"base_size": "0.01", "limit_price": product.grid.price(ladder.best()), "post_only": False}
        body = {"client_order_id": f"n{number}", "product_id": "BTC-USD", "side": "BUY", "order_configuration": {"limit_limit_gtc": fields}}
        simulator.entry.create(account, body)
    return [(fill.trade_id, fill.ticks, fill.lots, fill.fee, fill.ts_ns) for fill in account.fills]


async def test_on_virtual_time_a_run_is_a_function_of_its_seed() -> None:
    first, again, other = await simulated(3), await simulated(3), await simulated(4)
    assert first == again
    assert len(first) > 5
    assert first != other


@pytest.mark.slow
async def test_what_is_kept_does_not_grow_with_time() -> None:
    bounds = Bounds(closed_orders=50, fills=50, truth=50, trades=50, minutes=60, hours=24)
    simulator = Simulator(Setup(Config(bounds=bounds), virtual_start_ns=START_NS))
    product = simulator.list_product("BTC-USD")
    simulator.play(product, GeneratedMarket(product, 1, 65_000.0, depth=10, steps_per_s=0.1))
    account = simulator.open_account("alice", FUNDS)
    sizes: list[tuple[int, ...]] = []
    for day in range(3):
        for number in range(100):
            await simulator.agenda.advance(864)
            fields = {"base_size": "0.01"}
            side = "BUY" if number % 2 else "SELL"
            body = {"client_order_id": f"{day} {number}", "product_id": "BTC-USD", "side": side}
            simulator.entry.create(account, body | {"order_configuration": {"market_market_ioc": fields}})
        market = simulator.exchange.markets["BTC-USD"]
        kept = (len(simulator.exchange.orders), len(account.orders), len(account.clients), len(account.fills), len(market.trades))
        sizes.append((*kept, len(simulator.agenda._heap), len(simulator.truth.fills.items)))  # the heap is what could leak
    assert sizes[1] == sizes[2]
    assert simulator.truth.fills.count > 300
