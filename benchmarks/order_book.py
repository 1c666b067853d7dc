"""How near does a compiled market maker on an order book, with queue positions, come to a loop written by hand for it?"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import commands, race, reference_book
from .asked import Asked
from .bars import check_fills
from .loops import told
from .measure import answer
from .order_book_data import LOT, TICK, order_book_file
from .page import Table
from .peers.columns import columns_of
from .race import Entrant, case, peer
from .reference import CASH

ROWS = 2_000_000
SETTINGS: dict[str, Any] = {"tick": TICK, "lot": LOT, "quantity": 0.01, "max_position": 1.0, "cash": CASH}


def _loop() -> dict[str, Any]:
    columns = columns_of(order_book_file(ROWS))
    book = reference_book.Book(*(columns[name] for name in ("ts", "kind", "price", "size", "side")))
    run = functools.partial(reference_book.touch_maker, ticks_per_unit=1 / TICK, lots_per_unit=1 / LOT, quantity=0.01, max_position=1.0)
    run(reference_book.Book(*(column[:1000] for column in book)))
    started = time.perf_counter()
    profit, fills, position, acted = run(book)
    seconds = time.perf_counter() - started
    return {**told(seconds, ROWS, fills, CASH + profit), "fees": 0.0, "position": position, "acted": acted}


CASES: dict[str, Callable[[], dict[str, Any]]] = {"loop": _loop}


def traider(name: str, data: Callable[[], Path], settings: dict[str, Any], goal: float | None = None) -> Entrant:
    """``traider backtest touch_maker``."""

    def command() -> list[str | Path]:
        more = ("--queue", "risk-averse", "--price-increment", str(settings["tick"]), "--size-increment", str(settings["lot"]))
        return commands.backtest(
            "touch_maker", data(), {"max_position": 1}, quantity=settings["quantity"], fee=0.0, symbol="BTC-USD", more=more
        )

    return Entrant(name, command, commands.read_backtest, goal)


def hftbacktest(book: str, data: Callable[[], Path], settings: dict[str, Any], **more: Any) -> Entrant:
    """hftbacktest with one of its two books."""
    return peer(f"hftbacktest, {book},", "hftbacktest", "hftbacktest_book", data, settings, **more)


def measure(asked: Asked) -> list[Table]:
    """Nanoseconds a row, and how often the reference's that is."""
    data = functools.partial(order_book_file, ROWS)
    ran = race.run(
        {
            "loop": case("hand-written loop (the reference)", "order_book", "loop"),
            "traider": traider("**traider**", data, SETTINGS, goal=5.0),
            "hftbacktest": hftbacktest("dense array", data, {**SETTINGS, "depth": "roi"}),
            "hftbacktest-hash": hftbacktest("hash map", data, {**SETTINGS, "depth": "hash"}, rounds=3),
        },
        asked,
        "loop",
    )
    check_fills(ran, "loop")
    text = (
        f"`touch_maker` on {ROWS:,} synthetic rows, a tenth of them trades: 0.01 on each side at the touch, position within 1, risk-averse "
        f"queue positions, whole fills, no latency, no fee; it acts at {ran.last('loop')['acted']:,} moments. The engines' time alone, "
        "traider's with every limit set. Equal fills and equal final equity are demanded of loop and traider."
    )
    title = "W4: market making in an order book"
    return [race.table(ran, title=title, question=__doc__ or "", text=text, unit="ns a row", reference="loop")]


if __name__ == "__main__":
    answer(measure)
