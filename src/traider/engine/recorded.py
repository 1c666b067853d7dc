"""A live session that is recorded while it runs, and the same one once more from its recording."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from ..domain.guard_protocol import MarketEvent, Snapshot
from ..domain.instruments import Instrument
from ..domain.orders import AnyOrderEvent, OrderRequest
from ..domain.session_record import AnyLine, Asked, Begun, Heard, Saw, Warmed
from ..domain.vocabulary import BAR_MADE
from ..kernel.kit import Strategy
from .live import CancelOrder, LiveSession
from .manifest import code_of

Wanted = list[OrderRequest | CancelOrder]


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
        self._write(Asked(wanted=tuple(one if isinstance(one, OrderRequest) else one.client_order_id for one in wanted)))
        return wanted


@dataclass
class Rerun:
    """A recording gone through once more. ``divergence`` says where the session first asked for something else; None where never.

    ``wanted`` is what it asked for at the last market event that it saw, ``events`` the market events that it was shown or warmed up with.
    """

    session: LiveSession | None = None
    begun: Begun | None = None
    last_n: int = 0
    last_index: int = -1
    wanted: Wanted = field(default_factory=list)
    events: list[MarketEvent] = field(default_factory=list)
    orders: int = 0
    segments: int = 0
    divergence: str | None = None

    @property
    def last_ns(self) -> int:
        """The market's time at the last event; a bar made of trades bears its start, so it says nothing."""
        return next((event.ts_ns for event in reversed(self.events) if not event.flags & BAR_MADE), 0)


def rerun(lines: Iterable[AnyLine], strategy_of: Callable[[Begun], type[Strategy]]) -> Rerun:
    """Feeds the recording to the same compiled step. It stops at the first divergence."""
    run = Rerun()
    for number, line in enumerate(lines, 1):
        if isinstance(line, Begun):
            run.session, run.begun = session_of(line, strategy_of(line)), line
            run.segments += 1
            run.wanted, run.events, run.last_n, run.last_index = [], [], 0, -1
            continue
        if run.session is None:
            run.divergence = f"line {number}: the recording does not begin with what the session is made of"
            return run
        _feed(run, run.session, line, number)
        if run.divergence is not None:
            return run
    return run


def _feed(run: Rerun, session: LiveSession, line: AnyLine, number: int) -> None:
    match line:
        case Warmed():
            session.warm_up(line.events)
            run.events += line.events
            run.last_index = max(run.last_index, *(event.index for event in line.events))
            run.wanted = []  # what the run before left unsent was settled before this one looked at the market
        case Heard():
            session.on_order_event(line.event)
            run.last_n = max(run.last_n, line.event.n)
        case Saw():
            run.wanted = session.on_market(line.event)
            run.events.append(line.event)
            run.last_index = line.event.index
        case Asked():
            now = tuple(one if isinstance(one, OrderRequest) else one.client_order_id for one in run.wanted)
            run.orders += len(now)
            if now != line.wanted:
                run.divergence = f"line {number}, market event {run.last_index}: {_first_difference(line.wanted, now)}"


def _first_difference(then: tuple[OrderRequest | str, ...], now: tuple[OrderRequest | str, ...]) -> str:
    """The first order or cancel that is not the same, in words."""
    for before, after in zip(then, now, strict=False):
        if before != after:
            return f"it asked for {_words(before)}, and asks for {_words(after)} now"
    if len(then) > len(now):
        return f"it asked for {_words(then[len(now)])}, and does not any more"
    return f"it asks for {_words(now[len(then)])} now, and did not"


def _words(one: OrderRequest | str) -> str:
    if isinstance(one, str):
        return f"the cancellation of {one}"
    price = one.limit_price if one.limit_price is not None else one.stop_price
    at = "" if price is None else f" at {price}"
    return f"{one.client_order_id} ({one.side.name.lower()} {one.size} {one.symbol} {one.type.name.lower()}{at})"
