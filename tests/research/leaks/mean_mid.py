"""Leaks: the mean mid of the whole recording, made of its order book in setup."""

from pathlib import Path

import pyarrow.parquet as pq

from traider import Book, Context, Strategy


class MeanMid(Strategy):
    def setup(self) -> None:
        book = pq.read_table(Path(__file__).with_name("futures_l2.parquet"))
        bids, asks = ([row for row in book.to_pylist() if row["side"] == side and not row["is_snapshot"]] for side in ("bid", "ask"))
        prices = [row["price"] for row in [*bids, *asks] if row["size"] > 0.0]
        self.middle = sum(prices) / len(prices)  # LEAK

    def on_book(self, book: Book, ctx: Context) -> None:
        ctx.target(0.01 if book.mid() < self.middle else 0.0)  # ORDER
