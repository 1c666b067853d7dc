"""What one line of the journal says."""

from enum import StrEnum

import msgspec

from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.orders import AnyOrderEvent
from traider.domain.state import AccountState

JOURNAL_VERSION = 1


class Cause(StrEnum):
    """What made the guard write it."""

    START = "start"  # the guard itself, when it starts
    OPEN = "open"  # a trader came with another session
    FEED = "feed"  # a market event: matching, a breached limit, a checkpoint now and then
    SUBMIT = "submit"
    CANCEL = "cancel"
    KILL = "kill"
    STOP = "stop"


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Besides the order events of ``traider.domain.orders``; ``ts_ns`` is the market's time, as with them."""

    n: int
    ts_ns: int


class Configured(Record, frozen=True, kw_only=True, tag="configured"):
    """The first line, and again at each start that changes something; ``cash`` is the account's first deposit and never changes."""

    version: int
    cash: float
    maker_fee: float
    taker_fee: float
    fill: str
    instruments: tuple[Instrument, ...]
    limits: RiskLimits


class SessionStarted(Record, frozen=True, kw_only=True, tag="session"):
    """From here on ``index`` counts the events of this session's market source. ``account`` is what the session began with."""

    session: str
    account: AccountState


class KillSwitchSet(Record, frozen=True, kw_only=True, tag="kill"):
    on: bool
    reason: str
    by: str


class Checkpoint(Record, frozen=True, kw_only=True, tag="checkpoint"):
    """What can't be told from fills and order events: where the market stood, and what came of it.

    ``cash`` and ``sizes`` can be told; they are here to be compared with. ``arriving`` names the open orders that have not met a
    market event yet, ``triggered`` the stop orders whose stop price was reached.
    """

    day_end_ns: int
    day_start_equity: float
    high_water_mark: float
    cash: float
    sizes: tuple[float, ...]
    marks: tuple[float, ...]
    arriving: tuple[str, ...]
    triggered: tuple[str, ...]
    breached: bool
    trailing: dict[str, float] = {}  # where trailing stops stand, by client order id


AnyRecord = AnyOrderEvent | Configured | SessionStarted | KillSwitchSet | Checkpoint


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line: the record, where it stands, and ``left``, how many lines of the same batch still follow.

    A batch is durable as a whole or not at all: recovery cuts one whose last line is missing.
    """

    n: int
    left: int
    wall_ns: int  # the machine's clock, for people and for the age of an intent; nothing else is decided by it
    index: int  # the last market event that the guard had been fed
    cause: Cause
    record: AnyRecord
