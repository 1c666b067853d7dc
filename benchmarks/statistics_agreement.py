"""Do our statistics say what empyrical-reloaded and quantstats say, where the definitions are the same?

    python -m benchmarks.statistics_agreement

runs a strategy over the real daily bars of ``tests/data``, hands its daily returns to both libraries, which are installed in
an environment of their own (they need scipy, which numba would import wherever it is found), and writes their figures to
``tests/engine/statistics_of_peers.json``, with which a test compares, and the table to ``docs/statistics-agreement.md``.
Exit status 1 when a figure whose definition is the same is not equal to nine digits.
"""

import json
import math
import subprocess
import sys
import venv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import traider
from traider.engine.statistics import daily
from traider.research.notebook import Backtest

from .measure import WORK
from .page import ROOT

BARS = ROOT / "tests" / "data" / "bars" / "coinbase_btcusd_1d_lean.parquet"
STORED = ROOT / "tests" / "engine" / "statistics_of_peers.json"
PAGE = ROOT / "docs" / "statistics-agreement.md"
PEERS = ("empyrical-reloaded==0.7.1", "quantstats==0.0.86")
TOLERANCE = 1e-9
PEER_CODE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
import empyrical as em
import quantstats.stats as qs
told = json.load(sys.stdin)
days = pd.to_datetime(told["days"], unit="D")
returns, benchmark = (pd.Series(told[name], index=days) for name in ("returns", "benchmark"))
year = 365
alpha, beta = em.alpha_beta(returns, benchmark, annualization=year)
greeks = qs.greeks(returns, benchmark, periods=year)
def months(series):
    return {f"{at[0]}-{at[1]:02d}": float(x) for at, x in series.items()}
def by_month(series):
    return months(series.groupby([series.index.year, series.index.month]).apply(qs.comp))
answer = {
    "empyrical": {
        "total_return": em.cum_returns_final(returns), "volatility": em.annual_volatility(returns, annualization=year),
        "sharpe": em.sharpe_ratio(returns, annualization=year), "sortino": em.sortino_ratio(returns, annualization=year),
        "omega": em.omega_ratio(returns), "max_drawdown": em.max_drawdown(returns), "cagr": em.cagr(returns, annualization=year),
        "calmar": em.calmar_ratio(returns, annualization=year), "value_at_risk_95": em.value_at_risk(returns),
        "conditional_value_at_risk_95": em.conditional_value_at_risk(returns), "alpha": alpha, "beta": beta,
        "months": months(em.aggregate_returns(returns, "monthly")),
    },
    "quantstats": {
        "total_return": qs.comp(returns), "volatility": qs.volatility(returns, periods=year), "sharpe": qs.sharpe(returns, periods=year),
        "sortino": qs.sortino(returns, periods=year), "omega": qs.omega(returns, periods=year), "max_drawdown": qs.max_drawdown(returns),
        "cagr": qs.cagr(returns, periods=year), "calmar": qs.calmar(returns, periods=year), "value_at_risk_95": qs.var(returns),
        "conditional_value_at_risk_95": qs.cvar(returns), "alpha": greeks["alpha"], "beta": greeks["beta"], "months": by_month(returns),
    },
}
plain = lambda value: {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else float(value)
print(json.dumps(plain(answer)))
"""


@dataclass(frozen=True)
class Comparison:
    """How one figure of theirs reads in our terms; ``why`` says why the definitions differ, where they do."""

    figure: str
    peer: str
    why: str = ""

    def theirs(self, value: float) -> float:
        """Their value with our sign, and alpha not compounded."""
        if self.figure in ("max_drawdown", "value_at_risk_95", "conditional_value_at_risk_95"):
            return -value
        if (self.figure, self.peer) == ("alpha", "empyrical"):
            return math.expm1(math.log1p(value) / daily.DAYS_A_YEAR) * daily.DAYS_A_YEAR  # they compound a day's alpha over the year
        return value


_BY_DAYS = "years are counted by days with data; ours by the calendar"
_NORMAL = "of a normal distribution with this mean and deviation; ours is the recorded quantile"
DIFFERENT = {
    ("cagr", "empyrical"): _BY_DAYS,
    ("cagr", "quantstats"): _BY_DAYS,
    ("calmar", "empyrical"): "by that growth rate",
    ("calmar", "quantstats"): "by that growth rate",
    ("value_at_risk_95", "quantstats"): _NORMAL,
    ("conditional_value_at_risk_95", "quantstats"): "the mean beyond that quantile",
}
FIGURES = (
    *("total_return", "volatility", "sharpe", "sortino", "omega", "max_drawdown", "value_at_risk_95", "conditional_value_at_risk_95"),
    *("alpha", "beta", "cagr", "calmar"),
)
COMPARISONS = [Comparison(figure, peer, DIFFERENT.get((figure, peer), "")) for figure in FIGURES for peer in ("empyrical", "quantstats")]


def strategy_run() -> Backtest:
    """The run that is compared: with a quantity that matters, so that returns are as large as real ones."""
    settings: dict[str, Any] = {"params": {"fast": 10, "slow": 30}, "quantity": 2.0, "cash": 5_000.0, "fee_taker": 0.001}
    return traider.backtest("sma_cross", BARS, symbol="BTC-USD", **settings)


def daily_series(run: Backtest) -> dict[str, list[float]]:
    """Days, the strategy's daily returns and the benchmark's."""
    equity = [run.result.cash, *(value for _, value in run.result.day_ends)]
    market = run.run.market
    return {
        "days": [float(day) for day, _ in run.result.day_ends],
        "returns": daily.daily_returns(equity),
        "benchmark": daily.daily_returns(market.daily_prices),
    }


def disagreements(ours: dict[str, Any], theirs: dict[str, dict[str, Any]]) -> list[str]:
    """Every figure of a same definition that is not the same number."""
    found = [
        f"{one.figure}: {ours[one.figure]!r}, {one.peer} {one.theirs(theirs[one.peer][one.figure])!r}"
        for one in COMPARISONS
        if not one.why and not math.isclose(ours[one.figure], one.theirs(theirs[one.peer][one.figure]), rel_tol=TOLERANCE)
    ]
    for peer, figures in theirs.items():
        months = figures["months"]
        if set(months) != set(ours["months"]):
            found.append(f"months: not those of {peer}")
            continue
        found += [
            f"{month}: {value!r}, {peer} {months[month]!r}"
            for month, value in ours["months"].items()
            if not math.isclose(value, months[month], rel_tol=TOLERANCE, abs_tol=1e-12)
        ]
    return found


def main() -> int:
    run = strategy_run()
    theirs = json.loads(_ask(json.dumps(daily_series(run))))
    STORED.write_text(json.dumps(theirs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(_page(run.statistics, theirs), encoding="utf-8")
    found = disagreements(run.statistics, theirs)
    print("\n".join(found) or f"agreed; written: {PAGE.relative_to(ROOT)}, {STORED.relative_to(ROOT)}")
    return 1 if found else 0


def _ask(series: str) -> str:
    python = _environment()
    return subprocess.run([python, "-c", PEER_CODE], input=series, capture_output=True, text=True, check=True).stdout


def _environment() -> Path:
    """An interpreter that has the peers, in a folder of their own."""
    folder = WORK / "peers" / "statistics"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def _page(ours: dict[str, Any], theirs: dict[str, dict[str, Any]]) -> str:
    days = ours["daily_returns"]
    lines = [
        "# Statistics: agreement with other libraries",
        "",
        f"Written by `python -m benchmarks.statistics_agreement` on {datetime.now(UTC):%Y-%m-%d} with {' and '.join(PEERS)}:",
        f"`sma_cross` (10, 30) over the {days:,} real daily bars of `tests/data`. *Same* means equal to nine digits, and a test holds us",
        "to it. Their drawdowns and values at risk are returns, so that they have the other sign; empyrical compounds alpha, which is",
        f"undone here. The returns of all {len(ours['months'])} months are the same in all three.",
        "",
        "| figure | traider | empyrical | quantstats | |",
        "|---|---|---|---|---|",
    ]
    for figure in FIGURES:
        cells, remarks = [], []
        for one in (one for one in COMPARISONS if one.figure == figure):
            value = one.theirs(theirs[one.peer][figure])
            cells.append("same" if math.isclose(value, ours[figure], rel_tol=TOLERANCE) else f"{value:.6g}")
            if one.why:
                remarks.append(f"{one.peer}: {one.why}")
        why = remarks[0].partition(": ")[2] if len(remarks) == 2 else "".join(remarks)
        lines.append(f"| `{figure}` | {ours[figure]:.6g} | {' | '.join(cells)} | {why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
