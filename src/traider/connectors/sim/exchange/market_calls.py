"""Public calls, their private twins, and what ccxt asks of the older API before it begins."""

from itertools import islice
from typing import Any

from . import market_shapes
from .calls import Call, Route
from .exchange import Exchange
from .markets import Market
from .paging import decode, encode
from .products import Product
from .query_words import ANY_PRODUCT_TYPE, known_words
from .refusals import bad_request, not_found
from .shapes import iso, ratio
from .units import ONE, parse_atoms

PREFIX = "/api/v3/brokerage"
_MOST_CANDLES = 350
_MOST_PRODUCTS = 1000
_MOST_LEVELS = 5000
_DEFAULT_LEVELS = 50


class MarketCalls:
    """What anybody may ask of the exchange's markets."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[Route]:
        both = [
            ("/products", self._products),
            ("/products/{}", self._product),
            ("/product_book", self._book),
            ("/products/{}/candles", self._candles),
            ("/products/{}/ticker", self._ticker),
        ]
        return [
            Route("GET", f"{PREFIX}/time", None, self._time),
            *(Route("GET", f"{PREFIX}/market{path}", None, handle) for path, handle in both),
            *(Route("GET", f"{PREFIX}{path}", "view", handle) for path, handle in both),
            Route("GET", f"{PREFIX}/best_bid_ask", "view", self._best_bid_ask),
            Route("GET", "/v2/time", None, self._old_time),
            Route("GET", "/v2/currencies", None, self._old_currencies),
            Route("GET", "/v2/currencies/crypto", None, self._old_cryptos),
            Route("GET", "/v2/exchange-rates", None, self._old_rates),
        ]

    def _at(self, product_id: str) -> tuple[Product, Market]:
        product = self._exchange.products.get(product_id)
        if product is None:
            raise not_found(f"product {product_id} was not found")
        return product, self._exchange.market_of(product)

    def _asked(self, call: Call) -> tuple[Product, Market]:
        if not call.word("product_id"):
            raise bad_request("product_id is missing")
        return self._at(call.word("product_id"))

    def _time(self, call: Call) -> dict[str, str]:
        now_ns = self._exchange.now_ns()
        return {"iso": iso(now_ns, digits=0), "epochSeconds": str(now_ns // 10**9), "epochMillis": str(now_ns // 10**6)}

    def _products(self, call: Call) -> dict[str, Any]:
        wanted, kinds = set(call.words("product_ids")), known_words(call, "product_type")
        spot = not kinds or bool(kinds & {"SPOT", ANY_PRODUCT_TYPE})
        there = [product for product in self._exchange.products.values() if spot and (not wanted or product.product_id in wanted)]
        first = max(0, decode(call.word("cursor"))) if call.word("cursor") else call.number("offset", 0, 10**9)
        most, now_ns = call.number("limit", _MOST_PRODUCTS, _MOST_PRODUCTS), self._exchange.now_ns()
        shown = there[first : first + most]
        has_next, has_prev = first + most < len(there), first > 0
        return {
            "products": [market_shapes.product(product, self._exchange.market_of(product), now_ns) for product in shown],
            "num_products": len(shown),
            "pagination": {
                "prev_cursor": encode(max(0, first - most)) if has_prev else "",
                "next_cursor": encode(first + most) if has_next else "",
                "has_next": has_next,
                "has_prev": has_prev,
            },
        }

    def _product(self, call: Call) -> dict[str, Any]:
        product, market = self._at(call.parts[0])
        return market_shapes.product(product, market, self._exchange.now_ns())

    def _book(self, call: Call) -> dict[str, Any]:
        product, market = self._asked(call)
        step_atoms = parse_atoms(call.word("aggregation_price_increment") or "0")
        if step_atoms is None or step_atoms % product.grid.tick:
            raise bad_request("aggregation_price_increment must be a multiple of the price increment")
        most = call.number("limit", _DEFAULT_LEVELS, _MOST_LEVELS)
        return market_shapes.book(product, market, self._exchange.now_ns(), most, step_atoms // product.grid.tick)

    def _candles(self, call: Call) -> dict[str, Any]:
        product, market = self._at(call.parts[0])
        length_s = market_shapes.GRANULARITIES.get(call.word("granularity"))
        if length_s is None:
            raise bad_request(f"granularity must be one of {', '.join(market_shapes.GRANULARITIES)}")
        now_s = self._exchange.now_ns() // 10**9
        last_s = call.seconds("end", now_s)
        first_s = call.seconds("start", last_s - _MOST_CANDLES * length_s)
        if last_s < first_s:
            raise bad_request("end is before start")
        if (last_s - first_s) // length_s > _MOST_CANDLES:
            raise bad_request(f"number of candles requested should be less than {_MOST_CANDLES}")
        found = market.candles.of(length_s, first_s - first_s % length_s, last_s)[-call.number("limit", _MOST_CANDLES, _MOST_CANDLES) :]
        return {"candles": [market_shapes.candle(candle, product.grid) for candle in reversed(found)]}

    def _ticker(self, call: Call) -> dict[str, Any]:
        product, market = self._at(call.parts[0])
        first_ns, last_ns = call.seconds("start", 0) * 10**9, call.seconds("end", 10**10) * 10**9
        limit = call.number("limit", 100, 1000)
        found = list(islice((trade for trade in reversed(market.trades) if first_ns <= trade.ts_ns <= last_ns), limit))
        bids, asks, grid = market.matcher.bids, market.matcher.asks, product.grid
        extra = {"bid": "", "ask": "", "exchange": "coinbase"}
        return {
            "trades": [market_shapes.trade(trade, product.product_id, grid) | extra for trade in found],
            "best_bid": grid.price(bids.best()) if bids.keys else "",
            "best_ask": grid.price(asks.best()) if asks.keys else "",
        }

    def _best_bid_ask(self, call: Call) -> dict[str, Any]:
        wanted = call.words("product_ids") or list(self._exchange.products)
        now_ns = self._exchange.now_ns()
        return {"pricebooks": [market_shapes.pricebook(*self._at(product_id), now_ns, 1) for product_id in wanted]}

    # The older API

    def _old_time(self, call: Call) -> dict[str, Any]:
        now_ns = self._exchange.now_ns()
        return {"data": {"iso": iso(now_ns, digits=0), "epoch": now_ns // 10**9}}

    def _currencies(self) -> list[tuple[str, str]]:
        """Codes and names, in the order of listing."""
        found: dict[str, str] = {}
        for product in self._exchange.products.values():
            base_name, quote_name = product.names
            found.setdefault(product.base, base_name)
            found.setdefault(product.quote, quote_name)
        return list(found.items())

    def _old_currencies(self, call: Call) -> dict[str, Any]:
        fiat = [(code, name) for code, name in self._currencies() if code in ("USD", "EUR", "GBP")]
        return {"data": [{"id": code, "name": name, "min_size": "0.01"} for code, name in fiat]}

    def _old_cryptos(self, call: Call) -> dict[str, Any]:
        wallets = [(code, name) for code, name in self._currencies() if code not in ("USD", "EUR", "GBP")]
        return {
            "data": [
                {
                    "asset_id": code,
                    "code": code,
                    "name": name,
                    "color": "#000000",
                    "sort_index": 100 + number,
                    "exponent": 8,
                    "type": "crypto",
                }
                for number, (code, name) in enumerate(wallets)
            ]
        }

    def _old_rates(self, call: Call) -> dict[str, Any]:
        currency = call.word("currency", "USD")
        rates = {code: "1" for code, _ in self._currencies() if code in ("USD", "USDC")}
        for product in self._exchange.products.values():
            price = self._exchange.market_of(product).price() * product.grid.tick
            if product.quote == "USD" and price:
                rates[product.base] = ratio(ONE, price)
        return {"data": {"currency": currency, "rates": rates}}
