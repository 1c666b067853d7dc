"""Who has enabled live trading, and everything that makes it no yes."""

import asyncio
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.guard.live.bench import Bench, order
from tests.guard.support import BTC, ETH
from traider.domain.guard_protocol import KeyInfo
from traider.domain.limits import RiskLimits
from traider.domain.venue import Permissions
from traider.domain.vocabulary import Reason
from traider.guard.authorization import (
    Authorization,
    LivePolicy,
    WhyNotEnabled,
    limits_hash,
    read_authorization,
    why_not,
    why_not_configured,
    why_not_this,
    write_authorization,
)
from traider.guard.gates import Cause as Gate
from traider.runtime.virtual_time import START_NS, play

LIMITS = RiskLimits(max_order_notional=Decimal(100))
KEY = KeyInfo(seq=0, venue="exchange", account="p1", can_view=True, can_trade=True)
HOUR_NS = 3_600_000_000_000
YES = Authorization(
    venue="exchange",
    account="p1",
    strategy="sma_cross",
    strategy_sha256="abc",
    parameters={"fast": 3},
    symbol="BTC-USD",
    bars="1m",
    limits_sha256=limits_hash(LIMITS),
    by="owner",
    made_ns=START_NS,
    expires_ns=START_NS + HOUR_NS,
)


def test_a_yes_is_a_yes() -> None:
    assert why_not(YES, key=KEY, limits=LIMITS, now_ns=START_NS) == ""
    assert why_not(YES, key=KEY, limits=LIMITS, now_ns=START_NS + HOUR_NS - 1) == ""


@pytest.mark.parametrize(
    ("authorization", "key", "limits", "now_ns", "why"),
    [
        (None, KEY, LIMITS, START_NS, "nobody has enabled live trading"),
        (YES, KEY, LIMITS, START_NS + HOUR_NS, "live trading was enabled until 2023-11-15 01:00 UTC"),
        (YES, KEY, LIMITS, START_NS - 1, "at a time that is still to come"),
        (YES, KEY, RiskLimits(max_order_notional=Decimal(101)), START_NS, "the risk limits are not those"),
        (YES, KeyInfo(seq=0), LIMITS, START_NS, "the exchange has not told yet"),
        (
            YES,
            msgspec.structs.replace(KEY, account="p2"),
            LIMITS,
            START_NS,
            "enabled for exchange account p1, and the key is of exchange account p2",
        ),
        (YES, msgspec.structs.replace(KEY, venue="other"), LIMITS, START_NS, "the key is of other account p1"),
    ],
)
def test_what_makes_it_no_yes(authorization: Authorization | None, key: KeyInfo, limits: RiskLimits, now_ns: int, why: str) -> None:
    said = why_not(authorization, key=key, limits=limits, now_ns=now_ns)
    assert why in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({}, ""),
        ({"strategy_sha256": "abd"}, "the strategy is not the version of sma_cross that live trading was enabled with"),
        ({"parameters": {"fast": 4}}, "the parameters are not those that live trading was enabled with"),
        ({"symbol": "ETH-USD"}, "live trading was enabled for BTC-USD, not for ETH-USD"),
        ({"bars": "1h"}, "live trading was enabled with bars of 1m, not with bars of 1h"),
        ({"bars": ""}, "live trading was enabled with bars of 1m, not with none"),
    ],
)
def test_it_is_for_one_version_its_parameters_one_market_and_its_bars(other: dict[str, Any], why: str) -> None:
    this: dict[str, Any] = {"strategy_sha256": "abc", "parameters": {"fast": 3}, "symbol": "BTC-USD", "bars": "1m"} | other
    assert why_not_this(YES, **this) == (f"{why}: run: traider enable-live" if why else "")


@pytest.mark.parametrize(
    ("live_trading", "dry_run", "why"),
    [
        (False, True, "LIVE_TRADING_DEFAULT=true"),
        (False, False, "LIVE_TRADING_DEFAULT=true"),
        (True, True, "DRY_RUN=false"),
        (True, False, ""),
    ],
)
def test_both_switches_have_to_be_turned(live_trading: bool, dry_run: bool, why: str) -> None:
    said = why_not_configured(LivePolicy(live_trading=live_trading, dry_run=dry_run))
    assert why in said
    assert bool(said) == bool(why)


def test_the_file_is_for_its_owner_and_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read_authorization(tmp_path) is None
    path = write_authorization(tmp_path, YES)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_authorization(tmp_path) == YES


def test_the_guard_lets_orders_go_only_while_it_is_enabled(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path, limits=LIMITS)
        bench.not_enabled = WhyNotEnabled(tmp_path, LivePolicy(live_trading=True, dry_run=False), tmp_path)
        bench.exchange.allowed = Permissions(can_view=True, can_trade=True, can_transfer=False, portfolio="p1")
        async with bench.up():
            reason, detail = bench.refusal(order("a", limit="90"))
            assert reason is Reason.GATE_CLOSED
            assert "nobody has enabled live trading: run: traider enable-live" in detail
            path = write_authorization(tmp_path, YES)
            await asyncio.sleep(1)
            assert bench.refusal(order("b", limit="90"))[0] is Reason.NONE
            path.write_text("{}")
            await asyncio.sleep(1)
            assert bench.closed() == {Gate.NOT_ENABLED}
            assert "is no authorization" in bench.refusal(order("c", limit="90"))[1]
            write_authorization(tmp_path, YES)
            await asyncio.sleep(1)
            assert bench.closed() == set()
            path.unlink()
            await asyncio.sleep(1)
            assert bench.closed() == {Gate.NOT_ENABLED}
            bench.cancel()
            await asyncio.sleep(5)
            assert bench.exchange.open_ids() == set(), "cancels go whoever has enabled what"
            write_authorization(tmp_path, YES)
            await asyncio.sleep(3600)
            assert "was enabled until" in bench.refusal(order("d", limit="90"))[1]
            bench.check(latched=frozenset({Gate.NOT_ENABLED}))

    play(whole)


def test_the_guard_lets_no_order_go_in_another_market_than_the_enabled_one(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path, limits=LIMITS, instruments=(BTC, ETH), money={"USD": "100000", "BTC": "0", "ETH": "0"})
        bench.not_enabled = WhyNotEnabled(tmp_path, LivePolicy(live_trading=True, dry_run=False), tmp_path)
        bench.exchange.allowed = Permissions(can_view=True, can_trade=True, can_transfer=False, portfolio="p1")
        write_authorization(tmp_path, YES)
        async with bench.up():
            bench.feed(100.0, "ETH-USD")
            assert bench.refusal(order("a", limit="90"))[0] is Reason.NONE
            reason, detail = bench.refusal(order("b", limit="90", symbol="ETH-USD"))
            assert reason is Reason.GATE_CLOSED
            assert "not enabled for ETH-USD: live trading was enabled for BTC-USD, not for ETH-USD" in detail
            await asyncio.sleep(1)
            assert bench.exchange.count("submit") == 1
            write_authorization(tmp_path, msgspec.structs.replace(YES, symbol="ETH-USD"))
            await asyncio.sleep(1)
            assert bench.refusal(order("c", limit="90"))[0] is Reason.GATE_CLOSED
            assert bench.refusal(order("d", limit="90", symbol="ETH-USD"))[0] is Reason.NONE

    play(whole)


def test_an_account_has_one_guard_on_a_machine(tmp_path: Path) -> None:
    policy = LivePolicy(live_trading=True, dry_run=False, url="https://exchange")
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        write_authorization(folder, YES)
    first, second = (WhyNotEnabled(folder, policy, tmp_path / "locks") for folder in folders)
    assert [first(KEY, LIMITS, "", START_NS) for _ in range(2)] == ["", ""]
    assert second(KEY, LIMITS, "", START_NS) == f"another guard on this machine trades exchange account p1 (process {os.getpid()})"
    elsewhere = WhyNotEnabled(folders[1], msgspec.structs.replace(policy, url="https://other"), tmp_path / "locks")
    assert elsewhere(KEY, LIMITS, "", START_NS) == "", "the same name at another exchange is another account"
    for lock in first._claim._locks.values():
        lock.release()  # as the end of its process does
    assert second(KEY, LIMITS, "", START_NS) == ""


def test_an_account_that_can_not_be_claimed_is_not_traded(tmp_path: Path) -> None:
    (tmp_path / "locks").touch()
    write_authorization(tmp_path, YES)
    why = WhyNotEnabled(tmp_path, LivePolicy(live_trading=True, dry_run=False), tmp_path / "locks")(KEY, LIMITS, "", START_NS)
    assert why.startswith("whether another guard trades this account can't be seen")


def test_with_the_switches_as_they_are_by_default_no_order_leaves(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path, limits=LIMITS)
        bench.not_enabled = WhyNotEnabled(tmp_path, LivePolicy(live_trading=False, dry_run=True), tmp_path)
        write_authorization(tmp_path, YES)
        async with bench.up():
            assert bench.refusal(order("a", limit="90"))[0] is Reason.GATE_CLOSED
            assert bench.exchange.count("submit") == 0

    play(whole)
