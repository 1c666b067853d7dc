"""Do the peers get the same fills, fees and final equity, where the rules are the same?"""

import functools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import bars, commands, order_book, race, sweep, trades
from .asked import Asked
from .data import bars_file, trades_file
from .measure import WORK, answer
from .order_book_data import order_book_file
from .page import ROOT, line
from .peers.columns import columns_of
from .race import Entrant, peer

RECORDED = ROOT / "tests" / "data"
SIGNIFICANT = 15  # digits that a float keeps for sure
FILLS = WORK / "fills.parquet"
WITH_FILLS: dict[str, Any] = {"symbol": "BTC-USD", "more": ("--fills", str(FILLS))}
LEFT_OUT = "its commissions leave out the entry of a trade that is still open"
COLUMNS = ("data", "fills at", "peer", "fills", "theirs", "final equity", "theirs", "equal digits of equity", "of fees", "why they differ")


Fills = pa.Table


@dataclass(frozen=True)
class Pair:
    """traider and a peer with the same rules over the same data.

    ``difference`` is what the peer's final equity and its fees are known to be off by, computed from traider's fills, and
    ``why`` the reason. ``tolerated`` is a reason that can't be computed: the fills' number must agree all the same.
    """

    data: str
    rule: str
    traider: Entrant
    peer: Entrant
    difference: Callable[[Fills], tuple[float, float]] = lambda fills: (0.0, 0.0)
    why: str = ""
    tolerated: str = ""


@dataclass(frozen=True)
class Agreement:
    """The answers of all pairs as a table; ``failed`` when one is off by more than is explained."""

    rows: list[list[str]]
    failed: bool

    def markdown(self) -> str:
        """The table with its question."""
        text = (
            "One run of each, on recorded data from `tests/data` and on the synthetic files above. Equal digits are of the peer's number "
            f"against traider's ({SIGNIFICANT} is all that a float keeps), after the difference in the last column is taken away. "
            "Recorded trades of one time are set a nanosecond apart: NautilusTrader and hftbacktest fill after the last of a moment."
        )
        head = [f"## Agreement\n\n*{(__doc__ or '').strip()}* {text}\n", line(COLUMNS), "|" + "---|" * len(COLUMNS)]
        return "\n".join([*head, *map(line, self.rows), ""])


def measure(asked: Asked) -> list[Agreement]:
    """Every pair once."""
    if not asked.peers:
        return []
    answers = [_compare(pair) for pair in _pairs()]
    return [Agreement([row for row, _ in answers], failed=any(wrong for _, wrong in answers))]


def _compare(pair: Pair) -> tuple[list[str], bool]:
    print(f"agreement: {pair.peer.name} {pair.data}, {pair.rule}", file=sys.stderr, flush=True)
    ran = race.run({"traider": pair.traider, "peer": pair.peer}, Asked(rounds=1))
    start = [pair.data, pair.rule, pair.peer.name.rstrip(",").replace(",", "")]
    if ran.failures:
        who, failure = next(iter(ran.failures.items()))
        return [*start, *[""] * 6, f"{who} {failure}"], who == "traider"
    mine, theirs = ran.last("traider"), ran.last("peer")
    equity_off, fees_off = pair.difference(pq.read_table(FILLS) if pair.why else pa.table({}))
    digits = equal_digits(mine["equity"], theirs["equity"] - equity_off)
    fee_digits = equal_digits(mine["fees"], theirs["fees"] - fees_off)
    why = f"{pair.why} ({equity_off:+.4f}, fees {fees_off:+.4f})" if equity_off or fees_off else pair.tolerated
    numbers = [f"{mine['fills']:,}", f"{theirs['fills']:,}", f"{mine['equity']:,.6f}", f"{theirs['equity']:,.6f}"]
    wrong = not pair.tolerated and (mine["fills"] != theirs["fills"] or min(digits, fee_digits) < 10)
    return [*start, *numbers, str(digits), str(fee_digits), why], wrong


def equal_digits(mine: float, theirs: float) -> int:
    """How many significant digits agree, counted by the relative difference; at most ``SIGNIFICANT``."""
    if mine == theirs:
        return SIGNIFICANT
    if mine == 0.0 or math.copysign(1.0, mine) != math.copysign(1.0, theirs):
        return 0
    return max(0, min(SIGNIFICANT, math.floor(-math.log10(abs(theirs - mine) / abs(mine)))))


def recorded(path: str) -> Path:
    """A recorded file where its columns may be laid beside it."""
    copy = WORK / Path(path).name
    if not copy.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((RECORDED / path).read_bytes())
    return copy


def recorded_trades() -> Path:
    """The recorded trades, those of one time a nanosecond apart: to some peers what has one time happens at once."""
    path = WORK / "binance_btcusdt_apart.parquet"
    if not path.exists():
        table = pq.read_table(RECORDED / "trades" / "binance_spot_btcusdt_trades_2024-08-08_first5000.parquet")
        rows = np.arange(table.num_rows)
        apart = np.maximum.accumulate(table["ts"].to_numpy() - rows) + rows
        WORK.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.set_column(table.schema.get_field_index("ts"), "ts", pa.array(apart)), path)
    return path


_BARS = functools.partial(recorded, "bars/coinbase_btcusd_1m_2018-05.parquet")
_BOOK = functools.partial(recorded, "l2/binance_usdm_btcusdt_l2_trades_2024-08-08_first30000.parquet")


def _pairs() -> list[Pair]:
    pairs: list[Pair] = []
    for name, bar_data in (("10,069 recorded bars", _BARS), (f"{bars.FEW:,} bars", functools.partial(bars_file, bars.FEW))):
        pairs += _on_bars(name, bar_data)
    few = functools.partial(trades_file, trades.FEW)
    quick: dict[str, object] = {"span": 100, "band": 0.0001}
    for name, trade_data, parameters in (
        ("5,000 recorded trades", recorded_trades, quick),
        (f"{trades.FEW:,} trades", few, trades.PARAMETERS),
    ):
        pairs += _on_trades(name, trade_data, parameters)
    return [*pairs, *_sweeps(), *_on_books()]


def _on_bars(name: str, data: Callable[[], Path]) -> list[Pair]:
    def traider(fill: str) -> Entrant:
        command = functools.partial(commands.backtest, "sma_cross", parameters=bars.PARAMETERS, fill=fill, **WITH_FILLS)
        return Entrant("traider", lambda: command(data=data()), commands.read_backtest)

    return [
        Pair(name, "same close", traider("close"), bars.vectorbt("rust", "close", data)),
        Pair(name, "same close", traider("close"), bars.backtesting("close", data), _without_open_entry, LEFT_OUT),
        Pair(name, "same close", traider("close"), bars.nautilus(data, tuned=True)),
        Pair(name, "next open", traider("next-open"), bars.vectorbt("numba", "next-open", data)),
        Pair(name, "next open", traider("next-open"), bars.backtesting("next-open", data), _without_open_entry, LEFT_OUT),
        Pair(name, "next open", traider("next-open"), bars.backtrader(data)),
    ]


def _without_open_entry(fills: Fills) -> tuple[float, float]:
    """Nothing of the equity; of the fees the last fill's, when it opened what is still held."""
    return 0.0, -fills["fee"][-1].as_py() if fills.num_rows % 2 else 0.0


def _on_trades(name: str, data: Callable[[], Path], parameters: dict[str, object]) -> list[Pair]:
    settings = {**trades.SETTINGS, **parameters}

    def traider(fill: str) -> Entrant:
        command = functools.partial(commands.backtest, "ema_band", parameters=parameters, fill=fill, quantity=0.01, **WITH_FILLS)
        return Entrant("traider", lambda: command(data=data()), commands.read_backtest)

    def sales_one_tick_lower(fills: Fills) -> tuple[float, float]:
        lower = fills["side"].to_pylist().count("sell") * settings["tick"] * settings["quantity"]
        return -lower * (1.0 - settings["fee"]), -lower * settings["fee"]

    def at_the_ask_it_last_saw(fills: Fills) -> tuple[float, float]:
        asks = dict(zip(*_asks_of_buyers(columns_of(data())), strict=True))
        bought = [row for row in fills.to_pylist() if row["side"] == "buy"]
        higher = sum((asks[row["ts"]] - row["price"]) * settings["quantity"] for row in bought)
        return -higher * (1.0 + settings["fee"]), higher * settings["fee"]

    return [
        Pair(
            name,
            "same trade",
            traider("same"),
            trades.nautilus(data, settings),
            at_the_ask_it_last_saw,
            "a sale's print leaves its ask where the last buyer paid more",
        ),
        Pair(name, "next trade", traider("next-open"), trades.backtrader(data, settings)),
        Pair(
            name,
            "same trade",
            traider("same"),
            peer("hftbacktest, touch,", "hftbacktest", "hftbacktest_trades", data, settings),
            sales_one_tick_lower,
            "a sale fills at the bid, one tick below the trade",
        ),
    ]


def _asks_of_buyers(columns: dict[str, Any]) -> tuple[list[int], list[float]]:
    """The ask at each trade's time in a book that a taker who sells moves only upwards."""
    asks: list[float] = []
    ask = 0.0
    for price, side in zip(columns["price"].tolist(), columns["side"].tolist(), strict=True):
        if side > 0 or price > ask:
            ask = price
        asks.append(ask)
    return columns["ts"].tolist(), asks


def _sweeps() -> list[Pair]:
    data = functools.partial(bars_file, bars.FEW)
    ties = "where the averages are equal, rounding makes one of them greater; traider adds whole cents, and a tie is a tie"
    traider = Entrant("traider", lambda: commands.sweep("sma_cross", data(), sweep.GRID, fill="close"), commands.read_sweep)
    name = f"{bars.FEW:,} bars, 200 pairs"
    return [Pair(name, "same close", traider, sweep.vectorbt(engine, 1, data), tolerated=ties) for engine in ("rust", "numba")]


def _on_books() -> list[Pair]:
    rule = "queue, touch"
    synthetic = functools.partial(order_book_file, order_book.ROWS)
    recorded_settings = {**order_book.SETTINGS, "tick": 0.1, "lot": 0.001}
    return [
        Pair(
            "29,779 recorded book rows",
            rule,
            order_book.traider("traider", _BOOK, recorded_settings),
            order_book.hftbacktest("dense array", _BOOK, {**recorded_settings, "depth": "roi"}),
        ),
        Pair(
            f"{order_book.ROWS:,} book rows",
            rule,
            order_book.traider("traider", synthetic, order_book.SETTINGS),
            order_book.hftbacktest("hash map", synthetic, {**order_book.SETTINGS, "depth": "hash"}),
        ),
    ]


if __name__ == "__main__":
    answer(measure)
