"""Alpha Vantage on this machine, in a thread: it answers what a test says, or a made-up market, and keeps what it was asked.

Its bodies have the shapes of the provider's documentation and are our own words; none was recorded.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from traider.connectors.alphavantage.us_calendar import is_trading_day, trading_days

KEY = "K3YOFATEST/0+17"
INTERVALS = {"1min": 1, "5min": 5, "15min": 15, "30min": 30, "60min": 60}

DAILY_LIMIT = f"Your API key {KEY} has used up its 25 requests per day. Any of the premium plans removes the daily rate limit."
TOO_FAST = (
    "Please ask more sparingly, about 1 request per second. The premium plans lift the rate limit of 25 requests per day "
    "and open the premium endpoints."
)
PER_MINUTE = "The standard call frequency is 5 calls per minute and 500 calls per day. There are premium plans with a higher one."
PREMIUM = "This is a premium endpoint. Any of the premium plans opens it."
DEMO = "The demo key is for demo purposes only. Get one of your own."
BAD_KEY = f"the parameter apikey is invalid or missing: {KEY}. Please claim your free API key."
BAD_CALL = f"Invalid API call. apikey={KEY}. See the documentation of TIME_SERIES_DAILY."

Answer = tuple[int, bytes]
Query = Mapping[str, str]


def said(key: str, text: str) -> Answer:
    return 200, json.dumps({key: text}).encode()


def daily(days: Mapping[str, Mapping[str, str]], *, symbol: str = "SPY", zone: str = "US/Eastern", **more: Any) -> dict[str, Any]:
    """The body of a series of days, newest first."""
    meta = {"1. Information": "Daily Prices (open, high, low, close) and Volumes", "2. Symbol": symbol, "5. Time Zone": zone}
    return {"Meta Data": meta, "Time Series (Daily)": dict(sorted(days.items(), reverse=True)), **more}


def intraday(bars: Mapping[str, Mapping[str, str]], interval: str, *, symbol: str = "SPY") -> dict[str, Any]:
    meta = {"1. Information": f"Intraday ({interval})", "2. Symbol": symbol, "4. Interval": interval, "6. Time Zone": "US/Eastern"}
    return {"Meta Data": meta, f"Time Series ({interval})": dict(sorted(bars.items(), reverse=True))}


def row(number: int, **more: str) -> dict[str, str]:
    """Prices that tell which bar it is."""
    base = 100 + number % 1000 / 100
    prices = {"1. open": base, "2. high": base + 0.5, "3. low": base - 0.25, "4. close": base + 0.125}
    return {name: f"{price:.4f}" for name, price in prices.items()} | {"5. volume": str(1000 + number)} | more


@dataclass
class Market:
    """Shares that trade on every day of New York's calendar from ``first`` to ``last``, from 09:30 to 16:00."""

    first: datetime
    last: datetime

    def answer(self, query: Query) -> Answer:
        if query["function"] == "TIME_SERIES_DAILY":
            days = list(trading_days(self.first.date(), self.last.date() + timedelta(days=1)))
            shown = days if query["outputsize"] == "full" else days[-100:]
            return 200, json.dumps(daily({f"{day}": row(day.toordinal()) for day in shown}, symbol=query["symbol"])).encode()
        minutes = INTERVALS[query["interval"]]
        found = {f"{at:%Y-%m-%d %H:%M:%S}": row(at.minute) for at in self._starts(query["month"], minutes)}
        return 200, json.dumps(intraday(found, query["interval"], symbol=query["symbol"])).encode()

    def _starts(self, month: str, minutes: int) -> Iterator[datetime]:
        day = datetime.fromisoformat(f"{month}-01")
        while f"{day:%Y-%m}" == month:
            if is_trading_day(day.date()):
                opens = day + timedelta(hours=9, minutes=30)
                starts = (opens + timedelta(minutes=at) for at in range(0, 390, minutes))
                yield from (start for start in starts if self.first <= start <= self.last)
            day += timedelta(days=1)


@dataclass
class Served:
    """``url`` is what ``ALPHAVANTAGE_URL`` is set to; ``queries`` are those that came, in their order."""

    url: str
    queries: list[dict[str, str]]


@contextmanager
def serving(answer: Callable[[Query], Answer | None]) -> Iterator[Served]:
    """Serves until the block is left. None is no answer: the connection is closed."""
    queries: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            queries.append(query)
            found = answer(query)
            if found is None:
                self.close_connection = True
                return
            status, body = found
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}/query", queries)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
