"""The page's figures in groups, each with its words, its exact value and what it says in a line below."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..backtest import BacktestResult
from ..round_trips import Ledger
from ..statistics.instruments import InstrumentFigures
from ..statistics.months import Year
from ..statistics.summary import Performance
from ..statistics.trades import TradeFigures
from . import words
from .context import ReportContext
from .form import Form


@dataclass(frozen=True)
class Figure:
    """``value`` is exact and stands in the page beside its text; ``tone`` is up, down or nothing."""

    name: str
    label: str
    text: str
    value: float | int | None = None
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """``heat`` is how strong the return is against the strongest, 0 to 1."""

    text: str
    value: float | None
    tone: str
    heat: float


def tone_of(value: float | None) -> str:
    return "" if not value else "up" if value > 0 else "down"


def many(count: int, one: str, more: str = "") -> str:
    """``1 fill``, ``2,000 fills``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def headline(result: BacktestResult, performance: Performance, trades: TradeFigures, form: Form) -> list[Figure]:
    """The eight figures at the top."""
    takers = len(result.fills) - trades.maker_fills
    return [
        Figure(
            "net_profit",
            f"Net profit, {form.quote}",
            form.amount(result.net_profit, signed=True),
            result.net_profit,
            tone_of(result.net_profit),
            f"{form.amount(result.cash)} → {form.amount(result.final_equity)}",
        ),
        Figure(
            "return",
            "Return",
            words.percent(performance.total_return, signed=True),
            performance.total_return,
            tone_of(performance.total_return),
            "not annualised: less than a year"
            if performance.cagr is None
            else f"{words.percent(performance.cagr, signed=True)} a year, compounded",
        ),
        Figure(
            "max_drawdown",
            "Max drawdown",
            words.percent(result.max_drawdown),
            result.max_drawdown,
            "down" if result.max_drawdown else "",
            f"longest under water {words.span(performance.longest_under_water_ns)}" if result.max_drawdown else "never under water",
        ),
        Figure(
            "sharpe",
            "Sharpe ratio",
            words.number(result.sharpe),
            result.sharpe,
            tone_of(result.sharpe),
            "needs two daily returns that differ"
            if result.sharpe is None
            else f"annualised, {many(performance.daily_returns, 'daily return')}",
        ),
        Figure(
            "win_rate",
            "Win rate",
            words.percent(trades.hit_rate),
            trades.hit_rate,
            "",
            f"{trades.wins:,} of {many(trades.count, 'round trip')}, after fees" if trades.count else "no round trips",
        ),
        Figure(
            "exposure",
            "Exposure",
            words.percent(trades.exposure),
            trades.exposure,
            "",
            "of the time with a position",
        ),
        Figure(
            "fills",
            "Fills",
            f"{len(result.fills):,}",
            len(result.fills),
            "",
            f"{takers:,} taker, {trades.maker_fills:,} maker" if len(result.fills) else "no order was filled",
        ),
        Figure(
            "fees",
            f"Fees, {form.quote}",
            form.amount(result.fees),
            result.fees,
            "",
            f"{words.percent(result.fees / trades.turnover)} of {form.amount(trades.turnover)} turnover"
            if trades.turnover
            else "no turnover",
        ),
    ]


def reconciliation(result: BacktestResult, trades: TradeFigures, form: Form) -> list[Figure]:
    """From the cash at the start to the equity at the end."""

    def line(name: str, label: str, value: float, *, change: bool = True) -> Figure:
        return Figure(name, label, form.amount(value, signed=change), value, tone_of(value) if change else "")

    return [
        line("cash", "Cash at the start", result.cash, change=False),
        line("realized", "Realised, before fees", trades.realized),
        line("unrealized", "Unrealised, at the last price", trades.unrealized),
        line("fees_paid", "Fees", -result.fees),
        line("final_equity", "Equity at the end", result.final_equity, change=False),
    ]


def statistics(
    result: BacktestResult, context: ReportContext, performance: Performance, trades: TradeFigures, form: Form
) -> list[tuple[str, list[Figure]]]:
    """The smaller figures, in groups."""
    fees = context.spec.fees

    def share(name: str, label: str, value: float | None, *, signed: bool = False) -> Figure:
        return Figure(name, label, words.percent(value, signed=signed), value, tone_of(value) if signed else "")

    def ratio(name: str, label: str, value: float | None) -> Figure:
        return Figure(name, label, words.number(value), value)

    def sum_of(name: str, label: str, value: float | None) -> Figure:
        return Figure(name, label, form.trade_amount(value, signed=True), value, tone_of(value))

    def of_day(name: str, label: str, best: tuple[int, float] | None) -> Figure:
        day, value = best or (0, None)
        return Figure(name, label, words.percent(value, signed=True), value, tone_of(value), words.day(day) if best else "")

    held = f"Holding {form.sizes(float(result.parameters['quantity']))} {form.base} throughout"
    return [
        (
            "Returns and risk",
            [
                share("annual_return", "Annualised return", performance.cagr, signed=True),
                share("volatility", "Annualised volatility", performance.volatility),
                ratio("sortino", "Sortino ratio", performance.sortino),
                ratio("calmar", "Calmar ratio", performance.calmar),
                ratio("omega", "Omega ratio", performance.omega),
                share("value_at_risk", "Value at risk, a day, 95 %", performance.value_at_risk),
                share("conditional_value_at_risk", "Mean loss beyond it", performance.conditional_value_at_risk),
                of_day("best_day", "Best day", performance.best_day),
                of_day("worst_day", "Worst day", performance.worst_day),
                share("days_up", "Days up", performance.days_up),
                Figure(
                    "under_water",
                    "Longest under water",
                    words.span(performance.longest_under_water_ns or None),
                    performance.longest_under_water_ns,
                ),
                Figure(
                    "max_drawdown_span",
                    "Deepest under water",
                    words.span(performance.max_drawdown_ns or None),
                    performance.max_drawdown_ns,
                ),
                ratio("beta", "Beta to buy and hold", performance.beta),
                share("alpha", "Alpha a year", performance.alpha, signed=True),
                Figure(
                    "held_profit",
                    held,
                    form.amount(performance.held_profit, signed=True),
                    performance.held_profit,
                    tone_of(performance.held_profit),
                    "without fees",
                ),
            ],
        ),
        (
            "Round trips, after fees",
            [
                Figure(
                    "round_trips", "Won / lost", f"{trades.wins:,} / {trades.losses:,}", trades.count, "", many(trades.count, "round trip")
                ),
                sum_of("average_trade", "Average (expectancy)", trades.expectancy),
                sum_of("average_win", "Average win", trades.average_win),
                sum_of("average_loss", "Average loss", trades.average_loss),
                sum_of("best_trade", "Best", trades.best),
                sum_of("worst_trade", "Worst", trades.worst),
                Figure("profit_factor", "Profit factor", words.number(trades.profit_factor), trades.profit_factor),
                Figure("average_duration", "Average duration", words.span(trades.average_ns), trades.average_ns),
            ],
        ),
        (
            "Execution and costs",
            [
                Figure("turnover", "Turnover", form.amount(trades.turnover), trades.turnover),
                share("fee_taker", "Taker fee", fees.taker),
                share("fee_maker", "Maker fee", fees.maker),
                Figure("maker_fills", "Maker fills", f"{trades.maker_fills:,}", trades.maker_fills),
                Figure("refused", "Orders refused", f"{sum(result.refusals.values()):,}", sum(result.refusals.values())),
                Figure("cancelled", "Orders cancelled", f"{sum(result.cancels.values()):,}", sum(result.cancels.values())),
                Figure("events", "Market events", f"{result.events:,}", result.events),
            ],
        ),
    ]


def open_positions(ledger: Ledger, trades: TradeFigures, form: Form) -> str:
    """What is still held at the end, in a sentence; empty when nothing is."""
    if not ledger.open:
        return ""
    held = ledger.open[0]
    side = "long" if held.size > 0 else "short"
    return (
        f"Still open: {side} {form.sizes(abs(held.size))} {form.base} at {form.prices(held.average_price)}, "
        f"since {form.moment(held.entry_ns)}; "
        f"{form.trade_amount(trades.unrealized, signed=True)} {form.quote} at the last price, entry fees of "
        f"{form.trade_amount(held.fees)} {form.quote} paid."
    )


def month_rows(years: Iterable[Year]) -> list[tuple[int, list[Cell], Cell]]:
    """Year, its twelve months, and its total."""
    years = list(years)
    strongest = max((abs(value) for year in years for value in year.months if value is not None), default=0.0)

    def cell(value: float | None, against: float) -> Cell:
        heat = min(1.0, abs(value) / against) if value and against else 0.0
        return Cell(words.number(None if value is None else value * 100, signed=True), value, tone_of(value), heat)

    return [(year.year, [cell(value, strongest) for value in year.months], cell(year.total, 0.0)) for year in years]


INSTRUMENT_COLUMNS = ("", "Net profit", "Realised", "Unrealised", "Fees", "Turnover", "Fills", "Round trips", "Hit rate", "Exposure")


def instrument_rows(instruments: Sequence[InstrumentFigures], form: Form) -> list[tuple[str, list[Cell]]]:
    """What each instrument brought, of an account that trades several; of a single one the page says it all already."""
    if len(instruments) < 2:
        return []

    def money(value: float, *, signed: bool = True) -> Cell:
        return Cell(form.amount(value, signed=signed), value, tone_of(value) if signed else "", 0.0)

    def share(value: float | None) -> Cell:
        return Cell(words.percent(value), value, "", 0.0)

    def count(value: int) -> Cell:
        return Cell(f"{value:,}", value, "", 0.0)

    return [
        (
            one.symbol,
            [
                *(money(value) for value in (one.net_profit, one.realized, one.unrealized)),
                *(money(value, signed=False) for value in (one.fees, one.turnover)),
                *(count(value) for value in (one.fills, one.round_trips)),
                *(share(value) for value in (one.hit_rate, one.exposure)),
            ],
        )
        for one in instruments
    ]
