"""What the guard does with what it is asked."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.guard.support import BTC, ETH, MINUTE_NS, OBSERVER, START_NS, TRADER, Bench, order
from traider.domain.guard_protocol import (
    PROTOCOL_VERSION,
    Cancel,
    Feed,
    GetHistory,
    GetSnapshot,
    History,
    MarketEvent,
    Open,
    SetKillSwitch,
    Snapshot,
    Submit,
)
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected, OrderSubmitted
from traider.domain.vocabulary import EventKind, Liquidity, Reason, Side
from traider.guard.journal import verify
from traider.kernel.simulation import FillMode


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, fee=0.001)


def names(events: object) -> list[str]:
    assert isinstance(events, list | tuple)
    return [type(event).__name__.removeprefix("Order").lower() for event in events]


def test_a_market_order_is_submitted_accepted_and_filled_at_the_next_open(bench: Bench) -> None:
    bench.feed(100.0)
    submitted, accepted = bench.submit(order("a", "2")).events
    assert isinstance(submitted, OrderSubmitted)
    assert isinstance(accepted, OrderAccepted)
    assert submitted.request == order("a", "2")
    assert submitted.ts_ns == accepted.ts_ns == START_NS + MINUTE_NS
    (fill,) = bench.feed_bars((101.0, 103.0, 99.0, 102.0)).events
    assert fill == OrderFilled(
        n=accepted.n + 1,
        ts_ns=START_NS + 2 * MINUTE_NS,
        client_order_id="a",
        trade_id="a-1",
        symbol="BTC-USD",
        side=Side.BUY,
        price=Decimal("101.0"),
        size=Decimal("2.0"),
        fee=Decimal(repr(101.0 * 2.0 * 0.001)),
        liquidity=Liquidity.TAKER,
        strategy="tests",
    )
    account = bench.snapshot().account
    assert account.cash == Decimal(repr(10_000.0 - (101.0 * 2.0 + 101.0 * 2.0 * 0.001)))
    (position,) = account.positions
    assert [position.size, position.average_price, position.mark_price] == [Decimal(2), Decimal(101), Decimal(102)]
    assert [position.notional, position.unrealized_pnl] == [Decimal(204), Decimal(2)]
    assert account.equity == Decimal(repr(float(account.cash) + 204.0))


def test_everything_told_was_in_the_journal_before_with_growing_numbers(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(order("a"), order("b", "1", limit="90"), order("c", "0.0001"))
    bench.feed(100.0)
    bench.cancel("b")
    written = {entry.n: entry.record for entry in bench.journal.read()}
    assert names(bench.told) == ["submitted", "submitted", "rejected", "accepted", "accepted", "filled", "cancelled"]
    assert [written[event.n] for event in bench.told] == bench.told
    assert [event.n for event in bench.told] == sorted({event.n for event in bench.told})
    bench.die()
    assert verify(bench.path).entries == len(written)


def test_the_intent_is_durable_before_the_venue_has_the_order(bench: Bench) -> None:
    bench.feed(100.0)
    first = bench.journal.n
    bench.submit(order("a"), order("b"))
    batches: list[list[str]] = [[]]
    for entry in bench.journal.read(first + 1):
        batches[-1].append(type(entry.record).__name__)
        if entry.left == 0:
            batches.append([])
    assert batches == [["Checkpoint", "OrderSubmitted", "OrderSubmitted"], ["OrderAccepted", "OrderAccepted"], []]


def test_a_known_client_order_id_is_never_placed_again_and_its_outcome_is_repeated(bench: Bench) -> None:
    bench.feed(100.0)
    first = bench.submit(order("a"), order("big", "1000"))
    bench.feed(100.0)
    n = bench.journal.n
    again = bench.submit(order("a"), order("big", "1000"))
    assert again.events == ()
    assert names(again.repeats) == ["submitted", "accepted", "filled", "rejected"]
    assert {event.n for event in first.events} <= {event.n for event in again.repeats}
    assert bench.journal.n == n
    bench.feed(100.0)
    assert bench.snapshot().account.positions[0].size == 1


def test_known_and_new_orders_in_one_request(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(order("a"))
    effects = bench.submit(order("a"), order("b"))
    assert names(effects.repeats) == ["submitted", "accepted"]
    assert [(type(event).__name__, event.client_order_id) for event in effects.events] == [("OrderSubmitted", "b"), ("OrderAccepted", "b")]


def test_a_client_order_id_belongs_to_one_order_for_ever(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(order("a"))
    for requests in ((order("b"), order("a", "2")), (order("c"), order("c")), (order(""),)):
        message = bench.refused(Submit(seq=1, orders=requests))
        assert "client order id" in message
    assert "b" not in bench.books.lines


def test_cancelling_one_several_and_all(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(*(order(name, limit="90") for name in "abcd"))
    assert [event.client_order_id for event in bench.cancel("b").events] == ["b"]
    effects = bench.cancel("b", "nobody", "c")
    assert [event.client_order_id for event in effects.events] == ["c"]
    assert names(effects.repeats) == ["submitted", "accepted", "cancelled"]
    everything = bench.cancel()
    assert [event.client_order_id for event in everything.events] == ["a", "d"]
    assert all(isinstance(event, OrderCancelled) and event.reason is Reason.REQUESTED for event in everything.events)
    assert bench.cancel().events == ()
    assert bench.snapshot().open_orders == ()


def test_partial_fills_of_a_resting_order_have_ids_of_their_own(bench: Bench) -> None:
    bench.trade(100.0, 1.0)
    bench.submit(order("a", "3", limit="99"))
    bench.trade(100.0, 5.0)
    fills = [*bench.trade(98.5, 1.0).events, *bench.trade(98.0, 1.5).events]
    assert [(fill.trade_id, fill.size, fill.price, fill.liquidity) for fill in fills if isinstance(fill, OrderFilled)] == [
        ("a-1", Decimal(1), Decimal(99), Liquidity.MAKER),
        ("a-2", Decimal("1.5"), Decimal(99), Liquidity.MAKER),
    ]
    (left,) = bench.snapshot().open_orders
    assert (left.request.client_order_id, left.filled_size) == ("a", Decimal("2.5"))
    (last,) = bench.trade(98.0, 9.0).events
    assert isinstance(last, OrderFilled)
    assert (last.trade_id, last.size) == ("a-3", Decimal("0.5"))
    assert bench.snapshot().open_orders == ()


def test_an_order_that_the_venue_ends_is_told_with_its_reason(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(order("ioc", limit="90", ioc=True), order("post", limit="110", post_only=True))
    events = bench.feed(100.0).events
    assert {event.client_order_id: event.reason for event in events if isinstance(event, OrderCancelled)} == {
        "ioc": Reason.IOC_UNFILLED,
        "post": Reason.POST_ONLY,
    }


def test_market_events_that_were_matched_before_are_passed_over(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(order("a"))
    event = MarketEvent(index=1, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=START_NS + 2 * MINUTE_NS, a=101.0, b=101.0, c=101.0, d=101.0)
    assert names(bench.ask(Feed(seq=1, events=(event,))).events) == ["filled"]
    bench.submit(order("b"))
    again = bench.ask(Feed(seq=2, events=(event,)))
    assert (again.events, again.changed) == ([], False)
    assert bench.snapshot().last_index == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"index": 3}, "market event 3 does not follow event 0"),
        ({"symbol": "DOGE-USD"}, "DOGE-USD is not traded here"),
        ({"ts_ns": START_NS}, "older than the one before"),
        ({"d": float("nan")}, "not finite"),
    ],
)
def test_market_events_that_can_not_be_are_refused_as_a_whole(bench: Bench, changes: dict[str, object], problem: str) -> None:
    bench.feed(100.0)
    good = MarketEvent(index=1, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=START_NS + 2 * MINUTE_NS, a=100.0, b=100.0, c=100.0, d=100.0)
    bad = msgspec.structs.replace(good, **({"index": 2} | changes))
    events = (bad,) if "index" in changes else (good, bad)
    assert problem in bench.refused(Feed(seq=1, events=events))
    assert bench.snapshot().last_index == 0


def test_who_may_do_what(bench: Bench) -> None:
    stranger = 9
    assert "say open first" in bench.refused(GetSnapshot(seq=1), stranger)
    for ask in (Feed(seq=1, events=()), Submit(seq=2, orders=()), Cancel(seq=3, client_order_ids=())):
        assert "an observer may not trade" in bench.refused(ask, OBSERVER)
    second = Open(seq=4, version=PROTOCOL_VERSION, role="trader", client="second", session="test")
    assert "trader is trading already" in bench.refused(second, stranger)
    bench.guard.disconnect(TRADER)
    bench.done(second, stranger)
    assert "version" in bench.refused(msgspec.structs.replace(second, version=PROTOCOL_VERSION + 1), 10)
    assert "open once" in bench.refused(msgspec.structs.replace(second, role="admin"), 10)
    assert "open once" in bench.refused(second, stranger)


def test_the_kill_switch_cancels_refuses_and_needs_a_reason_to_go_off(bench: Bench) -> None:
    bench.feed(100.0)
    bench.submit(order("a", limit="90"), order("b", limit="91"))
    effects = bench.kill(True, "test of the switch")
    assert [(event.client_order_id, event.reason) for event in effects.events if isinstance(event, OrderCancelled)] == [
        ("a", Reason.KILL_SWITCH),
        ("b", Reason.KILL_SWITCH),
    ]
    assert effects.urgent
    reason, detail = bench.refusal(order("c"))
    assert reason is Reason.KILL_SWITCH
    assert "set by owner: test of the switch" in detail
    assert "needs a reason" in bench.refused(SetKillSwitch(seq=1, on=False, reason="  ", by="admin"), OBSERVER)
    n = bench.journal.n
    bench.kill(True, "again")
    assert (bench.journal.n, bench.snapshot().risk.kill_reason) == (n, "test of the switch")
    bench.clock.ns += 5
    bench.kill(False, "all well", "admin")
    risk = bench.snapshot().risk
    assert (risk.kill_switch, risk.kill_reason, risk.kill_by, risk.kill_ts_ns) == (False, "all well", "admin", bench.clock.ns)
    assert bench.refusal(order("d"))[0] is Reason.NONE


@pytest.mark.parametrize(
    ("limits", "price", "words"),
    [
        (RiskLimits(max_daily_loss=Decimal(100)), 90.0, "the day's loss of 100 USD has reached MAX_DAILY_LOSS 100 USD"),
        (RiskLimits(max_drawdown=Decimal("0.01")), 90.0, "1.00 % below its peak of 10000 USD: MAX_DRAWDOWN 1 % is reached"),
    ],
)
def test_a_breach_trips_the_kill_switch_by_itself_and_once(tmp_path: Path, limits: RiskLimits, price: float, words: str) -> None:
    bench = Bench(tmp_path, limits=limits)
    bench.feed(100.0)
    bench.submit(order("a", "10"))
    bench.feed(100.0)
    bench.submit(order("resting", limit="50"))
    assert not bench.feed(price + 0.01).urgent
    effects = bench.feed(price)
    assert effects.urgent
    assert names(effects.events) == ["cancelled"]
    risk = bench.snapshot().risk
    assert (risk.kill_switch, risk.kill_by) == (True, "guard")
    assert words.replace("1.00 %", "1 %") in risk.kill_reason
    bench.kill(False, "we know, and want to sell by hand", "admin")
    bench.feed(price - 1)
    assert bench.snapshot().risk.kill_switch is False
    reason, detail = bench.refusal(order("more"))
    assert reason in (Reason.DAILY_LOSS, Reason.DRAWDOWN)
    assert "only orders that reduce a position may go" in detail
    assert bench.refusal(order("less", "1", Side.SELL))[0] is Reason.NONE
    bench.feed(100.0)
    bench.feed(price - 5)
    assert bench.snapshot().risk.kill_switch is True


def test_another_session_cancels_what_is_open_and_counts_from_zero(bench: Bench) -> None:
    bench.feed(100.0, 101.0)
    bench.submit(order("a"), order("b", limit="90"))
    bench.feed(102.0)
    before = bench.snapshot()
    bench.guard.disconnect(TRADER)
    bench.session = "another"
    effects = bench.done(Open(seq=1, version=PROTOCOL_VERSION, role="trader", client="t", session="another"))
    assert names(effects.events) == ["cancelled"]
    after = bench.snapshot()
    assert (before.last_index, after.last_index) == (2, -1)
    assert before.session_id != after.session_id
    assert after.account.cash == before.account.cash
    early = MarketEvent(index=0, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=10**18, a=50.0, b=50.0, c=50.0, d=50.0)
    bench.done(Feed(seq=2, events=(early,)))
    assert bench.snapshot().account.ts_ns == 10**18
    assert bench.snapshot().account.daily_pnl == 50 - 102


def test_history_tells_the_sessions_events_and_where_they_stood(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traider.guard.base.HISTORY_LINES", 4)
    bench.feed(100.0)
    bench.submit(order("old"))
    bench.guard.disconnect(TRADER)
    bench.done(Open(seq=1, version=PROTOCOL_VERSION, role="trader", client="t", session="another"))
    start = len(bench.told)
    bench.feed(100.0)
    bench.submit(order("a"), order("b", limit="90"))
    bench.feed(100.0, 100.0)
    bench.cancel("b")
    seen: list[tuple[int, bool, object]] = []
    after, complete = 0, False
    while not complete:
        reply = bench.ask(GetHistory(seq=1, after_n=after)).reply
        assert isinstance(reply, History)
        assert len(reply.events) <= 4
        seen += [(past.index, past.matched, past.event) for past in reply.events]
        after, complete = reply.next_n, reply.complete
    assert [event for _, _, event in seen] == bench.told[start:]
    assert [(index, matched) for index, matched, _ in seen] == [(0, False)] * 4 + [(1, True), (2, False)]


def test_a_snapshot_is_a_reply_to_its_asker(bench: Bench) -> None:
    reply = bench.ask(GetSnapshot(seq=77), OBSERVER).reply
    assert isinstance(reply, Snapshot)
    assert (reply.seq, reply.instruments, reply.last_index, reply.journal_n) == (77, (BTC,), -1, bench.journal.n)


def test_two_instruments_share_the_cash_and_have_a_position_each(tmp_path: Path) -> None:
    bench = Bench(tmp_path, instruments=(BTC, ETH))
    bench.feed(100.0)
    bench.feed(10.0, symbol="ETH-USD")
    bench.submit(order("a", "1"), order("b", "5", symbol="ETH-USD"))
    bench.feed(100.0)
    bench.feed(11.0, symbol="ETH-USD")
    account = bench.snapshot().account
    assert {position.symbol: position.size for position in account.positions} == {"BTC-USD": 1, "ETH-USD": 5}
    assert account.cash == Decimal(repr(10_000.0 - 100.0 - 55.0))


def test_fill_at_the_same_price_answers_with_the_fill_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, fill=FillMode.SAME)
    bench.feed(100.0)
    assert names(bench.submit(order("a")).events) == ["submitted", "accepted", "filled"]


def test_a_rejection_carries_the_request_that_was_refused(bench: Bench) -> None:
    (event,) = bench.submit(order("early")).events
    assert isinstance(event, OrderRejected)
    assert (event.reason, event.request) == (Reason.NO_MARKET_DATA, order("early"))
