"""Who has enabled live trading, and everything that makes it no yes."""

import asyncio
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.guard.live.bench import Bench, order
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


def test_it_is_for_one_version_and_its_parameters() -> None:
    assert why_not_this(YES, strategy_sha256="abc", parameters={"fast": 3}) == ""
    assert "not the version" in why_not_this(YES, strategy_sha256="abd", parameters={"fast": 3})
    assert "parameters" in why_not_this(YES, strategy_sha256="abc", parameters={"fast": 4})


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
        bench.not_enabled = WhyNotEnabled(tmp_path, LivePolicy(live_trading=True, dry_run=False))
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


def test_with_the_switches_as_they_are_by_default_no_order_leaves(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path, limits=LIMITS)
        bench.not_enabled = WhyNotEnabled(tmp_path, LivePolicy(live_trading=False, dry_run=True))
        write_authorization(tmp_path, YES)
        async with bench.up():
            assert bench.refusal(order("a", limit="90"))[0] is Reason.GATE_CLOSED
            assert bench.exchange.count("submit") == 0

    play(whole)
