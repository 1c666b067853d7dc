"""Backtests with their reports, and a page taken apart."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestResult, BacktestSpec, run_backtest
from traider.engine.fills import FILLS, HASHED, Fills
from traider.engine.report import ReportContext, candles_of, render
from traider.engine.statistics.market import market_of
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.events import Trade
from traider.kernel.interpreter import Context
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees
from traider.storage.market import read_market_file
from traider.strategies.sma_cross import SmaCross

DAYS = "bars/coinbase_btcusd_1d_lean.parquet"
MINUTES = "bars/coinbase_btcusd_1m_2018-05.parquet"
TRADES = "trades/binance_spot_btcusdt_trades_2024-08-08_first5000.parquet"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SELF_CLOSED = {"path", "line", "rect", "circle"}


class Quoter(Strategy):
    """Buys below the market and sells above it, as maker: partial fills and cancels on trades."""

    def setup(self) -> None:
        self.seen = 0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        self.seen += 1
        if self.seen % 40 == 0:
            ctx.cancel_all()
            if ctx.position() > 0.0:
                ctx.sell_limit(ctx.position(), trade.price + 0.5)
            else:
                ctx.buy_post_only(self.quantity, trade.price - 0.5)


@dataclass(frozen=True)
class Run:
    result: BacktestResult
    context: ReportContext

    def page(self, title: str = "A run") -> str:
        return render(self.result, title=title, context=self.context)


def run(
    path: Path,
    *,
    strategy: type[Strategy] = SmaCross,
    cash: float = 20_000.0,
    fees: Fees | None = None,
    limits: RiskLimits | None = None,
    events: int | None = None,
    **parameters: object,
) -> Run:
    """A backtest over the first events of a file, and what its report needs."""
    file = read_market_file(path)
    columns = file.columns
    if file.kind == "bars":
        tape = bars_tape(file.ts_ns, columns["open"], columns["high"], columns["low"], columns["close"], columns["volume"])
    else:
        tape = trades_tape(file.ts_ns, columns["price"], columns["size"], columns["side"])
    tape = tape if events is None else tape.head(events)
    spec = BacktestSpec(
        strategy=strategy,
        parameters=parameters,
        instrument=instrument_from_symbol(file.symbol, price_increment=file.price_increment, size_increment=Decimal("0.00000001")),
        cash=cash,
        fees=fees or Fees(maker=0.001, taker=0.001),
        limits=limits or RiskLimits(),
        interpreted=True,
    )
    return Run(run_backtest(spec, tape), context_of(spec, tape, file_name=path.name, data_sha256=file.sha256, notes=file.notes))


def context_of(spec: BacktestSpec, tape: Tape, *, file_name: str, data_sha256: str, notes: Mapping[str, int | str]) -> ReportContext:
    return ReportContext(
        spec=spec,
        candles=candles_of(tape),
        market=market_of(tape),
        file_name=file_name,
        data_sha256=data_sha256,
        created_ns=1_700_000_000_000_000_000,
        notes=notes,
        versions={"traider": "0.1.0", "numpy": np.__version__},
        command_line=f"traider backtest {spec.strategy.name} --data {file_name}",
        manifest="run.manifest.json",
    )


def with_fills(run: Run, fills: Fills) -> Run:
    """The same run, as if these had been its fills."""
    return replace(run, result=replace(run.result, fills=fills, fees=float(fills["fee"].sum())))


def fills(rows: list[tuple[int, float, float]], *, fee: float = 0.0, inst: int = 0, step_ns: int = 60_000_000_000) -> Fills:
    """Fills a minute apart: (side, price, size); the fee is a fraction of the notional."""
    made = np.zeros(len(rows), FILLS)
    facts = made[list(HASHED.names or ())]  # a view
    for number, (side, price, size) in enumerate(rows):
        facts[number] = (number * step_ns, inst, side, 0, price, size, price * size * fee)
    return made


def instrument(size_increment: str = "0.001", symbol: str = "BTC-USD") -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.partition("-")[0],
        quote=symbol.partition("-")[2],
        price_increment=Decimal("0.01"),
        size_increment=Decimal(size_increment),
        shortable=True,
    )


@dataclass
class Parsed(HTMLParser):
    """A page's elements: well nested, or an AssertionError."""

    ids: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)  # element, attribute, value
    figures: dict[str, tuple[float | None, str]] = field(default_factory=dict)
    months: dict[str, float] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)  # by element

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self._figure: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert len(values) == len(attrs), f"an attribute of {tag} is given twice"
        self.attributes += [(tag, name, value) for name, value in values.items()]
        if "id" in values:
            self.ids.append(values["id"])
        if "data-figure" in values and "data-value" in values:
            value = values["data-value"]
            self._figure = values["data-figure"]
            self.figures[self._figure] = (None if value == "null" else float(value), "")
        if "data-month" in values:
            self.months[values["data-month"]] = float(values["data-value"])
        if tag not in VOID and tag not in SELF_CLOSED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SELF_CLOSED
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag
        self._figure = None

    def handle_data(self, data: str) -> None:
        if self._figure is not None:
            self.figures[self._figure] = (self.figures[self._figure][0], data)
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())

    def all_text(self) -> str:
        """What a reader reads, one space between pieces."""
        return " ".join(text for element, texts in self.texts.items() if element not in ("script", "style") for text in texts)


def parsed(page: str) -> Parsed:
    parser = Parsed()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def unpacked(data: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The columns that a page's script works with: what ``assets/data.js`` does, in another way."""
    raw = zlib.decompress(base64.b64decode(data["packed"]))
    dtypes = {"float": "<f8", "time": "<i8", "count": "<i4", "small": "i1"}
    columns: dict[str, np.ndarray[Any, Any]] = {}
    at = 0
    for name, kind, rows in data["columns"]:
        dtype = np.dtype(dtypes[kind])
        planes = np.frombuffer(raw, np.uint8, rows * dtype.itemsize, at).reshape(dtype.itemsize, rows)
        values = np.ascontiguousarray(planes.T).view(dtype).reshape(rows)
        columns[name] = np.cumsum(values, dtype=np.int64) if kind in ("time", "count") else values
        at += rows * dtype.itemsize
    assert at == len(raw)
    return columns
