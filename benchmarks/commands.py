"""traider's own commands, as a user writes them, and what they print in the words that all entrants share."""

from pathlib import Path
from typing import Any

from .measure import TRAIDER, WORK
from .reference import CASH, FEE

LIMITS = (  # every one is asked, none refuses
    "allowed_markets=BTC-USD",
    "max_order_notional=10000000",
    "max_open_orders=60",
    "max_position_size=10",
    "max_daily_loss=9000000",
    "max_drawdown=0.9",
    "max_orders_per_minute=1000",
)


def backtest(
    strategy: str,
    data: Path,
    parameters: dict[str, object],
    *,
    fill: str = "next-open",
    quantity: float = 1.0,
    fee: float = FEE,
    symbol: str | None = None,
    more: tuple[str, ...] = (),
) -> list[str | Path]:
    """``traider backtest`` with every limit set; ``symbol`` where the file's name says another than the limits allow."""
    command: list[str | Path] = [TRAIDER, "backtest", strategy, "--data", data, "--json", "--manifest-out", WORK / "manifest.json"]
    command += [*_words(parameters, quantity, fee), "--fill", fill, *(() if symbol is None else ("--symbol", symbol)), *more]
    return command


def sweep(strategy: str, data: Path, grid: dict[str, str], *, fill: str, more: tuple[str, ...] = ()) -> list[str | Path]:
    """``traider sweep`` with every limit set; a grid is LOW:HIGH:STEP."""
    ranges = [word for name, values in grid.items() for word in ("--grid", f"{name}={values}")]
    return [TRAIDER, "sweep", strategy, "--data", data, "--json", *ranges, *_words({}, 1.0, FEE), "--fill", fill, *more]


def _words(parameters: dict[str, object], quantity: float, fee: float) -> list[str]:
    words = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
    words += ["--quantity", f"{quantity:g}", "--cash", f"{CASH:.0f}", "--fee-taker", str(fee), "--fee-maker", str(fee)]
    return words + [word for limit in LIMITS for word in ("--limit", limit)]


def read_backtest(printed: dict[str, Any]) -> dict[str, Any]:
    """What ``traider backtest --json`` printed, in the words of a race."""
    ns = printed["engine_seconds"] / printed["events"] * 1e9
    return {"ns": ns, "fills": printed["fills"], "fees": printed["fees"], "equity": printed["final_equity"], "printed": printed}


def read_sweep(printed: dict[str, Any]) -> dict[str, Any]:
    """The same of ``traider sweep --json``; the equity is the best trial's, the fills and fees are everybody's."""
    return {
        "ns": printed["engine_seconds"] / printed["events"] * 1e9,
        "fills": printed["total_fills"],
        "fees": sum(trial["fees"] for trial in printed["results"]),
        "equity": printed["best"]["final_equity"],
        "printed": printed,
    }
