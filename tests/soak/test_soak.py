"""An hour of the whole live platform, and nothing that must not grow has grown."""

from pathlib import Path

import pytest

from tests.soak.whole import Soak, hours, play, soaking


@pytest.mark.slow
def test_nothing_grows_but_what_is_remembered_of_each_order(tmp_path: Path) -> None:
    counted: list[dict[str, int]] = []
    orders: list[int] = []

    async def run() -> Soak:
        async with soaking(tmp_path, every=10) as soak:
            for _ in range(2):
                await hours(soak, 0.5)
                counted.append(soak.bounded())
                orders.append(soak.orders)
            return soak

    soak = play(run)
    assert orders[0] > 80, "it trades"
    assert orders[1] > orders[0] * 1.8, "in the second half as in the first"
    for name, limit in LIMITS.items():
        assert [count[name] <= limit for count in counted] == [True, True], (name, [count[name] for count in counted])
    assert counted[0].keys() == LIMITS.keys()
    assert soak.guard.gates.closed() == ()


# Of everything that is alive at one time: a position, one order that rests, one that may be under way.
LIMITS = {
    "exchange: planned calls": 60,
    "exchange: open orders": 2,
    "exchange: connections": 2,
    "guard: open orders": 2,
    "guard: orders in the desk's table": 2,
    "guard: cancels under way": 1,
    "guard: to be sent": 1,
    "guard: to be told": 0,
    "guard: in flight": 1,
    "guard: denials": 2,
    "guard: tasks": 3,
    "guard: clients": 1,
    "feed: waiting": 2,
    "trader: orders": 4,
    "trader: references": 3,
    "tasks of the loop": 30,
}
