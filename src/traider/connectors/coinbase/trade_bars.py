"""Bars made of live trades, each where a backtest over the same trades would put it: before the first trade that is not in it."""

from traider.domain.guard_protocol import MarketEvent
from traider.domain.vocabulary import BAR_MADE, EventKind
from traider.kernel.aggregators import DollarBars, TimeBars, VolumeBars

Maker = TimeBars | VolumeBars | DollarBars
NEVER = 1 << 62
_NS = 1_000_000_000


class TradeBars:
    """The bars of one market. One that may lack a trade is not handed on: the first, unless its beginning was seen, and one with a hole."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._whole_from_ns = -1  # bars that begin earlier are not whole; -1: the first trade says

    @property
    def span_ns(self) -> int:
        """How long a bar is; 0 where time does not say."""
        return self._maker.span_ns if isinstance(self._maker, TimeBars) else 0

    def broken(self) -> None:
        """Trades may have been missed."""
        self._whole_from_ns = NEVER

    def mended(self) -> None:
        """From the next trade on none is missed."""
        if self._whole_from_ns == NEVER:
            self._whole_from_ns = -1

    def next_start_ns(self, ts_ns: int) -> int:
        """When the first bar begins that lies whole behind this moment; the moment itself where time does not say."""
        span_ns = self.span_ns
        return (ts_ns // span_ns + 1) * span_ns if span_ns else ts_ns

    def woven(self, trade: MarketEvent) -> list[MarketEvent]:
        """The trade, and the bar that it completes: before it where that bar ended without it, behind it where it is in it."""
        if self._whole_from_ns < 0:
            self._whole_from_ns = self.next_start_ns(trade.ts_ns)
        maker = self._maker
        if not maker.update_trade(trade.ts_ns, trade.a, trade.b) or maker.ts_ns < self._whole_from_ns:
            return [trade]
        bar = made_bar(trade.symbol, maker.ts_ns, maker.open, maker.high, maker.low, maker.close, maker.volume)
        return [bar, trade] if self.span_ns else [trade, bar]


def made_bar(symbol: str, ts_ns: int, open_: float, high: float, low: float, close: float, volume: float) -> MarketEvent:
    """A bar that tells, and that nothing is matched against; it has no place in the stream yet."""
    return MarketEvent(index=-1, kind=EventKind.BAR, flags=BAR_MADE, symbol=symbol, ts_ns=ts_ns, a=open_, b=high, c=low, d=close, e=volume)
