"""What does the guard add to an order: check, durable journal, answer?"""

import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from traider.domain.guard_protocol import PROTOCOL_VERSION, Cancel, Done, Feed, MarketEvent, Open, Submit
from traider.domain.instruments import instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderAccepted, OrderCancelled, OrderRequest
from traider.domain.venue import Balance
from traider.domain.vocabulary import EventKind, OrderType, Reason, Side, TimeInForce
from traider.guard.approval import Guard
from traider.guard.base import Effects
from traider.guard.batch import Batch
from traider.guard.books import GuardConfig, rehearse
from traider.guard.journal import Draft, Journal
from traider.guard.live.books import rehearse_live
from traider.guard.live.core import LiveGuard
from traider.guard.live.view import View
from traider.guard.records import Cause
from traider.runtime.clock import SystemClock

from .asked import Asked
from .measure import WORK, answer, case, cases_in_turns, warm_up
from .page import Row, Table

ORDERS = 1000
GROUP = 50
LIMITS = RiskLimits(  # every one is asked, none refuses
    allowed_markets=("BTC-USD",),
    max_order_notional=Decimal(10_000_000),
    max_open_orders=60,
    max_position_size=Decimal(10),
    max_daily_loss=Decimal(9_000_000),
    max_drawdown=Decimal("0.9"),
    max_orders_per_minute=1000,
)
TRADER = 1
START_NS = 1_750_000_000_000_000_000
BTC = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.001"))


def _request(number: int) -> OrderRequest:
    return OrderRequest(
        client_order_id=f"benchmark-{number}",
        symbol=BTC.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        size=Decimal("0.001"),
        limit_price=Decimal("25000.00"),
        stop_price=None,
        time_in_force=TimeInForce.GTC,
        post_only=False,
        strategy="benchmark",
    )


def _guard(folder: Path) -> Guard:
    clock = SystemClock()
    config = GuardConfig(instruments=(BTC,), limits=LIMITS, cash=1e7, maker_fee=0.001, taker_fee=0.001)
    rehearse(config)  # as the guard's process does at its start, so that no order waits for code to be loaded
    guard = Guard(Journal.open(folder / "journal.jsonl", clock=clock), config, clock)
    guard.start()
    guard.handle(Open(seq=0, version=PROTOCOL_VERSION, role="trader", client="benchmark", session="benchmark"), TRADER)
    _tick(guard)
    return guard


def _tick(guard: Guard | LiveGuard) -> None:
    index = guard.books.index + 1
    price = 30_000.0 + index % 7
    event = MarketEvent(
        index=index, symbol=BTC.symbol, kind=EventKind.TRADE, ts_ns=START_NS + index * 10**9, a=price, b=1.0, c=1.0, d=0.0, e=0.0
    )
    reply = guard.handle(Feed(seq=index, events=(event,)), TRADER).reply
    if not isinstance(reply, Done):
        raise RuntimeError(f"the guard refused the market: {reply}")


def _submit(batch: int) -> dict[str, Any]:
    """Median microseconds an order, ``batch`` of them at a time; each batch is cancelled and a second passes before the next."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        guard = _guard(Path(folder))
        took: list[float] = []
        for first in range(0, ORDERS, batch):
            ask = Submit(seq=first, orders=tuple(_request(number) for number in range(first, first + batch)))
            started = time.perf_counter()
            effects = guard.handle(ask, TRADER)
            took.append((time.perf_counter() - started) / batch * 1e6)
            if _accepted(effects) != batch:
                raise RuntimeError(f"the guard refused an order: {effects}")
            guard.handle(Cancel(seq=first, client_order_ids=()), TRADER)
            for _ in range(batch):
                _tick(guard)
        guard.journal.close()
        return {"us": statistics.median(took)}


def _check() -> dict[str, Any]:
    """The risk check alone, called from Python."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        guard = _guard(Path(folder))
        desk = guard.books.desk
        took: list[float] = []
        for _ in range(ORDERS):
            started = time.perf_counter()
            desk.check(inst=0, side=1, type=1, tif=0, post_only=False, size=0.001, limit_price=25000.0, stop_price=0.0)
            took.append((time.perf_counter() - started) * 1e6)
        guard.journal.close()
        return {"us": statistics.median(took)}


def _feed() -> dict[str, Any]:
    """A market event with nothing open."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        guard = _guard(Path(folder))
        took: list[float] = []
        for _ in range(ORDERS):
            started = time.perf_counter()
            _tick(guard)
            took.append((time.perf_counter() - started) * 1e6)
        guard.journal.close()
        return {"us": statistics.median(took)}


def _disk() -> dict[str, Any]:
    """The disk alone: two lines of a journal's length appended and made durable, one after the other."""
    import os

    with tempfile.TemporaryFile(dir=WORK, buffering=0) as file:
        took: list[float] = []
        for _ in range(ORDERS):
            started = time.perf_counter()
            for _ in range(2):
                file.write(b"x" * 500)
                os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1e6)
        return {"us": statistics.median(took)}


def _sustained(guard: Guard | LiveGuard, orders: Callable[[Submit], int], clear: Callable[[], None]) -> dict[str, Any]:
    """Orders by the fifty, one batch after the other; beside each batch the same lines into a journal alone, in the same groups.

    ``orders`` has the guard take a batch to the end and gives how many were accepted; after ``clear`` none is open any more.
    """
    folder = guard.journal.path.parent
    alone = Journal.open(folder / "alone.jsonl", clock=SystemClock())
    guard_s = alone_s = 0.0
    for first in range(0, ORDERS, GROUP):
        before = guard.journal.n
        ask = Submit(seq=first, orders=tuple(_request(number) for number in range(first, first + GROUP)))
        started = time.perf_counter()
        accepted = orders(ask)
        guard_s += time.perf_counter() - started
        if accepted != GROUP:
            raise RuntimeError(f"the guard refused {GROUP - accepted} orders")
        lines = list(guard.journal.read(before + 1))
        for group in (lines[:-GROUP], lines[-GROUP:]):  # the intents, and what became of them
            drafts = [
                Draft(line.index, line.cause, msgspec.structs.replace(line.record, n=alone.n + 1 + place))
                for place, line in enumerate(group)
            ]
            started = time.perf_counter()
            alone.append(drafts)
            alone_s += time.perf_counter() - started
        clear()
    guard.journal.close()
    alone.close()
    return {"us": guard_s / ORDERS * 1e6, "journal_us": alone_s / ORDERS * 1e6}


def _sustained_on_paper() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        guard = _guard(Path(folder))

        def clear() -> None:
            guard.handle(Cancel(seq=0, client_order_ids=()), TRADER)
            for _ in range(GROUP):
                _tick(guard)

        return _sustained(guard, lambda ask: _accepted(guard.handle(ask, TRADER)), clear)


def _sustained_live() -> dict[str, Any]:
    """An exchange that takes every order the moment that it is sent."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        guard = _live_guard(Path(folder))

        def orders(ask: Submit) -> int:
            guard.handle(ask, TRADER)
            answers = {identifier: f"venue-{identifier}" for identifier in guard.outgoing}
            guard.outgoing.clear()
            return _accepted(guard.accepted(answers))

        def clear() -> None:
            batch = Batch(guard.journal, guard.books, Cause.VENUE)
            for identifier in guard.books.open:
                batch.add(OrderCancelled(n=batch.n, ts_ns=guard.books.now_ns, client_order_id=identifier, reason=Reason.REQUESTED))
            batch.commit()
            _tick(guard)

        return _sustained(guard, orders, clear)


def _live_guard(folder: Path) -> LiveGuard:
    clock = SystemClock()
    config = GuardConfig(instruments=(BTC,), limits=LIMITS, maker_fee=0.001, taker_fee=0.001)
    rehearse(config)
    rehearse_live(config)
    guard = LiveGuard(Journal.open(folder / "journal.jsonl", clock=clock), config, clock)
    guard.start()
    guard.handle(Open(seq=0, version=PROTOCOL_VERSION, role="trader", client="benchmark", session="benchmark"), TRADER)
    guard.stream_is_live()
    held = Balance(currency="USD", available=Decimal(10_000_000), held=Decimal(0))
    guard.reconciled(View(clock.now_ns(), (), {}, (), {}, (held,)))
    _tick(guard)
    if not guard.gates.are_open():
        raise RuntimeError(f"a gate is closed: {guard.gates.closed()}")
    return guard


def _accepted(effects: Effects) -> int:
    return sum(isinstance(event, OrderAccepted) for event in effects.events)


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "disk": _disk,
    "check": _check,
    "feed": _feed,
    "one": lambda: _submit(1),
    "ten": lambda: _submit(10),
    "sustained": _sustained_on_paper,
    "sustained_live": _sustained_live,
}


def _per_second(runs: list[dict[str, Any]], figure: str) -> str:
    return f"{1e6 / statistics.median(run[figure] for run in runs):,.0f}"


def _alone(name: str, runs: list[dict[str, Any]]) -> Row:
    return Row(name, 1.0, [run["journal_us"] for run in runs], extra=(_per_second(runs, "journal_us"),))


def _beside(name: str, runs: list[dict[str, Any]]) -> Row:
    ratio = statistics.median(run["us"] / run["journal_us"] for run in runs)
    return Row(name, ratio, [run["us"] for run in runs], goal=2.0, extra=(_per_second(runs, "us"),))


def measure(asked: Asked) -> list[Table]:
    """Microseconds an order."""
    warm_up()
    figures, _ = cases_in_turns("guard_orders", [name for name in CASES if not name.startswith("sustained")], "us", asked.rounds)
    sustained, live = ([case("guard_orders", name) for _ in range(asked.rounds)] for name in ("sustained", "sustained_live"))
    return [
        Table(
            title="An order through the guard",
            question=__doc__ or "",
            text=(
                f"{ORDERS:,} limit orders into the guard's own `handle`, no sockets: the order is checked, journalled as submitted, made "
                "durable, given to the paper venue, journalled as accepted, made durable, and answered. Every limit set; the journal is "
                "on this machine's disk. The median of each run counts."
            ),
            unit="us",
            rows=[
                Row("the disk alone: two appended lines, each made durable", None, figures["disk"]),
                Row("the risk check alone, called from Python", None, figures["check"]),
                Row("a market event, nothing open", None, figures["feed"]),
                Row("**an order, one at a time**", None, figures["one"]),
                Row("an order, ten at a time", None, figures["ten"]),
            ],
        ),
        Table(
            title="Orders a second through the guard",
            question="How many orders a second does the guard sustain with its journal on, beside the journal's own limit?",
            text=(
                f"{ORDERS:,} limit orders, {GROUP} at a time, one batch after the other; after each batch the same lines are appended to a "
                "second journal on the same disk, in the same groups: a write and a sync for the intents, another for the answers. A ratio "
                "of 2 is half of the journal's own limit. The live guard's exchange takes each order the moment that it is sent, and the "
                "answers to a batch come at once; the journal alone stands beside it with its own lines."
            ),
            unit="us an order",
            ratio_of="the journal",
            columns=("orders/s",),
            rows=[
                _alone("the journal alone", sustained),
                _beside("**the guard**", sustained),
                _alone("the journal alone, the live guard's lines", live),
                _beside("**the live guard**", live),
            ],
        ),
    ]


if __name__ == "__main__":
    answer(measure)
