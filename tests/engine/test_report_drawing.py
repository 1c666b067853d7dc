"""The market as the report draws it, and the drawings that stand in the page without its script."""

from pathlib import Path

import numpy as np

from tests.engine.reports import TRADES, Quoter, run
from traider.engine.report.candles import candles_of
from traider.engine.report.sketch import HEIGHT, WIDTH, sketch_of
from traider.engine.tape import bars_tape

DAY_NS = 86_400_000_000_000


def test_candles_keep_first_last_highest_and_lowest() -> None:
    rng = np.random.default_rng(1)
    close = rng.uniform(90, 110, 1003)
    open_, high, low = close + 1, close + 3, close - 2
    tape = bars_tape(np.arange(1003) * DAY_NS, open_, high, low, close, close)
    candles = candles_of(tape, most=10)
    assert len(candles) == 10
    assert candles.events_a_candle == 101
    for number in range(10):
        part = slice(number * 101, min((number + 1) * 101, 1003))
        assert candles.ts_ns[number] == tape.ts_ns[part][0]
        assert (candles.open[number], candles.close[number]) == (open_[part][0], close[part][-1])
        assert (candles.high[number], candles.low[number]) == (high[part].max(), low[part].min())
    assert (candles.start_ns, candles.end_ns) == (0, 1003 * DAY_NS)


def test_candles_of_trades_end_with_the_last_trade(data_dir: Path) -> None:
    trades = run(data_dir / TRADES, strategy=Quoter, quantity=0.01).context.candles
    assert trades.kind == "trades"
    assert trades.end_ns == trades.last_event_ns
    assert (trades.high == trades.low).all()  # one trade a candle


def test_a_sketch_keeps_the_ends_and_the_extremes() -> None:
    times = np.arange(5000) * DAY_NS
    values = np.sin(np.arange(5000) / 300)
    values[1234], values[4321] = 5.0, -7.0
    sketch = sketch_of(times, values)
    points = [tuple(map(float, point.split())) for point in sketch.line.removeprefix("M").split("L")]
    assert (sketch.high, sketch.low) == (5.0, -7.0)
    assert (points[0][0], points[-1][0]) == (0.0, WIDTH)
    assert min(y for _, y in points) == 0.0
    assert max(y for _, y in points) == HEIGHT
    assert len(points) <= 2 * 500 + 2
    assert points == sorted(points, key=lambda point: point[0])


def test_a_sketch_of_what_never_moved_is_a_line() -> None:
    assert sketch_of(np.array([7]), np.array([3.0])).line == "M0.0 0.0"
