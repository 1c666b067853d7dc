"""A made-up market for a seed: a price that wanders, a book around it, and takers."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from .agenda import SECOND_NS
from .products import Product
from .quoter import Quoter
from .tape import Message, Row, Word
from .units import ONE

_YEARLY_VOLATILITY = 0.5
_YEAR_S = 365.25 * 86_400
_MEDIAN_TRADE = 150.0  # in quote currency


@dataclass(frozen=True, slots=True)
class GeneratedMarket:
    """Endless, and the same for the same arguments. The price begins at ``start`` units of quote currency."""

    product: Product
    seed: int
    start: float
    depth: int = 50  # levels a side
    steps_per_s: float = 8.0
    trades_per_s: float = 3.0
    run: int = 0  # how often it was begun before: each run goes another way

    @property
    def infers_trades(self) -> bool:
        return False

    def messages(self) -> Iterator[Message]:
        again = f" {self.run}" if self.run else ""
        rng = random.Random(f"{self.seed} {self.product.product_id}{again}")  # noqa: S311  - a simulation
        grid = self.product.grid
        ticks = self.start * ONE / grid.tick
        lots_per_unit = ONE / grid.notional
        quoter = Quoter(rng, depth=self.depth, ticks=round(ticks), lots_per_unit=lots_per_unit)
        sigma = _YEARLY_VOLATILITY / math.sqrt(_YEAR_S * self.steps_per_s)
        step_ns = round(SECOND_NS / self.steps_per_s)
        rows: list[Row] = []
        now_ns = 0
        while True:
            ticks *= math.exp(rng.gauss(0.0, sigma))
            bid = max(1, round(ticks))
            if bid != quoter.bid:
                rows += quoter.requote(bid, bid + 1)
            rows += quoter.refresh()
            if rng.random() < self.trades_per_s / self.steps_per_s:
                lots = max(1, round(_MEDIAN_TRADE * math.exp(rng.gauss(0.0, 1.5)) * lots_per_unit / ticks))
                side = 1 if rng.random() < 0.5 else -1
                rows.append((Word.TAKE, side, quoter.reach(side), lots))
            yield Message(now_ns, rows)
            rows = []
            now_ns += step_ns


def past_trades(market: GeneratedMarket, now_ns: int, hours: int, every_s: int = 10, fine: int = 0) -> list[tuple[int, int, int]]:
    """Time, ticks and lots of what traded before the market began and led to where it begins; oldest first.

    One trade in ``every_s`` seconds, and one a second in the last ``fine`` of them.
    """
    rng = random.Random(f"{market.seed} {market.product.product_id} past")  # noqa: S311  - a simulation
    lots_per_unit = ONE / market.product.grid.notional
    ticks = market.start * ONE / market.product.grid.tick
    trades, age_s = [], 0
    while age_s < hours * 3600:
        step_s = 1 if age_s < fine else every_s
        age_s += step_s
        ticks *= math.exp(rng.gauss(0.0, _YEARLY_VOLATILITY / math.sqrt(_YEAR_S / step_s)))
        lots = max(1, round(_MEDIAN_TRADE * market.trades_per_s * step_s * math.exp(rng.gauss(0.0, 1.0)) * lots_per_unit / ticks))
        trades.append((now_ns - age_s * SECOND_NS, max(1, round(ticks)), lots))
    return trades[::-1]
