from tests.api.conftest import ManualClock
from traider.api import throttle
from traider.api.throttle import Throttle, network_of


def test_after_so_many_attempts_the_oldest_must_be_long_enough_ago(clock: ManualClock) -> None:
    made = Throttle(clock, limit=2, window_s=60)
    made.begin("a")
    clock.advance(20)
    assert made.wait_s("a") == 0
    made.begin("a")
    assert made.wait_s("a") == 40
    assert made.wait_s("b") == 0
    clock.advance(40)
    assert made.wait_s("a") == 0
    made.begin("a")
    assert made.wait_s("a") == 20


def test_a_success_takes_back_its_own_attempt_only(clock: ManualClock) -> None:
    made = Throttle(clock, limit=2, window_s=60)
    for _ in range(2):
        made.begin("a")
    made.succeeded("a")
    made.begin("a")
    assert made.wait_s("a") == 60
    made.succeeded("never began")


def test_only_so_many_keys_are_remembered(clock: ManualClock) -> None:
    made = Throttle(clock, limit=1, window_s=60)
    for number in range(throttle._MAX_KEYS + 1):
        made.begin(f"key {number}")
    assert made.wait_s("key 0") == 0
    assert made.wait_s("key 1") == 60


def test_an_address_is_itself_or_its_network() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert network_of("::ffff:192.0.2.1") == "::ffff:192.0.2.1"
    assert network_of("unknown") == "unknown"
