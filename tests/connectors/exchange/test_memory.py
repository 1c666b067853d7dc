"""An exchange that is killed and started again on its state file: the same account, and nothing that was told is forgotten."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.exchange.floor import FUNDS, START_NS, TIERS
from traider.connectors.sim.exchange.accounts import Account
from traider.connectors.sim.exchange.acts import ACTS, Context
from traider.connectors.sim.exchange.matching import Matcher
from traider.connectors.sim.exchange.products import Product
from traider.connectors.sim.exchange.settings import Config, Switches
from traider.connectors.sim.exchange.shapes import order as shape
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.domain.errors import SettingsError

LEVELS = ((1, 99, 1000), (1, 98, 2000), (-1, 101, 1000), (-1, 102, 2000))


def tell_book(matcher: Matcher) -> None:
    for side, ticks, lots in LEVELS:
        matcher.on_level(side, ticks, lots)


def started(path: Path, *, levels: Any = tell_book, seed: int = 1) -> tuple[Simulator, Account, Product]:
    """BTC-USD in steps of 1 USD and 0.001 BTC, and alice; as ``traider exchange-sim --state`` starts it."""
    config = Config(seed=seed, switches=Switches(limits=False), fee_tiers=TIERS)
    simulator = Simulator(Setup(config, virtual_start_ns=START_NS, state_file=path))
    product = simulator.list_product("BTC-USD", Decimal(1), Decimal("0.001"))
    if not simulator.remembers():
        simulator.issue_key(simulator.open_account("alice", FUNDS), "ecdsa", ("view", "trade"))
    simulator.exchange.step(simulator.exchange.markets["BTC-USD"], levels)
    simulator.begin()
    (account,) = simulator.exchange.accounts.values()
    return simulator, account, product


def limit(price: str, size: str, side: str = "BUY", client_order_id: str = "a", **more: Any) -> dict[str, Any]:
    terms = {"limit_limit_gtc": {"base_size": size, "limit_price": price, "post_only": False}}
    return {"client_order_id": client_order_id, "product_id": "BTC-USD", "side": side, "order_configuration": terms} | more


def told(simulator: Simulator) -> dict[str, Any]:
    """What it says of accounts and orders; of the truth's log nothing, which begins anew."""
    report = simulator.truth.report()
    fills = {account.name: list(account.fills) for account in simulator.exchange.accounts.values()}
    plain = {name: [(fill.entry_id, fill.trade_id, fill.ticks, fill.lots, fill.fee) for fill in own] for name, own in fills.items()}
    return {name: report[name] for name in ("orders", "balances", "ledger")} | {"fills": plain, "count": report["counts"]["orders"]}


def test_a_killed_exchange_has_the_same_orders_fills_and_balances(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    first.entry.create(alice, limit("101", "0.5", client_order_id="taken"))
    first.entry.create(alice, limit("97", "2", client_order_id="rests"))
    first.entry.create(alice, limit("96", "1", client_order_id="cancelled"))
    first.entry.cancel(alice, next(one.order_id for one in alice.open.values() if one.client_order_id == "cancelled"))
    before = told(first)
    assert [one["status"] for one in before["orders"]] == ["FILLED", "OPEN", "CANCELLED"]
    second, _, _ = started(tmp_path / "state")
    assert told(second) == before
    assert set(second.ring.keys) == set(first.ring.keys)
    assert second.truth.report()["ledger"] == dict.fromkeys(before["ledger"], "0")


def test_a_resting_order_is_in_the_book_again_and_fills_there(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    first.entry.create(alice, limit("100", "2", client_order_id="rests"))
    exchange = first.exchange
    exchange.step(exchange.markets["BTC-USD"], lambda matcher: matcher.on_trade(-1, 100, 500))  # a quarter of it
    second, alice, _ = started(tmp_path / "state")
    (order,) = alice.open.values()
    assert (order.filled_lots, order.rests_at) == (500, [100])
    market = second.exchange.markets["BTC-USD"]
    second.exchange.step(market, lambda matcher: matcher.on_trade(-1, 100, 9000))
    assert (shape(order)["status"], order.filled_lots) == ("FILLED", 2000)
    trades = [fill.trade_id for fill in alice.fills]
    assert len(set(trades)) == len(trades) == 2


def test_an_order_of_a_product_that_is_not_listed_any_more_holds_nothing(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    first.entry.create(alice, limit("97", "2", client_order_id="rests"))
    other = Simulator(Setup(Config(fee_tiers=TIERS), virtual_start_ns=START_NS, state_file=tmp_path / "state"))
    other.list_product("ETH-USD", Decimal(1), Decimal("0.001"))
    assert other.remembers()
    other.begin()
    report = other.truth.report()
    assert report["orders"] == []
    assert report["balances"]["alice"]["USD"] == {"available": "100000", "hold": "0"}
    assert set(report["ledger"].values()) == {"0"}


def test_trade_numbers_grow_over_a_restart(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    for number in range(3):
        first.entry.create(alice, limit("101", "0.1", client_order_id=str(number)))
    second, _, _ = started(tmp_path / "state")
    market = second.exchange.markets["BTC-USD"]
    assert market.trade_count >= first.exchange.markets["BTC-USD"].trade_count
    assert market.last == 101


def test_a_client_order_id_stands_for_the_order_that_it_was_given_to(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    placed = first.entry.create(alice, limit("97", "1"))
    second, alice, _ = started(tmp_path / "state")
    assert second.entry.create(alice, limit("97", "1")).order_id == placed.order_id
    other = second.entry.create(alice, limit("97", "1", client_order_id="b"))
    assert other.order_id not in (placed.order_id, "")
    assert len(alice.open) == 2


def test_an_order_that_the_market_has_passed_meanwhile_is_filled_at_its_price_as_the_maker(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    first.entry.create(alice, limit("100", "1"))

    def lower(matcher: Matcher) -> None:
        matcher.on_level(-1, 95, 3000)

    _, alice, _ = started(tmp_path / "state", levels=lower)
    (fill,) = alice.fills
    assert (fill.ticks, fill.lots, fill.maker) == (100, 1000, True)


def test_a_stop_waits_for_its_price_again(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    stop = {
        "stop_limit_stop_limit_gtc": {
            "base_size": "1",
            "limit_price": "90",
            "stop_price": "95",
            "stop_direction": "STOP_DIRECTION_STOP_DOWN",
        }
    }
    first.entry.create(alice, limit("0", "0", side="SELL", client_order_id="stop") | {"order_configuration": stop})
    second, alice, _ = started(tmp_path / "state")
    market = second.exchange.markets["BTC-USD"]
    assert [order.client_order_id for order in market.stops] == ["stop"]
    second.exchange.step(market, lambda matcher: matcher.on_trade(-1, 94, 100))
    (order,) = alice.orders.values()
    assert (order.triggered, shape(order)["status"]) == (True, "FILLED")


def test_an_order_in_many_parts_ends_with_the_run(tmp_path: Path) -> None:
    first, alice, _ = started(tmp_path / "state")
    parts = {"quote_size": "", "base_size": "0.4", "limit_price": "90", "number_buckets": "4", "bucket_duration": "30s"}
    fields = parts | {"start_time": "2026-01-01T00:00:10Z", "end_time": "2026-01-01T00:02:10Z"}
    del fields["quote_size"]
    first.entry.create(alice, limit("0", "0") | {"order_configuration": {"twap_limit_gtd": fields}})
    second, alice, _ = started(tmp_path / "state")
    (order,) = alice.orders.values()
    assert (shape(order)["status"], order.cancel_reason) == ("CANCELLED", "the exchange was started anew")
    assert told(second)["balances"]["alice"]["USD"] == {"available": "100000", "hold": "0"}


def test_balances_and_fees_that_were_set_by_hand_stay(tmp_path: Path) -> None:
    first, _, _ = started(tmp_path / "state")
    context = Context(None, [])
    ACTS["balance"].carry_out(first.bench, {"currency": "USD", "delta": "-7"}, context)
    ACTS["fee_tier"].carry_out(first.bench, {"maker": "0.001", "taker": "0.002"}, context)
    before = told(first)
    second, alice, _ = started(tmp_path / "state")
    assert told(second) == before
    assert alice.tier is not None
    assert (alice.tier.maker, alice.tier.taker) == (1000, 2000)


def test_a_torn_end_is_passed_over_and_any_other_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first, alice, _ = started(path)
    first.entry.create(alice, limit("97", "1"))
    before = told(first)
    with path.open("ab") as file:
        file.write(b'{"orders":{"half')
    second, _, _ = started(path)
    assert told(second) == before
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0][:-20] + b"\n" + b"".join(lines[1:]))
    with pytest.raises(SettingsError, match="line 1 is nothing that this version has written"):
        started(path)


def test_another_seed_is_refused(tmp_path: Path) -> None:
    started(tmp_path / "state")
    with pytest.raises(SettingsError, match="was begun with --seed 1"):
        started(tmp_path / "state", seed=2)


def test_changes_are_folded_before_they_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first, alice, _ = started(path)
    first.memory._file._least_growth = 5_000  # type: ignore[union-attr]  # a small disk
    for number in range(60):
        first.entry.create(alice, limit("97", "0.1", client_order_id=str(number)))
    lines = path.read_bytes().splitlines()
    assert len(lines) < 60
    assert len(json.loads(lines[0])["orders"]) + len(lines) - 1 == 60
    before = told(first)
    assert told(started(path)[0]) == before


def test_only_the_owner_may_read_the_file_and_no_secret_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    simulator, alice, _ = started(path)
    secret = simulator.issue_key(alice, "ed25519", ("view",))["privateKey"]
    simulator.memory.changed()  # type: ignore[union-attr]  # there is one
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"PUBLIC KEY" in path.read_bytes()
    assert secret.encode() not in path.read_bytes()
    assert b"PRIVATE" not in path.read_bytes()
