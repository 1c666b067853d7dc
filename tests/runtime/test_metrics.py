import asyncio
import socket
import urllib.request

import pytest
from structlog.testing import capture_logs

from tests.storage.samples import account, one_of_each, position, rejected, request, risk
from traider.bus.memory import MemoryBus, Policy, WhenFull
from traider.domain.bus_events import ACCOUNT, MARKET, ORDERS, RISK
from traider.domain.guard_protocol import MarketEvent
from traider.domain.orders import OrderUnknown
from traider.domain.vocabulary import EventKind
from traider.runtime.metrics import Metrics, start_exporter

START_NS = 1_700_000_000 * 1_000_000_000


class ManualClock:
    def __init__(self) -> None:
        self.ns = START_NS

    def now_ns(self) -> int:
        return self.ns


class Link:
    connected = True


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def metrics(clock: ManualClock, link: Link) -> Metrics:
    return Metrics(clock=clock, guard_connected=lambda: link.connected)


def told(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"traider_{name}", labels)


def bar(symbol: str, close: float) -> MarketEvent:
    return MarketEvent(index=0, kind=EventKind.BAR, symbol=symbol, ts_ns=START_NS, a=1.0, b=9.0, c=0.5, d=close, e=3.0)


def test_the_account_is_told(metrics: Metrics) -> None:
    metrics.observe(account(START_NS, "1000.5", position("BTC-USD", "2"), position("ETH-USD", "-1")))
    assert told(metrics, "cash") == 898.5
    assert told(metrics, "equity") == 1000.5
    assert told(metrics, "daily_pnl") == -12.5
    assert told(metrics, "drawdown_ratio") == 0.0904
    assert told(metrics, "gross_exposure") == 306.0
    assert told(metrics, "exposure", symbol="BTC-USD") == 204.0
    assert told(metrics, "exposure", symbol="ETH-USD") == -102.0
    metrics.observe(account(START_NS, "1000.5", position("BTC-USD", "1")))
    assert told(metrics, "position_size", symbol="BTC-USD") == 1.0
    assert told(metrics, "exposure", symbol="ETH-USD") is None


def test_the_limits_are_told(metrics: Metrics) -> None:
    metrics.observe(risk(open_orders=3))
    assert told(metrics, "kill_switch") == 0
    assert told(metrics, "open_orders") == 3
    assert told(metrics, "risk_limit", limit="max_open_orders") == 5
    assert told(metrics, "risk_limit_used", limit="max_daily_loss") == 12.5
    assert told(metrics, "risk_limit", limit="max_daily_loss") is None
    metrics.observe(risk(kill_switch=True))
    assert told(metrics, "kill_switch") == 1


def test_order_events_are_counted_once(metrics: Metrics) -> None:
    events = one_of_each()
    for event in [*events, *events[2:6]]:
        metrics.observe(event)
    assert told(metrics, "orders_total", event="submitted") == 3
    assert told(metrics, "orders_total", event="accepted") == 3
    assert told(metrics, "orders_total", event="filled") == 3
    assert told(metrics, "orders_total", event="cancelled") == 1
    assert told(metrics, "orders_total", event="rejected") == 1
    assert told(metrics, "refusals_total", reason="kill_switch") == 1
    assert told(metrics, "fills_total", symbol="BTC-USD", side="buy", liquidity="taker") == 3


def test_events_that_could_not_be_journalled_are_counted_each(metrics: Metrics) -> None:
    for name in "ab":
        metrics.observe(rejected(0, request(name)))
        metrics.observe(OrderUnknown(n=0, ts_ns=START_NS, client_order_id=name, detail="no journal"))
    assert told(metrics, "orders_total", event="rejected") == 2
    assert told(metrics, "orders_total", event="unknown") == 2


def test_the_market_and_its_age_are_told(metrics: Metrics, clock: ManualClock) -> None:
    clock.ns += 1_500_000_000
    assert told(metrics, "market_age_seconds") == 1.5
    metrics.observe(MarketEvent(index=0, kind=EventKind.TRADE, symbol="BTC-USD", ts_ns=1, a=100.5, b=1.0))
    metrics.observe(bar("ETH-USD", 7.25))
    clock.ns += 250_000_000
    assert told(metrics, "market_age_seconds") == 0.25
    assert told(metrics, "last_price", symbol="BTC-USD") == 100.5
    assert told(metrics, "last_price", symbol="ETH-USD") == 7.25
    assert told(metrics, "market_events_total", symbol="BTC-USD") == 1


def test_whether_the_guard_is_there_is_asked_when_it_is_told(metrics: Metrics, link: Link) -> None:
    assert told(metrics, "guard_connected") == 1
    link.connected = False
    assert told(metrics, "guard_connected") == 0


def test_round_trips_are_counted_by_their_length(metrics: Metrics) -> None:
    for latency_s in (0.00004, 0.0002, 3.0):
        metrics.answered(latency_s)
    assert told(metrics, "order_latency_seconds_count") == 3
    assert told(metrics, "order_latency_seconds_bucket", le="5e-05") == 1
    assert told(metrics, "order_latency_seconds_bucket", le="0.00025") == 2


def test_two_sessions_do_not_share_their_metrics(clock: ManualClock) -> None:
    first, second = (Metrics(clock=clock, guard_connected=lambda: True) for _ in range(2))
    first.observe(risk(kill_switch=True))
    assert (told(first, "kill_switch"), told(second, "kill_switch")) == (1, 0)


async def test_it_follows_the_bus(metrics: Metrics) -> None:
    bus = MemoryBus()
    following = asyncio.create_task(metrics.follow(bus))
    await asyncio.sleep(0)
    await bus.publish(MARKET, bar("BTC-USD", 3.5))
    await bus.publish(ACCOUNT, account())
    await bus.publish(RISK, risk())
    await bus.publish(ORDERS, one_of_each()[0])
    for _ in range(10):
        await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert told(metrics, "last_price", symbol="BTC-USD") == 3.5
    assert told(metrics, "equity") == 1000.5
    assert told(metrics, "open_orders") == 1
    assert told(metrics, "orders_total", event="submitted") == 1


async def test_when_it_falls_behind_it_says_so_and_goes_on(metrics: Metrics) -> None:
    bus = MemoryBus({topic: Policy(2, WhenFull.END) for topic in (MARKET, ORDERS, ACCOUNT, RISK)})
    following = asyncio.create_task(metrics.follow(bus))
    await asyncio.sleep(0)
    with capture_logs() as logs:
        for event in one_of_each():
            await bus.publish(ORDERS, event)
        for _ in range(10):
            await asyncio.sleep(0)
    assert [log["event"] for log in logs] == ["metrics fell behind: what was missed is not counted"]
    assert told(metrics, "metrics_gaps_total") == 1
    await bus.publish(RISK, risk(kill_switch=True))
    for _ in range(10):
        await asyncio.sleep(0)
    assert told(metrics, "kill_switch") == 1
    following.cancel()
    await asyncio.wait([following])


def test_prometheus_can_read_it(metrics: Metrics) -> None:
    metrics.observe(risk(kill_switch=True))
    exporter = start_exporter(metrics, 0)
    assert exporter is not None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{exporter.port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        exporter.close()
    assert "traider_kill_switch 1.0\n" in text
    assert "# HELP traider_kill_switch 1 while the kill switch is on\n" in text


def test_a_port_in_use_is_a_warning(metrics: Metrics) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with capture_logs() as logs:
            assert start_exporter(metrics, port) is None
    (log,) = logs
    assert log["log_level"] == "warning"
    assert log["event"] == "no metrics: the port is in use, set METRICS_PORT to a free one"
    assert log["port"] == port
