"""Products, candles, trades and books out of the venue's REST replies."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from traider.domain.history import PastBar
from traider.domain.instruments import Instrument
from traider.domain.venue import BestPrices, MarketState
from traider.domain.vocabulary import Side

from . import wire_market as wire
from .amounts import amount, moment_ns, positive_amount
from .malformed import MalformedError

# The side in a print is that of the order that was resting there: who came and took was on the other.
_TAKERS = {"BUY": Side.SELL, "SELL": Side.BUY}
_SECOND_NS = 1_000_000_000


class PastTrade(msgspec.Struct, frozen=True, kw_only=True):
    """``side`` is the taker's."""

    trade_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    ts_ns: int


class BookLevel(msgspec.Struct, frozen=True, kw_only=True):
    price: Decimal
    size: Decimal


class PastBook(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides, best first."""

    symbol: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    ts_ns: int


def read_instrument(product: wire.Product) -> Instrument:
    """A spot market."""
    what = f"product {product.product_id}"
    base, _, quote = product.product_id.partition("-")
    return Instrument(
        symbol=product.product_id,
        base=product.base_currency_id or base,
        quote=product.quote_currency_id or quote,
        price_increment=positive_amount(product.price_increment or product.quote_increment, f"{what}: price_increment"),
        size_increment=positive_amount(product.base_increment, f"{what}: base_increment"),
        min_size=amount(product.base_min_size, f"{what}: base_min_size"),
        min_notional=amount(product.quote_min_size, f"{what}: quote_min_size"),
    )


def read_instruments(products: Iterable[wire.Product]) -> tuple[Instrument, ...]:
    """The spot markets among them, each once."""
    spot = {product.product_id: product for product in products if product.product_type == "SPOT"}
    return tuple(read_instrument(product) for product in spot.values())


def read_state(product: wire.Product) -> MarketState:
    """What may be done there; a flag that is missing is one that is not set."""
    closed = product.is_disabled or product.trading_disabled or product.view_only
    return MarketState(
        symbol=product.product_id,
        tradable=not closed and (product.status or "online") == "online",
        cancel_only=bool(product.cancel_only),
        limit_only=bool(product.limit_only),
        post_only=bool(product.post_only),
        auction=bool(product.auction_mode),
    )


def read_candles(candles: Iterable[wire.Candle]) -> tuple[PastBar, ...]:
    """Oldest first, which is the other way round than they came. A time without a trade has no candle."""
    return tuple(sorted((_candle(candle) for candle in candles), key=lambda candle: candle.ts_ns))


def read_trades(trades: Iterable[wire.Trade]) -> tuple[PastTrade, ...]:
    """Oldest first, with the taker's side."""
    return tuple(sorted((_trade(trade) for trade in trades), key=lambda trade: (trade.ts_ns, len(trade.trade_id), trade.trade_id)))


def read_book(book: wire.PriceBook) -> PastBook:
    """The book as it was when the venue took it."""
    return msgspec.structs.replace(_sides(book), ts_ns=moment_ns(book.time, f"book of {book.product_id}: time"))


def read_best(books: Iterable[wire.PriceBook]) -> dict[str, BestPrices]:
    """Best bid and ask of each, but of those that have one side only."""
    found: dict[str, BestPrices] = {}
    for book in map(_sides, books):
        if book.bids and book.asks:
            found[book.symbol] = BestPrices(bid=float(book.bids[0].price), ask=float(book.asks[0].price))
    return found


def taker_side(maker_side: str, what: str) -> Side:
    """The side of who took, from the side of who was resting, which is what the venue tells."""
    try:
        return _TAKERS[maker_side.upper()]
    except KeyError:
        raise MalformedError(f"{what} should be BUY or SELL, not {maker_side[:20]!r}") from None


def start_ns(seconds: str, what: str) -> int:
    """Nanoseconds since the epoch of a candle's start, which the venue gives in seconds."""
    if not seconds.isdecimal():
        raise MalformedError(f"{what} is no time in seconds: {seconds[:40]!r}")
    return int(seconds) * _SECOND_NS


def _candle(candle: wire.Candle) -> PastBar:
    what = f"candle {candle.start}"
    return PastBar(
        ts_ns=start_ns(candle.start, f"{what}: start"),
        open=positive_amount(candle.open, f"{what}: open"),
        high=positive_amount(candle.high, f"{what}: high"),
        low=positive_amount(candle.low, f"{what}: low"),
        close=positive_amount(candle.close, f"{what}: close"),
        volume=amount(candle.volume, f"{what}: volume"),
    )


def _trade(trade: wire.Trade) -> PastTrade:
    what = f"trade {trade.trade_id}"
    return PastTrade(
        trade_id=trade.trade_id,
        symbol=trade.product_id,
        side=taker_side(trade.side, f"{what}: side"),
        price=positive_amount(trade.price, f"{what}: price"),
        size=positive_amount(trade.size, f"{what}: size"),
        ts_ns=moment_ns(trade.time, f"{what}: time"),
    )


def _sides(book: wire.PriceBook) -> PastBook:
    return PastBook(
        symbol=book.product_id,
        bids=_levels(book.bids, f"book of {book.product_id}: bid"),
        asks=_levels(book.asks, f"book of {book.product_id}: ask"),
        ts_ns=0,
    )


def _levels(levels: Iterable[wire.Level], what: str) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(price=positive_amount(level.price, what), size=amount(level.size, what)) for level in levels)
