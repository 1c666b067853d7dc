"""Asks every question and writes ``docs/benchmarks.md``: ``python -m benchmarks [--quick] [--rounds N] [--only W1] [--no-peers]``."""

import argparse
import sys
from types import ModuleType

from . import (
    agreement,
    bars,
    compilation,
    exchange_sim,
    feed,
    guard_orders,
    indicators,
    interpreted,
    memory,
    order_book,
    page,
    startup,
    stream,
    sweep,
    tick_to_order,
    trades,
)
from .measure import asked_for
from .page import Markdown

QUESTIONS: dict[str, ModuleType] = {
    "W1": bars,
    "W2": sweep,
    "W3": trades,
    "W4": order_book,
    "interpreted": interpreted,
    "agreement": agreement,
    "indicators": indicators,
    "memory": memory,
    "stream": stream,
    "startup": startup,
    "compilation": compilation,
    "guard_orders": guard_orders,
    "tick_to_order": tick_to_order,
    "exchange_sim": exchange_sim,
    "feed": feed,
}


def main() -> int:
    """Prints each table as it is ready; the page is written when all questions were asked. 1 when something of ours failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", help="some of: " + ", ".join(QUESTIONS) + "; the page is then left as it is")
    asked, given = asked_for(parser)
    names = given.only.split(",") if given.only else list(QUESTIONS)
    for name in names:
        if name not in QUESTIONS:
            parser.error(f"unknown question {name!r}; there are: {', '.join(QUESTIONS)}")
    tables: list[Markdown] = []
    for name in names:
        print(f"{name}: {asked.rounds} rounds", file=sys.stderr, flush=True)
        for table in QUESTIONS[name].measure(asked):
            tables.append(table)
            print(table.markdown(), flush=True)
    if not given.only and asked.peers and not asked.quick:
        page.write(tables)
        print(f"written: {page.PAGE}", file=sys.stderr)
    return int(any(table.failed for table in tables))


if __name__ == "__main__":
    sys.exit(main())
