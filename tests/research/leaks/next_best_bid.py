"""Leaks: the best bid that the exchange tells a second later, from a file of quotes beside the order book's."""

from pathlib import Path

import pandas as pd

from traider import Book, Context, Strategy


class NextBestBid(Strategy):
    def setup(self) -> None:
        quotes = pd.read_parquet(Path(__file__).with_name("futures_quotes.parquet"))
        self.times = quotes["ts"].to_numpy()  # LEAK
        self.later = quotes["bid"].to_numpy()  # LEAK

    def on_book(self, book: Book, ctx: Context) -> None:
        row = int(self.times.searchsorted(ctx.now_ns() + 1_000_000_000))
        if row < len(self.later):
            ctx.target(0.01 if self.later[row] > book.best_ask() else 0.0)  # ORDER
