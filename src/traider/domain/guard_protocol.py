"""What is said on the guard's endpoint: length-prefixed msgpack, after a mutual HMAC challenge (``traider.runtime.link``).

A client asks with a ``seq`` of its own and gets exactly one reply with that ``seq``; order events and states are pushed
besides. The reply to a request comes after every order event that the request caused.
"""

from decimal import Decimal

import msgspec

from .instruments import Instrument
from .orders import AnyOrderEvent, OrderRequest
from .state import AccountState, RiskState
from .vocabulary import EventKind

PROTOCOL_VERSION = 1


class MarketEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of a tape; the meaning of a..e is told by ``traider.domain.vocabulary.EventKind``.

    ``flags`` are those that the vocabulary lets stand beside a kind (``BOOK_CLEAR``, ``BOOK_END``); ``received_ts_ns`` is when it
    reached this machine, 0 where that is not known.
    """

    index: int  # position in the source, from 0
    kind: EventKind
    symbol: str
    ts_ns: int
    a: float
    b: float
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    flags: int = 0
    received_ts_ns: int = 0


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    seq: int


class Open(Ask, frozen=True, kw_only=True, tag="open"):
    """First on every connection. Role ``trader`` is exclusive: a second trader is refused. ``observer`` may not trade.

    With ``cancel_on_disconnect`` the trader's open orders are cancelled when its connection ends, however it ends. With a
    ``heartbeat_s`` above 0 a trader that has said nothing for so long counts as gone: it has to open a new connection.

    A trader names what it runs (source, strategy, parameters) in ``session``. While that stays the same over restarts, the
    session goes on; another one starts anew: open orders are cancelled, and market events are counted from 0 again.

    ``kinds`` are those of the events that its market may bring, a bit mask of 1 << EventKind: they decide what orders meet on
    paper. With 0 the first event of a kind does.
    """

    version: int
    role: str  # "trader" | "observer"
    client: str
    session: str = ""
    cancel_on_disconnect: bool = False
    heartbeat_s: float = 0.0
    kinds: int = 0


class Feed(Ask, frozen=True, kw_only=True, tag="feed"):
    """Market events for the guard's own view of the market and, on paper, for its venue's matching."""

    events: tuple[MarketEvent, ...]


class Submit(Ask, frozen=True, kw_only=True, tag="submit"):
    orders: tuple[OrderRequest, ...]


class Cancel(Ask, frozen=True, kw_only=True, tag="cancel"):
    """An empty tuple cancels every open order."""

    client_order_ids: tuple[str, ...]


class Amend(Ask, frozen=True, kw_only=True, tag="amend"):
    """Gives an open order another size (the whole of it, what is filled included) and price; 0 leaves one as it is.

    The price is the limit, and of a stop order its stop. What became of it is told as ``amended``. An ``amend_id`` is made before the
    first send and never used again: what the guard has had already is not done again.
    """

    client_order_id: str
    size: Decimal
    limit_price: Decimal
    amend_id: str = ""


class Advance(Ask, frozen=True, kw_only=True, tag="advance"):
    """After market event ``index`` it has become this time, because a timer of the strategy is due: the ``tick``-th since that event.

    On paper what is due before that time happens. An exchange has a clock of its own.
    """

    index: int
    tick: int
    ts_ns: int


class Beat(Ask, frozen=True, kw_only=True, tag="beat"):
    """The client is alive and has nothing to ask."""


class AcceptBalances(Ask, frozen=True, kw_only=True, tag="accept_balances"):
    """The venue's balances are right and the books follow: money or coins were moved in or out by somebody else."""

    by: str
    reason: str


class GetKey(Ask, frozen=True, kw_only=True, tag="key"):
    """What the exchange says that the guard's key may do. The key itself is never told."""


class SetKillSwitch(Ask, frozen=True, kw_only=True, tag="kill"):
    on: bool
    reason: str
    by: str


class GetSnapshot(Ask, frozen=True, kw_only=True, tag="snapshot"):
    pass


class GetHistory(Ask, frozen=True, kw_only=True, tag="history"):
    """Order events of the current session, from the entry after ``after_n`` on, as many as fit into one ``History``."""

    after_n: int


class RestoreBook(Ask, frozen=True, kw_only=True, tag="restore_book"):
    """Events of the past from which a guard on paper that was started again gets its order books back; nothing is matched or marked.

    They go from the last snapshot of each book, or an event before it, to the last event that was fed.
    """

    events: tuple[MarketEvent, ...]


AnyAsk = (
    Open
    | Feed
    | Submit
    | Cancel
    | Amend
    | Advance
    | RestoreBook
    | Beat
    | AcceptBalances
    | GetKey
    | SetKillSwitch
    | GetSnapshot
    | GetHistory
)


class Reply(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    seq: int


class Done(Reply, frozen=True, kw_only=True, tag="done"):
    pass


class Refused(Reply, frozen=True, kw_only=True, tag="refused"):
    """The request itself was wrong; nothing of it was done."""

    message: str


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    request: OrderRequest
    filled_size: Decimal
    accepted_ts_ns: int


class Snapshot(Reply, frozen=True, kw_only=True, tag="snapshot"):
    """Everything a client needs to go on after a restart. ``last_index`` is the last market event fed, -1 for none; ``last_tick`` how
    often the time was advanced since. With ``book_lost`` it has no order books any more: see ``RestoreBook``.

    ``session`` is what the last trader opened it with, ``session_start`` the account as it was then. ``session_id`` names it:
    client order ids begin with it, so that no session repeats another one's.
    """

    instruments: tuple[Instrument, ...]
    account: AccountState
    risk: RiskState
    open_orders: tuple[OpenOrder, ...]
    last_index: int
    journal_n: int
    session: str = ""
    session_id: str = ""
    session_start: AccountState | None = None
    last_tick: int = 0
    book_lost: bool = False


class KeyInfo(Reply, frozen=True, kw_only=True, tag="key"):
    """``venue`` is empty on paper, and until the exchange has told; ``account`` is the key's portfolio, as the exchange names it."""

    venue: str = ""
    account: str = ""
    can_view: bool = False
    can_trade: bool = False
    can_transfer: bool = False
    limits_sha256: str = ""  # what the guard's limits are known by


class PastEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An order event and where it stood: caused by matching market event ``index`` (``matched``), or after it.

    With a ``tick`` it stood after the time had been advanced so often since that event, and was caused by that (``matched``) or by
    what was asked for then.
    """

    index: int
    matched: bool
    event: AnyOrderEvent
    tick: int = 0


class History(Reply, frozen=True, kw_only=True, tag="history"):
    """``next_n`` is what to ask with for more; ``complete`` when there was no more."""

    events: tuple[PastEvent, ...]
    next_n: int
    complete: bool


class Push(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class OrderEventPush(Push, frozen=True, kw_only=True, tag="order"):
    event: AnyOrderEvent


class StatePush(Push, frozen=True, kw_only=True, tag="state"):
    account: AccountState
    risk: RiskState


AnyFromGuard = Done | Refused | Snapshot | History | KeyInfo | OrderEventPush | StatePush
