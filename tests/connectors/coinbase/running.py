"""The scripted Coinbase on real sockets, and a client that is patient for milliseconds only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.connectors.coinbase.fake_rest import FakeRest
from tests.connectors.coinbase.fake_socket import Event, FakeSocket
from traider.connectors.coinbase import Addresses, Options, RestTiming, SocketTiming

REST_TIMING = RestTiming(
    timeout_s=2.0, total_timeout_s=4.0, first_backoff_s=0.01, most_backoff_s=0.05, private_per_s=1000.0, public_per_s=1000.0, burst=100
)
SOCKET_TIMING = SocketTiming(
    connect_timeout_s=2.0,
    subscribe_timeout_s=2.0,
    snapshot_timeout_s=3.0,
    heartbeat_timeout_s=1.0,
    silence_timeout_s=5.0,
    first_backoff_s=0.02,
    most_backoff_s=0.05,
    resubscribe_every_s=0.02,
)


class Exchange:
    """Both sides of it, and their addresses."""

    def __init__(self, rest: FakeRest, socket: FakeSocket) -> None:
        self.rest = rest
        self.socket = socket
        self.options = Options(rest_timing=REST_TIMING, socket_timing=SOCKET_TIMING)
        socket.believed = rest.believed
        socket.snapshots["user"] = self._open_orders
        rest.on_change = lambda order: socket.push("user", [{"type": "update", "orders": [user_order(order)]}])

    def _open_orders(self, products: list[str]) -> list[Event]:
        orders = [user_order(order) for order in self.rest.orders.values() if order["status"] == "OPEN"]
        batches = [orders[start : start + 50] for start in range(0, len(orders) + 1, 50)]
        return [{"type": "snapshot", "orders": batch, "positions": {"perpetual_futures_positions": []}} for batch in batches]


@asynccontextmanager
async def running(exchange: Exchange) -> AsyncIterator[Exchange]:
    """Serves it on free ports until the block is left."""
    runners = [web.AppRunner(app, shutdown_timeout=0.2) for app in (exchange.rest.app(), exchange.socket.app())]
    ports = []
    try:
        for runner in runners:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            ports.append(runner.addresses[0][1])
        socket_url = f"ws://127.0.0.1:{ports[1]}"
        addresses = Addresses(rest_url=f"http://127.0.0.1:{ports[0]}", market_url=socket_url, user_urls=(socket_url,))
        exchange.options = Options(addresses=addresses, rest_timing=REST_TIMING, socket_timing=SOCKET_TIMING)
        yield exchange
    finally:
        for runner in runners:
            await runner.cleanup()


def user_order(order: dict[str, Any]) -> dict[str, Any]:
    """The order as the user channel tells it."""
    (terms,) = order["order_configuration"].values()
    left = Decimal(terms.get("base_size", "0")) - Decimal(order["filled_size"]) if order["status"] == "OPEN" else Decimal(0)
    return {
        "order_id": order["order_id"],
        "client_order_id": order["client_order_id"],
        "cumulative_quantity": order["filled_size"],
        "leaves_quantity": str(left),
        "avg_price": "0",
        "total_fees": "0",
        "status": order["status"],
        "product_id": order["product_id"],
        "creation_time": order["created_time"],
        "order_side": order["side"],
        "order_type": "Limit",
        "limit_price": terms.get("limit_price", "0"),
        "cancel_reason": "",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "number_of_fills": "0",
        "a_field_of_tomorrow": None,
    }
