"""A sweep's result as a table on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from traider.engine.sweep import objective_of
from traider.engine.trial import Trial
from traider.research.sweeps import Sweep

SHOWN = 15


def print_sweep(done: Sweep) -> None:
    """The best trials, and what the number of trials says about them."""
    result, names, currency = done.result, done.names, done.spec.instrument.quote
    console = Console()
    searched = {"grid": "every combination", "random": "drawn at random", "tpe": "searched by TPE"}[done.plan.search.kind]
    trials = f"{len(result.trials):,}[/bold] {'trial' if len(result.trials) == 1 else 'trials'}, {searched}"
    console.print(f"\n[bold]{trials}; {result.events:,} events in {result.engine_seconds:,.2f} s\n", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in (*names, f"net profit {currency}", "max. drawdown", "Sharpe", "fills", "fees"):
        table.add_column(name, justify="right")
    measure = objective_of(result.objective)
    for trial in sorted(result.trials, key=lambda trial: -measure(trial))[:SHOWN]:
        table.add_row(*_row(trial, names))
    console.print(table)
    if len(result.trials) > SHOWN:
        console.print(f"[dim]the best {SHOWN} of {len(result.trials):,} by {result.objective}; --json has them all[/dim]")
    console.print(
        f"\nDeflated Sharpe ratio of the best   {_probability(result.deflated_sharpe)}  [dim]probability that it is not luck[/dim]"
    )
    console.print(f"Probability of backtest overfitting {_probability(result.pbo)}  [dim]CSCV, 16 blocks[/dim]")
    if done.permutation is not None:
        test = done.permutation
        console.print(
            f"Permutation test, p-value           {test.p_value:.2%}  "
            f"[dim]{test.as_good:,} of {test.permutations:,} permutations of the bars were as good[/dim]",
            soft_wrap=True,
        )
    console.print(f"[dim]{done.provenance.line()}[/dim]", highlight=False, soft_wrap=True)


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
