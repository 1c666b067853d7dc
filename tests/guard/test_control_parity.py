"""Each control refuses the same orders in a backtest and on paper, for the same reasons, and lets the others fill alike."""

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.guard.support import BTC, ETH, MINUTE_NS, START_NS, Bench, order
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderCancelled, OrderFilled, OrderRejected, OrderRequest
from traider.domain.vocabulary import EventKind, Reason, Side
from traider.engine.session import Session
from traider.engine.tape import Tape
from traider.kernel.desk import Desk
from traider.kernel.events import Bar
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy

BUY, SELL = Side.BUY, Side.SELL
MARKETS = (BTC, ETH)
PASSES = Reason.NONE


class Ask(NamedTuple):
    """An order after the bar of this number, and what becomes of it. Without a price it is a market order."""

    bar: int
    side: Side
    size: str
    price: str | None
    expected: Reason
    market: int = 0


class Case(NamedTuple):
    limits: RiskLimits
    bars: list[tuple[int, float]]  # market and price, a minute apart
    asks: list[Ask]


def flat(*prices: float) -> list[tuple[int, float]]:
    return [(0, price) for price in prices]


CASES = {
    "order size": Case(
        RiskLimits(max_order_size=Decimal("0.3")),
        flat(100.0, 100.0),
        [
            Ask(0, BUY, "0.301", None, Reason.ORDER_SIZE),
            Ask(0, BUY, "0.3", None, PASSES),
            Ask(1, BUY, "0.301", "90", Reason.ORDER_SIZE),
            Ask(1, SELL, "0.299", "110", PASSES),
        ],
    ),
    "open orders of a market": Case(
        RiskLimits(max_open_orders_per_market=2),
        [(1, 10.0), (0, 100.0), (0, 89.0), (0, 89.0)],
        [
            Ask(1, BUY, "1", "90", PASSES),
            Ask(1, BUY, "1", "80", PASSES),
            Ask(1, BUY, "1", "70", Reason.MARKET_OPEN_ORDERS),
            Ask(1, BUY, "1", "9", PASSES, 1),
            Ask(2, BUY, "1", "70", PASSES),  # the first one is filled
            Ask(2, BUY, "1", "60", Reason.MARKET_OPEN_ORDERS),
        ],
    ),
    "price collar": Case(
        RiskLimits(max_price_deviation=Decimal("0.02")),
        flat(100.0, 100.0),
        [Ask(0, BUY, "1", "98", PASSES), Ask(0, BUY, "1", "97.99", Reason.PRICE_COLLAR), Ask(1, BUY, "2", None, PASSES)],
    ),
    # returns of 1/100 and -1/101: twice their mean is 1.990 %, once the second of them is over
    "volatility band": Case(
        RiskLimits(volatility_method="atr", atr_window=2, volatility_mult=Decimal(2)),
        flat(100.0, 101.0, 100.0, 100.0, 100.0),
        [
            Ask(2, BUY, "1", "99", Reason.PRICE_BAND),
            Ask(3, BUY, "1", "98", Reason.PRICE_BAND),
            Ask(3, BUY, "1", "98.01", PASSES),
            Ask(3, BUY, "1", "98.02", PASSES),
        ],
    ),
    "old market data, in the market's time": Case(
        RiskLimits(max_market_data_age_s=Decimal(120)),
        [(1, 10.0), (0, 100.0), (0, 100.0), (0, 100.0), (1, 10.0)],
        [
            Ask(2, BUY, "1", "9", PASSES, 1),
            Ask(3, BUY, "1", "9", Reason.STALE_MARKET_DATA, 1),
            Ask(3, BUY, "1", "90", PASSES),
            Ask(4, BUY, "1", "9", PASSES, 1),
        ],
    ),
    "duplicate orders": Case(
        RiskLimits(duplicate_window_s=Decimal(60)),
        flat(100.0, 100.0),
        [
            Ask(0, BUY, "1", "90", PASSES),
            Ask(0, BUY, "1", "90", Reason.DUPLICATE_ORDER),
            Ask(0, BUY, "1", "90.01", PASSES),
            Ask(1, BUY, "1", "90", PASSES),
        ],
    ),
    "self-match": Case(
        RiskLimits(prevent_self_match=True),
        flat(100.0, 100.0, 100.0),
        [
            Ask(0, BUY, "2", None, PASSES),
            Ask(1, SELL, "1", "105", PASSES),
            Ask(1, BUY, "1", "105", Reason.SELF_MATCH),
            Ask(1, BUY, "1", None, Reason.SELF_MATCH),
            Ask(1, BUY, "1", "104.99", PASSES),
        ],
    ),
    "gross exposure over all markets": Case(
        RiskLimits(max_gross_exposure=Decimal(1000)),
        [(1, 10.0), (0, 101.0), (0, 101.0)],
        [
            Ask(1, BUY, "5", "100", PASSES),
            Ask(1, BUY, "50", "10", PASSES, 1),
            Ask(1, BUY, "0.001", "100", Reason.GROSS_EXPOSURE),
            Ask(2, BUY, "0.001", "9", Reason.GROSS_EXPOSURE, 1),
        ],
    ),
    "orders a second": Case(
        RiskLimits(max_orders_per_second=2),
        flat(100.0, 100.0),
        [
            Ask(0, BUY, "1", "90", PASSES),
            Ask(0, BUY, "1", "90", PASSES),
            Ask(0, BUY, "1", "90", Reason.ORDER_RATE),
            Ask(1, BUY, "1", "90", PASSES),
        ],
    ),
    "safe mode": Case(RiskLimits(safe_mode=True), flat(100.0), [Ask(0, BUY, "0.001", None, Reason.SAFE_MODE)]),
    "refusals in a row": Case(
        RiskLimits(max_rejections_in_a_row=2, max_order_notional=Decimal(500)),
        flat(100.0, 100.0),
        [
            Ask(0, BUY, "6", "100", Reason.ORDER_NOTIONAL),
            Ask(0, BUY, "1", "90", PASSES),  # ends the row
            Ask(0, BUY, "6", "100", Reason.ORDER_NOTIONAL),
            Ask(0, BUY, "6", "100", Reason.ORDER_NOTIONAL),
            Ask(0, BUY, "1", "90", Reason.REPEATED_REJECTIONS),
            Ask(1, BUY, "1", "90", Reason.KILL_SWITCH),
        ],
    ),
    "refusals within a minute": Case(
        RiskLimits(max_rejections_per_minute=2, max_order_notional=Decimal(500)),
        flat(100.0, 100.0, 100.0),
        [
            *(Ask(0, BUY, size, "90", reason) for _ in range(2) for size, reason in (("6", Reason.ORDER_NOTIONAL), ("1", PASSES))),
            Ask(1, BUY, "6", "90", Reason.ORDER_NOTIONAL),  # the first two are a minute old
            Ask(1, BUY, "1", "90", PASSES),
            *(Ask(1, BUY, "6", "90", Reason.ORDER_NOTIONAL) for _ in range(2)),
            Ask(1, BUY, "1", "90", Reason.REJECTION_RATE),
            Ask(2, BUY, "1", "90", Reason.KILL_SWITCH),
        ],
    ),
    "fills within a minute": Case(
        RiskLimits(max_executions_per_minute=2),
        flat(100.0, 100.0, 100.0, 100.0),
        [
            *(Ask(0, BUY, "1", None, PASSES) for _ in range(2)),
            *(Ask(1, BUY, "1", None, PASSES) for _ in range(3)),
            Ask(1, BUY, "1", "90", PASSES),
            Ask(2, SELL, "1", None, Reason.KILL_SWITCH),
        ],
    ),
}

Story = list[tuple[str, int, object, object]]


class Scripted(Strategy):
    """Asks after each bar for what the case says."""

    def setup(self) -> None:
        self.bars = 0
        self.asks: list[Ask] = []
        self.numbers: dict[int, int] = {}

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        for number, ask in enumerate(self.asks):
            if ask.bar == self.bars:
                ctx.select(ask.market)
                self.numbers[self._send(ask, ctx)] = number
        self.bars += 1

    def _send(self, ask: Ask, ctx: Context) -> int:
        size = float(ask.size)
        if ask.price is None:
            return ctx.buy(size) if ask.side is BUY else ctx.sell(size)
        return ctx.buy_limit(size, float(ask.price)) if ask.side is BUY else ctx.sell_limit(size, float(ask.price))


def in_a_backtest(case: Case) -> Story:
    strategy = Scripted()
    desk = Desk(MARKETS, cash=10_000.0, limits=case.limits, trips=True)
    session = Session(strategy, desk, interpreted=True)
    strategy.asks = case.asks
    ts_ns = START_NS + MINUTE_NS * np.arange(1, len(case.bars) + 1, dtype=np.int64)
    prices = np.array([price for _, price in case.bars])
    rows = len(prices)
    kinds, markets = np.full(rows, int(EventKind.BAR), np.uint8), np.array([market for market, _ in case.bars], np.uint16)
    tape = Tape(ts_ns, kinds, markets, prices, prices, prices, prices, np.ones(rows), kinds=1 << EventKind.BAR, instruments=2)
    story: Story = []
    at = 0
    while at < rows:
        at = session.step(tape, at, at + 1)
        for one in desk.drain():
            what = (one.price, one.size) if one.kind == "fill" else (one.reason, 0.0)
            story.append((one.kind, strategy.numbers[one.ref], *what))
    return story


def request(number: int, ask: Ask) -> OrderRequest:
    return order(str(number), ask.size, ask.side, limit=ask.price, symbol=MARKETS[ask.market].symbol)


def on_paper(case: Case, folder: Path) -> Story:
    bench = Bench(folder, limits=case.limits, instruments=MARKETS)
    for number, (market, price) in enumerate(case.bars):
        bench.feed(price, symbol=MARKETS[market].symbol)
        asked = [request(at, ask) for at, ask in enumerate(case.asks) if ask.bar == number]
        if asked:
            bench.submit(*asked)
    bench.die()
    story: Story = []
    for event in bench.told:
        number = int(event.client_order_id)
        if isinstance(event, OrderFilled):
            story.append(("fill", number, float(event.price), float(event.size)))
        elif isinstance(event, OrderCancelled):
            story.append(("cancel", number, event.reason, 0.0))
        elif isinstance(event, OrderRejected):
            assert event.detail, "a refusal is explained"
            story.append(("refusal", number, event.reason, 0.0))
    return story


@pytest.mark.parametrize("name", CASES)
def test_a_backtest_and_paper_refuse_the_same_orders_for_the_same_reasons(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    backtest = in_a_backtest(case)
    refused = {number: reason for kind, number, reason, _ in backtest if kind == "refusal"}
    assert {number: refused.get(number, PASSES) for number in range(len(case.asks))} == {
        number: ask.expected for number, ask in enumerate(case.asks)
    }
    assert on_paper(case, tmp_path) == backtest


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refusals in a row", "MAX_REJECTIONS_IN_A_ROW 2"),
        ("refusals within a minute", "more than MAX_REJECTIONS_PER_MINUTE 2"),
        ("fills within a minute", "more than MAX_EXECUTIONS_PER_MINUTE 2"),
    ],
)
def test_on_paper_a_halt_trips_the_kill_switch_until_a_person_switches_it_off(name: str, words: str, tmp_path: Path) -> None:
    case = CASES[name]
    on_paper(case, tmp_path)
    bench = Bench(tmp_path, limits=case.limits, instruments=MARKETS)
    assert bench.books.kill.on
    assert words in bench.books.kill.reason
    bench.kill(False, "looked at")
    assert bench.refusal(order("again", limit="90"))[0] is PASSES, "what was counted is forgotten"


def test_what_the_controls_have_counted_is_known_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limits=RiskLimits(duplicate_window_s=Decimal(60), max_orders_per_second=2, max_rejections_in_a_row=3))
    bench.feed(100.0)
    assert bench.refusal(order("a", limit="90"))[0] is PASSES
    assert bench.refusal(order("b", limit="90"))[0] is Reason.DUPLICATE_ORDER
    bench.restart()
    assert bench.refusal(order("c", limit="90"))[0] is Reason.DUPLICATE_ORDER
    assert bench.refusal(order("d", limit="91"))[0] is PASSES
    assert bench.refusal(order("e", limit="92")) == (
        Reason.ORDER_RATE,
        "2 orders were sent within the last second; MAX_ORDERS_PER_SECOND is 2 orders, head-room 0 orders",
    )


def test_another_session_begins_with_nothing_counted(tmp_path: Path) -> None:
    """Its market may lie in another time."""
    bench = Bench(tmp_path, limits=RiskLimits(max_orders_per_second=1, max_market_data_age_s=Decimal(60)))
    bench.feed(100.0)
    assert bench.refusal(order("a", limit="90"))[0] is PASSES
    bench.session = "another"
    bench.restart()
    bench.feed(100.0)
    assert bench.refusal(order("b", limit="90"))[0] is PASSES
