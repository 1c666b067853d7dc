"""Asks every question and writes ``docs/benchmarks.md``: ``python -m benchmarks [--rounds N] [--only bars,memory]``."""

import argparse
import sys
from types import ModuleType

from . import bars, compilation, exchange_sim, feed, guard_orders, indicators, memory, page, startup, stream, sweep, trades
from .measure import ROUNDS

QUESTIONS: dict[str, ModuleType] = {
    "bars": bars,
    "trades": trades,
    "indicators": indicators,
    "sweep": sweep,
    "memory": memory,
    "stream": stream,
    "startup": startup,
    "compilation": compilation,
    "guard_orders": guard_orders,
    "exchange_sim": exchange_sim,
    "feed": feed,
}


def main() -> None:
    """Prints each table as it is ready; the page is written when all questions were asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each case (default {ROUNDS})")
    parser.add_argument("--only", help="some of: " + ", ".join(QUESTIONS) + "; the page is then left as it is")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else list(QUESTIONS)
    unknown = [name for name in names if name not in QUESTIONS]
    if unknown or asked.rounds < 1:
        parser.error(f"unknown question {unknown[0]!r}; there are: {', '.join(QUESTIONS)}" if unknown else "--rounds must be at least 1")
    tables = []
    for name in names:
        print(f"{name}: {asked.rounds} rounds", file=sys.stderr, flush=True)
        tables.append(QUESTIONS[name].measure(asked.rounds))
        print(tables[-1].markdown(), flush=True)
    if not asked.only:
        page.write(tables)
        print(f"written: {page.PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
