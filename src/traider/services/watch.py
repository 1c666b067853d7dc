"""Watches the guard: what it tells goes on the bus, and the API asks it through here (a ``traider.domain.ports.GuardPort``)."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

from structlog import get_logger

from traider.domain.bus_events import ACCOUNT, ORDERS, RISK, SYSTEM, SystemEvent
from traider.domain.errors import LinkError
from traider.domain.guard_protocol import Snapshot
from traider.domain.orders import AnyOrderEvent
from traider.domain.ports import Bus, Clock
from traider.domain.state import AccountState, RiskState
from traider.guard.client import GuardClient
from traider.guard.place import find_guard

log = get_logger("traider.watch")

RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)
BEAT_S = 1.0
SILENT_S = 3.0  # a guard that has not answered for so long does not count as connected


class GuardWatch:
    """``run`` keeps a connection as observer, made again when it is lost; what happened in between is told then."""

    def __init__(self, *, bus: Bus, clock: Clock, state_dir: Path, beat_s: float = BEAT_S, silent_s: float = SILENT_S) -> None:
        self._beat_s = beat_s
        self._silent_s = silent_s
        self._silent = False  # there is a connection, and the guard at its other end does not answer
        self._bus = bus
        self._clock = clock
        self._state_dir = state_dir
        self._client: GuardClient | None = None
        self._last_n = 0
        self._early: list[AnyOrderEvent] | None = None  # what is told while the events before it are being asked for
        self._heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._told = ("", "")

    # -- what the API asks

    @property
    def connected(self) -> bool:
        """Whether the guard is there and answers: a process that hangs keeps its connection."""
        return self._client is not None and self._client.connected and not self._silent

    async def snapshot(self) -> Snapshot:
        """How things stand."""
        return await self._connection().snapshot()

    async def set_kill_switch(self, *, on: bool, reason: str, by: str) -> None:
        """Returns when the switch is set and that is durable."""
        await self._connection().set_kill_switch(on=on, reason=reason, by=by)

    def _connection(self) -> GuardClient:
        if self._client is None:
            raise LinkError("the guard is not connected")
        return self._client

    # -- what the guard tells

    def on_order_event(self, event: AnyOrderEvent) -> None:
        if self._early is not None:
            self._early.append(event)
        elif event.n == 0 or event.n > self._last_n:
            self._last_n = max(self._last_n, event.n)
            self._heard.put_nowait((ORDERS, event))

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        self._heard.put_nowait((ACCOUNT, account))
        self._heard.put_nowait((RISK, risk))

    async def run(self) -> None:
        """Watches until it is cancelled."""
        publishing = asyncio.create_task(self._publish(), name="watch: publish")
        try:
            failures = 0
            while True:
                try:
                    await self._watch()
                    failures = 0
                except LinkError as error:
                    await self._tell("down", str(error))
                    failures += 1
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)

    async def _watch(self) -> None:
        endpoint, secret = find_guard(self._state_dir)
        self._early = []
        client = await GuardClient.connect(endpoint, secret, self, role="observer", client="watch")
        try:
            snapshot = await client.snapshot()
            missed = [past.event for past in await client.history(self._last_n)] if self._last_n else []
            early, self._early = self._early, None
            for event in (*missed, *early):
                self.on_order_event(event)
            self._last_n = max(self._last_n, snapshot.journal_n)
            self.on_state(snapshot.account, snapshot.risk)
            self._client = client
            await self._tell("up", "connected")
            await self._listen(client)
            await self._tell("down", str(client.lost.result()))
        finally:
            self._client = None
            self._silent = False
            client.close()

    async def _listen(self, client: GuardClient) -> None:
        """Until the connection is lost; meanwhile the guard is asked whether it is alive."""
        while not client.lost.done():
            beat = asyncio.create_task(client.beat(), name="watch: beat")
            try:
                answered, _ = await asyncio.wait((beat, client.lost), timeout=self._silent_s, return_when=asyncio.FIRST_COMPLETED)
                if not answered:
                    self._silent = True
                    await self._tell("down", f"it has not answered for {self._silent_s:g} s; what was asked of it waits")
                with suppress(LinkError):  # then the connection is lost
                    await beat
                    self._silent = False
                    await self._tell("up", "connected")
            finally:
                beat.cancel()
            await asyncio.wait((client.lost,), timeout=self._beat_s)

    async def _publish(self) -> None:
        while True:
            topic, payload = await self._heard.get()
            await self._bus.publish(topic, payload)

    async def _tell(self, state: str, detail: str) -> None:
        if (state, detail) != self._told:
            self._told = (state, detail)
            (log.info if state == "up" else log.warning)("the guard", state=state, detail=detail)
            await self._bus.publish(SYSTEM, SystemEvent(ts_ns=self._clock.now_ns(), component="guard", state=state, detail=detail))
