"""A guard that dies at any point knows, when it comes back, what it knew; and the run ends as if nothing had happened."""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.guard.support import BTC, ETH, MINUTE_NS, START_NS, Bench, described, order
from traider.domain.errors import JournalError, UserError
from traider.domain.guard_protocol import Cancel, Feed, MarketEvent, SetKillSwitch
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderEvent, OrderFilled, OrderRejected, OrderRequest
from traider.domain.vocabulary import EventKind, OrderType, Reason, Side, TimeInForce
from traider.guard.journal import Disk, verify
from traider.kernel.simulation import FillMode


class CrashError(BaseException):
    """The process is gone."""


class UnsyncedDisk(Disk):
    """Nothing pulls the plug in a test: what was written is there after a crash, synced or not."""

    def sync(self, fd: int) -> None:
        pass


class CrashingDisk(Disk):
    """Dies at call ``at``, counted over writes and syncs: before a write, within it, or after a sync."""

    def __init__(self, at: int, *, within: float | None) -> None:
        self.calls = 0
        self._at = at
        self._within = within

    def crash_at(self, call: int) -> None:
        self._at = call

    def write(self, fd: int, data: bytes) -> None:
        self.calls += 1
        if self.calls == self._at:
            if self._within is not None:
                os.write(fd, data[: int(len(data) * self._within)])
            raise CrashError
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.calls += 1
        if self.calls == self._at:
            raise CrashError


@dataclass
class Step:
    """One market event, and what is asked after it."""

    event: MarketEvent
    submit: list[OrderRequest] = field(default_factory=list)
    cancel: list[str] = field(default_factory=list)
    kill: SetKillSwitch | None = None


def script(seed: int, length: int, kind: EventKind) -> list[Step]:
    """A market with some of every kind of order in it, cancels, refusals, and a turn of the kill switch."""
    rng = random.Random(seed)
    price, ts_ns = 100.0, START_NS
    steps: list[Step] = []
    for i in range(length):
        symbol = rng.choice(["BTC-USD", "BTC-USD", "ETH-USD"])
        ts_ns += rng.choice([1, 20, 61, 30_000]) * 1_000_000_000
        open_ = price
        price = round(price * (1 + rng.uniform(-0.02, 0.02)), 2)
        if kind is EventKind.BAR:
            low, high = min(open_, price) - 0.5, max(open_, price) + 0.5
            event = MarketEvent(index=i, kind=kind, symbol=symbol, ts_ns=ts_ns, a=open_, b=high, c=low, d=price, e=1.0)
        else:
            event = MarketEvent(index=i, kind=kind, symbol=symbol, ts_ns=ts_ns, a=price, b=rng.choice([0.5, 1.0, 3.0]))
        step = Step(event)
        for k in range(rng.choice([0, 1, 1, 2])):
            step.submit.append(some_order(rng, f"o-{i}-{k}", symbol, price, ts_ns))
        if rng.random() < 0.2:
            step.cancel = [f"o-{rng.randint(0, i)}-0"]
        if i in (length // 2, length // 2 + 1):
            step.kill = SetKillSwitch(seq=0, on=i == length // 2, reason="scripted", by="owner")
        steps.append(step)
    return steps


SHAPES = ("market", "limit", "post", "ioc", "stop", "stop limit", "trail", "trail fraction", "fok", "good till")


def some_order(rng: random.Random, identifier: str, symbol: str, price: float, ts_ns: int) -> OrderRequest:
    side = rng.choice([Side.BUY, Side.BUY, Side.SELL])
    size = rng.choice(["0.5", "1", "2.5", "900"])
    near, beyond = (f"{price + rng.uniform(-1, 1):.2f}" for _ in range(2))
    shape = rng.choice(SHAPES)
    if shape == "market":
        return order(identifier, size, side, symbol=symbol)
    if shape == "stop":
        return order(identifier, size, side, stop=near, symbol=symbol)
    if shape in ("post", "limit", "ioc"):
        return order(identifier, size, side, limit=near, symbol=symbol, ioc=shape == "ioc", post_only=shape == "post")
    plain = order(identifier, size, side, symbol=symbol)
    more: dict[str, dict[str, Any]] = {
        "stop limit": {"type": OrderType.STOP_LIMIT, "stop_price": Decimal(near), "limit_price": Decimal(beyond)},
        "trail": {"type": OrderType.TRAILING_STOP, "trail_amount": Decimal(rng.choice(["0.75", "2"]))},
        "trail fraction": {"type": OrderType.TRAILING_STOP, "trail_fraction": Decimal("0.01")},
        "fok": {"type": OrderType.LIMIT, "limit_price": Decimal(near), "time_in_force": TimeInForce.FOK},
        "good till": {
            "type": OrderType.LIMIT,
            "limit_price": Decimal(near),
            "time_in_force": TimeInForce.GTD,
            "expire_ts_ns": ts_ns + rng.choice([5, 50, 40_000]) * 1_000_000_000,
        },
    }
    return msgspec.structs.replace(plain, **more[shape])


LIMITS = RiskLimits(
    max_open_orders=6,
    max_position_size=Decimal(8),
    max_orders_per_minute=4,
    max_drawdown=Decimal("0.2"),
    max_rejections_per_minute=500,
)


def new_bench(folder: Path, disk: Disk) -> Bench:
    folder.mkdir()
    return Bench(folder, limits=LIMITS, instruments=(BTC, ETH), disk=disk, fee=0.001, session="s")


def follow(bench: Bench, steps: list[Step]) -> Iterator[int]:
    """Drives the guard as a trader does: from what the guard knows on, asking again what it may not have heard."""
    start = bench.books.index
    for i in range(max(start, 0), len(steps)):
        step = steps[i]
        bench.done(Feed(seq=1, events=(step.event,)))
        if step.submit:
            bench.submit(*step.submit)
        if step.cancel:
            bench.done(Cancel(seq=2, client_order_ids=tuple(step.cancel)))
        if step.kill is not None:
            bench.done(step.kill)
        yield i


def fills(events: list[AnyOrderEvent]) -> dict[str, OrderFilled]:
    """By trade id, without journal numbers."""
    return {event.trade_id: msgspec.structs.replace(event, n=0) for event in events if isinstance(event, OrderFilled)}


def told_by_journal(bench: Bench) -> list[AnyOrderEvent]:
    return [entry.record for entry in bench.journal.read() if isinstance(entry.record, OrderEvent)]


def without_lines(state: dict[str, object]) -> dict[str, object]:
    """What does not depend on how often the guard was started."""
    kept = {name: value for name, value in state.items() if name not in ("lines", "session", "kill")}
    kept["orders"] = {name: msgspec.structs.replace(o, n=0) for name, o in kept["orders"].items()}  # type: ignore[attr-defined]
    return kept


@pytest.mark.parametrize("kind", [EventKind.BAR, EventKind.TRADE])
@pytest.mark.parametrize("seed", range(4))
def test_after_every_step_the_journal_tells_all_that_the_guard_knows(tmp_path: Path, seed: int, kind: EventKind) -> None:
    steps = script(seed, 40, kind)
    bench = new_bench(tmp_path / "a", UnsyncedDisk())
    for i in follow(bench, steps):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "a", copy)
        twin = Bench.__new__(Bench)
        twin.__dict__ |= {**bench.__dict__, "path": copy / "journal.jsonl", "told": []}
        twin.start(UnsyncedDisk())
        known = twin.books.index
        assert known == bench.books.checkpoint_index
        for step in steps[known + 1 : i + 1]:
            twin.done(Feed(seq=1, events=(step.event,)))
        assert twin.told == []
        assert described(twin.books) == described(bench.books)
        twin.die()
    assert len(fills(bench.told)) > 5
    assert {type(event).__name__ for event in bench.told} >= {"OrderFilled", "OrderCancelled", "OrderRejected"}


@pytest.mark.parametrize("kind", [EventKind.BAR, EventKind.TRADE])
@pytest.mark.parametrize("within", [None, 0.0, 0.6, 1.0])
def test_a_crash_at_any_journal_step_changes_nothing_in_the_end(tmp_path: Path, within: float | None, kind: EventKind) -> None:
    steps = script(5, 25, kind)
    whole = new_bench(tmp_path / "whole", counting := CrashingDisk(0, within=None))
    opened = counting.calls
    for _ in follow(whole, steps):
        pass
    expected_fills, expected = fills(whole.told), without_lines(described(whole.books))
    assert len(expected_fills) > 4
    for at in range(opened + 1, counting.calls + 1):
        bench = new_bench(tmp_path / f"crash-{at}", CrashingDisk(at, within=within))
        acknowledged: list[AnyOrderEvent] = []
        try:
            for _ in follow(bench, steps):
                pass
        except CrashError:
            acknowledged = list(bench.told)
            bench.restart(UnsyncedDisk())
            for _ in follow(bench, steps):
                pass
        assert told_by_journal(bench)[: len(acknowledged)] == acknowledged, "something acknowledged was lost"
        assert fills(told_by_journal(bench)) == expected_fills
        placed = [event.client_order_id for event in told_by_journal(bench) if isinstance(event, OrderAccepted)]
        assert len(placed) == len(set(placed)), "an order was placed twice"
        assert without_lines(described(bench.books)) == expected
        bench.die()
        verify(bench.path)


def test_an_intent_left_behind_goes_the_rest_of_its_way(tmp_path: Path) -> None:
    bench = pending_intents(tmp_path, order("a"), order("b", limit="90"))
    started = bench.start()
    assert [(type(event).__name__, event.client_order_id) for event in started.events] == [("OrderAccepted", "a"), ("OrderAccepted", "b")]
    (fill,) = bench.feed(100.0).events
    assert isinstance(fill, OrderFilled)
    assert [event.client_order_id for event in bench.submit(order("a")).repeats] == ["a", "a", "a"]


def test_an_intent_left_behind_for_too_long_is_not_sent(tmp_path: Path) -> None:
    bench = pending_intents(tmp_path, order("a"))
    bench.clock.ns += 61_000_000_000
    (event,) = bench.start().events
    assert isinstance(event, OrderRejected)
    assert (event.reason, event.detail) == (Reason.NOT_SENT, "the guard stopped before it was sent, 61 s ago: too old to be sent now")
    assert bench.feed(100.0).events == []
    repeats = bench.submit(order("a")).repeats
    assert repeats[-1] == event


def test_an_intent_left_behind_is_checked_against_todays_limits(tmp_path: Path) -> None:
    bench = pending_intents(tmp_path, order("a", "2"))
    bench.config = msgspec.structs.replace(bench.config, limits=RiskLimits(max_order_notional=Decimal(150)))
    (event,) = bench.start().events
    assert isinstance(event, OrderRejected)
    assert event.reason is Reason.NOT_SENT
    assert "it would be refused now: 2 BTC at 100 USD is 200 USD, above MAX_ORDER_NOTIONAL 150 USD" in event.detail


def pending_intents(folder: Path, *requests: OrderRequest) -> Bench:
    """A guard that died right after the intents were durable."""
    disk = CrashingDisk(0, within=None)
    bench = Bench(folder, disk=disk)
    bench.feed(100.0)
    disk.crash_at(disk.calls + 3)
    with pytest.raises(CrashError):
        bench.submit(*requests)
    bench.die()
    return bench


def test_the_kill_switch_outlives_the_guard(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed(100.0)
    bench.kill(True, "by hand", "owner")
    for _ in range(2):
        bench.restart()
        assert bench.snapshot().risk.kill_reason == "by hand"
        assert bench.refusal(order(f"o{bench.journal.n}"))[0] is Reason.KILL_SWITCH
    bench.kill(False, "fine again", "admin")
    bench.restart()
    assert bench.refusal(order("x"))[0] is Reason.NONE


def test_a_tripped_switch_that_was_lifted_does_not_trip_again_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limits=RiskLimits(max_daily_loss=Decimal(5)))
    bench.feed(100.0)
    bench.submit(order("a"))
    bench.feed(100.0)
    bench.feed(90.0)
    assert bench.snapshot().risk.kill_by == "guard"
    bench.restart()
    assert bench.snapshot().risk.kill_switch
    bench.kill(False, "seen", "admin")
    bench.restart()
    bench.feed(90.0)
    assert not bench.snapshot().risk.kill_switch


def test_a_stop_leaves_a_checkpoint_so_that_nothing_is_fed_twice(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed(100.0, 101.0, 102.0)
    bench.restart()
    assert bench.snapshot().last_index == -1
    bench.feed(100.0, 101.0, 102.0)
    bench.guard.stop()
    bench.restart()
    assert bench.snapshot().last_index == 2
    assert bench.books.desk.positions[0]["mark_price"] == 102.0


def test_checkpoints_come_by_count_and_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traider.guard.base.CHECKPOINT_EVENTS", 3)
    bench = Bench(tmp_path)
    for known in (-1, -1, 2, 2, 2, 5):
        bench.feed(100.0)
        assert bench.books.checkpoint_index == known
    bench.clock.ns += 60_000_000_000
    bench.feed(100.0)
    assert bench.books.checkpoint_index == 6


def test_new_limits_and_fees_are_journalled_and_hold_from_the_start_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed(100.0)
    n = bench.journal.n
    bench.restart()
    assert bench.journal.n == n
    bench.config = msgspec.structs.replace(bench.config, limits=RiskLimits(max_open_orders=1), taker_fee=0.01, fill=FillMode.NEXT_CLOSE)
    bench.restart()
    assert bench.journal.n == n + 1
    bench.feed(100.0)
    bench.submit(order("a"))
    (fill,) = bench.feed_bars((100.0, 110.0, 100.0, 110.0)).events
    assert isinstance(fill, OrderFilled)
    assert [fill.price, fill.fee] == [Decimal(110), Decimal("1.1")]
    bench.submit(order("b", limit="90"))
    assert bench.refusal(order("c", limit="90"))[0] is Reason.OPEN_ORDERS


def test_an_account_keeps_its_cash_currency_and_size_increments(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cash=None)
    assert bench.snapshot().account.cash == 100_000
    bench.die()
    right = bench.config
    for changes, problem in (
        ({"cash": 5.0}, "was opened with 100000 USD, not 5: leave out the cash"),
        ({"instruments": (msgspec.structs.replace(BTC, size_increment=Decimal("0.1")),)}, "sizes in steps of 0.001, not 0.1"),
        ({"instruments": (msgspec.structs.replace(BTC, symbol="BTC-EUR", quote="EUR"),)}, "held in USD, not EUR"),
    ):
        bench.config = msgspec.structs.replace(right, **changes)
        with pytest.raises(UserError, match=problem):
            bench.start()
    bench.config = msgspec.structs.replace(right, cash=100_000.0)
    bench.start()


def test_an_instrument_that_is_traded_no_longer_keeps_its_position(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed(100.0)
    bench.submit(order("a", "3"))
    bench.feed(110.0)
    finer = msgspec.structs.replace(BTC, price_increment=Decimal("0.001"))
    for instruments in ((ETH,), (ETH, finer)):
        bench.config = msgspec.structs.replace(bench.config, instruments=instruments)
        bench.restart()
        (position,) = bench.snapshot().account.positions
        assert (position.symbol, position.size, position.mark_price) == ("BTC-USD", Decimal(3), Decimal(110))
        assert bench.snapshot().account.equity == 10_000
        assert [known.symbol for known in bench.snapshot().instruments] == ["BTC-USD", "ETH-USD"]
    known: tuple[Instrument, ...] = bench.snapshot().instruments
    assert known[0].price_increment == finer.price_increment


def test_a_journal_that_contradicts_itself_is_not_traded_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed(100.0)
    bench.submit(order("a"))
    bench.feed(100.0)
    bench.books.desk.account["cash"] += 1.0
    bench.feed(101.0)
    bench.guard.stop()
    bench.die()
    with pytest.raises(JournalError, match=r"line \d+: the fills come to cash 9900.0 .* the checkpoint says 9901.0"):
        bench.start()


def test_the_order_rate_is_remembered(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limits=RiskLimits(max_orders_per_minute=3))
    bench.trade(100.0, 1.0)
    bench.submit(order("a", limit="1"), order("b", limit="1"))
    bench.cancel("a")
    bench.restart()
    bench.submit(order("c", limit="1"))
    assert bench.refusal(order("d", limit="1"))[0] is Reason.ORDER_RATE
    bench.feed(100.0, minutes=2)
    bench.guard.stop()
    bench.restart()
    assert bench.refusal(order("e", limit="1"))[0] is Reason.NONE
    assert MINUTE_NS == 60 * 10**9
