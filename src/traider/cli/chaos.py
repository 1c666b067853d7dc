"""``traider chaos``: a strategy, or orders at random, while everything goes wrong; and what held all the same."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated

import typer

from traider.domain.errors import SettingsError
from traider.domain.limits import RiskLimits
from traider.guard.audit.truth import INVARIANTS
from traider.research.chaos.asked import Asked
from traider.research.chaos.run import Outcome
from traider.research.chaos.runs import play_all, summed

from . import options

_MOST_SEEDS = 1_000_000
_SHOWN = 10  # violations
_LIMITS = RiskLimits(max_position_size=Decimal(100), max_market_data_age_s=Decimal(5), max_price_deviation=Decimal("0.05"))


def chaos(
    strategy: Annotated[
        str | None, typer.Argument(help="Built-in name, FILE.py:CLASS or PACKAGE.MODULE:CLASS; without one, orders at random.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many runs.")] = 25,
    first: Annotated[int, typer.Option(help="The first run's seed; the others follow.")] = 0,
    seed: Annotated[int | None, typer.Option(help="This one run.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed.")] = None,
    quantity: Annotated[float | None, typer.Option(help="Size of one entry, in base currency.")] = None,
    limit: Annotated[list[str] | None, typer.Option(help="Risk limit NAME=VALUE, instead of the limits that chaos has.")] = None,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run the strategy as ordinary Python.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> int:
    """Trade on a simulated exchange that fails in every way, with a guard that is killed and comes back, and check what has to hold.

    Each run is a minute of a made-up market, decided by its seed alone. Exit status 1 if an invariant did not hold.
    """
    if seed is not None and seed < 0:
        raise SettingsError(f"--seed is {seed}; give a whole number from 0")
    if not 1 <= seeds <= _MOST_SEEDS or first < 0:
        raise SettingsError(f"--seeds is {seeds}, --first {first}; give 1 to {_MOST_SEEDS} seeds, from 0 on")
    asked = _asked(strategy, param or [], quantity, limit or [], interpreted)
    wanted = [seed] if seed is not None else list(range(first, first + seeds))
    started = time.perf_counter()
    outcomes = _play(asked, wanted, quiet=json_)
    seconds = time.perf_counter() - started
    if json_:
        sys.stdout.write(json.dumps(_as_json(asked, outcomes, seconds)) + "\n")
    else:
        _print(asked, outcomes, seconds)
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def _asked(strategy: str | None, param: list[str], quantity: float | None, limit: list[str], interpreted: bool) -> Asked:
    given: Sequence[tuple[str, object]] = (
        *(("--param", one) for one in param),
        *((("--quantity", quantity),) if quantity is not None else ()),
        *(("--limit", one) for one in limit),
    )
    if strategy is None and (param or quantity is not None or interpreted):
        raise SettingsError("--param, --quantity and --interpreted are a strategy's: name one")
    words = [word for name, value in given for word in (name, str(value))]
    return Asked(
        strategy=strategy or "",
        parameters=options.parameters(param, quantity=quantity),
        limits=options.limits(limit) if limit else None if strategy is None else _LIMITS,
        interpreted=interpreted,
        words=(*words, *(["--interpreted"] if interpreted else [])),
    )


def _play(asked: Asked, seeds: list[int], *, quiet: bool) -> list[Outcome]:
    if quiet or not sys.stderr.isatty():
        return list(play_all(asked, seeds))
    from .backtest_table import progress_bar

    with progress_bar(len(seeds), "runs") as progress:
        return _told(asked, seeds, progress)


def _told(asked: Asked, seeds: list[int], progress: Callable[[float], None]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for outcome in play_all(asked, seeds):
        outcomes.append(outcome)
        progress(len(outcomes))
    return outcomes


def _violations(asked: Asked, outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    return [
        {
            "seed": outcome.seed,
            "invariant": violation.invariant,
            "what": violation.what,
            "reproduce": asked.reproduction(outcome.seed),
        }
        for outcome in outcomes
        for violation in outcome.violations
    ]


def _as_json(asked: Asked, outcomes: Sequence[Outcome], seconds: float) -> dict[str, object]:
    tally = summed(outcomes)
    return {
        "strategy": asked.strategy or None,
        "seeds": [outcome.seed for outcome in outcomes],
        "seconds": round(seconds, 3),
        "invariants": [
            {"id": invariant, "what": what, "checks": tally.checks[invariant], "violations": len(list(tally.of(invariant)))}
            for invariant, what in INVARIANTS.items()
        ],
        "counts": _counts(outcomes),
        "violations": _violations(asked, outcomes),
        "runs": [{"seed": outcome.seed, "digest": outcome.digest, "violations": len(outcome.violations)} for outcome in outcomes],
    }


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.counts)
    return {name: sum(outcome.counts.get(name, 0) for outcome in outcomes) for name in names}


def _print(asked: Asked, outcomes: Sequence[Outcome], seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, tally, counts = Console(), summed(outcomes), _counts(outcomes)
    console.print(f"\n[bold]{asked.strategy or 'orders at random'}[/bold]  [dim]{len(outcomes):,} runs, {seconds:.1f} s[/dim]")
    console.print(f"[dim]{', '.join(f'{count:,} {name}' for name, count in counts.items())}[/dim]\n", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("what has to hold", overflow="fold")
    table.add_column("checks", justify="right")
    table.add_column("violations", justify="right")
    for invariant, what in INVARIANTS.items():
        broken = len(list(tally.of(invariant)))
        table.add_row(invariant, what, f"{tally.checks[invariant]:,}", Text(f"{broken:,}", style="red" if broken else "green"))
    console.print(table)
    violations = _violations(asked, outcomes)
    for violation in violations[:_SHOWN]:
        console.print(f"\n[red]{violation['invariant']}[/red] {violation['what']}", highlight=False)
        console.print(f"  again with: {violation['reproduce']}", highlight=False, soft_wrap=True)
    if len(violations) > _SHOWN:
        console.print(f"\n{len(violations) - _SHOWN:,} more; --json has them all")
    if not violations:
        console.print("\n[green]everything held[/green]")
