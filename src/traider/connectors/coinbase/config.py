"""Where Coinbase is, and how patient the client is with it."""

from urllib.parse import urlsplit

import msgspec

PREFIX = "/api/v3/brokerage"


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """``user_urls`` are tried in turn: the market host serves the user channel too, and is what the venue names as fail-over."""

    rest_url: str = "https://api.coinbase.com"
    market_url: str = "wss://advanced-trade-ws.coinbase.com"
    user_urls: tuple[str, ...] = ("wss://advanced-trade-ws-user.coinbase.com", "wss://advanced-trade-ws.coinbase.com")
    ca_file: str = ""

    @property
    def rest_host(self) -> str:
        """Host and port as a token names them."""
        return urlsplit(self.rest_url).netloc


class RestTiming(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines in seconds, and rates in requests per second: about 70 % of what the venue allows."""

    timeout_s: float = 5.0  # of one attempt, from the wait for its turn to the last byte of the reply
    total_timeout_s: float = 20.0  # of a question with all its attempts
    attempts: int = 4
    first_backoff_s: float = 0.25
    most_backoff_s: float = 5.0
    private_per_s: float = 21.0
    public_per_s: float = 7.0
    burst: int = 20
    cancel_reserve: int = 5


class SocketTiming(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. The venue closes a connection that has not subscribed to anything after five."""

    connect_timeout_s: float = 5.0
    subscribe_timeout_s: float = 4.0
    snapshot_timeout_s: float = 15.0  # of what a subscription begins with: a whole book is several megabytes
    heartbeat_timeout_s: float = 5.0  # the venue sends one each second
    silence_timeout_s: float = 30.0  # of a channel that should speak
    first_backoff_s: float = 1.0  # the venue asks for no more than about one connection a second
    most_backoff_s: float = 30.0
    stable_after_s: float = 30.0  # a connection that held so long starts the waits anew
    resubscribe_every_s: float = 1.0  # at most: a gap that comes again sooner waits
    sequence_by_product: bool = False  # the other reading of the venue's documentation: one row of numbers a product
