"""What one line of the journal says."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.order_state import Order
from traider.domain.orders import AnyOrderEvent
from traider.domain.state import AccountState

JOURNAL_VERSION = 3
READABLE_VERSIONS = (1, 2, 3)  # 1 lacks ``clock``, ``places`` and ``active``, and has amendments on an exchange only; 2 is one file
SIMULATED = "simulated"  # stands there for an account on a simulated exchange
LIVE = "live"  # stands in ``Configured.fill`` of an account on an exchange, where one on paper has its fill mode


class Cause(StrEnum):
    """What made the guard write it."""

    START = "start"  # the guard itself, when it starts
    OPEN = "open"  # a trader came with another session
    FEED = "feed"  # a market event: matching, a breached limit, a checkpoint now and then
    SUBMIT = "submit"
    CANCEL = "cancel"
    AMEND = "amend"
    TIMER = "timer"  # a strategy's timer: the time went on between two market events
    KILL = "kill"
    VENUE = "venue"  # an exchange's answer to what was sent
    RECONCILE = "reconcile"  # what an exchange told when it was asked how things stand
    GATE = "gate"  # a gate has closed or opened
    SEGMENT = "segment"  # the journal goes on in another file
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

    ``places`` are those of orders in a queue of the order book: the volume before each, what it was at first, and what was traded at its
    level since the level was last told. ``active`` says from when on an order may meet the market, where that is not when it was accepted.
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
    places: dict[str, tuple[float, float, float]] = {}
    active: dict[str, int] = {}


class Advanced(Record, frozen=True, kw_only=True, tag="clock"):
    """Between two market events it has become ``ts_ns``, for the ``tick``-th time since the market event ``index`` of this line."""

    tick: int


class GateSet(Record, frozen=True, kw_only=True, tag="gate"):
    """See ``traider.guard.gates``; ``symbol`` is empty where the gate concerns every market."""

    closed: bool
    gate: str
    symbol: str
    detail: str


class BalancesTaken(Record, frozen=True, kw_only=True, tag="balances"):
    """The books begin here with what the exchange holds, or follow it where somebody moved money. Holds included, by currency.

    Fills before ``since_ns``, and those of ``trades``, are in it.
    """

    totals: dict[str, Decimal]
    since_ns: int
    trades: tuple[str, ...]
    by: str
    reason: str


class Valued(Record, frozen=True, kw_only=True, tag="valued"):
    """So much of a market's base currency came without a fill, and counts as bought at this price: its first since then."""

    symbol: str
    size: float
    price: float


class Amending(Record, frozen=True, kw_only=True, tag="amending"):
    """The intent to amend is durable; an ``amended`` says what the order is then, also where that is what it was."""

    client_order_id: str
    size: Decimal
    limit_price: Decimal
    amend_id: str = ""


class Looked(Record, frozen=True, kw_only=True, tag="looked"):
    """The exchange was asked at ``taken_ns`` how things stand, and the books have it: the next start needs no older fills."""

    taken_ns: int


class Noted(Record, frozen=True, kw_only=True, tag="note"):
    """Something that a person has to know: an alert by its name, with the particulars."""

    name: str
    detail: str


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Client order ids that are used up and no longer remembered one by one; see ``traider.guard.spent``."""

    session_n: int = 0
    index: int = -1
    others: str = ""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What the controls have counted, as far as it still matters; times in ns, the oldest first."""

    halted: int
    rejections: int
    placed_ns: tuple[int, ...]
    amended_ns: tuple[int, ...]
    executed_ns: tuple[int, ...]
    rejected_ns: tuple[int, ...] = ()  # empty without a limit on them
    recent: tuple[tuple[int, int, int, int, float, float, float, float], ...]  # rows of ``traider.kernel.layout.RECENT``


class Held(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A position as fills have left it, in the desk's floats."""

    size: float = 0.0
    average_price: float = 0.0
    realized_pnl: float = 0.0
    fees: float = 0.0


class Carried(msgspec.Struct, frozen=True, kw_only=True, tag_field="account"):
    """What the books of either kind know. ``lines`` and ``open`` are in the order in which they came."""

    configured: Configured | None
    checkpoint: Checkpoint
    killed: bool
    kill_reason: str
    kill_by: str
    kill_wall_ns: int
    session: str | None
    session_n: int
    session_start: AccountState | None
    tick: int
    cash: float
    fees: float
    fills: int
    next_id: int
    positions: tuple[Held, ...]
    submissions_ns: tuple[int, ...]
    counted: Counted | None
    open: tuple[Order, ...]
    accepted_ts_ns: dict[str, int]
    lines: dict[str, tuple[int, ...]]
    spent: Spent
    amendments: dict[str, int]


class PaperCarried(Carried, frozen=True, kw_only=True, tag="paper"):
    over: dict[str, Decimal]


class LiveCarried(Carried, frozen=True, kw_only=True, tag="exchange"):
    """``table`` are the rows of the desk: client order id, number, time, size, filled, limit price."""

    ended: tuple[Order, ...]
    trades: dict[str, int]
    trades_from_ns: int
    totals: dict[str, Decimal]
    opened_ns: int
    unvalued: dict[str, float]
    amending: tuple[Amending, ...]
    looked_ns: int
    sent_after_ns: dict[str, int]
    table: tuple[tuple[str, int, int, float, float, float], ...]


class SegmentStarted(Record, frozen=True, kw_only=True, tag="snapshot"):
    """The first line of a journal file after the first: the books as all lines before have left them, and the hash of the last of those."""

    segment: int
    follows: str
    books: PaperCarried | LiveCarried


AnyRecord = (
    AnyOrderEvent
    | Configured
    | SessionStarted
    | KillSwitchSet
    | Checkpoint
    | Advanced
    | GateSet
    | BalancesTaken
    | Valued
    | Amending
    | Looked
    | Noted
    | SegmentStarted
)


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line: the record, where it stands, and ``left``, how many lines of the same batch still follow.

    A batch is durable as a whole or not at all: recovery cuts one whose last line is missing.
    """

    n: int
    left: int
    wall_ns: int  # the machine's clock, for people and for the age of an intent; nothing else is decided by it
    index: int  # the last market event that the guard had been fed
    cause: Cause
    record: AnyRecord
