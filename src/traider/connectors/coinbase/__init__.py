"""Coinbase Advanced Trade, spot: REST and WebSocket client, market feed, and the ``Venue`` that the guard trades through."""

from .build import Options, coinbase_feed, coinbase_venue, granted_venue, key_from_settings, options_from
from .config import Addresses, RestTiming, SocketTiming
from .credentials import ApiKey, read_key_file
from .market_feed import MarketFeed
from .venue import CoinbaseVenue

__all__ = [
    "Addresses",
    "ApiKey",
    "CoinbaseVenue",
    "MarketFeed",
    "Options",
    "RestTiming",
    "SocketTiming",
    "coinbase_feed",
    "coinbase_venue",
    "granted_venue",
    "key_from_settings",
    "options_from",
    "read_key_file",
]
