"""Each invariant can fail: the truth, the journal or the guard is doctored, and the check says what is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count
from pathlib import Path

import msgspec
import pytest

from tests.guard.live.bench import Bench, Side, order
from tests.guard.support import BTC
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderFilled, OrderRejected, OrderUnknown
from traider.domain.venue import Balance, VenueOrder
from traider.domain.vocabulary import OrderStatus, Reason
from traider.guard.audit.invariants import (
    balances_agree,
    fills_are_booked,
    gates_are_open,
    intents_are_sent_once,
    nothing_is_left_to_do,
    open_orders_agree,
    rate_is_kept,
    rejected_are_not_there,
    secrets_are_kept,
    unknown_ends,
)
from traider.guard.audit.recoveries import recoveries_agree
from traider.guard.audit.truth import INVARIANTS, Arrival, RateLimit, Tally, Truth
from traider.guard.audit.witness import is_exposed_within, is_within, may_amend, may_leave
from traider.guard.gates import Cause as Gate
from traider.guard.live.settle import Settlement
from traider.guard.records import AnyRecord, Noted
from traider.runtime.virtual_time import play


def told(tally: Tally) -> list[str]:
    return [str(violation) for violation in tally.violations]


async def on_bench(folder: Path, story: Callable[[Bench], Awaitable[None]]) -> None:
    """An account with one order that is half filled, one that was cancelled, and a quiet exchange; then the story."""
    bench = Bench(folder)
    async with bench.up():
        bench.submit(order("a", "2", limit="90"), order("b", limit="91"))
        await asyncio.sleep(1)
        bench.exchange.fill(bench.exchange.id_of("a"), "1")
        bench.cancel("b")
        await asyncio.sleep(3)
        bench.check()
        await story(bench)


def records(bench: Bench) -> list[AnyRecord]:
    return [entry.record for entry in bench.guard.journal.read()]


def test_there_are_twelve() -> None:
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 13)]


def test_i1_a_fill_that_is_missing_doubled_or_another(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        truth, written = bench.truth(), records(bench)
        (fill,) = truth.fills
        missing, doubled, other = Tally(), Tally(), Tally()
        fills_are_booked([record for record in written if not isinstance(record, OrderFilled)], truth.fills, missing)
        assert told(missing) == ["I1: booked and not made, or made and not booked: ['t1']"]
        fills_are_booked([*written, *(record for record in written if isinstance(record, OrderFilled))], truth.fills, doubled)
        assert told(doubled) == ["I1: trade t1 is booked 2 times"]
        fills_are_booked(written, [msgspec.structs.replace(fill, fee=fill.fee + Decimal("1e-20"))], other)
        assert len(told(other)) == 1

    play(lambda: on_bench(tmp_path, story))


def test_i2_an_intent_that_became_two_orders_or_was_sent_twice(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        truth = bench.truth()
        again = msgspec.structs.replace(truth.orders[0], venue_order_id="v9")
        twice, resent = Tally(), Tally()
        intents_are_sent_once(msgspec.structs.replace(truth, orders=(*truth.orders, again)), twice)
        assert told(twice) == ["I2: 2 orders at the exchange for a"]
        intents_are_sent_once(msgspec.structs.replace(truth, arrivals=(*truth.arrivals, Arrival(1, "b"))), resent)
        assert told(resent) == ["I2: b was sent 2 times"]

    play(lambda: on_bench(tmp_path, story))


def test_i3_an_order_that_is_open_on_one_side_only(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        truth = bench.truth()
        ended = tuple(msgspec.structs.replace(made, status=OrderStatus.CANCELLED) for made in truth.orders)
        here, there = Tally(), Tally()
        open_orders_agree(bench.books, msgspec.structs.replace(truth, orders=ended), here)
        assert told(here) == ["I3: open in the books only: ['v1'], at the exchange only: []"]
        more = msgspec.structs.replace(truth.orders[0], venue_order_id="v9")
        open_orders_agree(bench.books, msgspec.structs.replace(truth, orders=(*truth.orders, more)), there)
        assert told(there) == ["I3: open in the books only: [], at the exchange only: ['v9']"]

    play(lambda: on_bench(tmp_path, story))


def test_i4_a_balance_that_is_off_by_the_smallest_amount(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        truth, tally = bench.truth(), Tally()
        dust = Balance(currency="BTC", available=Decimal("1e-24"), held=Decimal(0))
        others = tuple(balance for balance in truth.balances if balance.currency != "BTC")
        whole = msgspec.structs.replace(dust, available=Decimal(1) + dust.available)
        balances_agree(bench.books, msgspec.structs.replace(truth, balances=(*others, whole)), tally)
        assert told(tally) == ["I4: the books have 1 BTC, the exchange 1.000000000000000000000001"]

    play(lambda: on_bench(tmp_path, story))


def test_i5_an_order_that_leaves_while_a_gate_is_closed_or_the_switch_is_on(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        buy, sell = order("x", limit="90"), order("y", "1", Side.SELL)
        gate, kill = Tally(), Tally()
        bench.guard.close_gate(Gate.STREAM, "lost")
        may_leave(bench.guard, buy, gate)
        assert told(gate) == ["I5: x left while a gate was closed (stream: lost)"]
        may_leave(bench.guard, sell, gate)
        assert len(gate.violations) == 1, "what reduces may pass this gate"
        bench.guard.close_gate(Gate.START, "not asked")
        may_leave(bench.guard, sell, gate)
        assert len(gate.violations) == 2, "and not that one"
        bench.guard.open_gate(Gate.STREAM)
        bench.guard.open_gate(Gate.START)
        bench.kill()
        may_leave(bench.guard, sell, kill)
        assert told(kill) == ["I5: y left while the kill switch was on"]

    play(lambda: on_bench(tmp_path, story))


def test_i5_an_amendment_that_leaves_while_a_gate_is_closed(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        fine, gate = Tally(), Tally()
        assert bench.amend("a", "3", "90") == ""
        may_amend(bench.guard, bench.exchange.id_of("a"), fine)
        assert told(fine) == []
        bench.guard.close_gate(Gate.STREAM, "lost")
        may_amend(bench.guard, bench.exchange.id_of("a"), gate)
        assert told(gate) == ["I5: an amendment of a left: stream: lost"]

    play(lambda: on_bench(tmp_path, story))


def test_i6_a_guard_that_knows_what_its_journal_does_not(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        tally, truth = Tally(), bench.truth()
        bench.books.totals["USD"] += Decimal("0.01")
        recoveries_agree(bench.guard, truth, tally)
        assert [violation.invariant for violation in tally.violations] == ["I6"]
        assert "totals: the journal comes to" in tally.violations[0].what

    play(lambda: on_bench(tmp_path, story))


def test_i7_a_recovery_that_makes_ids_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count()
    adopt = Settlement._adopt

    def adopted(self: Settlement, made: VenueOrder) -> str:
        return adopt(self, msgspec.structs.replace(made, venue_order_id=f"{next(numbers)}"))

    async def story(bench: Bench) -> None:
        tally, truth = Tally(), bench.truth()
        stranger = msgspec.structs.replace(truth.orders[0], venue_order_id="v9", client_order_id="", filled_size=Decimal(0))
        truth = msgspec.structs.replace(truth, orders=(*truth.orders, stranger))
        recoveries_agree(bench.guard, truth, tally)
        assert told(tally) == []
        monkeypatch.setattr(Settlement, "_adopt", adopted)
        recoveries_agree(bench.guard, truth, tally)
        assert {violation.invariant for violation in tally.violations} == {"I7"}

    play(lambda: on_bench(tmp_path, story))


def test_i8_one_request_more_than_the_bucket_holds() -> None:
    second_ns = 1_000_000_000
    limit = RateLimit(per_s=10.0, burst=15)
    within, above = Tally(), Tally()
    # fifteen at once, and then one in each tenth of a second
    rate_is_kept([*[Arrival(0)] * 15, *(Arrival(number * second_ns // 10) for number in range(1, 20))], limit, within)
    assert told(within) == []
    assert within.checks["I8"] == 34
    rate_is_kept([Arrival(0)] * 16, limit, above)
    assert told(above) == ["I8: more than 10 requests a second at 0"]


def test_i9_one_increment_more_than_the_limits(tmp_path: Path) -> None:
    limits = RiskLimits(max_position_size=Decimal(2), max_gross_exposure=Decimal(190))

    async def story(bench: Bench) -> None:
        truth = bench.truth()  # 1 BTC is held, 1 more is being bought at 90
        size, money, at = Tally(), Tally(), {"BTC-USD": Decimal(100)}
        is_within(limits, BTC, truth.orders, truth.balances, size, "now")
        is_exposed_within(limits, [BTC], at, truth.orders, truth.balances, money)
        assert (told(size), told(money)) == ([], [])
        larger = tuple(msgspec.structs.replace(made, size=made.size + Decimal("0.001")) for made in truth.orders)
        is_within(limits, BTC, larger, truth.balances, size, "now")
        is_exposed_within(limits, [BTC], at, larger, truth.balances, money)
        assert told(size) == ["I9: 2.001 BTC held or being bought, the limit is 2 (now)"]
        assert told(money) == ["I9: 190.090 exposed, the limit is 190"]

    play(lambda: on_bench(tmp_path, story))


def test_i10_a_secret_in_a_text_is_found_and_not_repeated() -> None:
    tally = Tally()
    secrets_are_kept(["all is well", "signed with s3cr3t!"], {"s3cr3t!"}, tally)
    assert told(tally) == ["I10: a secret was written: signed with [secret]"]


def test_i11_an_order_that_stays_unknown_or_vanishes(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        unknown = OrderUnknown(n=1, ts_ns=1, client_order_id="a", detail="lost")
        vanished, left, noted = Tally(), Tally(), Tally()
        unknown_ends(bench.books, [msgspec.structs.replace(unknown, client_order_id="gone")], vanished)
        assert told(vanished) == ["I11: gone was unknown, and the books do not have it any more"]
        bench.books.open["a"] = msgspec.structs.replace(bench.books.open["a"], status=OrderStatus.UNKNOWN)
        unknown_ends(bench.books, [unknown], left)
        assert told(left) == ["I11: a is still unknown, and nobody was told"]
        unknown_ends(bench.books, [unknown, Noted(n=2, ts_ns=1, name="unknown", detail="what became of a is not known")], noted)
        assert told(noted) == []

    play(lambda: on_bench(tmp_path, story))


def test_i11_an_order_that_was_told_as_rejected_and_is_there(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        request = bench.books.open["a"].request
        rejected = OrderRejected(n=9, ts_ns=1, client_order_id="a", reason=Reason.NOT_SENT, detail="lost", request=request)
        tally, truth = Tally(), bench.truth()
        rejected_are_not_there([*records(bench), rejected], truth, tally)
        assert told(tally) == ["I11: a was told as rejected, and the exchange has it"]

    play(lambda: on_bench(tmp_path, story))


def test_i12_a_gate_that_stays_closed_one_that_should_have_and_a_cancel_without_an_end(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        closed, opened, waiting = Tally(), Tally(), Tally()
        bench.guard.close_gate(Gate.CLOCK, "off")
        gates_are_open(bench.guard.gates.closed(), (), closed)
        assert told(closed) == ["I12: still closed: clock: off"]
        gates_are_open(bench.guard.gates.closed(), (Gate.CLOCK, Gate.BALANCE), opened)
        assert told(opened) == ["I12: balance: should be closed, and is open"]
        bench.books.cancelling["a"] = Reason.REQUESTED
        nothing_is_left_to_do(bench.books, waiting)
        assert told(waiting) == ["I12: cancels or amendments without an end: a"]

    play(lambda: on_bench(tmp_path, story))


def test_a_truth_without_anything_has_nothing_open() -> None:
    truth = Truth(orders=(), fills=(), balances=(Balance(currency="USD", available=Decimal(0), held=Decimal(0)),), arrivals=())
    assert truth.open_orders() == ()
    assert truth.totals() == {}
