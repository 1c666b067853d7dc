"""The live session beside a guard that is played by hand: what it asks for, and what it makes of the answers."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.kernel.desks import START_NS, instrument
from tests.kernel.samples import Everything
from tests.kernel.test_structs import values_of
from traider.connectors.sim.replay import Replay
from traider.domain.errors import CompileError, StrategyError, TraiderError
from traider.domain.guard_protocol import MarketEvent, OpenOrder, Snapshot
from traider.domain.instruments import Instrument
from traider.domain.orders import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected, OrderRequest, OrderSubmitted
from traider.domain.state import AccountState, Position, RiskState
from traider.domain.vocabulary import EventKind, Liquidity, OrderType, Reason, Side, TimeInForce
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.fills import fills_from_events, fills_sha256
from traider.engine.live import AmendOrder, CancelOrder, LiveSession, Wish
from traider.engine.stream import whole
from traider.engine.tape import Tape, bars_tape
from traider.guard.books import more_of
from traider.kernel.desk import Desk
from traider.kernel.events import Bar, Fill, Quote, Timer, Trade
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees
from traider.kernel.structs import describe, read_back
from traider.research.market import checked_file, together
from traider.storage.market import read_market_file
from traider.strategies.sma_cross import SmaCross
from traider.strategies.touch_maker import TouchMaker

MINUTE_NS = 60_000_000_000
BTC = instrument(price="0.01", size="0.001", shortable=True)


class Script(Strategy):
    """Asks at each bar for what its number says, and notes what it sees. Runs interpreted."""

    def setup(self) -> None:
        self.number = 0
        self.mine: dict[str, int] = {}
        self.seen: list[tuple[float, float, float, int]] = []
        self.told: list[Fill] = []
        self.equity: list[float] = []

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        self.seen.append((ctx.position(), ctx.pending(), ctx.cash(), ctx.open_orders()))
        self.equity.append(ctx.equity())
        self.number += 1
        if self.number == 1:
            ctx.buy(0.5)
            self.mine["limit"] = ctx.buy_limit(0.25, 99.5)
            self.mine["stop"] = ctx.sell_stop(0.125, 90.25)
        elif self.number == 2:
            ctx.cancel(self.mine["limit"])
            ctx.sell_ioc(0.1, 100.0)
            ctx.sell_post_only(0.1, 101.0)
        elif self.number == 3:
            ctx.cancel_all()

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.told.append(fill)


def live(strategy: Strategy | None = None, instruments: Sequence[Instrument] = (BTC,), *, interpreted: bool = True) -> LiveSession:
    return LiveSession(strategy or Script(), instruments, session_id="s7", cash=Decimal("1000.5"), interpreted=interpreted)


def bar(index: int, price: float = 100.0, symbol: str = "BTC-USD") -> MarketEvent:
    ts_ns = START_NS + index * MINUTE_NS
    return MarketEvent(index=index, kind=EventKind.BAR, symbol=symbol, ts_ns=ts_ns, a=price, b=price, c=price, d=price, e=1.0)


def accepted(name: str, n: int = 1) -> OrderAccepted:
    return OrderAccepted(n=n, ts_ns=START_NS, client_order_id=name, venue_order_id="v")


def filled(name: str, size: str, price: str = "100", side: Side = Side.BUY, symbol: str = "BTC-USD", n: int = 2) -> OrderFilled:
    return OrderFilled(
        n=n,
        ts_ns=START_NS,
        client_order_id=name,
        trade_id="t",
        symbol=symbol,
        side=side,
        price=Decimal(price),
        size=Decimal(size),
        fee=Decimal("0.25"),
        liquidity=Liquidity.MAKER,
    )


def cancelled(name: str) -> OrderCancelled:
    return OrderCancelled(n=3, ts_ns=START_NS, client_order_id=name, reason=Reason.REQUESTED)


def rejected(request: OrderRequest) -> OrderRejected:
    return OrderRejected(
        n=1, ts_ns=START_NS, client_order_id=request.client_order_id, reason=Reason.KILL_SWITCH, detail="", request=request
    )


def script_of(session: LiveSession) -> Script:
    strategy = session.session.strategy
    assert isinstance(strategy, Script)
    return strategy


def asked(
    name: str, side: Side, size: str, *, limit: str | None = None, stop: str | None = None, ioc: bool = False, post_only: bool = False
) -> OrderRequest:
    return OrderRequest(
        client_order_id=name,
        symbol="BTC-USD",
        side=side,
        type=OrderType.LIMIT if limit else OrderType.STOP if stop else OrderType.MARKET,
        size=Decimal(size),
        limit_price=Decimal(limit) if limit else None,
        stop_price=Decimal(stop) if stop else None,
        time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
        post_only=post_only,
        strategy="script",
    )


def test_what_the_strategy_asks_for_comes_as_exact_requests_in_its_order() -> None:
    session = live()
    assert session.on_market(bar(4)) == [
        asked("s7-4-0", Side.BUY, "0.5"),
        asked("s7-4-1", Side.BUY, "0.25", limit="99.5"),
        asked("s7-4-2", Side.SELL, "0.125", stop="90.25"),
    ]
    assert session.on_market(bar(5)) == [
        CancelOrder("s7-4-1"),
        asked("s7-5-0", Side.SELL, "0.1", limit="100", ioc=True),
        asked("s7-5-1", Side.SELL, "0.1", limit="101", post_only=True),
    ]


class Shapes(Strategy):
    """Every kind of order beyond market, limit and stop."""

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        ctx.buy_stop_limit(0.1, 101.0, 101.5)
        ctx.sell_trailing_stop(0.2, 0.75)
        ctx.buy_trailing_fraction(0.3, 0.01)
        ctx.good_till(ctx.buy_limit(0.4, 99.0), bar.ts_ns + 90 * MINUTE_NS)
        ctx.sell_fok(0.5, 100.0)


def test_every_kind_of_order_travels_with_what_belongs_to_it() -> None:
    made = live(Shapes()).on_market(bar(0))
    assert [(one.type, one.time_in_force) for one in made if isinstance(one, OrderRequest)] == [
        (OrderType.STOP_LIMIT, TimeInForce.GTC),
        (OrderType.TRAILING_STOP, TimeInForce.GTC),
        (OrderType.TRAILING_STOP, TimeInForce.GTC),
        (OrderType.LIMIT, TimeInForce.GTD),
        (OrderType.LIMIT, TimeInForce.FOK),
    ]
    told = [
        (one.limit_price, one.stop_price, one.trail_amount, one.trail_fraction, one.expire_ts_ns)
        for one in made
        if isinstance(one, OrderRequest)
    ]
    assert told == [
        (Decimal("101.5"), Decimal(101), None, None, 0),
        (None, None, Decimal("0.75"), None, 0),
        (None, None, None, Decimal("0.01"), 0),
        (Decimal(99), None, None, None, START_NS + 90 * MINUTE_NS),
        (Decimal(100), None, None, None, 0),
    ]


def test_the_mirror_never_ends_an_order_by_itself() -> None:
    session = live(Shapes())
    session.on_market(bar(0))
    session.on_order_event(accepted("s7-0-3"))
    session.on_market(bar(200))
    assert 0.4 in [row["size"] for row in session.desk.open_orders()], "it is good till when the guard says that it has ended"


def test_an_order_that_was_asked_for_is_open_until_the_guard_says_otherwise() -> None:
    session = live()
    stop = session.on_market(bar(0))[2]
    assert isinstance(stop, OrderRequest)
    session.on_market(bar(1))
    assert script_of(session).seen[1][1:] == (0.5 + 0.25 - 0.125, 1000.5, 3), "an exchange takes its time to answer"
    session.on_order_event(accepted("s7-0-0"))
    session.on_order_event(accepted("s7-0-1"))
    session.on_order_event(rejected(stop))
    session.on_market(bar(2))
    assert script_of(session).seen[2][3] == 2 + 2, "and the two that it asked for at the bar before"


def test_amendments_and_ties_travel_by_ids_that_a_restart_makes_again() -> None:
    class Asks(Strategy):
        def on_bar(self, bar: Bar, ctx: Context) -> None:
            entry = ctx.buy_limit(1.0, 99.0)
            ctx.protect(entry, 120.0, 80.0)
            ctx.amend(entry, 2.0, 0.0)
            ctx.oto(entry, ctx.sell_limit(0.5, 130.0))

    limit, stop = {"type": OrderType.LIMIT}, {"type": OrderType.STOP, "limit_price": None}
    entry = asked("s7-3-0", Side.BUY, "1", limit="99")
    child = msgspec.structs.replace(entry, side=Side.SELL, parent="s7-3-0")
    for _ in range(2):
        wished = live(Asks()).on_market(bar(3))
        assert [msgspec.structs.replace(one, strategy="script") if isinstance(one, OrderRequest) else one for one in wished] == [
            msgspec.structs.replace(entry, leads=True),
            msgspec.structs.replace(child, client_order_id="s7-3-1", limit_price=Decimal(120), oco="s7-3-1", **limit),
            msgspec.structs.replace(child, client_order_id="s7-3-2", stop_price=Decimal(80), oco="s7-3-1", **stop),
            AmendOrder("s7-3-0", "s7-3-a0", Decimal(2), Decimal(0)),
            msgspec.structs.replace(child, client_order_id="s7-3-3", limit_price=Decimal(130), size=Decimal("0.5")),
        ]


def test_what_a_timer_asks_for_has_ids_of_its_own_between_two_market_events() -> None:
    class Ticks(Strategy):
        def on_bar(self, bar: Bar, ctx: Context) -> None:
            ctx.set_timer(0, bar.ts_ns + 10)
            ctx.set_timer(1, bar.ts_ns + 20)
            ctx.buy(1.0)

        def on_timer(self, timer: Timer, ctx: Context) -> None:
            ctx.sell(1.0 + timer.number)

    session = live(Ticks())
    assert session.next_timer_ns > START_NS + 10**15, "none before the first event"
    session.on_market(bar(3))
    assert session.next_timer_ns == bar(3).ts_ns + 10
    (first,) = session.on_timer(3, 1)
    assert session.next_timer_ns == bar(3).ts_ns + 20
    (second,) = session.on_timer(3, 2)
    assert isinstance(first, OrderRequest)
    assert isinstance(second, OrderRequest)
    assert [(one.client_order_id, one.size) for one in (first, second)] == [("s7-3t1-0", Decimal(1)), ("s7-3t2-0", Decimal(2))]
    assert session.next_timer_ns > START_NS + 10**15


def test_funding_rates_are_refused_before_it_trades() -> None:
    with pytest.raises(StrategyError, match="funding rates, which the guard does not book yet"):
        LiveSession(Script(), [BTC], session_id="s", cash=Decimal(1), interpreted=True, kinds=1 << EventKind.BAR | 1 << EventKind.FUNDING)


def test_what_can_not_be_compiled_is_told_before_it_trades() -> None:
    class Uncompilable(Strategy):
        def on_bar(self, bar: Bar, ctx: Context) -> None:
            open("file")  # noqa: SIM115, PTH123 - compiled code has no files

    with pytest.raises(CompileError):
        LiveSession(Uncompilable(), [BTC], session_id="s", cash=Decimal(1), kinds=1 << EventKind.BAR)


def test_an_event_of_a_kind_that_was_not_expected_is_refused() -> None:
    session = LiveSession(Script(), [BTC], session_id="s", cash=Decimal(1), interpreted=True, kinds=1 << EventKind.TRADE)
    with pytest.raises(TraiderError, match="events of the kind bar, which it was not expected to"):
        session.on_market(bar(0))


def test_the_same_step_taken_again_asks_with_the_same_ids() -> None:
    one, other = live(), live()
    for index in (10, 11):
        assert one.on_market(bar(index)) == other.on_market(bar(index))


def test_a_size_that_is_no_number_is_asked_for_as_such_and_not_dropped() -> None:
    class Careless(Strategy):
        def on_bar(self, bar: Bar, ctx: Context) -> None:
            ctx.buy(float("nan"))
            ctx.buy(float("inf"))

    sizes = [one.size for one in live(Careless()).on_market(bar(0)) if isinstance(one, OrderRequest)]
    assert [str(size) for size in sizes] == ["NaN", "NaN"]


def test_order_events_are_applied_to_the_mirror() -> None:
    session = live()
    session.on_market(bar(0))
    for number in range(3):
        session.on_order_event(accepted(f"s7-0-{number}"))
    assert [(row["side"], row["size"], row["filled"]) for row in session.desk.open_orders()] == [
        (1, 0.5, 0.0),
        (1, 0.25, 0.0),
        (-1, 0.125, 0.0),
    ]
    session.on_order_event(filled("s7-0-0", "0.5"))
    session.on_order_event(filled("s7-0-1", "0.1", "99.5"))
    session.on_order_event(cancelled("s7-0-2"))
    session.on_market(bar(1))
    script = script_of(session)
    assert script.seen[1] == (0.6, 0.15, 1000.5 - 0.5 * 100 - 0.1 * 99.5 - 2 * 0.25, 1)
    assert [(fill.order, fill.side, fill.price, fill.size, fill.fee, fill.maker) for fill in script.told] == [
        (1, 1, 100.0, 0.5, 0.25, 1),
        (script.mine["limit"], 1, 99.5, 0.1, 0.25, 1),
    ]


def test_a_fill_is_told_at_the_next_market_event_before_the_handler() -> None:
    session = live()
    session.on_market(bar(0))
    session.on_order_event(accepted("s7-0-0"))
    session.on_order_event(filled("s7-0-0", "0.5"))
    assert script_of(session).told == []
    session.on_market(bar(1))
    assert len(script_of(session).told) == 1
    session.on_market(bar(2))
    assert len(script_of(session).told) == 1


def test_a_rejected_order_is_gone() -> None:
    session = live()
    (first, *_) = session.on_market(bar(0))
    assert isinstance(first, OrderRequest)
    session.on_order_event(rejected(first))
    session.on_order_event(accepted("s7-0-0"))
    assert [row["size"] for row in session.desk.open_orders()] == [0.25, 0.125], "the other two are under way"


def test_cancel_all_takes_back_what_is_open_in_the_order_of_submission() -> None:
    session = live()
    for index in (0, 1):
        session.on_market(bar(index))
    for name in ("s7-0-1", "s7-0-2", "s7-1-1"):
        session.on_order_event(accepted(name))
    session.on_order_event(cancelled("s7-0-1"))
    names = ("s7-0-0", "s7-0-2", "s7-1-0", "s7-1-1")  # two of them are under way
    assert session.on_market(bar(2)) == [CancelOrder(name) for name in names]


def test_a_fill_of_an_order_that_is_not_this_sessions_moves_the_account_all_the_same() -> None:
    session = live()
    session.on_order_event(filled("another", "2"))
    session.on_market(bar(0))
    assert script_of(session).seen[0] == (2.0, 0.0, 1000.5 - 200.25, 0)


def test_what_concerns_an_instrument_that_the_session_does_not_have_is_let_be() -> None:
    session = live()
    session.on_order_event(filled("another", "2", symbol="ETH-USD"))
    session.on_market(bar(0))
    assert script_of(session).seen[0] == (0.0, 0.0, 1000.5, 0)


def test_an_order_of_the_remembered_past_is_taken_over_when_it_is_told_of() -> None:
    session = live()
    request = asked("s7-old-0", Side.SELL, "1", limit="150")
    session.on_order_event(OrderSubmitted(n=1, ts_ns=START_NS, client_order_id="s7-old-0", request=request))
    session.on_order_event(accepted("s7-old-0"))
    session.on_market(bar(0))
    session.on_market(bar(1))
    assert script_of(session).seen[0][1] == -1.0
    assert CancelOrder("s7-old-0") in session.on_market(bar(2)), "the strategy can take it back, too"


def snapshot(*, open_orders: tuple[OpenOrder, ...] = (), size: str = "0.75") -> Snapshot:
    position = Position(
        symbol="BTC-USD",
        size=Decimal(size),
        average_price=Decimal(80),
        mark_price=Decimal(90),
        realized_pnl=Decimal(5),
        unrealized_pnl=Decimal("7.5"),
        fees=Decimal(1),
        notional=Decimal("67.5"),
    )
    other = Position(**{**{name: getattr(position, name) for name in position.__struct_fields__}, "symbol": "ETH-USD"})
    account = AccountState(
        ts_ns=START_NS,
        currency="USD",
        cash=Decimal(400),
        equity=Decimal(400) + Decimal(size) * 90,
        high_water_mark=Decimal(600),
        drawdown=Decimal("0.2"),
        daily_pnl=Decimal(-3),
        gross_exposure=Decimal("67.5"),
        positions=(position, other),
    )
    risk = RiskState(kill_switch=False, kill_reason="", kill_by="", kill_ts_ns=0, limits=(), allowed_markets=None)
    return Snapshot(
        seq=1, instruments=(BTC,), account=account, risk=risk, open_orders=open_orders, last_index=3, journal_n=9, session_id="s7"
    )


@pytest.mark.parametrize("size", ["0.75", "0"])
def test_restore_takes_over_the_guards_account(size: str) -> None:
    session = live()
    session.restore(snapshot(size=size))
    position = session.desk.positions[0]
    assert (position["average_price"], position["realized_pnl"], position["fees"]) == (80.0, 5.0, 1.0)
    assert session.desk.account["equity"] == 400.0 + float(size) * 90
    session.on_market(bar(4, 90.0))
    script = script_of(session)
    assert script.seen[0] == (float(size), 0.0, 400.0, 0)
    assert script.equity[0] == 400.0 + float(size) * 90


def test_restored_orders_are_open_fill_and_can_be_taken_back() -> None:
    request, another = asked("s7-2-0", Side.BUY, "2", limit="70"), asked("s7-2-1", Side.BUY, "1", limit="60")
    session = live()
    session.restore(
        snapshot(
            open_orders=(
                OpenOrder(request=request, filled_size=Decimal("0.5"), accepted_ts_ns=START_NS),
                OpenOrder(request=another, filled_size=Decimal(0), accepted_ts_ns=START_NS),
            )
        )
    )
    session.on_market(bar(4))
    session.on_order_event(filled("s7-2-0", "0.5", "70"))
    session.on_market(bar(5))
    assert script_of(session).seen[0][1] == 1.5 + 1.0
    under_way = 0.5 + 0.25 - 0.125  # what it asked for itself at the bar before
    assert script_of(session).seen[1][:2] == (0.75 + 0.5, 1.0 + 1.0 + under_way)
    assert session.on_market(bar(6))[:2] == [CancelOrder("s7-2-0"), CancelOrder("s7-2-1")]


def test_warm_up_builds_the_memory_and_asks_for_nothing() -> None:
    events = [bar(index, 100.0 + index % 7) for index in range(120)]
    warmed, stepped = live(Everything(), interpreted=False), live(Everything(), interpreted=False)
    warmed.warm_up(events[:100])
    for event in events[:100]:
        for one in stepped.on_market(event):
            if isinstance(one, OrderRequest):
                stepped.on_order_event(rejected(one))
    assert state_of(warmed) == state_of(stepped)
    assert warmed.desk.account["open_orders"] == warmed.desk.account["requests"] == 0
    for event in events[100:]:
        assert warmed.on_market(event) == stepped.on_market(event)
    warmed.warm_up([])


def state_of(session: LiveSession) -> Any:
    strategy = session.session.strategy
    read_back(strategy, describe(strategy), session.session.block)
    return values_of(strategy)


def test_a_warm_up_of_years_does_not_fill_the_log_of_days() -> None:
    session = live(SmaCross(), interpreted=False)
    session.warm_up([bar(index * 1440) for index in range(1500)])
    assert session.on_market(bar(1500 * 1440)) == []


class PlayedGuard:
    """A desk that answers as the guard does: matches the event, then takes the orders one by one."""

    def __init__(self, market: Instrument, fees: Fees) -> None:
        self.desk = Desk([market], cash=1_000_000.0, fees=fees)
        self.names: dict[int, str] = {}
        self.symbol = market.symbol
        self.fills: list[OrderFilled] = []

    def feed(self, event: MarketEvent, session: LiveSession) -> None:
        self.desk.on_market(int(event.kind) | event.flags, 0, event.ts_ns, event.a, event.b, event.c, event.d, event.e)
        self.tell(session)

    def tell(self, session: LiveSession) -> None:
        for x in self.desk.drain():
            if x.kind == "cancel":
                session.on_order_event(OrderCancelled(n=0, ts_ns=x.ts_ns, client_order_id=self.names[x.order_id], reason=x.reason))
                continue
            fill = OrderFilled(
                n=0,
                ts_ns=x.ts_ns,
                client_order_id=self.names[x.order_id],
                trade_id="",
                symbol=self.symbol,
                side=Side(x.side),
                price=Decimal(repr(x.price)),
                size=Decimal(repr(x.size)),
                fee=Decimal(repr(x.fee)),
                liquidity=Liquidity.MAKER if x.maker else Liquidity.TAKER,
            )
            self.fills.append(fill)
            session.on_order_event(fill)

    def take(self, wanted: list[Wish], session: LiveSession) -> None:
        for one in wanted:
            if isinstance(one, CancelOrder):
                self.desk.cancel(next(number for number, name in self.names.items() if name == one.client_order_id))
                self.tell(session)
                continue
            assert isinstance(one, OrderRequest)
            number, reason = self.desk.submit(
                inst=0,
                side=int(one.side),
                type=int(one.type),
                tif=int(one.time_in_force),
                post_only=one.post_only,
                size=float(one.size),
                limit_price=float(one.limit_price or 0),
                stop_price=float(one.stop_price or 0),
                **more_of(one),
            )
            if reason is Reason.NONE:
                self.names[number] = one.client_order_id
                session.on_order_event(accepted(one.client_order_id))
                self.tell(session)
            else:
                session.on_order_event(
                    OrderRejected(n=0, ts_ns=0, client_order_id=one.client_order_id, reason=reason, detail="", request=one)
                )


@pytest.fixture(scope="module")
def days(data_dir: Path) -> Tape:
    file = read_market_file(data_dir / "bars" / "coinbase_btcusd_1d_lean.parquet")
    return bars_tape(file.ts_ns, *file.columns.values())


@pytest.mark.parametrize("strategy", [SmaCross, Everything])
def test_event_by_event_through_a_guard_it_fills_as_the_backtest_does(strategy: type[Strategy], days: Tape) -> None:
    fees = Fees(maker=0.001, taker=0.002)
    session = LiveSession(strategy(), [BTC], session_id="s", cash=Decimal(1_000_000))
    guard = PlayedGuard(BTC, fees)
    columns = np.column_stack(days.columns()[3:]).tolist()
    for index, (ts_ns, row) in enumerate(zip(days.ts_ns.tolist(), columns, strict=True)):
        event = MarketEvent(index=index, kind=EventKind.BAR, symbol="BTC-USD", ts_ns=ts_ns, **dict(zip("abcde", row, strict=True)))
        guard.feed(event, session)
        guard.take(session.on_market(event), session)
    result = run_backtest(BacktestSpec(strategy, {}, BTC, 1_000_000.0, fees), days)
    assert len(result.fills) > 10
    assert fills_sha256(fills_from_events(guard.fills, {"BTC-USD": 0})) == result.fills_sha256
    assert float(session.desk.account["cash"]) == float(guard.desk.account["cash"])
    assert float(session.desk.account["equity"]) == result.final_equity


class Trailing(Strategy):
    """Asks in turn for each kind of order that came with order books, on quotes or on trades, and notes its fills."""

    def setup(self) -> None:
        self.events = 0
        self.fills = 0
        self.order = 0

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        self.fills += 1

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.ask(trade.price, trade.ts_ns, ctx)

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        self.ask(quote.bid, quote.ts_ns, ctx)

    def ask(self, price: float, ts_ns: int, ctx: Context) -> None:
        self.events += 1
        turn = (self.events + self.fills) % 14
        if turn == 1:
            self.order = ctx.buy_trailing_stop(0.002, 0.5)
        elif turn == 3:
            ctx.sell_trailing_fraction(0.001, 0.00001)
        elif turn == 5:
            ctx.buy_stop_limit(0.001, round(price + 0.1, 2), round(price + 0.3, 2))
        elif turn == 7:
            ctx.good_till(ctx.buy_limit(0.001, round(price - 0.1, 2)), ts_ns + 200_000_000)
        elif turn == 9:
            ctx.sell_fok(0.001, round(price - 1.0, 2))
        elif turn == 11:
            ctx.cancel(self.order)
        elif turn == 13:
            ctx.target(0.0)


FILES = {
    "l2": "l2/binance_usdm_btcusdt_l2_2024-08-08_first.parquet",
    "trades": "trades/binance_usdm_btcusdt_trades_2024-08-08_first.parquet",
    "quotes": "quotes/binance_usdm_btcusdt_bbo_2024-08-08_first.parquet",
}


@pytest.mark.parametrize(
    ("strategy", "names", "least"),
    [
        (TouchMaker, ("l2", "trades"), 5),
        (Trailing, ("trades",), 20),
        (Trailing, ("quotes",), 50),
        (Trailing, ("quotes", "trades"), 50),
        (Trailing, ("l2", "trades", "quotes"), 50),
    ],
)
def test_quotes_and_books_event_by_event_fill_as_in_the_backtest(
    strategy: type[Strategy], names: tuple[str, ...], least: int, data_dir: Path
) -> None:
    tape = whole(together([checked_file(data_dir / FILES[name]) for name in names]))
    market = instrument(price="0.1", size="0.001", shortable=True)
    values: dict[str, object] = {"quantity": 0.01} if strategy is TouchMaker else {}
    session = LiveSession(strategy(**values), [market], session_id="s", cash=Decimal(1_000_000), kinds=tape.kinds)
    guard = PlayedGuard(market, Fees())
    guard.desk.expect(tape.kinds)  # as the guard does when the trader has opened its connection
    for event in Replay(tape, ["BTC-USD"], sha256="").history(0, len(tape)):
        guard.feed(event, session)
        guard.take(session.on_market(event), session)
    result = run_backtest(BacktestSpec(strategy, values, market, 1_000_000.0), tape)
    assert len(result.fills) > least
    assert fills_sha256(fills_from_events(guard.fills, {"BTC-USD": 0})) == result.fills_sha256
    assert float(session.desk.account["equity"]) == result.final_equity
    assert (session.desk.record["instruments"]["meets"] == guard.desk.record["instruments"]["meets"]).all()
