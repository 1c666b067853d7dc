"""The books of an account on an exchange, as a journal's next file begins with them: made, and read again."""

from ..books import GuardConfig
from ..carried import common, restore
from ..records import LiveCarried, SegmentStarted
from .books import LiveBooks, live_books


def carry_live(books: LiveBooks, n: int) -> LiveCarried:
    """The books, for line ``n``."""
    return LiveCarried(
        **common(books, n),
        ended=tuple(books.ended.values()),
        trades=books.remembered_trades(),
        trades_from_ns=books.trades_horizon_ns(),
        totals=books.totals.copy(),
        opened_ns=books.opened_ns,
        unvalued=books.unvalued.copy(),
        amending=tuple(books.amending.values()),
        looked_ns=books.looked_ns,
        sent_after_ns=books.sent_after_ns.copy(),
        table=tuple(
            (
                books.id_of[int(row["id"])],
                int(row["id"]),
                int(row["ts_ns"]),
                float(row["size"]),
                float(row["filled"]),
                float(row["limit_price"]),
            )
            for row in books.desk.open_orders()
        ),
    )


def restore_live(config: GuardConfig, started: SegmentStarted, carried: LiveCarried) -> LiveBooks:
    """The books again; marks and the day are in the snapshot's checkpoint."""
    books = live_books(config)
    restore(books, carried)
    books.ended = {order.request.client_order_id: order for order in carried.ended}
    books.trades, books.trades_from_ns = dict(carried.trades), carried.trades_from_ns
    books.totals, books.unvalued = dict(carried.totals), dict(carried.unvalued)
    books.opened_ns, books.looked_ns = carried.opened_ns, carried.looked_ns
    books.amending = {amending.client_order_id: amending for amending in carried.amending}
    books.sent_after_ns = dict(carried.sent_after_ns)
    for order in (*carried.ended, *carried.open):
        if order.venue_order_id is not None:
            books.venue_ids[order.venue_order_id] = order.request.client_order_id
    for identifier, number, ts_ns, size, filled, limit_price in carried.table:
        books.put_row(books.open[identifier].request, number, ts_ns, size=size, filled=filled, limit_price=limit_price)
    account, ring = books.desk.account, books.desk.record["submissions"]
    account["next_id"], account["submissions"] = carried.next_id, len(carried.submissions_ns)
    ring[: len(carried.submissions_ns)] = carried.submissions_ns
    account["killed"] = int(carried.killed)
    books.touch(started.ts_ns)
    return books
