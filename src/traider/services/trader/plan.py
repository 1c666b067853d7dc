"""What a trader is given: a plan of what is traded, and a market whose past can be read again."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from traider.domain.guard_protocol import MarketEvent, Snapshot
from traider.engine.live import LiveSession
from traider.engine.recorded import RecordedSession, Rerun


class MarketSource(Protocol):
    """A market whose past can be read again."""

    @property
    def symbol(self) -> str: ...

    @property
    def untraded(self) -> int:
        """Events at the beginning that are only looked at."""
        ...

    @property
    def in_moments(self) -> bool:
        """Whether the rows of one message of a book are taken together; a replay takes them one by one, as a backtest does."""
        ...

    @property
    def unfed(self) -> Sequence[MarketEvent]:
        """What was before the session or between two of its runs, for the strategy alone: an account is not valued by it."""
        ...

    def continue_after(self, last_index: int, last_ns: int) -> None:
        """The session goes on after this event, which the guard had at this time of the market."""
        ...

    def history_start(self, last_index: int) -> int:
        """From which event on the past is shown to a strategy that is made anew."""
        ...

    def history(self, start: int, stop: int) -> Sequence[MarketEvent]: ...

    def events(self, start_index: int) -> AsyncIterator[MarketEvent]: ...


class Plan(Protocol):
    """What is traded: decided when the guard has told what it knows.

    ``kinds`` is a bit mask, 1 << kind, of the events that the market may bring; 0 where that is not known.
    """

    @property
    def kinds(self) -> int: ...

    def session(self, snapshot: Snapshot) -> str:
        """What the trader runs, in words that are the same after a restart and others for anything else."""
        ...

    def source(self, snapshot: Snapshot) -> MarketSource: ...

    def strategy(self, snapshot: Snapshot) -> "LiveSession | RecordedSession":
        """A strategy that has seen nothing yet, over a mirror of the account."""
        ...

    def resume(self, snapshot: Snapshot) -> "Resumed | None":
        """The strategy as this session's recording leaves it; None where there is no recording to go on with."""
        ...


class Resumed(NamedTuple):
    """A strategy out of its recording, which goes on being written, and where that recording ended."""

    strategy: RecordedSession
    rerun: Rerun
