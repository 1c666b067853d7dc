"""How long from a market message's bytes to the bytes of the order that follows from it, and where does the time go?"""

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from traider.runtime.loop import run

from .asked import Asked
from .measure import WORK, answer, case, environment, warm_up
from .page import ROOT, Row, Table
from .stamps import now_ns
from .tick_guard import ALONE, APART_S

ORDERS = 400
WARM = 50  # first orders that do not count
READY_S = 120.0
REFUSED = json.dumps(
    {
        "success": False,
        "error_response": {"error": "INSUFFICIENT_FUND", "message": "benchmark", "error_details": "", "preview_failure_reason": ""},
    }
).encode()
PARTS = ("one link round trip", "one fdatasync", "one compiled step", "one request")
STAGES = {  # in order: the point at which each ends
    "feed: socket, frame, book, quote": "event",
    "the guard hears the market": "fed",
    "compiled step": "stepped",
    "order to the guard": "handle >",
    "check": "journal >",
    "journal, durable": "journal <",
    "handed to the client": "submit >",
    "request: body, token, HTTP": "arrived",
}


class _Http(asyncio.Protocol):
    """An exchange that refuses every order, and notes when the whole of its request was there."""

    def __init__(self, arrived: Callable[[str], None]) -> None:
        self._arrived = arrived
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        if not end or len(body) < length:
            return
        self._buffer = body[length:]
        self._arrived(msgspec.json.decode(body[:length])["client_order_id"])
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(REFUSED), REFUSED)
        )


class _Market(WSListener):
    """A socket that confirms what is subscribed to and sends book messages when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.live = asyncio.Event()
        self._transport: WSTransport | None = None
        self._subscribed: list[str] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        self._subscribed.append(msgspec.json.decode(frame.get_payload_as_bytes())["channel"])
        held = ",".join(f'"{channel}":["BTC-USD"]' for channel in self._subscribed)
        self._send(f'{{"channel":"subscriptions","timestamp":"{_moment()}","sequence_num":%d,"events":[{{"subscriptions":{{{held}}}}}]}}')
        if "level2" in self._subscribed:
            self._send(_book("snapshot", (("bid", "30000.00", "1"), ("offer", "30000.01", "1"))))
            self.live.set()

    def tell(self, turn: int) -> int:
        """Sends a change of the best bid's size; when."""
        text = _book("update", (("bid", "30000.00", f"{1 + turn % 7}.5"),)) % self.number
        self.number += 1
        began = now_ns()
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, text.encode())
        return began

    def _send(self, text: str) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, (text % self.number).encode())
            self.number += 1


def _moment() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000001Z"


def _book(kind: str, rows: tuple[tuple[str, str, str], ...]) -> str:
    at = _moment()
    updates = ",".join(
        f'{{"side":"{side}","event_time":"{at}","price_level":"{price}","new_quantity":"{size}"}}' for side, price, size in rows
    )
    event = f'{{"type":"{kind}","product_id":"BTC-USD","updates":[{updates}]}}'
    return f'{{"channel":"l2_data","timestamp":"{at}","sequence_num":%d,"events":[{event}]}}'


async def _whole(folder: Path) -> dict[str, Any]:
    arrivals: dict[str, int] = {}
    news = asyncio.Event()

    def arrived(identifier: str) -> None:
        arrivals[identifier] = now_ns()
        news.set()

    loop = asyncio.get_running_loop()
    http = await loop.create_server(lambda: _Http(arrived), "127.0.0.1", 0)
    market = _Market()
    sockets = await ws_create_server(lambda _request: market, "127.0.0.1", 0)
    rest_url, market_url = (
        f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}" for scheme, server in (("http", http), ("ws", sockets))
    )
    guard = await _started("tick_guard", folder, rest_url)
    await _until(lambda: (folder / "guard.endpoint").exists(), guard)
    trader = await _started("tick_trader", folder, market_url)
    await _until(market.live.is_set, trader)
    await asyncio.sleep(1.0)  # the snapshot's own quote, and the gates of the start
    sent: list[int] = []
    got: list[int] = []
    for turn in range(WARM + ORDERS):
        news.clear()
        sent.append(market.tell(turn))
        try:
            await asyncio.wait_for(news.wait(), 10)
        except TimeoutError:
            for process in (trader, guard):
                process.kill()
            raise
        got.append(max(arrivals.values()))
        await asyncio.sleep(APART_S)
    for process in (trader, guard):
        process.send_signal(signal.SIGTERM)
        if await process.wait() != 0:
            raise RuntimeError("a process of the benchmark failed; what it said is above")
    http.close()
    sockets.close()
    return _told(sent, got, arrivals, *(json.loads((folder / f"{name}.json").read_text()) for name in ("trader", "guard")))


async def _started(module: str, folder: Path, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"benchmarks.{module}",
        str(folder),
        url,
        cwd=ROOT,
        env=environment() | {"LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
    )


async def _until(happened: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(READY_S):
        while not happened():
            if process.returncode is not None:
                raise RuntimeError("a process of the benchmark ended; what it said is above")
            await asyncio.sleep(0.02)


def _told(
    sent: list[int], got: list[int], arrivals: dict[str, int], trader: dict[str, list[int]], guard: dict[str, list[int]]
) -> dict[str, Any]:
    """The whole way of each order, its stages, and the parts that were measured alone; microseconds."""
    points = {
        "event": trader["event"],
        "fed": trader.get("feed <", []),  # not waited for where the guard's venue is an exchange
        "stepped": trader["step <"],
        "handle >": guard["handle >"],
        "journal >": guard["journal >"],
        "journal <": guard["journal <"],
        "submit >": guard["submit >"],
        "arrived": got,
    }
    whole = [(end - begin) / 1e3 for begin, end in zip(sent, got, strict=True)][WARM:]
    stages: dict[str, list[float]] = {}
    before = sent
    for stage, point in STAGES.items():
        if not points[point]:
            continue
        at = points[point][-len(sent) :]  # the snapshot's quote made one more
        stages[stage] = [(end - begin) / 1e3 for begin, end in zip(before, at, strict=True)][WARM:]
        before = at
    requests = [arrivals[f"alone-{number}"] - begin for number, begin in enumerate(guard["request alone >"])]
    alone, hot = (
        {name: [ns / 1e3 for ns in figures] for name, figures in zip(PARTS, taken, strict=True)}
        for taken in (
            (trader["link alone"], guard["disk alone"], trader["step alone"], requests[:ALONE]),
            (trader["link hot"], guard["disk hot"], trader["step hot"], requests[ALONE:]),
        )
    )
    middle = {name: statistics.median(figures) for name, figures in (alone | stages).items()}
    hottest = {name: statistics.median(figures) for name, figures in hot.items()}
    return {
        "us": statistics.median(whole),
        "p99": _p99(whole),
        "alone": {name: [middle[name], _p99(figures), hottest[name]] for name, figures in alone.items()},
        "stages": {name: [middle[name], _p99(figures), sum(figures) / sum(whole)] for name, figures in stages.items()},
        "ratio": statistics.median(whole) / sum(middle[name] for name in alone),
        "hot ratio": statistics.median(whole) / sum(hottest.values()),
    }


def _p99(figures: list[float]) -> float:
    return sorted(figures)[len(figures) * 99 // 100]


def _case() -> dict[str, Any]:
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        return run(_whole(Path(folder)))


CASES: dict[str, Callable[[], dict[str, Any]]] = {"whole": _case}


def measure(asked: Asked) -> list[Table]:
    """Microseconds of the whole, of its stages, and of its parts alone."""
    warm_up()
    told = [case("tick_to_order", "whole") for _ in range(asked.rounds)]
    parts, stages = told[0]["alone"], told[0]["stages"]

    def of(kind: str, name: str, place: int) -> list[float]:
        return [run[kind][name][place] for run in told]

    def middle(figures: list[float]) -> str:
        return f"{statistics.median(figures):,.0f}"

    ratio, hot_ratio = (statistics.median(run[which] for run in told) for which in ("ratio", "hot ratio"))
    rows = [
        *(
            Row(f"{name}, alone", None, of("alone", name, 0), extra=(middle(of("alone", name, 1)), "", middle(of("alone", name, 2))))
            for name in parts
        ),
        Row(
            "**from the message's bytes to the request's bytes**",
            ratio,
            [run["us"] for run in told],
            goal=1.5,
            extra=(middle([run["p99"] for run in told]), "100 %", ""),
        ),
        *(
            Row(
                name,
                None,
                of("stages", name, 0),
                extra=(middle(of("stages", name, 1)), f"{statistics.median(of('stages', name, 2)):.0%}", ""),
            )
            for name in stages
        ),
    ]
    return [
        Table(
            title="From tick to order",
            question=__doc__ or "",
            text=(
                f"{ORDERS} book messages on loopback, one every {APART_S * 1000:.0f} ms, to a trader with a compiled strategy that "
                "sends a limit order at each quote, over the guard's connection, through every limit and the durable journal, to "
                "Coinbase's client, which adds a token (ES256, signed ahead) and sends the request; three processes. A figure is the "
                "median (p50) of a run, p99 beside it. The reference is the sum of four parts measured alone in the same run, each in a "
                "process that does nothing else: a round trip to the guard, a line made durable, the strategy's step, a request. They "
                f"too come one every {APART_S * 1000:.0f} ms, so that processor and disk have slept before each as they have before a "
                "message: the ratio is what the composition adds. Beside them stands what each takes when it is done again and again "
                "without a pause."
            ),
            unit="us",
            ratio_of="the parts",
            columns=("p99, us", "share", "without a pause, us"),
            rows=rows,
            notes=(f"The whole is {hot_ratio:.1f} times the sum of its parts done without a pause.",),
        )
    ]


if __name__ == "__main__":
    answer(measure)
