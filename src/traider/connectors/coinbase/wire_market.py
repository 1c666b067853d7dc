"""Shapes of the market data calls, as they stand on the wire."""

from .wire_orders import Amount, Wire


class Product(Wire, frozen=True, kw_only=True):
    product_id: str
    base_increment: Amount
    quote_increment: Amount
    product_type: str = "SPOT"
    base_currency_id: str | None = None
    quote_currency_id: str | None = None
    price_increment: Amount = None
    base_min_size: Amount = None
    base_max_size: Amount = None
    quote_min_size: Amount = None
    quote_max_size: Amount = None
    status: str | None = None
    alias: str | None = None
    price: Amount = None
    is_disabled: bool | None = None
    trading_disabled: bool | None = None
    cancel_only: bool | None = None
    limit_only: bool | None = None
    post_only: bool | None = None
    auction_mode: bool | None = None
    view_only: bool | None = None


class Pagination(Wire, frozen=True, kw_only=True):
    next_cursor: str | None = None
    has_next: bool | None = None


class ProductsReply(Wire, frozen=True, kw_only=True):
    products: list[Product]
    pagination: Pagination | None = None


class Candle(Wire, frozen=True, kw_only=True):
    start: str
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount


class CandlesReply(Wire, frozen=True, kw_only=True):
    candles: list[Candle]


class Level(Wire, frozen=True, kw_only=True):
    price: Amount
    size: Amount


class PriceBook(Wire, frozen=True, kw_only=True):
    product_id: str
    bids: list[Level]
    asks: list[Level]
    time: str | None = None


class BookReply(Wire, frozen=True, kw_only=True):
    pricebook: PriceBook


class BestReply(Wire, frozen=True, kw_only=True):
    pricebooks: list[PriceBook]


class Trade(Wire, frozen=True, kw_only=True):
    trade_id: str
    product_id: str
    price: Amount
    size: Amount
    time: str
    side: str


class TradesReply(Wire, frozen=True, kw_only=True):
    trades: list[Trade]
    best_bid: Amount = None
    best_ask: Amount = None
