"""Why a fill happened, in words: one simulated fill for each rule."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.kernel.desks import BUY, MINUTE_NS, SELL, START_NS, Pit, instrument
from traider.domain.instruments import Instrument
from traider.domain.vocabulary import EventKind, FillRule
from traider.engine.explain import _Fill, explain, why
from traider.engine.fills import FILLS, Fills, fills_from_events, fills_of
from traider.kernel import layout
from traider.kernel.simulation import FillMode, Simulation

BTC = instrument(shortable=True)
ON_MARGIN = Instrument(
    symbol="BTC-PERP",
    base="BTC",
    quote="USD",
    price_increment=Decimal("0.1"),
    size_increment=Decimal("0.001"),
    initial_margin=Decimal("0.1"),
    maintenance_margin=Decimal("0.05"),
)


class Recording(Pit):
    """A pit that keeps its fills with all that the kernel tells of them."""

    taken: list[Fills]

    def _event(self, kind: EventKind, inst: int, a: float, b: float, c: float, d: float, e: float, *, flags: int = 0) -> list[Any]:
        self.take()
        self.now_ns += MINUTE_NS
        self.desk.on_market(int(kind) | flags, inst, self.now_ns, a, b, c, d, e)
        return []

    def take(self) -> Fills:
        self.taken = getattr(self, "taken", [])
        executions = self.desk.take_executions()
        self.taken.append(fills_of(executions[executions["kind"] == layout.FILL]))
        return np.concatenate(self.taken)


def next_open(pit: Recording) -> None:
    pit.market(BUY, 0.01)
    pit.bar(61_660.1, 61_700.0, 61_600.0, 61_650.0)


def next_trade(pit: Recording) -> None:
    pit.market(SELL, 1.0)
    pit.trade(99.5)


def stop_reached(pit: Recording) -> None:
    pit.stop(BUY, 1.0, 105.0)
    pit.bar(100.0, 106.0, 100.0, 106.0)


def stop_limit_reached(pit: Recording) -> None:
    pit.stop_limit(SELL, 1.0, 95.0, 94.0)
    pit.bar(100.0, 100.0, 94.5, 95.0)


def stop_gapped(pit: Recording) -> None:
    pit.stop(SELL, 1.0, 95.0)
    pit.bar(94.0, 94.0, 90.0, 93.0)


def limit_at_arrival(pit: Recording) -> None:
    pit.limit(BUY, 1.0, 100.5)
    pit.bar(100.25, 101.0, 99.0, 100.0)


def traded_through(pit: Recording) -> None:
    pit.limit(SELL, 1.0, 101.0)
    pit.bar(100.0, 101.01, 99.0, 100.0)


def quote_taken(pit: Recording) -> None:
    pit.quote(99.0, 101.0)
    pit.market(BUY, 1.0)
    pit.quote(99.0, 101.25)


def quote_crossed(pit: Recording) -> None:
    pit.quote(99.0, 101.0)
    pit.limit(BUY, 1.0, 99.5)
    pit.quote(99.0, 101.0)
    pit.quote(99.0, 99.5)


def with_a_book(pit: Recording) -> None:
    pit.book([(100.0, 1.25)], [(101.0, 3.0)])


def book_taken(pit: Recording) -> None:
    with_a_book(pit)
    pit.market(BUY, 1.0)


def book_crossed(pit: Recording) -> None:
    with_a_book(pit)
    pit.limit(BUY, 1.0, 100.0)
    pit.level(SELL, 100.0, 1.0)


def queue_reached(pit: Recording) -> None:
    with_a_book(pit)
    pit.limit(BUY, 0.5, 100.0)
    pit.trade(100.0, 1.5, side=SELL)


def liquidated(pit: Recording) -> None:
    pit.market(BUY, 50.0)
    pit.bar(100.0, 100.0, 100.0, 100.0)
    pit.bar(100.0, 100.0, 50.0, 60.0)


T = "2023-11-14 22:"
CASES: list[tuple[FillRule, Callable[[Recording], None], dict[str, Any], str]] = [
    (
        FillRule.NEXT_OPEN,
        next_open,
        {},
        (
            f"{T}16:00 bought 0.01 BTC-USD at 61,660.10 as taker: market order, decided at {T}15:00; "
            "it took the open of the first bar that it met"
        ),
    ),
    (
        FillRule.NEXT_CLOSE,
        next_open,
        {"fill": FillMode.NEXT_CLOSE},
        (
            f"{T}16:00 bought 0.01 BTC-USD at 61,650.00 as taker: market order, decided at {T}15:00; "
            "it took the close of the first bar that it met, as the fill mode next-close says"
        ),
    ),
    (
        FillRule.SAME_PRICE,
        next_open,
        {"fill": FillMode.SAME},
        (
            f"{T}15:00 bought 0.01 BTC-USD at 100.00 as taker: market order, decided at {T}15:00; "
            "it took the price that it was decided on, as the fill mode same says"
        ),
    ),
    (
        FillRule.NEXT_TRADE,
        next_trade,
        {},
        f"{T}16:00 sold 1 BTC-USD at 99.50 as taker: market order, decided at {T}15:00; it took the price of the first trade that it met",
    ),
    (
        FillRule.STOP_REACHED,
        stop_reached,
        {},
        f"{T}16:00 bought 1 BTC-USD at 105.00 as taker: stop at 105.00, decided at {T}15:00; the market rose to its stop",
    ),
    (
        FillRule.STOP_REACHED,
        stop_limit_reached,
        {},
        (
            f"{T}16:00 sold 1 BTC-USD at 95.00 as taker: stop-limit order with its stop at 95.00, its limit at 94.00, decided at {T}15:00; "
            "the market fell to its stop"
        ),
    ),
    (
        FillRule.STOP_GAPPED,
        stop_gapped,
        {},
        (
            f"{T}16:00 sold 1 BTC-USD at 94.00 as taker: stop at 95.00, decided at {T}15:00; "
            "the market was beyond its stop before it could fill there, so it took the price that it met"
        ),
    ),
    (
        FillRule.LIMIT_AT_ARRIVAL,
        limit_at_arrival,
        {},
        (
            f"{T}16:00 bought 1 BTC-USD at 100.25 as taker: limit order at 100.50, decided at {T}15:00; "
            "the first price that it met was no worse than its limit"
        ),
    ),
    (
        FillRule.TRADED_THROUGH,
        traded_through,
        {},
        (
            f"{T}16:00 sold 1 BTC-USD at 101.00 as maker: limit order at 101.00, decided at {T}15:00; "
            "it rested, and the market traded above its limit"
        ),
    ),
    (
        FillRule.QUOTE_TAKEN,
        quote_taken,
        {},
        f"{T}16:00 bought 1 BTC-USD at 101.25 as taker: market order, decided at {T}15:00; it took the other side of the quote",
    ),
    (
        FillRule.QUOTE_CROSSED,
        quote_crossed,
        {},
        (
            f"{T}17:00 bought 1 BTC-USD at 99.50 as maker: limit order at 99.50, decided at {T}15:00; "
            "it rested, and the other side of the quote came to its limit"
        ),
    ),
    (
        FillRule.BOOK_TAKEN,
        book_taken,
        {},
        (
            f"{T}16:00 bought 1 BTC-USD at 101.00 as taker: market order, decided at {T}16:00; "
            "it took what a level on the other side of the book held"
        ),
    ),
    (
        FillRule.BOOK_CROSSED,
        book_crossed,
        {},
        (
            f"{T}17:00 bought 1 BTC-USD at 100.00 as maker: limit order at 100.00, decided at {T}16:00; "
            "it rested, and the other side of the book came to its limit"
        ),
    ),
    (
        FillRule.QUEUE_REACHED,
        queue_reached,
        {},
        (
            f"{T}17:00 bought 0.5 BTC-USD at 100.00 as maker: limit order at 100.00, decided at {T}16:00; "
            "1.25 stood before it when it came to its level, and the trades there went beyond that"
        ),
    ),
    (
        FillRule.LIQUIDATION,
        liquidated,
        {"cash": 1000.0},
        (
            f"{T}17:00 sold 50 BTC-PERP at 84.2 as taker: "
            "the account's equity had fallen to its maintenance margin, so the venue closed the position"
        ),
    ),
]


@pytest.mark.parametrize(("rule", "act", "more", "said"), CASES, ids=[f"{rule.name} {act.__name__}" for rule, act, _, _ in CASES])
def test_each_rule_says_why(rule: FillRule, act: Callable[[Recording], None], more: dict[str, Any], said: str) -> None:
    market = ON_MARGIN if rule is FillRule.LIQUIDATION else BTC
    pit = Recording(market, **more)
    if rule not in (FillRule.QUOTE_TAKEN, FillRule.QUOTE_CROSSED, FillRule.BOOK_TAKEN, FillRule.BOOK_CROSSED, FillRule.QUEUE_REACHED):
        pit.trade(100.0)
    act(pit)
    fills = pit.take()
    assert fills["rule"][-1] == rule
    assert list(explain(fills, [market]))[-1] == said


def test_every_rule_is_told() -> None:
    assert {rule for rule, *_ in CASES} == set(FillRule) - {FillRule.NONE}


def test_a_fill_of_the_guards_is_told_as_the_venues_own() -> None:
    fills = np.zeros(1, FILLS)
    fills["price"], fills["size"], fills["side"] = 1234.5, 0.25, 1
    (said,) = explain(fills, [BTC])
    assert said == "1970-01-01 00:00:00 bought 0.25 BTC-USD at 1,234.50 as taker: the venue's own fill, not one of the simulation"
    assert list(why(fills_from_events([], {}), [BTC])) == []


def test_times_and_sizes_are_told_to_their_last_digit() -> None:
    fills = np.zeros(1, FILLS)
    fills["ts_ns"], fills["price"], fills["size"], fills["side"] = START_NS + 1_234_500, 1.005, 1e-8, -1
    (said,) = explain(fills, [BTC])
    assert said.startswith("2023-11-14 22:14:00.0012345 sold 0.00000001 BTC-USD at 1.005 as taker")


def test_the_reader_names_every_column() -> None:
    assert _Fill._fields == FILLS.names


def test_partial_fills_on_a_book_are_told_one_by_one() -> None:
    pit = Recording(BTC, simulation=Simulation(partial_fills=True))
    pit.book([(100.0, 2.0)], [(101.0, 3.0), (102.0, 3.0)])
    pit.market(BUY, 4.0)
    prices = [said.split(" at ")[1].split(" as ")[0] for said in explain(pit.take(), [BTC])]
    assert prices == ["101.00", "102.00"]
