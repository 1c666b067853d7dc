"""A market maker that stands at the best bid and ask, within a largest position."""

from typing import ClassVar

from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy, param
from traider.kernel.order_book import Book


class TouchMaker(Strategy):
    """One limit order of ``quantity`` on each side at the touch.

    It acts when the mid has moved: a side whose price is no longer the touch, or whose side may not grow, is cancelled; a
    side without an order gets one where the position allows. With equal mids, equal is exact: the sum of two ticks.
    """

    market: ClassVar[str] = "margin"
    max_position: float = param(1.0, low=0.0, help="largest position, long and short, in base currency")

    def setup(self) -> None:
        self.mid = 0.0
        self.buy_order = 0
        self.sell_order = 0
        self.buy_price = 0.0
        self.sell_price = 0.0

    def on_book(self, book: Book, ctx: Context) -> None:
        mid = book.mid()
        if not mid > 0.0 or mid == self.mid:
            return
        self.mid = mid
        self.quote_bid(book.best_bid(), ctx)
        self.quote_ask(book.best_ask(), ctx)

    def quote_bid(self, touch: float, ctx: Context) -> None:
        allowed = ctx.position() < self.max_position
        quoted = ctx.is_open(self.buy_order)
        if quoted and (self.buy_price != touch or not allowed):
            ctx.cancel(self.buy_order)
            quoted = False
        if not quoted and allowed:
            self.buy_order = ctx.buy_limit(self.quantity, touch)
            self.buy_price = touch

    def quote_ask(self, touch: float, ctx: Context) -> None:
        allowed = ctx.position() > -self.max_position
        quoted = ctx.is_open(self.sell_order)
        if quoted and (self.sell_price != touch or not allowed):
            ctx.cancel(self.sell_order)
            quoted = False
        if not quoted and allowed:
            self.sell_order = ctx.sell_limit(self.quantity, touch)
            self.sell_price = touch
