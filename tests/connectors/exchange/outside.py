"""Clients that others wrote, as a user of theirs sets them up (the address, and the options that their documents name), and our own."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import ccxt
import ccxt.pro
from coinbase.rest import RESTClient
from coinbase.websocket import WSClient, WSUserClient

from tests.connectors.exchange.running import Running
from traider.connectors.coinbase import Addresses, ApiKey, Options, coinbase_venue
from traider.connectors.coinbase.venue import CoinbaseVenue
from traider.runtime.clock import SystemClock

T = TypeVar("T")


def official(running: Running, ca: Path, key: dict[str, Any]) -> RESTClient:
    """The official client, which speaks https only."""
    client = RESTClient(
        api_key=key.get("name") or key["id"], api_secret=key["privateKey"], base_url=f"127.0.0.1:{running.serving.tls_port}", timeout=5
    )
    client.session.trust_env = False
    client.session.verify = str(ca)
    return client


def official_socket(running: Running, key: dict[str, Any], on_message: Callable[[str], None], *, user: bool = False) -> Any:
    made = WSUserClient if user else WSClient
    name, secret = key.get("name") or key["id"], key["privateKey"]
    return made(api_key=name, api_secret=secret, base_url=running.base.replace("http", "ws"), on_message=on_message, retry=False)


def set_up(exchange: Any, running: Running) -> Any:
    """A ccxt exchange, of either kind, at this address."""
    exchange.urls["api"]["rest"] = running.base
    exchange.urls["api"]["ws"] = running.base.replace("http", "ws")
    exchange.options["fetchBalance"] = "v3PrivateGetBrokerageAccounts"
    exchange.options["fetchTime"] = "v3PublicGetBrokerageTime"
    return exchange


def ccxt_client(running: Running, key: dict[str, Any]) -> Any:
    client = set_up(ccxt.coinbase(credentials(key)), running)
    client.session.trust_env = False
    return client


def ccxt_pro_client(running: Running, key: dict[str, Any]) -> Any:
    return set_up(ccxt.pro.coinbase(credentials(key)), running)


def own(running: Running, key: dict[str, Any]) -> CoinbaseVenue:
    """The platform's own client."""
    socket_url = running.base.replace("http", "ws")
    addresses = Addresses(rest_url=running.base, market_url=socket_url, user_urls=(socket_url,))
    return coinbase_venue(ApiKey(key.get("name") or key["id"], key["privateKey"]), SystemClock(), Options(addresses=addresses))


def credentials(key: dict[str, Any]) -> dict[str, Any]:
    return {"apiKey": key.get("name") or key["id"], "secret": key["privateKey"], "enableRateLimit": False, "timeout": 5000}


async def call(function: Callable[..., T], *args: Any, **more: Any) -> T:
    """A blocking client's call, in a thread: the exchange runs in this loop."""
    return await asyncio.to_thread(function, *args, **more)


def decoded(messages: list[str]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]
