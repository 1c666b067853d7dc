"""Market events in columns, and the hash of fills."""

import hashlib
from decimal import Decimal
from typing import Any

import numpy as np

from traider.domain.guard_protocol import MarketEvent
from traider.domain.orders import OrderFilled
from traider.domain.vocabulary import BOOK_CLEAR, EventKind, Liquidity, Side
from traider.engine.fills import FILLS, facts_of, fills_from_events, fills_sha256
from traider.engine.tape import OneRow, bars_tape, tape_of, trades_tape

TS = np.array([10, 20, 30])
COLUMNS = [np.array([n + 0.25, n + 0.5, n + 0.75]) for n in range(5)]


def test_bars_and_trades_have_their_kinds_and_columns() -> None:
    bars, trades = bars_tape(TS, *COLUMNS), trades_tape(TS, *COLUMNS[:3])
    assert (bars.kind.tolist(), trades.kind.tolist()) == ([int(EventKind.BAR)] * 3, [int(EventKind.TRADE)] * 3)
    assert (len(bars), bars.inst.tolist()) == (3, [0, 0, 0])
    assert [len(column) for column in trades.columns()] == [3, 3, 3, 3, 3, 3, 0, 0]
    assert bars.columns()[3:] == tuple(COLUMNS)
    assert bars.nbytes == 3 * (8 + 1 + 2 + 5 * 8)


def test_one_row_is_the_tape_of_its_event_and_then_of_the_next() -> None:
    numbers = {"A": 0, "B": 700}
    events = [
        MarketEvent(index=0, kind=EventKind.QUOTE, symbol="B", ts_ns=2**62, a=1.5, b=2.5, c=3.5, d=4.5, e=5.5),
        MarketEvent(index=1, kind=EventKind.DEPTH, symbol="A", ts_ns=7, a=-1e300, b=0.1, c=-1.0, flags=BOOK_CLEAR),
    ]
    for kinds in (0, 1 << EventKind.QUOTE | 1 << EventKind.DEPTH):
        row = OneRow(numbers, kinds=kinds)
        for event in events:
            tape, alike = row.of(event), tape_of([event], numbers, kinds=kinds)
            assert (tape.kinds, tape.instruments, tape.shape) == (alike.kinds, alike.instruments, alike.shape)
            for column, other in zip(tape.columns(), alike.columns(), strict=True):
                assert (column.dtype, column.tolist()) == (other.dtype, other.tolist())
                assert column.flags.aligned
                assert column.flags.c_contiguous


def test_the_head_is_a_view() -> None:
    tape = bars_tape(TS, *COLUMNS)
    head = tape.head(2)
    assert (len(head), head.a.tolist(), head.e.tolist()) == (2, COLUMNS[0][:2].tolist(), COLUMNS[4][:2].tolist())
    assert np.shares_memory(head.a, tape.a)
    assert len(trades_tape(TS, *COLUMNS[:3]).head(1).columns()[7]) == 0


def test_live_events_become_the_same_columns() -> None:
    values: list[Any] = [dict(zip("abcde", row, strict=True)) for row in np.array(COLUMNS).T.tolist()]
    events = [MarketEvent(index=n, kind=EventKind.BAR, symbol="B", ts_ns=int(TS[n]), **values[n]) for n in range(3)]
    tape, bars = tape_of(events, {"A": 0, "B": 1}), bars_tape(TS, *COLUMNS)
    assert tape.inst.tolist() == [1, 1, 1]
    assert [column.tolist() for column in (tape.ts_ns, tape.kind, *tape.columns()[3:])] == [
        column.tolist() for column in (bars.ts_ns, bars.kind, *bars.columns()[3:])
    ]
    assert [column.dtype for column in tape.columns()] == [column.dtype for column in bars.columns()]


def filled(price: str, fee: str = "0.1") -> OrderFilled:
    return OrderFilled(
        n=1,
        ts_ns=5,
        client_order_id="a",
        trade_id="t",
        symbol="B",
        side=Side.SELL,
        price=Decimal(price),
        size=Decimal("0.3"),
        fee=Decimal(fee),
        liquidity=Liquidity.MAKER,
    )


def test_fill_events_become_the_records_that_the_hash_is_of() -> None:
    fills = fills_from_events([filled("100.1")], {"A": 0, "B": 1})
    assert fills.dtype == FILLS
    assert facts_of(fills).tolist() == [(5, 1, -1, 1, 100.1, 0.3, 0.1)]
    assert len(fills_from_events([], {})) == 0


def test_the_hash_is_of_what_a_fill_is_and_not_of_why() -> None:
    fills = fills_from_events([filled("100.1")], {"B": 0})
    explained = fills.copy()
    explained["rule"], explained["decided_ns"], explained["queue"] = 9, 4, 1.25
    assert fills_sha256(explained) == fills_sha256(fills)
    record = np.array([(5, 0, -1, 1, 100.1, 0.3, 0.1)], "<i8,<i8,<i8,<i8,<f8,<f8,<f8")
    assert fills_sha256(fills) == hashlib.sha256(b"traider-fills-1" + record.tobytes()).hexdigest()


def test_the_hash_tells_the_last_bit() -> None:
    numbers = {"B": 0}
    one = fills_sha256(fills_from_events([filled("100.1")], numbers))
    assert one == fills_sha256(fills_from_events([filled("100.10")], numbers))
    almost = repr(float(np.nextafter(100.1, 200)))
    assert one != fills_sha256(fills_from_events([filled(almost)], numbers))
    assert one != fills_sha256(fills_from_events([filled("100.1"), filled("100.1")], numbers))
    assert fills_sha256(np.zeros(0, FILLS)) != one
    longer = fills_from_events([filled("1"), filled("2"), filled("3")], numbers)
    assert fills_sha256(longer[::2]) == fills_sha256(longer[::2].copy())
