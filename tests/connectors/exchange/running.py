"""A whole exchange on ports of this machine, in the test's own loop and on virtual time, and a small client that signs."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.connectors.exchange.floor import FUNDS, START_NS, TIERS
from traider.connectors.sim.exchange.accounts import Account
from traider.connectors.sim.exchange.keys import KeyKind
from traider.connectors.sim.exchange.serving import Address, Serving
from traider.connectors.sim.exchange.settings import Bounds, Config, Switches
from traider.connectors.sim.exchange.simulator import Setup, Simulator

PREFIX = "/api/v3/brokerage"


def sign(key: dict[str, Any], now_ns: int, uri: str = "", /, *, nonce: str = "n", **claims: Any) -> str:
    """A token as the official client makes it; claims may be replaced."""
    name = key.get("name") or key["id"]
    now_s = now_ns // 10**9
    content: dict[str, Any] = {"sub": name, "iss": "cdp", "nbf": now_s, "exp": now_s + 120}
    if uri:
        content["uri"] = uri
    return jwt.encode(
        content | claims, secret_of(key), algorithm="ES256" if "name" in key else "EdDSA", headers={"kid": name, "nonce": nonce}
    )


def secret_of(key: dict[str, Any]) -> Any:
    if "name" in key:
        return load_pem_private_key(key["privateKey"].encode(), None)
    return ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(key["privateKey"])[:32])


@dataclass
class Reply:
    status: int
    text: str
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.text)


class Socket:
    """One connection, whose messages are read one by one."""

    def __init__(self, running: "Running", ws: aiohttp.ClientWebSocketResponse) -> None:
        self.running, self.ws = running, ws

    async def ask(self, kind: str, channel: str, *products: str, key: dict[str, Any] | None = None) -> None:
        message: dict[str, Any] = {"type": kind, "channel": channel, "product_ids": list(products)}
        if key is not None:
            message["jwt"] = sign(key, self.running.simulator.agenda.now_ns())
        await self.ws.send_json(message)

    async def subscribe(self, channel: str, *products: str, key: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every message up to the confirmation."""
        await self.ask("subscribe", channel, *products, key=key)
        return await self.until("subscriptions")

    async def until(self, channel: str) -> list[dict[str, Any]]:
        found = []
        while True:
            found.append(await self.next())
            if found[-1].get("channel") == channel:
                return found

    async def next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.text())
        return message

    async def text(self) -> str:
        message = await self.ws.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return str(message.data)

    async def closed(self) -> int | None:
        """The code that the server closed with; what it said before is passed over."""
        while True:
            message = await self.ws.receive(timeout=5)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                return self.ws.close_code

    async def nothing(self) -> bool:
        """Whether nothing is there to read: everything that was sent before is."""
        await self.running.get("/time", public=True)
        try:
            message = await self.ws.receive(timeout=0.05)
        except TimeoutError:
            return True
        raise AssertionError(message)


@dataclass
class Running:
    simulator: Simulator
    serving: Serving
    http: aiohttp.ClientSession
    account: Account
    key: dict[str, Any]
    numbers: list[int] = field(default_factory=lambda: [0])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.serving.port}"

    async def call(
        self, method: str, path: str, body: Any = None, *, key: dict[str, Any] | None = None, public: bool = False, token: str | None = None
    ) -> Reply:
        """A request that is signed, unless it is public; ``path`` without the prefix unless it begins with /v2 or //."""
        full = path if path.startswith(("/v2", "//")) else PREFIX + path
        headers = {}
        if not public:
            uri = f"{method} 127.0.0.1{full.partition('?')[0].replace('//', '/')}"
            self.numbers[0] += 1
            made = sign(key or self.key, self.simulator.agenda.now_ns(), uri, nonce=str(self.numbers[0])) if token is None else token
            headers["Authorization"] = f"Bearer {made}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        async with self.http.request(method, self.base + full, data=data, headers=headers) as reply:
            return Reply(reply.status, await reply.text(), {name.lower(): value for name, value in reply.headers.items()})

    async def get(self, path: str, **more: Any) -> Any:
        reply = await self.call("GET", path, **more)
        assert reply.status == 200, reply
        return reply.json()

    async def control(self, method: str, path: str, body: Any = None) -> Reply:
        async with self.http.request(method, f"http://127.0.0.1:{self.serving.control_port}{path}", json=body) as reply:
            return Reply(reply.status, await reply.text(), {name.lower(): value for name, value in reply.headers.items()})

    async def fault(self, **rule: Any) -> None:
        reply = await self.control("POST", "/faults", {"rules": [rule]})
        assert reply.status == 200, reply.text

    async def truth(self) -> Any:
        return (await self.control("GET", "/truth")).json()

    async def advance(self, seconds: float) -> None:
        assert (await self.control("POST", "/clock", {"advance": seconds})).status == 200

    def order_body(self, side: str = "BUY", price: str = "90", size: str = "1", client_order_id: str = "") -> dict[str, Any]:
        self.numbers[0] += 1
        return {
            "client_order_id": client_order_id or f"t-{self.numbers[0]}",
            "product_id": "BTC-USD",
            "side": side,
            "order_configuration": {"limit_limit_gtc": {"base_size": size, "limit_price": price, "post_only": False}},
        }

    async def place(self, side: str = "BUY", price: str = "90", size: str = "1", client_order_id: str = "") -> str:
        """The order's id."""
        reply = await self.call("POST", "/orders", self.order_body(side, price, size, client_order_id))
        return str(reply.json()["success_response"]["order_id"])

    async def socket(self, **headers: str) -> Socket:
        return Socket(self, await self.http.ws_connect(self.base.replace("http", "ws"), headers=headers, autoping=False))

    def add_account(self, name: str, kind: KeyKind = "ecdsa", scopes: tuple[str, ...] = ("view", "trade")) -> dict[str, Any]:
        return self.simulator.issue_key(self.simulator.open_account(name, FUNDS), kind, scopes)


@asynccontextmanager
async def exchange(*, virtual: bool = True, tls: ssl.SSLContext | None = None, **switches: Any) -> AsyncIterator[Running]:
    """BTC-USD in steps of 1 USD and 0.001 BTC, bids 99 x 1 and 98 x 2, asks 101 x 1 and 102 x 2, one trade of 1 at 100."""
    start_ns = START_NS if virtual else None
    config = Config(switches=Switches(**({"limits": False} | switches)), fee_tiers=TIERS, bounds=Bounds(truth=1000))
    simulator = Simulator(Setup(config, virtual_start_ns=start_ns))
    simulator.list_product("BTC-USD", Decimal(1), Decimal("0.001"))
    account = simulator.open_account("alice", FUNDS)
    key = simulator.issue_key(account, "ecdsa", ("view", "trade"))
    market = simulator.exchange.markets["BTC-USD"]
    for side, ticks, lots in ((1, 99, 1000), (1, 98, 2000), (-1, 101, 1000), (-1, 102, 2000)):
        market.matcher.on_level(side, ticks, lots)
    simulator.exchange.step(market, lambda matcher: matcher.on_trade(1, 100, 1000))
    async with (
        Serving(simulator, Address(control_port=0, tls=tls, tls_port=None if tls is None else 0)) as serving,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        yield Running(simulator, serving, http, account, key)
