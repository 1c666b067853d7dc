"""A small Coinbase for tests, WebSocket side: subscriptions, snapshots, one row of numbers a connection, and what can go wrong with it."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

Event = dict[str, Any]


@dataclass
class Peer:
    """One connection, as the venue sees it."""

    socket: web.WebSocketResponse
    transport: Any
    number: int = 0
    held: dict[str, list[str]] = field(default_factory=dict)
    beats: int = 0


def _unchanged(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [message]


def _nothing(products: list[str]) -> list[Event]:
    return []


@dataclass
class FakeSocket:
    """Messages go through ``mangle``, which returns what is really sent: none, one, or several of them."""

    believed: Callable[[str], dict[str, Any] | None] | None = None
    snapshots: dict[str, Callable[[list[str]], list[Event]]] = field(default_factory=dict)
    heartbeat_s: float = 0.05
    mangle: Callable[[dict[str, Any]], list[dict[str, Any]]] = field(default=_unchanged)
    peers: list[Peer] = field(default_factory=list)
    subscribed: list[dict[str, Any]] = field(default_factory=list)
    deaf: bool = False  # takes connections and never says a word
    connections: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._handle)
        return app

    def push(self, channel: str, events: list[Event]) -> None:
        """Sends a message to everyone who holds the channel."""
        wire = {"level2": "l2_data"}.get(channel, channel)
        for peer in self.peers:
            if channel in peer.held:
                self._send(peer, wire, events)

    def hang_up(self, code: int | None) -> None:
        """Closes every connection; with no code just so."""
        for peer in tuple(self.peers):
            if code is None:
                peer.transport.abort()
            else:
                self._spawn(peer.socket.close(code=code))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send(self, peer: Peer, channel: str, events: list[Event]) -> None:
        message = {"channel": channel, "client_id": "", "timestamp": _now(), "sequence_num": peer.number, "events": events}
        peer.number += 1
        if self.deaf:
            return
        for mangled in self.mangle(message):
            if not peer.socket.closed:
                self._spawn(peer.socket.send_str(mangled["raw"] if "raw" in mangled else json.dumps(mangled, separators=(",", ":"))))

    async def _handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        peer = Peer(socket, request.transport)
        self.connections += 1
        self.peers.append(peer)
        beat = asyncio.create_task(self._beat(peer))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(peer, json.loads(message.data))
        finally:
            beat.cancel()
            self.peers.remove(peer)
        return socket

    async def _beat(self, peer: Peer) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_s)
            if "heartbeats" in peer.held:
                peer.beats += 1
                self._send(
                    peer, "heartbeats", [{"current_time": "2031-03-04 05:06:07 +0000 UTC m=+1.5", "heartbeat_counter": str(peer.beats)}]
                )

    async def _take(self, peer: Peer, request: dict[str, Any]) -> None:
        self.subscribed.append(request)
        channel = request["channel"]
        if channel == "user" and (self.believed is None or self.believed(request.get("jwt", "")) is None):
            await peer.socket.send_str(json.dumps({"type": "error", "message": "authentication failure"}))
            return
        if request["type"] == "unsubscribe":
            peer.held.pop(channel, None)
        else:
            products = request.get("product_ids", [])
            for event in self.snapshots.get(channel, _nothing)(products):
                self._send(peer, {"level2": "l2_data"}.get(channel, channel), [event])
            peer.held[channel] = ["user-1"] if channel == "user" else products
        self._send(peer, "subscriptions", [{"subscriptions": dict(peer.held)}])


def _now() -> str:
    now_ns = time.time_ns()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_ns // 10**9)) + f".{now_ns % 10**9:09}Z"
