"""The gates alone: which orders pass which closed gate, and that what closed one opens it."""

import pytest

from traider.guard.gates import REDUCING_PASSES, Cause, Change, Gates


def test_with_every_gate_open_every_order_passes() -> None:
    gates = Gates()
    assert gates.refusal("BTC-USD", reduces=lambda: False) is None
    assert gates.refusal("BTC-USD", reduces=lambda: True) is None
    assert gates.closed() == ()


@pytest.mark.parametrize("cause", list(Cause))
def test_a_closed_gate_refuses_orders_that_increase(cause: Cause) -> None:
    gates = Gates()
    gates.close(cause, "why", 1)
    refusal = gates.refusal("BTC-USD", reduces=lambda: False)
    assert refusal is not None
    assert refusal.cause is cause
    assert refusal.text() == f"{cause}: why"


def test_orders_that_reduce_pass_where_the_account_is_known() -> None:
    passing = set()
    for cause in Cause:
        gates = Gates()
        gates.close(cause, "why", 1)
        if gates.refusal("BTC-USD", reduces=lambda: True) is None:
            passing.add(cause)
    assert passing == {Cause.STREAM, Cause.CLOCK, Cause.MARKET_DATA} == REDUCING_PASSES


def test_a_gate_of_one_market_concerns_no_other() -> None:
    gates = Gates()
    gates.close(Cause.MARKET_DATA, "a gap", 1, "BTC-USD")
    assert gates.refusal("BTC-USD", reduces=lambda: False) is not None
    assert gates.refusal("ETH-USD", reduces=lambda: False) is None
    gates.open(Cause.MARKET_DATA)
    assert gates.refusal("BTC-USD", reduces=lambda: False) is not None, "the gate for every market is another one"
    gates.open(Cause.MARKET_DATA, "BTC-USD")
    assert gates.refusal("BTC-USD", reduces=lambda: False) is None


def test_closing_and_opening_are_told_once() -> None:
    gates = Gates()
    assert gates.close(Cause.CLOCK, "6 s off", 1) == Change(True, Cause.CLOCK, "", "6 s off")
    assert gates.close(Cause.CLOCK, "7 s off", 2) is None
    (closed,) = gates.closed()
    assert (closed.detail, closed.since_ns) == ("7 s off", 1), "the newest detail, the oldest time"
    assert gates.open(Cause.CLOCK) == Change(False, Cause.CLOCK, "", "7 s off")
    assert gates.open(Cause.CLOCK) is None


def test_one_cause_does_not_open_what_another_has_closed() -> None:
    gates = Gates()
    gates.close(Cause.STREAM, "lost", 1)
    gates.close(Cause.RECONCILIATION, "not asked since", 2)
    gates.open(Cause.STREAM)
    refusal = gates.refusal("BTC-USD", reduces=lambda: True)
    assert refusal is not None
    assert refusal.cause is Cause.RECONCILIATION
    gates.open(Cause.RECONCILIATION)
    assert gates.refusal("BTC-USD", reduces=lambda: False) is None


def test_an_order_that_reduces_is_held_by_the_gate_that_holds_it_whatever_else_is_closed() -> None:
    gates = Gates()
    gates.close(Cause.STREAM, "lost", 1)
    gates.close(Cause.BALANCE, "0.1 BTC too few", 2)
    refusal = gates.refusal("BTC-USD", reduces=lambda: True)
    assert refusal is not None
    assert refusal.cause is Cause.BALANCE


def test_every_gate_says_what_opens_it() -> None:
    for cause in Cause:
        gates = Gates()
        gates.close(cause, "why", 7, "BTC-USD")
        (state,) = (gate.state() for gate in gates.closed())
        assert (state.gate, state.symbol, state.detail, state.since_ns) == (str(cause), "BTC-USD", "why", 7)
        assert state.opens.startswith(("by itself, ", "by a person: ", "at the guard's next start, "))
