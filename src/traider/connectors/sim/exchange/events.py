"""The ``events`` of each channel, as bytes that many connections share."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from . import market_shapes, shapes
from .ladder import Ladder
from .markets import Candle, Market, Print
from .orders import Order
from .products import Product
from .units import Grid, text

_EPOCH = "1970-01-01T00:00:00Z"
CANDLE_S = 300
_SNAPSHOT_CANDLES = 100
_SNAPSHOT_TRADES = 100

encode = msgspec.json.encode


def book_snapshot(product: Product, market: Market, event_time: str) -> bytes:
    rows = [
        row for ladder in (market.matcher.bids, market.matcher.asks) for row in _rows(ladder, ladder.levels(), product.grid, event_time)
    ]
    return _book_event("snapshot", market.market_id, rows)


def book_update(market: Market, grid: Grid, event_time: str) -> bytes | None:
    """What changed since it was last asked for; None where nothing did."""
    rows: list[str] = []
    for ladder in (market.matcher.bids, market.matcher.asks):
        if ladder.touched:
            rows += _rows(ladder, sorted(ladder.touched, reverse=ladder.sign > 0), grid, event_time)
            ladder.touched.clear()
    return _book_event("update", market.market_id, rows) if rows else None


def _rows(ladder: Ladder, levels: Iterable[int], grid: Grid, event_time: str) -> list[str]:
    side = "bid" if ladder.sign > 0 else "offer"
    return [
        f'{{"side":"{side}","event_time":"{event_time}","price_level":"{grid.price(ticks)}","new_quantity":"{grid.size(ladder.shown(ticks))}"}}'
        for ticks in levels
    ]


def _book_event(kind: str, market_id: str, rows: list[str]) -> bytes:
    return f'[{{"type":"{kind}","product_id":"{market_id}","updates":[{",".join(rows)}]}}]'.encode()


def snapshot_time(now_ns: int, which: str) -> str:
    return _EPOCH if which == "epoch" else shapes.micro(now_ns)


def trades(kind: str, market_id: str, prints: Iterable[Print], grid: Grid) -> bytes:
    """Newest first."""
    return encode([{"type": kind, "trades": [market_shapes.trade(trade, market_id, grid) for trade in prints]}])


def recent_trades(market: Market) -> list[Print]:
    return list(islice(reversed(market.trades), _SNAPSHOT_TRADES))


def ticker(kind: str, market: Market, grid: Grid, now_ns: int, *, with_best: bool = True) -> bytes:
    day, last = market.day(now_ns), market.price()
    bids, asks = market.matcher.bids, market.matcher.asks
    row: dict[str, Any] = {
        "type": "ticker",
        "product_id": market.market_id,
        "price": grid.price(last),
        "volume_24_h": grid.size(day.lots),
        "low_24_h": grid.price(day.low),
        "high_24_h": grid.price(day.high),
        "low_52_w": grid.price(day.low),
        "high_52_w": grid.price(day.high),
        "price_percent_chg_24_h": market_shapes.change_percent(last, day.open),
    }
    if with_best and bids.keys and asks.keys:
        bid, ask = bids.best(), asks.best()
        row |= {
            "best_bid": grid.price(bid),
            "best_ask": grid.price(ask),
            "best_bid_quantity": grid.size(bids.shown(bid)),
            "best_ask_quantity": grid.size(asks.shown(ask)),
        }
    return encode([{"type": kind, "tickers": [row]}])


def candles(kind: str, market_id: str, found: Iterable[Candle], grid: Grid) -> bytes:
    return encode([{"type": kind, "candles": [market_shapes.candle(candle, grid) | {"product_id": market_id} for candle in found]}])


def recent_candles(market: Market, now_ns: int) -> list[Candle]:
    last_s = now_ns // 10**9
    return market.candles.of(CANDLE_S, last_s - _SNAPSHOT_CANDLES * CANDLE_S, last_s)


def status(products: Iterable[Product]) -> bytes:
    rows = [
        {
            "product_type": "SPOT",
            "id": product.product_id,
            "base_currency": product.base,
            "quote_currency": product.quote,
            "base_increment": text(product.grid.lot),
            "quote_increment": text(product.grid.tick),
            "display_name": product.product_id.replace("-", "/"),
            "status": product.status,
            "status_message": "",
            "min_market_funds": str(product.quote_min_size),
        }
        for product in products
    ]
    return encode([{"type": "snapshot", "products": rows}])


def heartbeat(now_ns: int, uptime_s: float, counter: int | str) -> bytes:
    moment = datetime.fromtimestamp(now_ns // 10**9, UTC)
    text = f"{moment:%Y-%m-%d %H:%M:%S}.{now_ns % 10**9:09d} +0000 UTC m=+{uptime_s:.9f}"
    return encode([{"current_time": text, "heartbeat_counter": counter}])


def user_orders(kind: str, orders: Iterable[Order]) -> bytes:
    event: dict[str, Any] = {"type": kind, "orders": [shapes.user_order(order) for order in orders]}
    if kind == "snapshot":
        event["positions"] = {"perpetual_futures_positions": [], "expiring_futures_positions": []}
    return encode([event])


def no_futures() -> bytes:
    """A spot account's: everything is 0."""
    names = (
        "futures_buying_power", "total_usd_balance", "cbi_usd_balance", "cfm_usd_balance", "total_open_orders_hold_amount",
        "unrealized_pnl", "daily_realized_pnl", "initial_margin", "available_margin", "liquidation_threshold",
        "liquidation_buffer_amount", "liquidation_buffer_percentage",
    )  # fmt: skip
    return encode([{"type": "snapshot", "fcm_balance_summary": dict.fromkeys(names, "0")}])


def subscriptions(held: dict[str, list[str]]) -> bytes:
    return encode([{"subscriptions": held}])
