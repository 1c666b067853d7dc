"""What Prometheus reads: numbers of the running session, fed by the bus, told on 127.0.0.1.

Gauges tell the state as the guard last told it; counters grow with events. An order event that was seen before (its ``n`` is not
newer) is not counted again.
"""

from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from structlog import get_logger

from traider.domain import bus_events
from traider.domain.errors import BusError
from traider.domain.guard_protocol import MarketEvent
from traider.domain.orders import AnyOrderEvent, OrderAccepted, OrderCancelled, OrderFilled, OrderRejected, OrderSubmitted, OrderUnknown
from traider.domain.ports import Bus, Clock
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import EventKind

log = get_logger("traider.metrics")

ADDRESS = "127.0.0.1"
_LATENCY_BUCKETS_S = (25e-6, 50e-6, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One session's metrics, in a registry of their own."""

    def __init__(self, *, clock: Clock, guard_connected: Callable[[], bool]) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._clock = clock
        self._last_n = 0
        self._market_seen_ns = clock.now_ns()

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"traider_{name}", text, labels, registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"traider_{name}", text, labels, registry=self.registry)

        self._exposure = gauge("exposure", "Signed notional of the position, in the account's currency", "symbol")
        self._position = gauge("position_size", "Signed position size, in the base currency", "symbol")
        self._gross_exposure = gauge("gross_exposure", "Sum of the positions' absolute notionals")
        self._cash = gauge("cash", "Cash balance")
        self._equity = gauge("equity", "Cash and positions at their marks")
        self._daily_pnl = gauge("daily_pnl", "Profit and loss of the UTC day")
        self._drawdown = gauge("drawdown_ratio", "Fall of the equity from its high-water mark, as a fraction")
        self._kill_switch = gauge("kill_switch", "1 while the kill switch is on")
        self._open_orders = gauge("open_orders", "Orders that can still fill")
        self._limit_used = gauge("risk_limit_used", "Use of each risk limit, in the limit's own unit", "limit")
        self._limit = gauge("risk_limit", "Each risk limit that is set", "limit")
        self._last_price = gauge("last_price", "Last price of the market", "symbol")
        gauge("guard_connected", "1 while the connection to the guard stands").set_function(lambda: float(guard_connected()))
        gauge("market_age_seconds", "Time since the last market event arrived, or since the start").set_function(self._market_age_s)
        self._market_events = counter("market_events", "Market events that the trader has processed", "symbol")
        self._missed = counter("metrics_gaps", "Times that the metrics fell behind the bus and missed events")
        self._orders = counter("orders", "Order events", "event")
        self._fills = counter("fills", "Fills", "symbol", "side", "liquidity")
        self._refusals = counter("refusals", "Orders refused by the guard or the venue", "reason")
        self._latency = Histogram(
            "traider_order_latency_seconds",
            "From handing orders to the guard to its answer, as the trader sees it",
            registry=self.registry,
            buckets=_LATENCY_BUCKETS_S,
        )

    async def follow(self, bus: Bus) -> None:
        """Observes what the bus carries until it is cancelled."""
        while True:
            subscription = bus.subscribe(bus_events.MARKET, bus_events.ORDERS, bus_events.ACCOUNT, bus_events.RISK)
            try:
                async for _, payload in subscription:
                    self.observe(payload)
                return
            except BusError as error:
                self._missed.inc()
                log.warning("metrics fell behind: what was missed is not counted", error=str(error))

    def answered(self, latency_s: float) -> None:
        """Counts one round trip to the guard. The trader measures it: the events' own times are the market's, which a replay makes up."""
        self._latency.observe(latency_s)

    def observe(self, payload: Any) -> None:
        """Takes one payload of the bus into account; other payloads are not its business."""
        match payload:
            case MarketEvent():
                self._on_market(payload)
            case AccountState():
                self._on_account(payload)
            case RiskState():
                self._on_risk(payload)
            case OrderSubmitted() | OrderAccepted() | OrderRejected() | OrderFilled() | OrderCancelled() | OrderUnknown():
                self._on_order(payload)
            case _:
                pass

    def _market_age_s(self) -> float:
        return max(0, self._clock.now_ns() - self._market_seen_ns) / 1e9

    def _on_market(self, event: MarketEvent) -> None:
        self._market_seen_ns = self._clock.now_ns()
        self._market_events.labels(event.symbol).inc()
        self._last_price.labels(event.symbol).set(event.d if event.kind is EventKind.BAR else event.a)

    def _on_account(self, account: AccountState) -> None:
        self._cash.set(float(account.cash))
        self._equity.set(float(account.equity))
        self._daily_pnl.set(float(account.daily_pnl))
        self._drawdown.set(float(account.drawdown))
        self._gross_exposure.set(float(account.gross_exposure))
        self._exposure.clear()
        self._position.clear()
        for position in account.positions:
            self._exposure.labels(position.symbol).set(float(position.notional))
            self._position.labels(position.symbol).set(float(position.size))

    def _on_risk(self, risk: RiskState) -> None:
        self._kill_switch.set(risk.kill_switch)
        self._limit.clear()
        for use in risk.limits:
            self._limit_used.labels(use.name).set(float(use.used))
            if use.limit is not None:
                self._limit.labels(use.name).set(float(use.limit))
            if use.name == "max_open_orders":
                self._open_orders.set(float(use.used))

    def _on_order(self, event: AnyOrderEvent) -> None:
        # An event that could not be journalled has no number; it is never repeated.
        if event.n:
            if event.n <= self._last_n:
                return
            self._last_n = event.n
        match event:
            case OrderSubmitted():
                self._orders.labels("submitted").inc()
            case OrderAccepted():
                self._orders.labels("accepted").inc()
            case OrderRejected():
                self._orders.labels("rejected").inc()
                self._refusals.labels(event.reason.name.lower()).inc()
            case OrderFilled():
                self._orders.labels("filled").inc()
                self._fills.labels(event.symbol, event.side.name.lower(), event.liquidity.value).inc()
            case OrderCancelled():
                self._orders.labels("cancelled").inc()
            case OrderUnknown():
                self._orders.labels("unknown").inc()


class Exporter:
    """The HTTP server that Prometheus scrapes, on a thread of its own."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self.port = server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def start_exporter(metrics: Metrics, port: int) -> Exporter | None:
    """The exporter on 127.0.0.1; None, after a warning that says what to do, when the port is taken: trading goes on without it."""
    try:
        server, _ = start_http_server(port, ADDRESS, registry=metrics.registry)
    except OSError as error:
        log.warning("no metrics: the port is in use, set METRICS_PORT to a free one", address=ADDRESS, port=port, error=str(error))
        return None
    return Exporter(server)
