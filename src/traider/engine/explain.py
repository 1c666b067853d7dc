"""Why each simulated fill happened, in a person's words. The rules themselves are in ``docs/matching.md``."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from ..domain.instruments import Instrument
from ..domain.vocabulary import FillRule, OrderType
from .fills import Fills


class _Fill(NamedTuple):
    """One record of ``FILLS``, field by field."""

    ts_ns: int
    inst: int
    side: int
    maker: int
    price: float
    size: float
    fee: float
    rule: int
    type: int
    decided_ns: int
    limit_price: float
    stop_price: float
    queue: float


def explain(fills: Fills, instruments: Sequence[Instrument]) -> Iterator[str]:
    """One sentence a fill, in order; ``instruments`` are the account's, in its order."""
    for fill, reason in zip(_read(fills), why(fills, instruments), strict=True):
        market = instruments[fill.inst]
        done = "bought" if fill.side > 0 else "sold"
        role = "maker" if fill.maker else "taker"
        price = _price(fill.price, market)
        yield f"{_moment(fill.ts_ns)} {done} {_size(fill.size)} {market.symbol} at {price} as {role}: {reason}"


def why(fills: Fills, instruments: Sequence[Instrument]) -> Iterator[str]:
    """What the sentence says after the colon: the order, and what happened to it. A column for a table of fills."""
    for fill in _read(fills):
        market = instruments[fill.inst]
        happened = _HAPPENED[FillRule(fill.rule)](fill, market)
        yield f"{_order(fill, market)}; {happened}" if fill.decided_ns else happened


def _read(fills: Fills) -> Iterator[_Fill]:
    return (_Fill(*row) for row in fills.tolist())


def _order(fill: _Fill, market: Instrument) -> str:
    """What was asked for. A stop that has gone off is a market or limit order by the time it fills, and keeps its stop price."""
    words = "market order"
    limit = fill.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    if fill.stop_price > 0.0 and limit:
        words = f"stop-limit order with its stop at {_price(fill.stop_price, market)}, its limit at {_price(fill.limit_price, market)}"
    elif fill.stop_price > 0.0:
        words = f"stop at {_price(fill.stop_price, market)}"
    elif limit:
        words = f"limit order at {_price(fill.limit_price, market)}"
    return f"{words}, decided at {_moment(fill.decided_ns)}"


def _stood_before(fill: _Fill, market: Instrument) -> str:
    return f"{_size(fill.queue)} stood before it when it came to its level, and the trades there went beyond that"


def _traded_through(fill: _Fill, market: Instrument) -> str:
    return f"it rested, and the market traded {'below' if fill.side > 0 else 'above'} its limit"


def _stop_reached(fill: _Fill, market: Instrument) -> str:
    return f"the market {'rose' if fill.side > 0 else 'fell'} to its stop"


def _says(words: str) -> Callable[[_Fill, Instrument], str]:
    return lambda fill, market: words


_HAPPENED: dict[FillRule, Callable[[_Fill, Instrument], str]] = {
    FillRule.NONE: _says("the venue's own fill, not one of the simulation"),
    FillRule.NEXT_OPEN: _says("it took the open of the first bar that it met"),
    FillRule.NEXT_CLOSE: _says("it took the close of the first bar that it met, as the fill mode next-close says"),
    FillRule.SAME_PRICE: _says("it took the price that it was decided on, as the fill mode same says"),
    FillRule.NEXT_TRADE: _says("it took the price of the first trade that it met"),
    FillRule.STOP_REACHED: _stop_reached,
    FillRule.STOP_GAPPED: _says("the market was beyond its stop before it could fill there, so it took the price that it met"),
    FillRule.LIMIT_AT_ARRIVAL: _says("the first price that it met was no worse than its limit"),
    FillRule.TRADED_THROUGH: _traded_through,
    FillRule.QUEUE_REACHED: _stood_before,
    FillRule.BOOK_CROSSED: _says("it rested, and the other side of the book came to its limit"),
    FillRule.BOOK_TAKEN: _says("it took what a level on the other side of the book held"),
    FillRule.QUOTE_TAKEN: _says("it took the other side of the quote"),
    FillRule.QUOTE_CROSSED: _says("it rested, and the other side of the quote came to its limit"),
    FillRule.LIQUIDATION: _says("the account's equity had fallen to its maintenance margin, so the venue closed the position"),
}


def _moment(ts_ns: int) -> str:
    """The time in UTC, to the fraction of a second that it has."""
    whole, fraction = divmod(ts_ns, 1_000_000_000)
    shown = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{shown}.{fraction:09d}".rstrip("0").rstrip(".")


def _price(price: float, market: Instrument) -> str:
    """With thousands apart and as many digits as the market quotes, more where the price has more."""
    exact = Decimal(repr(price))
    digits = max(_digits(market.price_increment), _digits(exact))
    return f"{exact:,.{digits}f}"


def _size(size: float) -> str:
    return f"{Decimal(repr(size)).normalize():,f}"


def _digits(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
