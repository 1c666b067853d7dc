import time

from traider.runtime.clock import SystemClock


def test_it_tells_the_time_in_nanoseconds() -> None:
    before = time.time_ns()
    now = SystemClock().now_ns()
    assert before <= now <= time.time_ns()
