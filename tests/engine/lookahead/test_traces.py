"""Where two runs first asked for something else; and where a cut goes."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from traider.engine.lookahead.cuts import cut_rows
from traider.engine.lookahead.traces import Request, Stop, Trace, first_difference, same
from traider.engine.lookahead.watch import Log

BUY = ("buy", 1.0)
SELL = ("sell", 1.0)


def trace(*asked: tuple[int, tuple[str, float]], stop: Stop | None = None, line: int = 1) -> Trace:
    log = Log()
    for ts_ns, (method, size) in asked:
        log.event(ts_ns)
        log.ask(method, (size,), f"mine.py:{line}")
    return log.trace(stop)


def test_the_same_requests_are_no_difference_whatever_came_first_in_the_table() -> None:
    one = trace((1, BUY), (2, SELL), (3, BUY))
    assert same(one, trace((1, BUY), (2, SELL), (3, BUY), line=7)) is None


def test_another_size_is_a_difference_down_to_the_last_bit() -> None:
    difference = same(trace((1, BUY), (5, ("buy", 0.1 + 0.2))), trace((1, BUY), (5, ("buy", 0.3))))
    assert difference is not None
    assert difference.ts_ns == 5
    assert (str(difference.recorded), str(difference.changed)) == ("ctx.buy(0.30000000000000004)", "ctx.buy(0.3)")
    assert difference.place == "mine.py:1"


def test_a_number_of_numpy_is_the_number() -> None:
    assert same(trace((1, ("buy", 0.5))), trace((1, ("buy", np.float64(0.5))))) is None


def test_what_is_asked_for_in_one_run_only_is_told_at_the_earlier_event() -> None:
    recorded, changed = trace((1, BUY), (7, SELL)), trace((1, BUY), (4, BUY), (7, SELL))
    difference = same(recorded, changed)
    assert difference is not None
    assert (difference.ts_ns, difference.recorded, difference.changed) == (4, None, Request("buy", ("1.0",), "mine.py:1"))


def test_a_run_that_asks_no_more_differs_at_the_next_request() -> None:
    difference = same(trace((1, BUY), (7, SELL)), trace((1, BUY)))
    assert difference is not None
    assert (difference.ts_ns, difference.changed) == (7, None)


def test_from_the_cut_on_nothing_is_compared() -> None:
    recorded, changed = trace((1, BUY), (7, SELL)), trace((1, BUY), (7, BUY))
    assert first_difference(recorded, changed, 7) is None
    assert first_difference(recorded, changed, 8) is not None


def test_a_handler_that_fails_before_the_cut_is_a_difference_and_setup_without_decisions_is_none() -> None:
    failed = Stop(during="run", why="IndexError", ts_ns=5)
    difference = first_difference(trace((1, BUY)), trace((1, BUY), stop=failed), 6)
    assert difference is not None
    assert (difference.ts_ns, difference.stop) == (5, failed)
    assert first_difference(trace((1, BUY)), trace((1, BUY), stop=failed), 5) is None
    assert first_difference(trace((9, BUY)), trace(stop=Stop(during="setup", why="too few rows")), 6) is None


ASKED = st.tuples(st.integers(0, 9), st.sampled_from([BUY, SELL]))
REQUESTS = st.lists(ASKED, max_size=12).map(lambda asked: sorted(asked, key=lambda one: one[0]))
TIMES = st.lists(st.integers(0, 40), max_size=60).map(sorted)


@given(REQUESTS, REQUESTS)
def test_it_is_what_a_plain_comparison_finds(
    one: Sequence[tuple[int, tuple[str, float]]], other: Sequence[tuple[int, tuple[str, float]]]
) -> None:
    difference = same(trace(*one), trace(*other))
    at = next((i for i in range(min(len(one), len(other))) if one[i] != other[i]), min(len(one), len(other)))
    if list(one) == list(other):
        assert difference is None
    else:
        assert difference is not None
        assert difference.ts_ns == min(some[at][0] for some in (one, other) if at < len(some))


@given(TIMES.filter(bool), TIMES, st.integers(1, 9))
def test_a_cut_is_where_time_moves_on(times: list[int], decided: list[int], count: int) -> None:
    rows = cut_rows(np.array(times, np.int64), np.array(decided, np.int64), count)
    assert len(rows) <= count
    assert rows == sorted(set(rows))
    assert all(0 < row < len(times) and times[row] > times[row - 1] for row in rows)


def test_a_cut_comes_right_after_a_decision() -> None:
    times = np.arange(100, dtype=np.int64)
    assert cut_rows(times, np.array([3, 40, 71], np.int64), 3) == [41, 72, 76]
    assert cut_rows(times, np.array([], np.int64), 3) == [26, 51, 76]
