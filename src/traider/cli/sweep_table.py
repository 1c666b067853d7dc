"""A sweep's result as a table on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from traider.engine.sweep import SweepResult, Trial

SHOWN = 15


def print_sweep(result: SweepResult, names: Sequence[str], currency: str) -> None:
    """The best trials, and what the number of trials says about them."""
    console = Console()
    console.print(f"\n[bold]{len(result.trials):,}[/bold] trials, {result.events:,} events in {result.engine_seconds:,.2f} s\n")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in (*names, f"net profit {currency}", "max. drawdown", "Sharpe", "fills", "fees"):
        table.add_column(name, justify="right")
    for trial in sorted(result.trials, key=lambda trial: -trial.final_equity)[:SHOWN]:
        table.add_row(*_row(trial, names))
    console.print(table)
    if len(result.trials) > SHOWN:
        console.print(f"[dim]the best {SHOWN} of {len(result.trials):,}; --json has them all[/dim]")
    console.print(
        f"\nDeflated Sharpe ratio of the best  {_probability(result.deflated_sharpe)}  [dim]probability that it is not luck[/dim]"
    )
    console.print(f"Probability of backtest overfitting {_probability(result.pbo)}  [dim]CSCV, 16 blocks[/dim]")


def _row(trial: Trial, names: Sequence[str]) -> list[str]:
    return [
        *(f"{trial.parameters[name]:g}" for name in names),
        f"{trial.net_profit:+,.2f}",
        f"{trial.max_drawdown:.2%}",
        "-" if trial.sharpe is None else f"{trial.sharpe:.2f}",
        f"{trial.fills:,}",
        f"{trial.fees:,.2f}",
    ]


def _probability(value: float | None) -> str:
    return "-  (too little data)" if value is None else f"{value:.1%}"
