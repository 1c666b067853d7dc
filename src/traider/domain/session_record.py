"""What a trader's session saw and did, in the order in which it happened there: the lines of its recording.

Fed to the same strategy in the same order they give the same orders, bit for bit. So a recording is proof of what a session did, and
what a trader is made of again after a restart where the market can't be asked to repeat itself.
"""

from decimal import Decimal

import msgspec

from .guard_protocol import MarketEvent, Snapshot
from .instruments import Instrument
from .orders import AnyOrderEvent, OrderRequest

RECORDING_VERSION = 1


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Begun(Line, frozen=True, kw_only=True, tag="begun"):
    """A strategy was made anew: from here on everything is told to this one. ``snapshot`` is the account that it began with.

    ``strategy`` is the name by which it is found, ``code`` what its result hangs on beside its inputs, by name and hash or version.
    """

    version: int = RECORDING_VERSION
    session_id: str
    session: str
    strategy: str
    values: dict[str, bool | int | float | str]
    instruments: tuple[Instrument, ...]
    snapshot: Snapshot
    interpreted: bool
    kinds: int = 0  # of the events that its market might bring: a bit mask, 1 << kind
    code: dict[str, str]


class Warmed(Line, frozen=True, kw_only=True, tag="warmed"):
    """Earlier events that it was shown without trading."""

    events: tuple[MarketEvent, ...]


class Heard(Line, frozen=True, kw_only=True, tag="heard"):
    """It was told of an order event."""

    event: AnyOrderEvent


class Saw(Line, frozen=True, kw_only=True, tag="saw"):
    """It was shown a market event, and decides."""

    event: MarketEvent


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """An amendment that was asked for after ``after`` of the orders and cancels beside it."""

    after: int
    client_order_id: str
    amend_id: str
    size: Decimal
    price: Decimal


class Asked(Line, frozen=True, kw_only=True, tag="asked"):
    """What it asked for after the market event before, in its order: an order, or the client order id of one to be cancelled."""

    wanted: tuple[OrderRequest | str, ...]
    amendments: tuple[Amendment, ...] = ()


class Timed(Line, frozen=True, kw_only=True, tag="timed"):
    """A timer of the strategy fired, the ``tick``-th one after market event ``index``, and it decides."""

    index: int
    tick: int


AnyLine = Begun | Warmed | Heard | Saw | Asked | Timed
