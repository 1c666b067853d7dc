"""The guard's process: the core behind its endpoint, and the store that follows the journal.

One thread does it all: an answer waits for the disk, and so does everybody else, since nothing may overtake what is being made
durable. The store is written beside, from the journal, as fast as it goes; when it fails, the guard goes on and the store catches
up. An error that nobody foresaw ends the process: the next start knows what the journal knows.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from structlog import get_logger

from traider.domain.errors import JournalError, LinkError, StoreError, TraiderError, UserError
from traider.domain.guard_protocol import AnyAsk, Done, Open, OrderEventPush, Refused, StatePush
from traider.domain.orders import AnyOrderEvent, OrderEvent
from traider.domain.ports import Clock
from traider.domain.venue import Venue, VenueMarket
from traider.guard.approval import Guard
from traider.guard.authorization import LivePolicy, WhyNotEnabled
from traider.guard.base import Effects, GuardBase
from traider.guard.books import GuardConfig, rehearse
from traider.guard.journal import Journal
from traider.guard.live.books import rehearse_live
from traider.guard.live.core import LiveGuard
from traider.guard.live.pilot import Pilot
from traider.guard.place import JOURNAL, SECRET, SOCKET, announce, make_directory
from traider.guard.rotation import Rotation
from traider.guard.segments import OlderSegmentError
from traider.guard.state import account_state
from traider.runtime.link import Endpoint, Link, endpoint_in, load_secret
from traider.runtime.link_server import serve
from traider.storage.migrate import migrate
from traider.storage.projection import Projection

log = get_logger("traider.guard")

STATE_EVERY_S = 0.1  # account and limits are told at most so often, but for urgent changes
STORE_EVERY_S = 0.2
STORE_LINES = 1000
STORE_RETRY_S = 5.0
STORE_END_S = 3.0
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyAsk)


class GuardService:
    """A ``traider.runtime.link.Handler`` over the core.

    What steps came to is told in the order in which it happened, and each client has it in one write. Where orders go to an exchange,
    those that a step has let pass leave first: they begin in the event loop's next turn, and some libraries write in the one after.
    """

    def __init__(self, guard: GuardBase[Any]) -> None:
        self._guard = guard
        self._numbers: dict[Link, int] = {}
        self._told: set[Link] = set()  # those who have said who they are
        self._count = 0
        self._untold: list[tuple[Link | None, Effects]] = []  # who asked, and what came of it
        self._orders_leave = isinstance(guard, LiveGuard)
        self._waiting: asyncio.Handle | None = None  # for the turn in which they begin
        self._is_next = False  # telling is
        self._state_timer: asyncio.TimerHandle | None = None
        self._state_told_s = 0.0
        self.changed = asyncio.Event()

    def on_open(self, link: Link) -> None:
        self._count += 1
        self._numbers[link] = self._count

    def on_lost(self, link: Link, reason: LinkError) -> None:
        self._guard.disconnect(self._numbers.pop(link))
        self._told.discard(link)
        log.info("a client is gone", reason=str(reason))

    def on_frame(self, link: Link, frame: bytes) -> None:
        try:
            ask = _decoder.decode(frame)
        except msgspec.DecodeError as error:
            raise LinkError(f"a frame that is not of this protocol: {error}") from error
        failure = self._guard.failure
        effects = self._guard.handle(ask, self._numbers[link])
        if isinstance(ask, Open) and isinstance(effects.reply, Done):
            self._told.add(link)
            log.info("a client is here", client=ask.client, role=ask.role)
        if failure is None and self._guard.failure is not None:
            log.critical("the gate is closed until the guard is started again", reason=self._guard.failure)
        if isinstance(effects.reply, Refused):
            log.warning("refused", ask=type(ask).__name__, reason=effects.reply.message)
        self._tell_soon(link, effects)

    def tell(self, effects: Effects) -> None:
        """Tells everybody what happened without anybody's asking."""
        self._tell_soon(None, effects)

    def _tell_soon(self, link: Link | None, effects: Effects) -> None:
        self._untold.append((link, effects))
        if not self._orders_leave:
            self._tell_all()
        elif not self._is_next:  # else frames that come in every turn would put it off for ever
            if self._waiting is not None:
                self._waiting.cancel()  # after what this step has begun, too
            self._waiting = asyncio.get_running_loop().call_soon(self._tell_next)

    def _tell_next(self) -> None:
        self._waiting, self._is_next = None, True
        asyncio.get_running_loop().call_soon(self._tell_all)

    def _tell_all(self) -> None:
        """Events, then how things stand, then the reply: whoever asked knows all of it when the answer comes."""
        untold, self._untold, self._is_next = self._untold, [], False
        outbox: dict[Link, list[bytes]] = {link: [] for link in self._told}
        for link, effects in untold:
            self._put(outbox, (OrderEventPush(event=event) for event in effects.events))
            if link is not None and effects.repeats:
                outbox.setdefault(link, []).extend(_encoder.encode(OrderEventPush(event=event)) for event in effects.repeats)
            if effects.changed:
                self.changed.set()
                if self._is_state_due(at_once=effects.urgent):
                    self._put(outbox, (self._state(),))
            if link is not None:
                outbox.setdefault(link, []).append(_encoder.encode(effects.reply))
        for link, frames in outbox.items():
            _send(link, frames)

    def _put(self, outbox: dict[Link, list[bytes]], pushes: Iterable[OrderEventPush | StatePush]) -> None:
        for push in pushes:
            frame = _encoder.encode(push)
            for link in self._told:
                outbox[link].append(frame)

    def _is_state_due(self, *, at_once: bool) -> bool:
        """Whether account and limits are to be told now; if not, they will be by and by."""
        loop = asyncio.get_running_loop()
        wait_s = 0.0 if at_once else self._state_told_s + STATE_EVERY_S - loop.time()
        if wait_s > 0 and self._state_timer is None:
            self._state_timer = loop.call_later(wait_s, self._push_state)
        return wait_s <= 0

    def _push_state(self) -> None:
        outbox: dict[Link, list[bytes]] = {link: [] for link in self._told}
        self._put(outbox, (self._state(),))
        for link, frames in outbox.items():
            _send(link, frames)

    def _state(self) -> StatePush:
        if self._state_timer is not None:
            self._state_timer.cancel()
            self._state_timer = None
        self._state_told_s = asyncio.get_running_loop().time()
        return StatePush(account=account_state(self._guard.books), risk=self._guard.risk())


def _send(link: Link, frames: Sequence[bytes]) -> None:
    # A client that is gone, or does not read, is told by its link's end; it asks for a snapshot when it comes back.
    if not frames:
        return
    try:
        link.send_all(frames)
    except LinkError as error:
        link.end(str(error))


class StoreWriter:
    """Keeps the store on the heels of the journal. A store that fails is tried again; nothing is lost, the journal has it all."""

    def __init__(self, guard: GuardBase[Any], projection: Projection, changed: asyncio.Event) -> None:
        self._guard = guard
        self._projection = projection
        self._changed = changed
        self._ended = asyncio.Event()
        self.last_n = 0  # the last journal entry that the store contains

    async def open(self, *, rebuild: bool) -> None:
        """Catches up with the journal. ``StoreError`` when the store has seen what the journal has not."""
        if rebuild:
            await self._projection.reset()
        self.last_n = await self._projection.last_n()
        if self.last_n > self._guard.journal.n:
            raise StoreError(
                f"the store contains journal entry {self.last_n}, and the journal ends at {self._guard.journal.n}: they do not belong "
                "together; restore the journal, name another STATE_STORE_URI, or write the store anew with: traider guard --rebuild-store"
            )
        while await self._write():
            pass

    async def run(self) -> None:
        """Writes until ``end``. Cancelled within a transaction, it could leave that open, and the store locked for whoever comes next."""
        while not self._ended.is_set():
            await self._changed.wait()
            self._changed.clear()
            try:
                while await self._write():
                    pass
            except StoreError as error:
                log.error("the store can't be written, trying again", error=str(error), retry_s=STORE_RETRY_S)
                self._changed.set()
                await self._pause(STORE_RETRY_S)
            await self._pause(STORE_EVERY_S)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    def end(self) -> None:
        """``run`` returns when what it is writing is written."""
        self._ended.set()
        self._changed.set()

    async def flush(self) -> None:
        """Writes what is left."""
        try:
            while await self._write():
                pass
        except StoreError as error:
            log.error("the store is behind the journal; the next start catches up", error=str(error))

    async def close(self) -> None:
        await self._projection.close()

    async def _write(self) -> bool:
        """Whether there is more."""
        journal, books = self._guard.journal, self._guard.books
        last = min(self.last_n + STORE_LINES, journal.n)
        try:
            entries = list(journal.read(self.last_n + 1, last))
        except OlderSegmentError as error:
            raise StoreError(f"the store has journal entries up to {self.last_n}, and can't follow: {error}") from error
        events: Sequence[AnyOrderEvent] = [entry.record for entry in entries if isinstance(entry.record, OrderEvent)]
        more = last < journal.n
        account = account_state(books) if not more and books.is_valued else None
        await self._projection.apply(events, account, None if more else self._guard.risk())
        self.last_n = last
        return more


class GuardOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is started with. ``listen`` None is a socket in the state directory.

    ``parent`` is the process that looks after this one, if there is one: when it has died before the journal was locked, its
    successor could not have known of this guard, so this guard does not start. A file of the journal that has ``segment_lines`` is
    followed by another one. On an exchange ``live`` says whether orders may leave;
    None is for a simulated exchange: then every order may.
    """

    state_dir: Path
    store_url: str
    config: GuardConfig
    listen: Endpoint | None = None
    parent: int | None = None
    rebuild_store: bool = False
    segment_lines: int = 50_000
    live: LivePolicy | None = None


async def run_guard(
    options: GuardOptions,
    clock: Clock,
    make_venue: Callable[[], Venue] | None = None,
    make_market: Callable[[], VenueMarket] | None = None,
) -> None:
    """Guards until SIGTERM or SIGINT. Whoever wants to connect finds the address in ``guard.endpoint`` of the state directory.

    Orders go to the venue that ``make_venue`` makes in the running loop; without one they are matched here, on paper. With a
    ``make_market`` marks and the age of prices come from what it makes, whatever the trader feeds.
    """
    stop = asyncio.Event()
    failures: list[BaseException] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.set_exception_handler(lambda _, context: _fail(context, failures, stop))
    journal = _open_journal(options, clock)
    try:
        secret = load_secret(options.state_dir / SECRET)
        guard = _make_guard(options, journal, clock, live=make_venue is not None)
        for event in guard.start().events:
            log.warning("settled what the last run left behind", outcome=type(event).__name__, client_order_id=event.client_order_id)
        rehearse(options.config)
        if make_venue is not None:
            rehearse_live(options.config)
        market = None if make_market is None else make_market()
        service = GuardService(guard)
        await migrate(options.store_url)
        async with _following(guard, service, options) as writing:
            writing.add_done_callback(lambda task: _fail_if_broken(task, failures, stop))
            server = await serve(options.listen or endpoint_in(options.state_dir, SOCKET), secret, service)
            announce(options.state_dir, server.endpoint)
            log.info("guarding", endpoint=str(server.endpoint), journal_entries=journal.n, head=journal.head)
            async with _trading(guard, service, make_venue, market) as trading, _rotating(guard, options.segment_lines) as rotating:
                for task in (trading, rotating):
                    if task is not None:
                        task.add_done_callback(lambda task: _fail_if_broken(task, failures, stop))
                await stop.wait()
                await server.close("the guard stops")
            try:
                guard.stop()
            except JournalError as error:
                log.error("no checkpoint at the stop: some market events will be fed again", error=str(error))
        log.info("stopped", journal_entries=journal.n)
    finally:
        journal.close()
    if failures:
        raise TraiderError(f"the guard stopped because of an error of its own: {failures[0]!r}") from failures[0]


def _make_guard(options: GuardOptions, journal: Journal, clock: Clock, *, live: bool) -> Guard | LiveGuard:
    if not live:
        return Guard(journal, options.config, clock)
    if options.live is None:
        return LiveGuard(journal, options.config, clock)
    return LiveGuard(journal, options.config, clock, WhyNotEnabled(options.state_dir, options.live))


@asynccontextmanager
async def _trading(
    guard: Guard | LiveGuard, service: GuardService, make_venue: Callable[[], Venue] | None, market: VenueMarket | None
) -> "AsyncIterator[asyncio.Task[None] | None]":
    """The task that talks to the venue; None on paper, where there is nobody to talk to."""
    if make_venue is None or isinstance(guard, Guard):
        yield None
        return
    async with Pilot(guard, make_venue(), service.tell, market=market).running() as task:
        yield task


@asynccontextmanager
async def _rotating(guard: Guard | LiveGuard, segment_lines: int) -> "AsyncIterator[asyncio.Task[None]]":
    """The task that has the journal go on in another file when one is full."""
    task = asyncio.create_task(Rotation(guard, segment_lines).run(), name="guard: rotation")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _following(guard: GuardBase[Any], service: GuardService, options: GuardOptions) -> "AsyncIterator[asyncio.Task[None]]":
    """The task that writes the store, which has caught up already; in the end it is written once more."""
    store = StoreWriter(guard, Projection(options.store_url), service.changed)
    try:
        await store.open(rebuild=options.rebuild_store)
        writing = asyncio.create_task(store.run(), name="guard: store")
        try:
            yield writing
        finally:
            store.end()
            _, late = await asyncio.wait([writing], timeout=STORE_END_S)
            if late:  # a server that does not answer
                writing.cancel()
                await asyncio.wait([writing])
            await store.flush()
    finally:
        await store.close()


def _open_journal(options: GuardOptions, clock: Clock) -> Journal:
    make_directory(options.state_dir)
    journal = Journal.open(options.state_dir / JOURNAL, clock=clock, started_by="hand" if options.parent is None else "up")
    if options.parent is not None and os.getppid() != options.parent:
        journal.close()
        raise UserError("traider up, which started this guard, is gone")
    for notice in journal.notices:
        log.warning("journal", notice=notice)
    return journal


def _fail(context: dict[str, Any], failures: list[BaseException], stop: asyncio.Event) -> None:
    error = context.get("exception")
    log.critical("unforeseen", message=context.get("message"), exc_info=error)
    failures.append(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))
    stop.set()


def _fail_if_broken(task: "asyncio.Task[None]", failures: list[BaseException], stop: asyncio.Event) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _fail({"exception": error, "message": "a task of the guard broke"}, failures, stop)
