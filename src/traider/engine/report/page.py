"""The page: the template with every figure in it, and the data that its script draws and lists."""

import json
from functools import lru_cache

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ...domain.vocabulary import Reason
from ...kernel.simulation import Fees
from ..backtest import CURVE_POINTS, BacktestResult
from ..round_trips import Ledger
from ..statistics import DAYS_A_YEAR
from ..statistics.curves import Curves
from ..statistics.summary import statistics_of
from . import fidelity, sections, words
from .context import ReportContext
from .form import Form
from .packing import Packing
from .sketch import sketch_of

MOST_ROWS = 60_000  # fills that a page lists and marks; of more, the latest
SCRIPTS = ("data.js", "format.js", "scale.js", "panels.js", "charts.js", "table.js", "main.js")
_ASSETS = PackageLoader(__package__, "assets")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def render(result: BacktestResult, *, title: str, context: ReportContext) -> str:
    """One HTML page that needs nothing but itself."""
    spec, candles = context.spec, context.candles
    figures = statistics_of(result, spec.instrument, context.market, spec.others)
    performance, trades, curves, ledger = figures.performance, figures.trades, figures.curves, figures.ledger
    form = Form.of(result, context, np.concatenate([result.fills["fee"], ledger.trips["pnl"] - ledger.trips["fees"]]))
    template = _environment().get_template("page.html")
    return template.render(
        title=title,
        result=result,
        context=context,
        spec=spec,
        form=form,
        words=words,
        period=(form.moment(candles.start_ns), form.moment(candles.end_ns)),
        headline=sections.headline(result, performance, trades, form),
        reconciliation=sections.reconciliation(result, trades, form),
        open_positions=sections.open_positions(ledger, trades, form),
        statistics=sections.statistics(result, context, performance, trades, form),
        instrument_columns=sections.INSTRUMENT_COLUMNS,
        instrument_rows=sections.instrument_rows(figures.instruments, form),
        month_names=MONTHS,
        month_rows=sections.month_rows(figures.years),
        orders_ended=[("Refused", _by_count(result.refusals)), ("Cancelled", _by_count(result.cancels))],
        fill_rules=fidelity.fill_rules(candles.fidelity, spec.fill, spec.simulation),
        data_notes=fidelity.data_notes(context.notes, result.events, fidelity.rows_of(candles.fidelity)),
        limits=fidelity.limits_in_force(spec.limits),
        days_a_year=DAYS_A_YEAR,
        curve_points=CURVE_POINTS,
        trips=len(ledger.trips),
        unlisted=max(0, len(result.fills) - MOST_ROWS),
        sketches=[
            ("equity", f"Equity, {form.quote}", sketch_of(curves.ts_ns, curves.equity), form.amount),
            ("drawdown", "Drawdown", sketch_of(curves.ts_ns, curves.drawdown), words.percent),
            ("price", f"{spec.instrument.symbol} and fills", sketch_of(candles.ts_ns, candles.close), form.prices),
        ],
        style=_asset("page.css"),
        script="\n".join(_asset(name) for name in SCRIPTS),
        data=_data(result, context, curves, ledger, form),
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=_ASSETS, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _asset(name: str) -> str:
    """One of our own files as it is: style and script are no templates."""
    return _ASSETS.get_source(_environment(), name)[0]


def _by_count(counts: dict[Reason, int]) -> list[tuple[str, int]]:
    return [(reason.label, count) for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _data(result: BacktestResult, context: ReportContext, curves: Curves, ledger: Ledger, form: Form) -> str:
    """What the script works with, as JSON that can stand inside a script element."""
    spec, candles = context.spec, context.candles
    packing = Packing()
    _pack_curves(packing, curves, context)
    first = max(0, len(result.fills) - MOST_ROWS)
    _pack_fills(packing, result, spec.fees, first)
    _pack_trips(packing, ledger, first)
    data = {
        "form": {name: getattr(form, name) for name in ("base", "quote", "price", "size", "money", "trade_money", "time")},
        "cash": result.cash,
        "quantity": float(result.parameters["quantity"]),
        "maker_fee": spec.fees.maker,
        "taker_fee": spec.fees.taker,
        "bars": candles.kind == "bars",
        "start": candles.start_ns // 1000,
        "end": candles.end_ns // 1000,
        "events_a_candle": candles.events_a_candle,
        "first_fill": first,
        "first_trip": int(np.count_nonzero(ledger.trips["entry"] < first)),
        "columns": packing.columns,
        "packed": packing.text(),
    }
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _pack_curves(packing: Packing, curves: Curves, context: ReportContext) -> None:
    packing.times("curve.time", curves.ts_ns)
    packing.floats("curve.equity", curves.equity)
    packing.floats("curve.drawdown", curves.drawdown)
    packing.floats("curve.held", curves.held)
    candles = context.candles
    packing.times("candle.time", candles.ts_ns)
    for name in ("open", "high", "low", "close"):
        packing.floats(f"candle.{name}", getattr(candles, name))


def _pack_fills(packing: Packing, result: BacktestResult, fees: Fees, first: int) -> None:
    fills = result.fills[first:]
    packing.times("fill.time", fills["ts_ns"])
    packing.small("fill.side", fills["side"])
    packing.small("fill.maker", fills["maker"])
    packing.floats("fill.price", fills["price"])
    packing.floats("fill.size", fills["size"])
    if not np.array_equal(fills["fee"], fills["price"] * fills["size"] * np.where(fills["maker"], fees.maker, fees.taker)):
        packing.floats("fill.fee", fills["fee"])  # else the script multiplies: to the same bits


def _pack_trips(packing: Packing, ledger: Ledger, first: int) -> None:
    trips = ledger.trips[ledger.trips["entry"] >= first]
    packing.counts("trip.entry", trips["entry"] - first)
    packing.counts("trip.exit", trips["exit"] - first)
    packing.small("trip.side", trips["side"])
    for name in ("size", "entry_price", "exit_price", "pnl", "fees"):
        packing.floats(f"trip.{name}", trips[name])
