"""The trader: market source ─▶ guard ─▶ strategy ─▶ guard, one market event after the other, in lock step.

For event i the guard is fed first, so that its venue matches and tells of fills; then the strategy sees the event; then its orders
go to the guard; then comes event i+1. That is the backtest's order, and with a replay it gives the backtest's fills.

On an exchange nothing is matched here, so the strategy does not wait for the guard: event and orders leave in one write, and what
the guard tells of them comes when it comes. The recording has everything in the order in which the strategy was told.

There is one way to begin, after a first start, a lost guard or a crash alike: the strategy is made anew and shown the market's
past, with the order events of the guard's journal at the places where they happened. Client order ids come from session, event and
number, so the step that was under way when the connection broke is taken again, and orders that the guard knows are not sent twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import groupby, takewhile
from pathlib import Path

from structlog import get_logger

from traider.domain.bus_events import MARKET, SYSTEM, SystemEvent
from traider.domain.errors import LinkError, RecordingError
from traider.domain.guard_protocol import MarketEvent, PastEvent
from traider.domain.orders import AnyOrderEvent, OrderRequest
from traider.domain.ports import Bus, Clock
from traider.domain.state import AccountState, RiskState
from traider.domain.vocabulary import BAR_MADE, BOOK_END, EventKind
from traider.engine.live import AmendOrder, CancelOrder, LiveSession, Wish
from traider.engine.recorded import RecordedSession
from traider.guard.client import GuardClient, GuardRefusedError
from traider.guard.live.books import EXTERNAL
from traider.guard.place import find_guard

from .lag import STALE_S, Lag
from .past import ROWS_A_TIME, Moment, fire_again, give_back_books, not_sent, note_known, step_again, unheard_of
from .plan import MarketSource, Plan, Resumed

log = get_logger("traider.trader")

LEAVING_S = 5.0  # so long an exchange has, when this process ends, to say that the orders are gone
RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SHOWN_AGAIN = 1000  # past market events that are published at the start, so that a chart is not empty
_SHOWN_A_TIME = 64


class Trader:
    """``run`` returns when the source has ended. ``on_answer`` is told how long the guard took to answer orders, in seconds.

    On an exchange nothing is sent that was decided on news older than ``stale_s``.

    With ``cancel_on_disconnect`` the guard cancels its orders when this process is gone; with a ``heartbeat_s`` also when it hangs,
    and nothing was heard of it for so long. ``on_exchange`` says that the guard's venue is one, and matches nothing itself.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        bus: Bus,
        clock: Clock,
        state_dir: Path,
        cancel_on_disconnect: bool = False,
        heartbeat_s: float = 0.0,
        on_exchange: bool = False,
        stale_s: float = STALE_S,
    ) -> None:
        self.on_answer: Callable[[float], None] = lambda _seconds: None
        self._plan = plan
        self._bus = bus
        self._clock = clock
        self._state_dir = state_dir
        self._cancel_on_disconnect = cancel_on_disconnect
        self._heartbeat_s = heartbeat_s
        self._on_exchange = on_exchange
        self._lag = Lag(stale_s) if on_exchange else None  # of the market, whatever becomes of the connection to the guard
        self.events = 0  # market events taken since this was made
        self._shown = False
        self._problem = ""

    async def run(self) -> None:
        failures = 0
        while True:
            steps = _Steps(self._plan, self._bus, self._clock, show_past=not self._shown, on_answer=self.on_answer, lag=self._lag)
            steps.on_ready = lambda: self._tell("up", "connected to the guard")
            try:
                client = await self._connect(steps)
                try:
                    await _until_lost(steps.trade(client), client, self._heartbeat_s)
                    await self._tell("up", "the market source has ended")
                    return
                except asyncio.CancelledError:
                    if self._cancel_on_disconnect:
                        await _take_back(client)
                    raise
                finally:
                    client.close()
            except GuardRefusedError as error:
                await self._tell("degraded", f"the guard refuses: {error}")
            except RecordingError as error:
                await self._tell("down", f"nothing is traded that can't be recorded: {error}")
            except LinkError as error:
                why = "no guard" if steps.unrecorded is None else "nothing is traded that can't be recorded"
                await self._tell("down", f"{why}: {error}")
            finally:
                self.events += steps.events
            self._shown = self._shown or steps.shown
            failures = 0 if steps.events else failures + 1
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])

    async def _connect(self, steps: "_Steps") -> GuardClient:
        endpoint, secret = find_guard(self._state_dir)
        watching = await GuardClient.connect(endpoint, secret, steps, role="observer", client="trader")
        try:
            session = self._plan.session(await watching.snapshot())
        finally:
            watching.close()
        return await GuardClient.connect(
            endpoint,
            secret,
            steps,
            role="trader",
            client="trader",
            session=session,
            cancel_on_disconnect=self._cancel_on_disconnect,
            heartbeat_s=self._heartbeat_s,
            kinds=self._plan.kinds,
        )

    async def _tell(self, state: str, detail: str) -> None:
        if detail != self._problem:
            self._problem = detail
            (log.info if state == "up" else log.warning)(detail, component="trader", state=state)
            await self._bus.publish(SYSTEM, SystemEvent(ts_ns=self._clock.now_ns(), component="trader", state=state, detail=detail))


class _Steps:
    """The life of one connection. It listens to the guard from the first moment, and applies what it hears once it is ready."""

    def __init__(self, plan: Plan, bus: Bus, clock: Clock, *, show_past: bool, on_answer: Callable[[float], None], lag: Lag | None) -> None:
        self._plan = plan
        self._clock = clock
        self._lag = lag  # None where the strategy waits for the guard, and nothing can be stale
        self._is_stale = False
        self._on_answer = on_answer
        self._bus = bus
        self._show_past = show_past
        self._strategy: LiveSession | RecordedSession | None = None
        self._early: list[AnyOrderEvent] = []
        self._last_n = 0
        self._tick = 0  # timers that have fired since the last market event
        self.on_ready: Callable[[], Awaitable[None]] = _told_nobody
        self.shown = False  # the past was published
        self.unrecorded: RecordingError | None = None
        self.events = 0  # that the guard took

    def on_order_event(self, event: AnyOrderEvent) -> None:
        if self._strategy is None:
            self._early.append(event)
        elif event.n == 0 or event.n > self._last_n:
            self._last_n = max(self._last_n, event.n)
            try:
                self._strategy.on_order_event(event)
            except RecordingError as error:  # what the strategy was not shown it can't go on without
                self.unrecorded = error
                raise LinkError(str(error)) from error

    def on_state(self, account: AccountState, risk: RiskState) -> None:
        """Whoever watches the guard publishes it."""

    async def trade(self, client: GuardClient) -> None:
        snapshot = await client.snapshot()
        last = snapshot.last_index
        # In a thread, since a long recording takes its time: the guard goes on hearing that this process is alive.
        resumed = await asyncio.to_thread(self._plan.resume, snapshot)
        source = self._plan.source(snapshot)
        if snapshot.book_lost and self._plan.kinds >> EventKind.DEPTH & 1 and not source.in_moments:  # a live book begins anew by itself
            await give_back_books(client, source, last, {instrument.symbol for instrument in snapshot.instruments})
        if resumed is None:
            source.continue_after(last, snapshot.account.ts_ns)
            strategy = self._plan.strategy(snapshot)
            await self._send(client, await self._remember(client, source, strategy, (last, snapshot.last_tick)))
            self._tick = snapshot.last_tick
        else:
            source.continue_after(max(last, resumed.rerun.last_index), resumed.rerun.last_ns)
            strategy = resumed.strategy
            last = await self._go_on(client, source, resumed, last)
        await self.on_ready()
        last = await self._look_on(client, source, strategy, last)
        strategy.warm_up(source.unfed)
        await self._publish_past(source, resumed, last)
        moment: list[MarketEvent] = []
        async for event in source.events(last + 1):
            moment.append(event)
            if source.in_moments and event.kind is EventKind.DEPTH and not event.flags & BOOK_END:
                continue  # no strategy sees a book in the middle of its moment
            await self._take(client, strategy, moment)
            moment = []

    async def _take(self, client: GuardClient, strategy: LiveSession | RecordedSession, moment: Sequence[MarketEvent]) -> None:
        """One moment of the market: guard and strategy see it, and what the strategy asks for is on its way."""
        if self._lag is not None:
            self._watch_lag(self._lag, moment[-1])
        await self._let_timers_fire(client, strategy, moment[0].index - 1, moment[0].ts_ns)
        if self._lag is not None:
            wanted = self._timely(strategy, [one for event in moment for one in strategy.on_market(event)], moment[-1].ts_ns)
            at_once = list(takewhile(lambda one: not isinstance(one, AmendOrder), wanted))
            asked_s = asyncio.get_running_loop().time()
            await client.step(moment, _runs(at_once))
            if at_once:
                self._on_answer(asyncio.get_running_loop().time() - asked_s)
            await self._send(client, wanted[len(at_once) :])
        else:
            await client.feed(moment)
            await self._send(client, [one for event in moment for one in strategy.on_market(event)])
        self._tick = 0
        self.events += len(moment)
        await self._bus.publish(MARKET, moment[-1])

    async def _let_timers_fire(self, client: GuardClient, strategy: LiveSession | RecordedSession, index: int, before_ns: int) -> None:
        """What is due by the time of the next market event, one timer after the other, each with what it asks for."""
        while (ts_ns := strategy.next_timer_ns) <= before_ns:
            self._tick += 1
            await client.advance(index=index, tick=self._tick, ts_ns=ts_ns)
            await self._send(client, self._timely(strategy, strategy.on_timer(index, self._tick), ts_ns))

    async def _remember(
        self, client: GuardClient, source: MarketSource, strategy: LiveSession | RecordedSession, moment: Moment
    ) -> list[Wish]:
        """Brings the strategy to where the guard is. What it asked for at that moment and the guard has not heard of."""
        last, last_tick = moment
        past: dict[Moment, list[PastEvent]] = {}
        known: set[str] = set()
        start = source.history_start(last)
        for one in await client.history():
            self._last_n = one.event.n
            note_known(one.event, known)
            if one.index < start:
                strategy.on_order_event(one.event)
            else:
                past.setdefault((one.index, one.tick), []).append(one)
        timed = {index for index, tick in past if tick > 0}  # market events after which timers asked for something
        wanted: list[Wish] = []
        for block in range(start, last + 1, ROWS_A_TIME):
            quiet: list[MarketEvent] = []
            for event in source.history(block, min(block + ROWS_A_TIME, last + 1)):
                happened = past.get((event.index, 0), ())
                if not happened and event.index - 1 not in timed and (event.index < last or event.index < source.untraded):
                    quiet.append(event)
                    continue
                strategy.warm_up(quiet)
                quiet = []
                tick = 0
                while event.index >= source.untraded and strategy.next_timer_ns <= event.ts_ns:
                    tick += 1
                    fire_again(strategy, event, (event.index - 1, tick), past, known, is_last=False)
                wanted = step_again(strategy, event, happened, known, is_last=event.index == last and last_tick == 0)
                for tick in range(1, last_tick + 1 if event.index == last else 0):
                    wanted = fire_again(strategy, event, (last, tick), past, known, is_last=tick == last_tick)
            strategy.warm_up(quiet)
            await asyncio.sleep(0)
        self._strategy = strategy
        for early in self._early:
            self.on_order_event(early)
        return wanted

    async def _go_on(self, client: GuardClient, source: MarketSource, resumed: Resumed, last: int) -> int:
        """From where the recording ended to where guard and strategy have both seen everything; the last market event that they have.

        The guard's order events that the recording does not have come late, as they would have on a slow connection. The step that
        was under way is sent again: the guard knows what it has had.
        """
        strategy, run = resumed
        self._last_n = run.last_n
        known: set[str] = set()
        for one in await client.history(run.settled_n):
            note_known(one.event, known)
            if one.event.n > run.last_n:
                self._last_n = one.event.n
                strategy.on_order_event(one.event)
        self._strategy = strategy
        for early in self._early:
            self.on_order_event(early)
        missed = [event for event in run.events if event.index > last]
        for start in range(0, len(missed), ROWS_A_TIME):  # a guard that died may have forgotten the newest
            await client.feed(missed[start : start + ROWS_A_TIME])
        wanted = unheard_of(run.wanted, known)
        if self._lag is not None and run.events:
            now_ns, last_seen = self._clock.now_ns(), run.events[-1]
            decided_s = (now_ns - (last_seen.received_ts_ns or last_seen.ts_ns)) / 1e9
            self._is_stale = decided_s > STALE_S or (run.last_ns > 0 and self._lag.is_stale(run.last_ns, now_ns))
            wanted = self._timely(strategy, wanted, last_seen.ts_ns)
        self._tick = run.last_tick
        for event in source.history(run.last_index + 1, last + 1):  # fed, and not shown before this process died
            await self._send(client, wanted)
            await self._let_timers_fire(client, strategy, event.index - 1, event.ts_ns)
            wanted = strategy.on_market(event)
            self._tick = 0
        await self._send(client, wanted)
        return max(last, run.last_index)

    def _watch_lag(self, lag: Lag, event: MarketEvent) -> None:
        if event.flags & BAR_MADE:
            return  # it bears its start; what it is made of was there before
        was, self._is_stale = self._is_stale, lag.is_stale(event.ts_ns, self._clock.now_ns())
        if self._is_stale and not was:
            age_s = (self._clock.now_ns() - event.ts_ns) / 1e9
            log.warning("the market's news are old: nothing but cancels is sent until they are new", age_s=round(age_s, 1))

    def _timely(self, strategy: LiveSession | RecordedSession, wanted: Sequence[Wish], ts_ns: int) -> list[Wish]:
        """What may be sent yet of what was decided at this time of the market; of the rest the strategy is told that it was not."""
        if not self._is_stale:
            return list(wanted)
        for one in wanted:
            if isinstance(one, OrderRequest):
                log.warning("decided on what is too old, and not sent", client_order_id=one.client_order_id)
                strategy.on_order_event(not_sent(one, ts_ns))
        return [one for one in wanted if isinstance(one, CancelOrder)]

    async def _look_on(self, client: GuardClient, source: MarketSource, strategy: LiveSession | RecordedSession, last: int) -> int:
        """Feeds what is not traded on."""
        if last + 1 >= source.untraded:
            return last
        for start in range(last + 1, source.untraded, ROWS_A_TIME):
            events = source.history(start, min(start + ROWS_A_TIME, source.untraded))
            await client.feed(events)
            strategy.warm_up(events)
        return source.untraded - 1

    async def _send(self, client: GuardClient, wanted: Sequence[Wish]) -> None:
        """In the strategy's order, as a backtest settles it: whether an order passes hangs on what was taken back before it."""
        for kind, run in groupby(wanted, key=type):
            some = list(run)
            if kind is OrderRequest:
                asked_s = asyncio.get_running_loop().time()
                await client.submit([one for one in some if isinstance(one, OrderRequest)])
                self._on_answer(asyncio.get_running_loop().time() - asked_s)
            elif kind is CancelOrder:
                await client.cancel([one.client_order_id for one in some if isinstance(one, CancelOrder)])
            else:
                for one in some:
                    if isinstance(one, AmendOrder):
                        await self._amend(client, one)

    async def _amend(self, client: GuardClient, wish: AmendOrder) -> None:
        try:
            await client.amend(wish.client_order_id, size=wish.size, limit_price=wish.price, amend_id=wish.amend_id)
        except GuardRefusedError as error:  # the order is what it was, and the strategy sees that
            log.warning("an amendment was refused", client_order_id=wish.client_order_id, reason=str(error))

    async def _publish_past(self, source: MarketSource, resumed: Resumed | None, last: int) -> None:
        if self._show_past:
            past = [*source.history(max(0, last + 1 - 2 * SHOWN_AGAIN), last + 1), *source.unfed]
            if resumed is not None:
                first = next((event.index for event in past if event.index >= 0), last + 1)
                past = [event for event in resumed.rerun.events if event.index < first] + past
            shown = [event for event in past if event.kind is not EventKind.DEPTH and not event.flags & BAR_MADE]
            for number, event in enumerate(shown[-SHOWN_AGAIN:]):
                await self._bus.publish(MARKET, event)
                if number % _SHOWN_A_TIME == 0:
                    await asyncio.sleep(0)  # who listens takes them before there are too many
        self.shown = True


async def _told_nobody() -> None:
    """For whoever does not want to know."""


def _runs(wanted: Sequence[Wish]) -> list[list[OrderRequest | str]]:
    """Orders and cancels (by id), as they are sent: what follows upon its like goes along."""
    plain = [one if isinstance(one, OrderRequest) else one.client_order_id for one in wanted]
    return [list(run) for _, run in groupby(plain, key=type)]


async def _beat(client: GuardClient, heartbeat_s: float) -> None:
    """Tells the guard three times within its patience that this process is alive."""
    while True:
        await asyncio.sleep(heartbeat_s / 3)
        await client.beat()


async def _take_back(client: GuardClient) -> None:
    """Cancels every own order, and returns when none is open any more, or the exchange has had its time to say so."""
    with suppress(LinkError, TimeoutError):
        async with asyncio.timeout(LEAVING_S):
            await client.cancel(())
            while any(order.request.strategy != EXTERNAL for order in (await client.snapshot()).open_orders):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)


async def _until_lost(trading: Coroutine[None, None, None], client: GuardClient, heartbeat_s: float) -> None:
    """Trades to the end, or until the connection is lost, whatever the trader is waiting for at that time."""
    task = asyncio.create_task(trading, name="trader: steps")
    beating = asyncio.create_task(_beat(client, heartbeat_s), name="trader: beat") if heartbeat_s > 0 else None
    try:
        await asyncio.wait((task, client.lost), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise client.lost.result()
        await task
    finally:
        running = [one for one in (task, beating) if one is not None]
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)
