"""A live session that is recorded while it runs, and the same one once more from its recording."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from ..domain.errors import StrategyError
from ..domain.guard_protocol import MarketEvent, Snapshot
from ..domain.instruments import Instrument
from ..domain.orders import AnyOrderEvent, OrderRequest
from ..domain.session_record import Amendment, AnyLine, Asked, Begun, Heard, Saw, Timed, Warmed
from ..domain.vocabulary import BAR_MADE
from ..kernel.kit import Strategy
from .live import AmendOrder, LiveSession, Wish
from .manifest import code_of

Wanted = list[Wish]


def begin(
    snapshot: Snapshot, strategy: Strategy, *, name: str, instruments: tuple[Instrument, ...], interpreted: bool, kinds: int = 0
) -> Begun:
    """The first line of a recording: everything that the session is made of."""
    code = msgspec.structs.asdict(code_of(type(strategy)))
    return Begun(
        session_id=snapshot.session_id,
        session=snapshot.session,
        strategy=name,
        values=dict(strategy.values()),
        instruments=instruments,
        snapshot=snapshot,
        interpreted=interpreted,
        kinds=kinds,
        code=code,
    )


def session_of(begun: Begun, strategy: type[Strategy]) -> LiveSession:
    """The session as it was when its recording began."""
    account = begun.snapshot.account
    session = LiveSession(
        strategy(**begun.values),
        begun.instruments,
        session_id=begun.session_id,
        cash=account.cash,
        interpreted=begun.interpreted,
        kinds=begun.kinds,
    )
    session.restore(begun.snapshot)
    return session


class RecordedSession:
    """A live session; what it is told and what it asks for is written before anything comes of it."""

    def __init__(self, session: LiveSession, write: Callable[[AnyLine], None]) -> None:
        self.session = session
        self._write = write

    def warm_up(self, events: Sequence[MarketEvent]) -> None:
        if events:
            self._write(Warmed(events=tuple(events)))
        self.session.warm_up(events)

    def on_order_event(self, event: AnyOrderEvent) -> None:
        self._write(Heard(event=event))
        self.session.on_order_event(event)

    def on_market(self, event: MarketEvent) -> Wanted:
        self._write(Saw(event=event))
        wanted = self.session.on_market(event)
        self._write(_asked(wanted))
        return wanted

    @property
    def next_timer_ns(self) -> int:
        return self.session.next_timer_ns

    def on_timer(self, index: int, tick: int) -> Wanted:
        self._write(Timed(index=index, tick=tick))
        wanted = self.session.on_timer(index, tick)
        self._write(_asked(wanted))
        return wanted


def _asked(wanted: Wanted) -> Asked:
    plain: list[OrderRequest | str] = []
    amendments: list[Amendment] = []
    for one in wanted:
        if isinstance(one, AmendOrder):
            amendment = Amendment(
                after=len(plain), client_order_id=one.client_order_id, amend_id=one.amend_id, size=one.size, price=one.price
            )
            amendments.append(amendment)
        else:
            plain.append(one if isinstance(one, OrderRequest) else one.client_order_id)
    return Asked(wanted=tuple(plain), amendments=tuple(amendments))


KEPT_EVENTS = 1 << 16  # many times what a guard that died can have forgotten, and what a chart shows again
_BLOCK = 1024  # quiet events that are stepped together


@dataclass
class Rerun:
    """A recording gone through once more. ``divergence`` says where the session first asked for something else; None where never.

    ``wanted`` is what it asked for at the last market event that it saw, without the orders that it was told anything of since. ``events``
    are the newest ``KEPT_EVENTS`` of the market events that it was shown or warmed up with, ``market_events`` how many they were since it
    began. ``last_n`` is the last line of the guard's journal that it heard of, ``settled_n`` the last before it asked for what is wanted:
    whatever the guard has made of that comes later.
    """

    session: LiveSession | None = None
    begun: Begun | None = None
    last_n: int = 0
    settled_n: int = 0
    last_index: int = -1
    last_tick: int = 0
    wanted: Wanted = field(default_factory=list)
    events: deque[MarketEvent] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    market_events: int = 0
    orders: int = 0
    segments: int = 0
    divergence: str | None = None

    @property
    def last_ns(self) -> int:
        """The market's time at the last event; a bar made of trades bears its start, so it says nothing."""
        return next((event.ts_ns for event in reversed(self.events) if not event.flags & BAR_MADE), 0)


class _NotQuietError(Exception):
    """Something was asked for where the recording says that nothing was."""


def rerun(lines: Callable[[], Iterable[AnyLine]], strategy_of: Callable[[Begun], type[Strategy]]) -> Rerun:
    """Feeds the recording, which ``lines`` begins to read, to the same compiled step. It stops at the first divergence.

    Market events at which nothing was asked for, which most are, are stepped many at a time. Where that does not hold, the recording is
    gone through once more, one event after the other, to say at which.
    """
    try:
        return _Again(strategy_of, _BLOCK).run(lines())
    except _NotQuietError:
        return _Again(strategy_of, 0).run(lines())


class _Again:
    """A session on its way through its recording. With a ``block``, quiet events are put off until so many can be stepped together."""

    def __init__(self, strategy_of: Callable[[Begun], type[Strategy]], block: int) -> None:
        self._strategy_of = strategy_of
        self._block = block
        self._run = Rerun()
        self._seen: MarketEvent | None = None  # shown, and what was asked for then is the next line
        self._quiet: list[MarketEvent] = []

    def run(self, lines: Iterable[AnyLine]) -> Rerun:
        run = self._run
        for number, line in enumerate(lines, 1):
            if isinstance(line, Begun):
                self._begin(line)
            elif run.session is None:
                run.divergence = f"line {number}: the recording does not begin with what the session is made of"
            elif self._block and self._seen is not None and isinstance(line, Asked) and not line.wanted and not line.amendments:
                self._put_off(self._seen)
            else:
                self._settle()
                self._take(run.session, line, number)
            if run.divergence is not None:
                return run
        self._settle()
        self._step_quietly()
        return run

    def _begin(self, line: Begun) -> None:
        self._settle()
        self._step_quietly()
        run = self._run
        run.session, run.begun = session_of(line, self._strategy_of(line)), line
        run.segments += 1
        run.wanted, run.last_n, run.last_index, run.last_tick, run.market_events = [], 0, -1, 0, 0
        run.settled_n = 0
        run.events.clear()

    def _put_off(self, event: MarketEvent) -> None:
        self._seen = None
        self._quiet.append(event)
        if len(self._quiet) == self._block:
            self._step_quietly()

    def _settle(self) -> None:
        """Takes the steps that were put off, but for quiet ones that another one may yet join."""
        session = self._run.session
        if session is not None and self._seen is not None:
            self._step_quietly()
            self._run.wanted = session.on_market(self._seen)
            self._seen = None

    def _step_quietly(self) -> None:
        session, events = self._run.session, self._quiet
        if session is None or not events:
            return
        self._quiet = []
        self._run.wanted = []
        try:
            quiet = session.see_quietly(events)
        except StrategyError:  # one event after the other tells at which, or finds that it asks for too much
            quiet = False
        if not quiet:
            raise _NotQuietError

    def _take(self, session: LiveSession, line: AnyLine, number: int) -> None:
        run = self._run
        if not isinstance(line, Saw):
            self._step_quietly()
        match line:
            case Warmed():
                session.warm_up(line.events)
                self._saw(*line.events)
                run.wanted = []  # what the run before left unsent was settled before this one looked at the market
            case Heard():
                session.on_order_event(line.event)
                run.last_n = max(run.last_n, line.event.n)
                told = line.event.client_order_id
                run.wanted = [one for one in run.wanted if not isinstance(one, OrderRequest) or one.client_order_id != told]
            case Saw():
                self._seen = line.event
                self._saw(line.event)
                run.last_tick, run.settled_n = 0, run.last_n
            case Timed():
                run.wanted = session.on_timer(line.index, line.tick)
                run.last_tick, run.settled_n = line.tick, run.last_n
            case Asked():
                now = _asked(run.wanted)
                run.orders += len(run.wanted)
                if now != line:
                    difference = _first_difference((*line.wanted, *line.amendments), (*now.wanted, *now.amendments))
                    run.divergence = f"line {number}, market event {run.last_index}: {difference}"

    def _saw(self, *events: MarketEvent) -> None:
        self._run.events += events
        self._run.market_events += len(events)
        self._run.last_index = max(self._run.last_index, *(event.index for event in events))


Told = OrderRequest | str | Amendment


def _first_difference(then: tuple[Told, ...], now: tuple[Told, ...]) -> str:
    """The first order, cancel or amendment that is not the same, in words."""
    for before, after in zip(then, now, strict=False):
        if before != after:
            return f"it asked for {_words(before)}, and asks for {_words(after)} now"
    if len(then) > len(now):
        return f"it asked for {_words(then[len(now)])}, and does not any more"
    return f"it asks for {_words(now[len(then)])} now, and did not"


def _words(one: Told) -> str:
    if isinstance(one, str):
        return f"the cancellation of {one}"
    if isinstance(one, Amendment):
        return f"the amendment of {one.client_order_id} to {one.size} at {one.price}"
    price = one.limit_price if one.limit_price is not None else one.stop_price
    at = "" if price is None else f" at {price}"
    return f"{one.client_order_id} ({one.side.name.lower()} {one.size} {one.symbol} {one.type.name.lower()}{at})"
