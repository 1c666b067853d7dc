"""The machine that the guard's process runs on: it starts, dies, starts again, and keeps what it wrote."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from traider.connectors.coinbase.config import Addresses, RestTiming, SocketTiming
from traider.connectors.coinbase.credentials import ApiKey
from traider.connectors.coinbase.server_clock import ServerClock
from traider.connectors.coinbase.tokens import KeyAuthorization
from traider.connectors.coinbase.venue import CoinbaseVenue
from traider.domain.guard_protocol import AnyAsk
from traider.domain.orders import AnyOrderEvent
from traider.guard.audit.truth import Tally
from traider.guard.audit.witness import may_amend, may_leave
from traider.guard.base import Effects
from traider.guard.books import GuardConfig
from traider.guard.journal import Journal
from traider.guard.live.core import LiveGuard
from traider.guard.live.pilot import Pilot
from traider.guard.rotation import Rotation
from traider.guard.segments import segment_paths
from traider.runtime.virtual_time import VirtualClock, elapsed_ns

from .fate import Fate, KilledError, MortalDisk
from .wires import HOST, MemorySocket, MemoryTransport, Network

_URL = f"wss://{HOST}"


class GuardGoneError(Exception):
    """The guard's process is not there, or died while it was asked."""


class Machine:
    """``deliver`` gets the order events that the guard tells, ``lost`` is called when its process has died."""

    def __init__(
        self, path: Path, config: GuardConfig, network: Network, key: ApiKey, randomness: random.Random, tally: Tally, segment_lines: int
    ) -> None:
        self.clock = VirtualClock()
        self.fate = Fate(dead=True)
        self.deliver: Callable[[AnyOrderEvent], None] = lambda _event: None
        self.lost: Callable[[], None] = lambda: None
        self.starts = 0
        self.refusals: list[str] = []
        self.torn = b""  # what the next death leaves at the journal's end
        self.guard: LiveGuard | None = None
        self.disk = MortalDisk(self.fate)
        self.broken: BaseException | None = None
        self._path = path
        self._config = config
        self._network = network
        self._key = key
        self._random = randomness
        self._tally = tally
        self._segment_lines = segment_lines
        self._life: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self.guard is not None and not self.fate.dead

    def start(self) -> None:
        """Starts the guard's process, where it is not running."""
        if self._life is None or self._life.done():
            self._life = asyncio.get_running_loop().create_task(self._live(), name="chaos: guard")

    def kill(self) -> None:
        """SIGKILL, now."""
        self.fate.die()

    async def restart(self) -> None:
        """Kills it, and starts it again."""
        self.kill()
        await self.ended()
        self.start()

    async def ended(self) -> None:
        if self._life is not None:
            await asyncio.wait([self._life])

    def ask(self, ask: AnyAsk, client: int) -> Effects:
        """What the guard answers; whoever asked hears of its events as everybody does."""
        guard = self.guard
        if guard is None or self.fate.dead:
            raise GuardGoneError
        try:
            effects = guard.handle(ask, client)
        except KilledError:
            raise GuardGoneError from None
        self._tell(effects)
        return effects

    def disconnect(self, client: int) -> None:
        if self.guard is not None and self.is_up:
            with suppress(KilledError):
                self.guard.disconnect(client)

    def _tell(self, effects: Effects) -> None:
        if not self.fate.dead:
            for event in effects.events:
                self.deliver(event)

    async def _live(self) -> None:
        """One life of the process."""
        self.starts += 1
        end = asyncio.Event()
        self.fate = Fate(on_death=end.set)
        self.disk = MortalDisk(self.fate)
        journal = Journal.open(self._path, clock=self.clock, disk=self.disk)
        try:
            guard = LiveGuard(journal, self._config, self.clock)
            self._tell(guard.start())
            self.guard = guard
            await self._pilot(guard, Pilot(guard, self._venue(), self._tell), end)
        except KilledError:
            pass
        finally:
            self.fate.dead = True
            self.guard = None
            journal.close()
            if self.torn:
                with segment_paths(self._path)[-1][1].open("ab") as file:
                    file.write(self.torn)
                self.torn = b""
            self.lost()

    async def _pilot(self, guard: LiveGuard, pilot: Pilot, end: asyncio.Event) -> None:
        async with pilot.running() as task:
            loop = asyncio.get_running_loop()
            ending, rotating = loop.create_task(end.wait()), loop.create_task(Rotation(guard, self._segment_lines).run())
            await asyncio.wait([task, ending, rotating], return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            rotating.cancel()
            await asyncio.wait([rotating])
            for one in (task, rotating):
                if one.done() and not one.cancelled() and not _is_death(one.exception()):
                    self.broken = one.exception()
            self.fate.dead = True

    def _venue(self) -> CoinbaseVenue:
        clock = ServerClock(self.clock, monotonic_ns=elapsed_ns)
        authorization = KeyAuthorization(self._key, clock)
        fate = self.fate
        return CoinbaseVenue(
            transport=MemoryTransport(self._network, authorization, fate, self._left),
            make_socket=lambda: MemorySocket(self._network, authorization, fate),
            server_clock=clock,
            addresses=Addresses(rest_url=f"https://{HOST}", market_url=_URL, user_urls=(_URL,)),
            rest_timing=RestTiming(),
            socket_timing=SocketTiming(),
            randomness=self._random,
        )

    def _left(self, kind: str, identifier: str) -> None:
        guard = self.guard
        if kind == "amendment" and guard is not None:
            may_amend(guard, identifier, self._tally)
            return
        order = None if guard is None else guard.books.open.get(identifier)
        if guard is not None and order is not None:
            may_leave(guard, order.request, self._tally)
        else:
            self._tally.violated("I5", f"{identifier} left, and is not open in the books")


def _is_death(error: BaseException | None) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_death, error.exceptions))
    return isinstance(error, KilledError)
