"""Does what the core decides: sends, cancels, listens and asks, each in a task of its own, so that none waits for another.

The core is called only from this event loop, one step at a time, so nothing here needs a lock. A call to the exchange that fails
closes gates and is made again; the one thing that is never done twice is sending an order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from structlog import get_logger

from traider.domain.guard_protocol import Done, KeyInfo
from traider.domain.orders import OrderRequest
from traider.domain.venue import (
    OrderHint,
    StreamChange,
    StreamState,
    Venue,
    VenueError,
    VenueFundsError,
    VenueMarket,
    VenueRejectedError,
    VenueUnavailableError,
    VenueUnknownError,
)
from traider.domain.vocabulary import OrderStatus, Reason

from ..base import Effects
from ..gates import Cause as Gate
from .core import LiveGuard
from .pace import Pace
from .view import glance, look, wanted

log = get_logger("traider.guard")

SECOND_NS = 1_000_000_000
_DONE = Done(seq=0)
_LIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


class _HeldBackError(Exception):
    """The order does not leave any more."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Pilot:
    """Runs while ``running`` is entered. ``tell`` gets what a step came to, wherever it came from."""

    def __init__(
        self, guard: LiveGuard, venue: Venue, tell: Callable[[Effects], None], pace: Pace | None = None, market: VenueMarket | None = None
    ) -> None:
        self._guard = guard
        self._venue = venue
        self._market = market
        if market is not None:
            guard.watch(market)
        self._tell = tell
        self._pace = pace or Pace()
        self._work = asyncio.Event()
        self._ask = asyncio.Event()
        self._status_told = asyncio.Event()
        self._full = True  # the next look is at everything
        self._hinted: dict[str, str] = {}
        self._cancel_sent_s: dict[str, float] = {}
        self._heard_s = 0.0
        self._sends: set[asyncio.Task[None]] = set()
        self._taken: dict[str, str] = {}  # the exchange's ids of orders that it has just taken, to be noted
        self._killed_s: float | None = None  # when the kill switch was first seen to be on
        self._alerted = False  # that orders are open under it

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[asyncio.Task[None]]":
        """The task in which everything runs; it ends only by an error that nobody foresaw."""
        self._guard.wake = self._work.set
        task = asyncio.create_task(self._run(), name="guard: pilot")
        try:
            yield task
        finally:
            self._guard.go = _wait
            task.cancel()
            sends = list(self._sends)
            for send in sends:
                send.cancel()
            await asyncio.gather(task, *sends, return_exceptions=True)
            if self._taken:
                self._say(self._note_taken())
            await self._venue.stop()

    async def _run(self) -> None:
        await self._connect()
        self._guard.go = self._send_what_is_due
        async with asyncio.TaskGroup() as group:
            for part in (self._send_all(), self._listen(), self._reconcile_all(), self._watch(), self._watch_venue()):
                group.create_task(part)
            if self._market is not None:
                market = self._market
                for part in (market.run(), self._watch_market(market), self._watch_statuses(market), self._compare_market()):
                    group.create_task(part)

    async def _connect(self) -> None:
        """Returns when the exchange answers; until then the gates are closed, and a kill switch that is on waits for it."""
        wait_s = self._pace.retry_s
        while True:
            try:
                await self._venue.start()
                return
            except VenueError as error:
                self._say(self._guard.close_gate(Gate.VENUE, f"{self._venue.name} can't be reached: {error}"))
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, self._pace.longest_retry_s)

    def _say(self, effects: Effects) -> None:
        while self._guard.notes:
            note = self._guard.notes.popleft()
            log.warning(note.detail, alert=note.name)
        if effects.events or effects.changed:
            self._tell(effects)

    # -- sending

    async def _send_all(self) -> None:
        while True:
            wait_s = self._send_what_is_due()
            await _set_within(self._work, wait_s)
            self._work.clear()

    def _send_what_is_due(self) -> float | None:
        """Cancels before anything else; the seconds after which there is something to do again.

        Whatever is sent begins in the loop's next turn, in this order.
        """
        guard = self._guard
        wait_s = self._cancel_due()
        while guard.amendments:
            self._start(self._send_amendment(guard.amendments.popleft()))
        while guard.outgoing:
            order = guard.books.open.get(guard.outgoing.popleft())
            if order is not None and order.status is OrderStatus.PENDING:
                guard.in_flight.add(order.request.client_order_id)
                self._start(self._send(order.request))
        return wait_s

    def _start(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, request: OrderRequest) -> None:
        """Sends an order, once. Whatever is not a plain yes or no leaves it unknown."""
        guard, identifier = self._guard, request.client_order_id

        def last_word() -> None:
            """Since the order was approved it may have waited for its turn, and much may have happened."""
            reason, detail = guard.why_not_send(request)
            if reason is not Reason.NONE:
                raise _HeldBackError(reason, detail)

        try:
            last_word()
            effects = await self._accepted(identifier, await self._venue.submit(request, last_word=last_word))
        except _HeldBackError as error:
            effects = guard.rejected(identifier, error.reason, error.detail)
        except VenueRejectedError as error:
            effects = guard.rejected(identifier, Reason.VENUE_REJECTED, f"{self._venue.name}: {error}")
            if isinstance(error, VenueFundsError):
                self._everything()  # balances, and orders that hold what is missing
        except VenueUnavailableError as error:
            effects = guard.rejected(identifier, Reason.NOT_SENT, f"{self._venue.name} could not be reached: {error}")
            self._lost_touch(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a mistake of ours after the first byte has left proves nothing about the order
            if not isinstance(error, VenueUnknownError):
                log.exception("unforeseen while an order was sent", client_order_id=identifier)
            effects = guard.unknown(identifier, f"{self._venue.name}: {error}")
            self._ask.set()
        self._say(effects)
        self._work.set()  # a cancel may have waited for its id

    async def _accepted(self, identifier: str, venue_order_id: str) -> Effects:
        """Notes the answer, together with those that come in the same turn of the loop: the disk is waited for once."""
        self._taken[identifier] = venue_order_id
        await asyncio.sleep(0)
        return self._note_taken()

    def _note_taken(self) -> Effects:
        taken, self._taken = self._taken, {}
        return self._guard.accepted(taken)

    async def _send_amendment(self, identifier: str) -> None:
        guard = self._guard
        amending, order = guard.books.amending.get(identifier), guard.books.open.get(identifier)
        if amending is None or order is None or order.venue_order_id is None:
            return

        def last_word() -> None:
            why = guard.why_not_amend(identifier)
            if why:
                raise _HeldBackError(Reason.GATE_CLOSED, why)

        try:
            await self._venue.amend(order.venue_order_id, size=amending.size, price=amending.limit_price, last_word=last_word)
            self._say(guard.amended(identifier, done=True))
        except (VenueRejectedError, VenueUnavailableError, _HeldBackError) as error:
            guard.note("amendment", f"{identifier} is what it was: {error}")
            self._say(guard.amended(identifier, done=False))
        except VenueUnknownError as error:
            log.warning("whether an order was amended is not known", client_order_id=identifier, reason=str(error))
        self._ask.set()

    def _cancel_due(self) -> float | None:
        """Sends the cancels that are due, each again and again until the order is over."""
        books = self._guard.books
        if not books.cancelling and not self._cancel_sent_s:
            return None
        now_s = asyncio.get_running_loop().time()
        for identifier in [identifier for identifier in self._cancel_sent_s if identifier not in books.cancelling]:
            del self._cancel_sent_s[identifier]
        ids = {
            identifier: order.venue_order_id
            for identifier in books.cancelling
            if (order := books.open.get(identifier)) is not None and order.venue_order_id is not None
        }
        due = {
            identifier: venue_id
            for identifier, venue_id in ids.items()
            if now_s - self._cancel_sent_s.get(identifier, -self._pace.cancel_again_s) >= self._pace.cancel_again_s
        }
        if due:
            for identifier in due:
                self._cancel_sent_s[identifier] = now_s
            self._start(self._send_cancels(due))
        return self._pace.cancel_again_s if ids else None

    async def _send_cancels(self, due: dict[str, str]) -> None:
        try:
            answers = await self._venue.cancel(tuple(due.values()))
            refused = {venue_id: error for venue_id, error in answers.items() if error is not None}
            if refused:  # perhaps it is over: the exchange is asked, and says so
                log.info("the exchange refused to cancel", orders={venue_id: str(error) for venue_id, error in refused.items()})
        except VenueError as error:
            log.warning("whether orders were cancelled is not known, asking again", orders=list(due), reason=str(error))
        self._hinted |= due
        self._ask.set()

    def _lost_touch(self, error: VenueError) -> None:
        self._say(self._guard.close_gate(Gate.VENUE, f"{self._venue.name} does not answer: {error}"))
        self._ask.set()

    # -- listening

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self._venue.events():
                    self._heard_s = asyncio.get_running_loop().time()
                    match event:
                        case StreamChange():
                            self._on_stream(event)
                        case OrderHint():
                            self._on_hint(event)
                detail = "the user channel ended"
            except VenueError as error:
                detail = str(error)
            self._on_stream(StreamChange(state=StreamState.LOST, detail=detail))
            await asyncio.sleep(self._pace.retry_s)

    def _on_stream(self, change: StreamChange) -> None:
        guard = self._guard
        if change.state is StreamState.LIVE:
            guard.stream_is_live()
        else:
            log.warning("the user channel is lost", reason=change.detail)
            guard.stream_lost(change.detail)
        self._say(Effects(_DONE, changed=True, urgent=True))
        self._hinted.clear()
        self._everything()

    def _on_hint(self, hint: OrderHint) -> None:
        """News of an order: it is asked for, unless the books have it already."""
        told, books = hint.order, self._guard.books
        identifier = books.venue_ids.get(told.venue_order_id, told.client_order_id)
        order = books.find(identifier)
        answer_comes = identifier in self._guard.in_flight and told.status in _LIVE
        if order is None:
            self._everything()
        elif told.filled_size > order.filled_size or (
            order.is_open and (told.status not in _LIVE or (order.venue_order_id is None and not answer_comes))
        ):
            self._hinted[identifier] = told.venue_order_id
            self._ask.set()

    # -- asking

    def _everything(self) -> None:
        self._hinted.clear()
        self._full = True
        self._ask.set()

    async def _reconcile_all(self) -> None:
        """Asks how things stand: at the start, when there is news or doubt, and now and then."""
        failures = 0
        while True:
            full, hinted = self._full, self._hinted
            self._full, self._hinted = False, {}
            self._ask.clear()
            try:
                await self._reconcile(full or not hinted, hinted)
                failures = 0
            except VenueError as error:
                failures += 1
                self._full = True
                self._say(self._guard.close_gate(Gate.VENUE, f"{self._venue.name} does not answer: {error}"))
            await self._until_next(failures)

    async def _reconcile(self, full: bool, hinted: dict[str, str]) -> None:
        guard = self._guard
        wants = wanted(guard.books, self._venue.now_ns(), frozenset(guard.in_flight))
        stream_was_live = guard.stream_live
        if full:
            view = await look(self._venue, guard.books, wants, self._venue.now_ns())
            if stream_was_live and not guard.stream_live:
                self._full = True  # the channel was lost meanwhile: what was heard proves nothing
                return
        else:
            chosen = {identifier: venue_id for identifier, venue_id in wants.orders.items() if identifier in hinted}
            view = await glance(self._venue, guard.books, type(wants)(wants.since_ns, chosen), self._venue.now_ns())
        self._say(guard.reconciled(view))
        if full:
            self._watch_kill(is_empty=not view.listed)

    async def _until_next(self, failures: int) -> None:
        if failures:
            await asyncio.sleep(min(self._pace.retry_s * 2 ** (failures - 1), self._pace.longest_retry_s))
            return
        loop = asyncio.get_running_loop()
        looked_s = loop.time()
        # looks are never closer together than this, however many hints come
        await asyncio.sleep(self._pace.between_looks_s)
        while not self._ask.is_set():
            # worked out anew each time: an order may have been sent since, or an answer lost
            left_s = looked_s + self._pace.look_again_s(self._guard, loop.time() - self._heard_s) - loop.time()
            if left_s <= self._pace.shortest_s:
                self._full = True
                return
            await _set_within(self._ask, min(left_s, self._pace.doubt_s))

    def _watch_kill(self, *, is_empty: bool) -> None:
        """Under the kill switch, tells once what is still open after a while, and once that nothing is any more."""
        guard, now_s = self._guard, asyncio.get_running_loop().time()
        if not guard.books.kill.on:
            self._killed_s, self._alerted = None, False
            return
        self._killed_s = now_s if self._killed_s is None else self._killed_s
        if is_empty and not guard.books.open:
            if not guard.kill_proven:
                guard.kill_proven = True
                guard.note("kill-switch", "the kill switch is on, and the exchange has no open order of this account")
        else:
            guard.kill_proven = False
            if not self._alerted and now_s - self._killed_s >= self._pace.kill_alert_s:
                self._alerted = True
                guard.note("kill-switch", f"the kill switch is on, still open: {', '.join(guard.books.open)}")
        self._say(Effects(_DONE, changed=True))

    # -- watching

    async def _watch(self) -> None:
        while True:
            self._say(self._guard.tick())
            await asyncio.sleep(self._pace.tick_s)

    async def _watch_venue(self) -> None:
        """Clock, key and markets, as the exchange sees them; the markets also as soon as their stream says something of them."""
        loop = asyncio.get_running_loop()
        while True:
            again_s = loop.time() + self._pace.venue_check_s
            self._status_told.clear()
            await self._check_all(self._check_clock, self._check_key, self._check_markets)
            while (left_s := again_s - loop.time()) > self._pace.shortest_s:
                await _set_within(self._status_told, left_s)
                if self._status_told.is_set():
                    self._status_told.clear()
                    await self._check_all(self._check_markets)
                    await asyncio.sleep(self._pace.between_statuses_s)

    async def _check_all(self, *checks: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            for check in checks:
                await check()
        except VenueRejectedError as error:
            self._say(self._guard.close_gate(Gate.KEY, f"{self._venue.name} refuses the key: {error}"))
        except VenueError as error:
            self._say(self._guard.close_gate(Gate.VENUE, f"{self._venue.name} does not answer: {error}"))
            self._full = True
            self._ask.set()

    async def _check_clock(self) -> None:
        guard, loop = self._guard, asyncio.get_running_loop()
        before_ns, began_s = guard.now_ns(), loop.time()
        there_ns = await self._venue.server_time_ns()
        # The venue's time is of some moment between question and answer: an answer that was long under way proves little.
        doubt_ns = (loop.time() - began_s) * SECOND_NS / 2
        offset_ns = there_ns - (before_ns + guard.now_ns()) // 2
        limit_ns = self._pace.clock_offset_s * SECOND_NS
        if abs(offset_ns) - doubt_ns > limit_ns:
            self._say(guard.close_gate(Gate.CLOCK, f"this machine's clock is {-offset_ns / SECOND_NS:+.1f} s off {self._venue.name}'s"))
        elif abs(offset_ns) + doubt_ns <= limit_ns:
            self._say(guard.open_gate(Gate.CLOCK))

    async def _check_key(self) -> None:
        allowed = await self._venue.permissions()
        self._guard.key_is(
            KeyInfo(
                seq=0,
                venue=self._venue.name,
                account=allowed.portfolio,
                can_view=allowed.can_view,
                can_trade=allowed.can_trade,
                can_transfer=allowed.can_transfer,
            )
        )
        if not allowed.can_trade or not allowed.can_view:
            self._say(self._guard.close_gate(Gate.KEY, "the key may not trade"))
        elif allowed.can_transfer:
            self._say(self._guard.close_gate(Gate.KEY, "the key may transfer money: use one that can't"))
        else:
            self._say(self._guard.open_gate(Gate.KEY))

    async def _check_markets(self) -> None:
        self._say(self._guard.markets_are(self._venue.name, await self._venue.market_states()))

    # -- the market

    async def _watch_market(self, market: VenueMarket) -> None:
        async for told in market.events():
            self._say(self._guard.market_told(told))

    async def _watch_statuses(self, market: VenueMarket) -> None:
        async for status in market.statuses():
            self._say(self._guard.market_status(self._venue.name, status))
            self._status_told.set()

    async def _compare_market(self) -> None:
        """Asks the exchange for the prices of which the stream says nothing."""
        guard = self._guard
        while True:
            await asyncio.sleep(self._pace.compare_s)
            streamed = guard.quiet_markets()
            if not streamed:
                continue
            asked_ns = guard.now_ns()
            try:
                asked = await self._venue.best_prices(tuple(streamed))
            except VenueError as error:  # then the prices grow old, and the gate closes
                log.warning("the market's prices could not be asked for", reason=str(error))
                continue
            self._say(guard.market_compared(streamed, asked, asked_ns))


def _wait() -> None:
    """What is outgoing stays where it is."""


async def _set_within(event: asyncio.Event, wait_s: float | None) -> None:
    """Returns when the event is set, or this time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):  # unlike wait_for of Python 3.11 it never swallows a cancellation
            await event.wait()
