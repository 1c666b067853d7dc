"""What a stream has had of trades and candles, so that a snapshot after an outage fills the hole and repeats nothing."""

from .market_events import Draft, candle_draft, trade_draft, trade_number
from .messages import CandlePart, CandlesEvent, TradesEvent


class TradeTape:
    """Each trade of each product once, by the venue's number, which grows with time."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def has_had(self, product: str, number: int) -> None:
        """Trades of the product up to this one are known from elsewhere."""
        self._last[product] = max(number, self._last.get(product, 0))

    def take(self, event: TradesEvent) -> list[Draft]:
        """The trades that are new, oldest first: within a message the order is not promised.

        The first snapshot of a product is history. A later one, after an outage, holds what was missed, if it reaches back so far.
        """
        known = dict(self._last)
        snapshot = event.type == "snapshot"
        # every trade is read before any is remembered: one that can't be read must come again with the next snapshot
        trades = {(trade.product_id, trade_number(trade)): trade for trade in event.trades}
        new = [key for key in sorted(trades, key=lambda key: key[1]) if _is_new(key, known, snapshot=snapshot)]
        drafts = [trade_draft(trades[key]) for key in new]
        for product, number in trades:
            self._last[product] = max(number, self._last.get(product, 0))
        return drafts


class CandleTape:
    """A bar is handed on once, when the next one of its product has begun."""

    def __init__(self) -> None:
        self._open: dict[str, CandlePart] = {}

    def take(self, event: CandlesEvent) -> list[Draft]:
        """The bars that are complete now. Those that the first snapshot of a product holds are history."""
        bars = {(candle_draft(candle).ts_ns, candle.product_id): candle for candle in event.candles}
        first = {candle.product_id for candle in event.candles} - self._open.keys()
        complete: list[Draft] = []
        for _, candle in sorted(bars.items()):
            product = candle.product_id
            before = self._open.get(product, candle)
            if int(candle.start) < int(before.start):
                continue  # a late word about a bar that was handed on
            if int(candle.start) > int(before.start) and not (product in first and event.type == "snapshot"):
                complete.append(candle_draft(before))
            self._open[product] = candle
        return complete


def _is_new(key: tuple[str, int], known: dict[str, int], *, snapshot: bool) -> bool:
    product, number = key
    last = known.get(product)
    return not snapshot if last is None else number > last
