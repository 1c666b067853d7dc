"""How many orders a second does the exchange simulator take, and how many market messages does it send to ten subscribers?"""

import asyncio
import json
import resource
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from traider.connectors.sim.exchange.calls import Call
from traider.connectors.sim.exchange.generated import GeneratedMarket
from traider.connectors.sim.exchange.keys import KeyKind
from traider.connectors.sim.exchange.serving import Address, Serving
from traider.connectors.sim.exchange.settings import FUNDS, Bounds, Config, Switches
from traider.connectors.sim.exchange.simulator import Setup, Simulator
from traider.runtime.loop import run
from traider.runtime.memory import peak_rss_bytes

from .asked import Asked
from .measure import answer, cases_in_turns, ratio
from .page import Row, Table

START_NS = 1_767_225_600 * 10**9
PATH = "/api/v3/brokerage/orders"
ORDERS = 3_000
MESSAGES = 5_000
SUBSCRIBERS = 10
DAYS = 7
FULL_AFTER = 3
ORDERS_A_DAY = 2_000
STEPS_PER_S = 0.2  # of the week's market: an event every five seconds


def _simulator(**bounds: int) -> Simulator:
    config = Config(switches=Switches(limits=False, max_open_orders=10**9, idle_close_s=0.0), bounds=Bounds(**bounds))
    simulator = Simulator(Setup(config, virtual_start_ns=START_NS))
    simulator.list_product("BTC-USD")
    simulator.open_account("main", FUNDS)
    return simulator


def _token(simulator: Simulator, kind: KeyKind) -> str:
    """One token for all requests: making it is the client's work."""
    account = next(iter(simulator.exchange.accounts.values()))
    key = simulator.issue_key(account, kind, ("view", "trade"))
    now_s = START_NS // 10**9
    claims = {"sub": key["name"], "iss": "cdp", "nbf": now_s, "exp": now_s + 120, "uri": f"POST 127.0.0.1{PATH}"}
    private: Any = load_pem_private_key(key["privateKey"].encode(), None)
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": key["name"], "nonce": "0"})


def _body(number: int) -> bytes:
    """A limit order that rests: every tenth price of a hundred."""
    fields = {"base_size": "0.001", "limit_price": f"{50_000 + number % 100 * 10}.00", "post_only": True}
    body = {"client_order_id": f"b-{number}", "product_id": "BTC-USD", "side": "BUY", "order_configuration": {"limit_limit_gtc": fields}}
    return json.dumps(body).encode()


def _told(work_s: float, count: int) -> dict[str, Any]:
    return {"us": work_s / count * 1e6, "per_s": count / work_s}


async def _entry() -> dict[str, Any]:
    """The core alone: checked, held, placed into the book, told."""
    simulator = _simulator()
    account = next(iter(simulator.exchange.accounts.values()))
    bodies = [json.loads(_body(number)) for number in range(ORDERS)]
    began = time.process_time()
    for body in bodies:
        simulator.entry.create(account, body)
    return _told(time.process_time() - began, ORDERS)


async def _pipeline() -> dict[str, Any]:
    """A request without its socket: its token verified, its JSON read, the answer written."""
    simulator = _simulator()
    headers = {"authorization": f"Bearer {_token(simulator, 'ecdsa')}", "cache-control": ""}
    bodies = [_body(number) for number in range(ORDERS)]
    began = time.process_time()
    for body in bodies:
        await simulator.pipeline.deliver(Call("POST", PATH, {}, body, "127.0.0.1", headers))
    took = time.process_time() - began
    if simulator.exchange.order_count != ORDERS:
        raise RuntimeError("an order was refused")
    return _told(took, ORDERS)


async def _over_http() -> dict[str, Any]:
    """Over a socket, with a client of a few lines in the same process: both sides are counted."""
    simulator = _simulator()
    token = _token(simulator, "ecdsa")
    async with Serving(simulator, Address()) as serving:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: ".encode()
        bodies = [_body(number) for number in range(ORDERS)]
        began = time.process_time()
        for body in bodies:
            writer.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))
            answered = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(answered.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        took = time.process_time() - began
        writer.close()
    return _told(took, ORDERS)


async def _messages() -> dict[str, Any]:
    """Book updates to ten sockets, whose other ends read bytes and do nothing with them."""
    simulator = _simulator()
    market = simulator.exchange.markets["BTC-USD"]
    async with Serving(simulator, Address()) as serving:
        tasks = [asyncio.create_task(_subscriber(serving.port)) for _ in range(SUBSCRIBERS)]
        await _all_listen(simulator)
        sent = simulator.hub.messages
        began = time.process_time()
        for number in range(MESSAGES):
            market.matcher.on_level(1, 6_000_000 + number % 50, 1_000 + number)
            simulator.exchange.finish(market)
            if number % 100 == 0:
                await asyncio.sleep(0)
        took = time.process_time() - began
        if simulator.hub.messages - sent != MESSAGES * SUBSCRIBERS:
            raise RuntimeError("a subscriber was lost")
        for task in tasks:
            task.cancel()
    return _told(took, MESSAGES * SUBSCRIBERS)


async def _all_listen(simulator: Simulator) -> None:
    """Returns when every subscriber has its snapshot."""
    while sum("level2" in session.channels for session in simulator.sessions()) < SUBSCRIBERS:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def _subscriber(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    writer.write(f"{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    text = b'{"type":"subscribe","channel":"level2","product_ids":["BTC-USD"]}'
    writer.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)  # masked with zeros
    while await reader.read(1 << 20):
        pass


async def _week() -> dict[str, Any]:
    """A simulated week: MiB at its end above what there was after its third day, when everything that is bounded is full."""
    simulator = _simulator(closed_orders=1_000, fills=1_000, truth=1_000)
    product = simulator.exchange.products["BTC-USD"]
    account = next(iter(simulator.exchange.accounts.values()))
    simulator.play(product, GeneratedMarket(product, 1, 65_000.0, depth=20, steps_per_s=STEPS_PER_S))
    began, resident = time.process_time(), []
    for day in range(DAYS):
        for number in range(ORDERS_A_DAY):
            await simulator.agenda.advance(86_400 / ORDERS_A_DAY)
            side, fields = ("BUY", "SELL")[number % 2], {"base_size": "0.001"}
            body = {"client_order_id": f"{day} {number}", "product_id": "BTC-USD", "side": side}
            simulator.entry.create(account, body | {"order_configuration": {"market_market_ioc": fields}})
        resident.append(_resident_bytes() / 2**20)
    growth = resident[-1] - resident[FULL_AFTER - 1]
    return {
        "mib": growth,
        "resident": resident,
        "us": time.process_time() - began,
        "peak": peak_rss_bytes() // 1024,
    }


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  - a file of the kernel's
        return int(file.read().split()[1]) * resource.getpagesize()


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "entry": lambda: run(_entry()),
    "pipeline": lambda: run(_pipeline()),
    "http": lambda: run(_over_http()),
    "messages": lambda: run(_messages()),
    "week": lambda: run(_week()),
}


def measure(asked: Asked) -> list[Table]:
    """Microseconds of processor time an order, and a message."""
    figures, told = cases_in_turns("exchange_sim", ("entry", "pipeline", "http", "messages"), "us", asked.rounds)
    _, week = cases_in_turns("exchange_sim", ("week",), "mib", 1)
    names = ("http", "messages")
    orders, messages = (round(told[name]["per_s"], -2) for name in names)
    growth = week["week"]["mib"]
    grown = f"{growth:.1f} MiB between the end of the third day, when everything that is bounded is full, and that of the last"
    return [
        Table(
            title="The exchange simulator",
            question=__doc__ or "",
            text=(
                f"{ORDERS:,} limit orders that rest, each with an ES256 token that is verified; {MESSAGES:,} changes of a book to "
                f"{SUBSCRIBERS} sockets, every connection with its own sequence numbers. Processor time of one process, in which the "
                "client's side of the sockets is counted too."
            ),
            unit="us",
            ratio_of="the core",
            rows=[
                Row("the core: checked, held, in the book, told", 1.0, figures["entry"]),
                Row("a request without its socket: token, JSON, truth", ratio(figures, "pipeline", "entry"), figures["pipeline"]),
                Row("**an order over HTTP**", ratio(figures, "http", "entry"), figures["http"]),
                Row("**a book message to one of ten subscribers**", ratio(figures, "messages", "entry"), figures["messages"]),
            ],
            notes=[
                f"That is {orders:,.0f} orders and {messages:,.0f} messages a second.",
                f"Over {DAYS} simulated days with {ORDERS_A_DAY:,} orders a day the process grew by {grown}.",
            ],
        )
    ]


if __name__ == "__main__":
    answer(measure)
