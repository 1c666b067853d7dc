"""An account on margin that the paper venue liquidates: told as orders of the venue's own, and read back as such."""

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from tests.guard.support import BTC, Bench, described, order
from tests.guard.tied import LockStep
from traider.connectors.sim.replay import Replay
from traider.domain.orders import LIQUIDATION, OrderCancelled, OrderFilled
from traider.domain.vocabulary import Reason, Side
from traider.engine.backtest import BacktestSpec, run_backtest
from traider.engine.fills import fills_from_events, fills_sha256
from traider.engine.tape import bars_tape
from traider.kernel.events import Bar, Fill
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy

PERPETUAL = msgspec.structs.replace(BTC, shortable=True, initial_margin=Decimal("0.2"), maintenance_margin=Decimal("0.1"))


class Bold(Strategy):
    """Buys four times what it has, and again when it was closed out, as long as it can pay for it."""

    def setup(self) -> None:
        self.closed = 0

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        if fill.order == 0:  # nobody's here: the venue's own
            self.closed += 1

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        if ctx.position() == 0.0 and ctx.open_orders() == 0 and self.closed < 2:
            ctx.target_percent(4.0)
            ctx.buy_limit(0.001, bar.close - 50.0)


def test_a_liquidation_is_journalled_and_survives_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, instruments=(PERPETUAL,), cash=1000.0)
    bench.feed(100.0)
    bench.submit(order("a", "40"), order("b", "1", limit="50"))
    bench.feed(100.0)
    effects = bench.feed(80.0)
    told = [event for event in effects.events if isinstance(event, OrderFilled | OrderCancelled)]
    assert [(type(event), event.client_order_id[:11]) for event in told] == [(OrderCancelled, "b"), (OrderFilled, LIQUIDATION)]
    cancelled, filled = told
    assert isinstance(cancelled, OrderCancelled)
    assert isinstance(filled, OrderFilled)
    assert cancelled.reason is Reason.LIQUIDATION
    assert (filled.side, filled.size, filled.strategy) == (Side.SELL, Decimal(40), LIQUIDATION)
    assert bench.books.desk.positions[0]["size"] == 0.0
    before = described(bench.books)
    bench.restart()
    assert described(bench.books) == before
    bench.feed(100.0)
    assert bench.refusal(order("c", "1"))[0] is Reason.NONE


def test_through_the_guard_a_liquidated_account_fills_as_in_the_backtest(tmp_path: Path) -> None:
    price = np.array([100.0, 100.0, 99.0, 80.0, 81.0, 82.0, 60.0, 61.0, 62.0])
    ts_ns = np.arange(len(price), dtype=np.int64) * 60_000_000_000 + 1_700_000_040_000_000_000
    tape = bars_tape(ts_ns, price, price, price, price, np.ones(len(price)))
    result = run_backtest(BacktestSpec(Bold, {}, PERPETUAL, 1000.0), tape)
    assert result.liquidations >= 2
    step = LockStep(tmp_path, Bold(), PERPETUAL, kinds=tape.kinds, cash=1000.0)
    step.run(list(Replay(tape, ["BTC-USD"], sha256="").history(0, len(tape))))
    assert fills_sha256(fills_from_events(step.fills(), {"BTC-USD": 0})) == result.fills_sha256
    assert float(step.session.desk.account["equity"]) == result.final_equity
