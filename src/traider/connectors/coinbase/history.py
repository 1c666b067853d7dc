"""Coinbase's candles as bars of the past: public, asked for without a key, at most 350 in a request."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from traider.domain.history import BarHistory, BarPage, BarsOf, Gap, ProviderRefusedError, ProviderUnavailableError, known_until_ns
from traider.domain.ports import Clock
from traider.domain.venue import VenueError

from .account_calls import AccountCalls
from .build import Options, coinbase_transport
from .market_calls import MOST_CANDLES, MarketCalls
from .read_reply import NotFoundError
from .rest import Rest
from .server_clock import ServerClock

_SECOND_NS = 1_000_000_000
_SETTLES_S = 10  # after its end a candle may lack its last trades: public answers are copies, up to some seconds old
_SURE_S = 600  # a candle that is missing after so long is one without a trade


class CandleHistory:
    """A ``BarHistory`` of one product. ``most`` is how many candles a request asks for."""

    grows = True

    def __init__(self, calls: MarketCalls, clock: Clock, *, symbol: str, span_s: int, most: int = MOST_CANDLES) -> None:
        """``clock`` keeps the venue's time."""
        self.bars_of = BarsOf(provider="Coinbase", symbol=symbol, span_s=span_s)
        self._calls = calls
        self._clock = clock
        self._most = most

    async def complete_until_ns(self) -> int:
        """The start of the candle that is not final yet."""
        now_s = self._clock.now_ns() // _SECOND_NS - _SETTLES_S
        return (now_s - now_s % self.bars_of.span_s) * _SECOND_NS

    async def pages(self, first_ns: int, end_ns: int) -> AsyncIterator[BarPage]:
        """The candles that start in [``first_ns``, ``end_ns``). ``ProviderUnavailableError`` when a request stays without an answer."""
        span_s = self.bars_of.span_s
        # The first and the last candle that may be meant: starts are whole multiples of a candle's length.
        start_s, end_s = (-(-moment_ns // (span_s * _SECOND_NS)) * span_s for moment_ns in (first_ns, end_ns))
        try:
            async for page in self._calls.candle_pages(self.bars_of.symbol, start_s=start_s, end_s=end_s, seconds=span_s, most=self._most):
                off = next((bar.ts_ns for bar in page.bars if bar.ts_ns % (span_s * _SECOND_NS)), None)
                if off is not None:
                    raise ProviderUnavailableError(f"Coinbase gave a candle of {span_s} s that starts at {off // _SECOND_NS} s since 1970")
                sure_ns = self._clock.now_ns() - _SURE_S * _SECOND_NS
                until_ns = known_until_ns(page.bars, span_s * _SECOND_NS, first_ns=first_ns, until_ns=page.until_ns, sure_ns=sure_ns)
                yield BarPage(bars=page.bars, until_ns=until_ns)
                first_ns = until_ns
        except VenueError as error:
            raise ProviderUnavailableError(f"Coinbase: {error}") from None

    def gaps(self, starts_ns: Sequence[int], first_ns: int, end_ns: int) -> Iterator[Gap]:
        """Where nothing was traded, for then there is no candle."""
        span_ns = self.bars_of.span_s * _SECOND_NS
        due_ns = -(-first_ns // span_ns) * span_ns
        for start_ns in (*starts_ns, -(-end_ns // span_ns) * span_ns):
            if start_ns > due_ns:
                yield Gap(first_ns=due_ns, last_ns=start_ns - span_ns, bars=(start_ns - due_ns) // span_ns)
            due_ns = start_ns + span_ns


@asynccontextmanager
async def candle_history(symbol: str, span_s: int, options: Options, clock: Clock) -> AsyncIterator[BarHistory]:
    """The product's candles, while this is entered; ``ProviderRefusedError`` where there is no such product."""
    server_clock = ServerClock(clock)
    rest = Rest(coinbase_transport(None, None, options), options.rest_timing)
    await rest.start()
    try:
        calls = MarketCalls(rest)
        try:
            await calls.product(symbol)
            await AccountCalls(rest, server_clock).server_time_ns()
        except NotFoundError:
            raise ProviderRefusedError(f"Coinbase has no product {symbol}; write BASE-QUOTE, for example BTC-USD") from None
        except VenueError as error:
            raise ProviderUnavailableError(f"Coinbase: {error}") from None
        yield CandleHistory(calls, server_clock, symbol=symbol, span_s=span_s)
    finally:
        await rest.stop()
