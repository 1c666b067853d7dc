"""Products, books, candles and trades as the exchange writes them."""

from typing import Any

from .ladder import Ladder
from .markets import Candle, Market, Print
from .products import Product
from .shapes import micro, ratio
from .units import Grid, atoms, text

GRANULARITIES = {
    "ONE_MINUTE": 60,
    "FIVE_MINUTE": 300,
    "FIFTEEN_MINUTE": 900,
    "THIRTY_MINUTE": 1800,
    "ONE_HOUR": 3600,
    "TWO_HOUR": 7200,
    "FOUR_HOUR": 14_400,
    "SIX_HOUR": 21_600,
    "ONE_DAY": 86_400,
}


def product(product: Product, market: Market, now_ns: int) -> dict[str, Any]:
    grid, day = product.grid, market.day(now_ns)
    last = market.price()
    base_name, quote_name = product.names
    return {
        "product_id": product.product_id,
        "price": grid.price(last),
        "price_percentage_change_24h": change_percent(last, day.open),
        "volume_24h": grid.size(day.lots),
        "volume_percentage_change_24h": "0",
        "base_increment": text(grid.lot),
        "quote_increment": text(grid.tick),
        "quote_min_size": text(atoms(product.quote_min_size)),
        "quote_max_size": text(atoms(product.quote_max_size)),
        "base_min_size": text(atoms(product.base_min_size)),
        "base_max_size": text(atoms(product.base_max_size)),
        "base_name": base_name,
        "quote_name": quote_name,
        "watched": False,
        "new": False,
        "status": product.status,
        **product.flags,
        "product_type": "SPOT",
        "quote_currency_id": product.quote,
        "base_currency_id": product.base,
        "fcm_trading_session_details": None,
        "mid_market_price": half(grid, market.matcher.mid_twice()),
        "alias": product.alias,
        "alias_to": list(product.alias_to),
        "base_display_symbol": product.base,
        "quote_display_symbol": "USD" if product.quote == "USDC" else product.quote,
        "price_increment": text(grid.tick),
        "display_name": product.product_id,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": text(grid.cost(last, day.lots)),
        "new_at": "2023-01-01T00:00:00Z",
        "high_24h": grid.price(day.high),
        "low_24h": grid.price(day.low),
    }


def change_percent(last: int, first: int) -> str:
    return ratio(100 * (last - first), first)


def half(grid: Grid, twice: int) -> str:
    """A price that lies on the grid or half-way between two of its points."""
    return text(twice * grid.tick // 2) if twice else ""


def levels(ladder: Ladder, grid: Grid, most: int) -> list[dict[str, str]]:
    told: list[dict[str, str]] = []
    for ticks in ladder.levels():
        if len(told) == most:
            break
        told.append({"price": grid.price(ticks), "size": grid.size(ladder.shown(ticks))})
    return told


def aggregated(ladder: Ladder, grid: Grid, most: int, step: int) -> list[dict[str, str]]:
    """Levels in steps of so many ticks: bids rounded down, asks up."""
    sums: dict[int, int] = {}
    for ticks in ladder.levels():
        bucket = ticks // step * step if ladder.sign > 0 else -(-ticks // step) * step
        if bucket not in sums and len(sums) == most:
            break
        sums[bucket] = sums.get(bucket, 0) + ladder.shown(ticks)
    return [{"price": grid.price(ticks), "size": grid.size(lots)} for ticks, lots in sums.items()]


def pricebook(product: Product, market: Market, now_ns: int, most: int, step: int = 0) -> dict[str, Any]:
    matcher, grid = market.matcher, product.grid
    sides = [aggregated(side, grid, most, step) if step else levels(side, grid, most) for side in (matcher.bids, matcher.asks)]
    return {"product_id": product.product_id, "bids": sides[0], "asks": sides[1], "time": micro(now_ns)}


def book(product: Product, market: Market, now_ns: int, most: int, step: int = 0) -> dict[str, Any]:
    grid, bid, ask = product.grid, market.matcher.bids.best(), market.matcher.asks.best()
    spread = ask - bid if bid and ask else 0
    return {
        "pricebook": pricebook(product, market, now_ns, most, step),
        "last": grid.price(market.price()),
        "mid_market": half(grid, bid + ask if bid and ask else 0),
        "spread_bps": ratio(2 * 10_000 * spread, bid + ask) if spread else "0",
        "spread_absolute": grid.price(spread),
    }


def candle(candle: Candle, grid: Grid) -> dict[str, str]:
    return {
        "start": str(candle.start_s),
        "low": grid.price(candle.low),
        "high": grid.price(candle.high),
        "open": grid.price(candle.open),
        "close": grid.price(candle.close),
        "volume": grid.size(candle.lots),
    }


def maker_side(trade: Print) -> str:
    """The exchange names the side of the order that was there first."""
    return "SELL" if trade.taker_side > 0 else "BUY"


def trade(trade: Print, product_id: str, grid: Grid) -> dict[str, str]:
    """As the market_trades channel tells it."""
    return {
        "product_id": product_id,
        "trade_id": str(trade.trade_id),
        "price": grid.price(trade.ticks),
        "size": grid.size(trade.lots),
        "time": micro(trade.ts_ns),
        "side": maker_side(trade),
    }
