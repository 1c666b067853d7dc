"""The journal of an account on an exchange, in many files: the newest comes to what all of them come to."""

import asyncio
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.guard.live.bench import Bench, Side, order, story
from tests.guard.live.exchange import Fault, lost
from traider.domain.errors import JournalError, UserError
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import TimeInForce
from traider.guard.audit.recoveries import knowledge
from traider.guard.carried import unlike
from traider.guard.live.books import TRADES_BACK_NS, LiveBooks
from traider.guard.live.carried import carry_live
from traider.guard.live.recovery import recover_live
from traider.guard.recovery import recover
from traider.runtime.virtual_time import play

LIMITS = RiskLimits(
    max_position_size=Decimal(4),
    max_orders_per_minute=30,
    duplicate_window_s=Decimal(2),
    max_executions_per_minute=500,
    max_rejections_per_minute=500,
)


def known(books: LiveBooks) -> dict[str, Any]:
    account = books.desk.account
    day = {name: account[name].item() for name in ("high_water_mark", "day_start_equity", "day_end_ns", "equity", "next_id", "fills")}
    marks = [float(position["mark_price"]) for position in books.desk.positions]
    more = (
        books.index,
        books.checkpoint_index,
        books.configured,
        books.session_start,
        books.unvalued,
        books.looked_ns,
        books.trades_from_ns,
    )
    return {**knowledge(books), "day": day, "marks": marks, "more": more, "ids": (books.number_of, books.id_of)}


async def random_step(bench: Bench, source: random.Random, step: int) -> None:
    price = 100 + source.uniform(-1, 1)
    what = source.choice(("order", "order", "order", "timed", "cancel", "amend", "fill", "end", "elsewhere", "lost", "kill", "feed"))
    open_ids = [identifier for identifier, made in bench.books.open.items() if made.venue_order_id and made.request.strategy != "external"]
    made = order(f"o{step}", f"{source.uniform(0.01, 0.5):.3f}", source.choice((Side.BUY, Side.BUY, Side.SELL)), limit=f"{price:.2f}")
    match what:
        case "timed":
            ends_ns = bench.clock.now_ns() + source.randint(1, 20) * 10**9
            bench.submit(msgspec.structs.replace(made, time_in_force=TimeInForce.GTD, expire_ts_ns=ends_ns))
        case "lost":
            bench.exchange.fail("submit", Fault(after=lost()))
            bench.submit(made)
        case "cancel" if open_ids:
            bench.cancel(source.choice(open_ids))
        case "amend" if open_ids:
            bench.amend(source.choice(open_ids), f"{source.uniform(0.5, 0.9):.3f}", f"{price:.2f}")
        case "fill" if open_ids:
            there = bench.exchange.orders[bench.exchange.id_of(source.choice(open_ids))]
            left = there.size - there.filled_size
            if left > 0:
                part = left if source.random() < 0.5 else max(Decimal("0.001"), (left / 2).quantize(Decimal("0.001")))
                bench.exchange.fill(there.venue_order_id, str(part))
        case "end" if open_ids:
            bench.exchange.end(bench.exchange.id_of(source.choice(open_ids)))
        case "elsewhere":
            bench.exchange.order_elsewhere(Side.BUY, "0.01", f"{price:.2f}")
        case "kill":
            bench.kill(on=True)
            await asyncio.sleep(0.2)
            bench.kill(on=False)
        case "feed":
            bench.feed(price)
        case _:
            bench.submit(made)
    await asyncio.sleep(source.choice((0.0, 0.05, 0.5, 3.0)))


@pytest.mark.parametrize("seed", range(8))
def test_what_a_snapshot_says_is_what_all_lines_come_to(tmp_path: Path, seed: int) -> None:
    """At random moments of random days, with orders in flight, unknown, half filled and being amended."""
    source, begun, unfinished = random.Random(seed), 0, 0

    async def whole() -> None:
        nonlocal begun, unfinished
        bench = Bench(tmp_path, limits=LIMITS)
        for _life in range(4):
            async with bench.up():
                for step in range(25):
                    await random_step(bench, source, bench.guard.journal.n * 100 + step)
                    if source.random() < 0.4:
                        bench.guard.begin_segment()
                        begun += 1
                        unfinished += any(not made.venue_order_id for made in bench.books.open.values()) or bool(bench.books.amending)
                    newest, read = (recover_live(bench.guard.journal, bench.config, whole=whole) for whole in (False, True))
                    assert known(newest) == known(read)
                    assert unlike(carry_live(newest, 1), carry_live(bench.books, 1)) == []
        async with bench.up():
            await asyncio.sleep(60)
            bench.check()

    play(whole)
    assert begun > 20
    assert unfinished > 0


def test_a_snapshot_that_does_not_follow_from_the_lines_before_it_is_found(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", limit="90"))
        await asyncio.sleep(1)
        bench.books.totals["USD"] += 1
        bench.guard.begin_segment()
        with pytest.raises(JournalError, match=r"the snapshot does not follow from the lines before it: totals"):
            recover_live(bench.guard.journal, bench.config, whole=True)
        bench.books.totals["USD"] -= 1

    async def whole() -> None:
        bench = Bench(tmp_path)
        async with bench.up():
            await told(bench)

    play(whole)


def test_accounts_are_not_mixed_up_by_their_snapshots(tmp_path: Path) -> None:
    async def whole() -> None:
        bench = Bench(tmp_path)
        async with bench.up():
            bench.guard.begin_segment()
            with pytest.raises(UserError, match="this account trades on an exchange"):
                recover(bench.guard.journal, bench.config)

    play(whole)


def test_old_trades_are_forgotten_once_nobody_asks_for_them_and_never_booked_again(tmp_path: Path) -> None:
    async def told(bench: Bench) -> None:
        bench.submit(order("a", "1"))
        await asyncio.sleep(1)
        bench.submit(order("stays", limit="50"))
        await asyncio.sleep(2 * TRADES_BACK_NS / 1e9)
        bench.guard.begin_segment()
        assert len(bench.books.trades) == 1, "fills since the order was sent that is open are still asked for"
        bench.cancel("stays")
        await asyncio.sleep(120)
        bench.guard.begin_segment()
        assert bench.books.trades == {}
        (fill,) = bench.exchange.fills_made
        assert bench.books.is_booked(fill.trade_id, fill.ts_ns)
        assert not bench.books.is_booked("new", bench.clock.now_ns())
        assert known(recover_live(bench.guard.journal, bench.config, whole=True)) == known(recover_live(bench.guard.journal, bench.config))
        bench.feed(100.0)
        bench.submit(order("b", "1"))
        await asyncio.sleep(1)
        assert bench.position() == 2.0

    story(tmp_path, told)
