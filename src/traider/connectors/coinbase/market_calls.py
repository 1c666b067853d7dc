"""The venue's calls about its markets, in our words. But for ``best`` they need no key; the venue may answer from a copy a second old."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

from traider.domain.history import BarPage, PastBar
from traider.domain.instruments import Instrument
from traider.domain.venue import BestPrices, MarketState, VenueUnavailableError

from . import wire_market as wire
from .malformed import MalformedError
from .read_market import PastBook, PastTrade, read_best, read_book, read_candles, read_instruments, read_state, read_trades
from .rest import Rest

T = TypeVar("T")
S = TypeVar("S")

MOST_CANDLES = 350  # of one request
GRANULARITIES_S = {
    60: "ONE_MINUTE",
    300: "FIVE_MINUTE",
    900: "FIFTEEN_MINUTE",
    1800: "THIRTY_MINUTE",
    3600: "ONE_HOUR",
    7200: "TWO_HOUR",
    14400: "FOUR_HOUR",
    21600: "SIX_HOUR",
    86400: "ONE_DAY",
}


class MarketCalls:
    """Products, candles, trades and books over REST."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def products(self) -> tuple[wire.Product, ...]:
        """Every spot product, as the venue describes it."""
        found: list[wire.Product] = []
        pages = self._rest.pages("/market/products", wire.ProductsReply, [("product_type", "SPOT")], _next_products, private=False)
        async for page in pages:
            found += page.products
        return tuple(found)

    async def instruments(self) -> tuple[Instrument, ...]:
        return _read(read_instruments, await self.products())

    async def states(self) -> dict[str, MarketState]:
        """What may be done in each market at the moment."""
        return {product.product_id: read_state(product) for product in await self.products()}

    async def product(self, symbol: str) -> wire.Product:
        """The product as the venue describes it; ``NotFoundError`` where it has none of that name."""
        return await self._rest.ask(f"/market/products/{symbol}", wire.Product, private=False)

    async def candles(self, symbol: str, *, start_s: int, end_s: int, seconds: int) -> tuple[PastBar, ...]:
        """Candles that start in [``start_s``, ``end_s``), oldest first, over as many requests as it takes."""
        pages = self.candle_pages(symbol, start_s=start_s, end_s=end_s, seconds=seconds)
        return tuple([candle async for page in pages for candle in page.bars])

    async def candle_pages(
        self, symbol: str, *, start_s: int, end_s: int, seconds: int, most: int = MOST_CANDLES
    ) -> AsyncIterator[BarPage]:
        """The same, request by request, ``most`` candles in each."""
        if seconds not in GRANULARITIES_S:
            raise VenueUnavailableError(f"the venue has no candles of {seconds} s, only of {', '.join(map(str, GRANULARITIES_S))}")
        for first_s in range(start_s, end_s, seconds * most):
            next_s = min(end_s, first_s + seconds * most)
            query = [("start", str(first_s)), ("end", str(next_s - 1)), ("granularity", GRANULARITIES_S[seconds])]
            reply = await self._rest.ask(f"/market/products/{symbol}/candles", wire.CandlesReply, query, private=False)
            found = {candle.ts_ns: candle for candle in _read(read_candles, reply.candles)}
            bars = tuple(candle for ts_ns, candle in found.items() if first_s * 10**9 <= ts_ns < next_s * 10**9)
            yield BarPage(bars=bars, until_ns=next_s * 10**9)

    async def trades(self, symbol: str, *, most: int = 100) -> tuple[PastTrade, ...]:
        """The latest trades, oldest first, with the taker's side."""
        reply = await self._rest.ask(f"/market/products/{symbol}/ticker", wire.TradesReply, [("limit", str(most))], private=False)
        return _read(read_trades, reply.trades)

    async def book(self, symbol: str, *, levels: int = 50) -> PastBook:
        """The best levels of both sides."""
        query = [("product_id", symbol), ("limit", str(levels))]
        reply = await self._rest.ask("/market/product_book", wire.BookReply, query, private=False)
        return _read(read_book, reply.pricebook)

    async def best(self, symbols: Iterable[str]) -> dict[str, BestPrices]:
        """Best bid and ask now, by symbol. It is asked for with the key: such answers are no copies."""
        query = [("product_ids", symbol) for symbol in symbols]
        reply = await self._rest.ask("/best_bid_ask", wire.BestReply, query)
        return _read(read_best, reply.pricebooks)


def _next_products(page: wire.ProductsReply) -> str:
    pagination = page.pagination
    return (pagination.next_cursor or "") if pagination is not None and pagination.has_next else ""


def _read(reader: Callable[[T], S], wired: T) -> S:
    try:
        return reader(wired)
    except MalformedError as error:
        raise VenueUnavailableError(str(error)) from None
