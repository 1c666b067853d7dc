"""The one door: ``traider COMMAND``. A command's module is imported only when that command is asked for.

Exit status: 0 done, 1 the command says no (a check failed, a part of the platform broke), 2 the input was wrong, 130 Ctrl-C.
"""

import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from traider import __version__
from traider.domain.errors import TraiderError, UserError

from .handover import start_over_without_secrets

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class Command(NamedTuple):
    target: str  # module:function; the function's annotated parameters are the command's options
    help: str


GROUPS = {
    "download": "Download market data.",
    "journal": "Look at the guard's journal.",
    "new": "Make something to start from.",
    "verify": "Prove what the platform promises.",
}

COMMANDS = {
    "backtest": Command("traider.cli.backtest:backtest", "Run a strategy over recorded market data."),
    "download coinbase": Command("traider.cli.download:coinbase", "Download candles of Coinbase, without a key."),
    "download alphavantage": Command("traider.cli.download:alphavantage", "Download bars of shares from Alpha Vantage, with a key."),
    "sweep": Command("traider.cli.sweep:sweep", "Run a strategy with many parameter sets, and tell how much of the best is luck."),
    "walkforward": Command("traider.cli.walkforward:walkforward", "Choose parameters on the past, trade them on what comes next."),
    "strategies": Command("traider.cli.strategies:strategies", "List strategies with their parameters, ranges and defaults."),
    "new strategy": Command("traider.cli.new:strategy", "Write a commented strategy with its test, to start from."),
    "up": Command("traider.cli.up:up", "Start the platform in paper mode: guard, trader, API and dashboard."),
    "live": Command("traider.cli.live:live", "Trade with money on Coinbase, a strategy version that was enabled for it."),
    "exchange-sim": Command("traider.cli.exchange_sim:exchange_sim", "Serve a simulated exchange that speaks Coinbase's protocol."),
    "guard": Command("traider.cli.guard:guard", "Run the risk guard alone."),
    "kill-switch": Command("traider.cli.kill_switch:kill_switch", "Stop everything, at the guard itself: without API, login or store."),
    "accept-balances": Command("traider.cli.accept_balances:accept_balances", "Let the guard's books follow the exchange's balances."),
    "coinbase-login": Command(
        "traider.cli.coinbase_access:coinbase_login", "Have access to an account granted in the browser, without a key."
    ),
    "coinbase-logout": Command("traider.cli.coinbase_access:coinbase_logout", "Give granted access back."),
    "enable-live": Command("traider.cli.enable_live:enable_live", "Let a strategy trade with money, after a look at what is at stake."),
    "replay": Command("traider.cli.replay:replay", "Feed a recorded session to its strategy again: the same orders, bit for bit."),
    "journal verify": Command("traider.cli.journal:verify", "Check the hash chain of the journal: any edit, gap or torn tail."),
    "journal show": Command("traider.cli.journal:show", "Print the journal's entries."),
    "verify parity": Command(
        "traider.cli.verify:parity", "Prove that a replay through the guard fills as the backtest does; compare a session with it."
    ),
    "verify lookahead": Command("traider.cli.lookahead:lookahead", "Prove that no decision depends on what comes after it."),
    "verify reproduce": Command("traider.cli.reproduce:reproduce", "Run a backtest's manifest again and compare the outcome, bit for bit."),
    "chaos": Command("traider.cli.chaos:chaos", "Trade while everything goes wrong, and check what has to hold all the same."),
    "doctor": Command("traider.cli.doctor:doctor", "Check this environment and say what to do about what is missing."),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit status."""
    words = sys.argv[1:] if argv is None else argv
    start_over_without_secrets(words)
    sys.exit(run(words))


def run(argv: Sequence[str]) -> int:
    """The exit status of one command. What is wrong with the input is one line on stderr, never a traceback."""
    words = list(argv) or ["--help"]
    try:
        status = typer.main.get_command(build_app(words)).main(args=words, prog_name="traider", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _complain(_usage_message(error), EXIT_BAD_INPUT)
    except UserError as error:
        return _complain(str(error), EXIT_BAD_INPUT)
    except TraiderError as error:
        return _complain(str(error), EXIT_FAILED)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; a second failure while the interpreter flushes would be noise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return status if isinstance(status, int) else 0


def build_app(words: Sequence[str]) -> typer.Typer:
    """Every command by name and help; only the one that ``words`` ask for is imported and has its options."""
    app = typer.Typer(
        name="traider", help="A trading platform.", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.callback()(_global_options)
    groups = {name: typer.Typer(help=text, rich_markup_mode=None) for name, text in GROUPS.items()}
    asked = _asked_for(words)
    for path, command in COMMANDS.items():
        *group, name = path.split()
        function = _load(command.target) if path == asked else _listed_only
        (groups[group[0]] if group else app).command(name, help=command.help, short_help=command.help)(function)
    for name, group_app in groups.items():
        app.add_typer(group_app, name=name)
    return app


def _asked_for(words: Sequence[str]) -> str | None:
    # The door itself has no option that takes a value, so the first words without a dash are the command's name.
    names = [word for word in words if not word.startswith("-")]
    return next((path for path in COMMANDS if names[: len(path.split())] == path.split()), None)


def _load(target: str) -> Callable[..., Any]:
    module, _, function = target.partition(":")
    if module not in sys.modules:
        _import_for_good(module)
    loaded: Callable[..., Any] = getattr(sys.modules[module], function)
    return loaded


def _import_for_good(module: str) -> None:
    """What is imported stays: the collector looks at none of it, then or later, which would take a tenth of a backtest's start."""
    gc.disable()
    try:
        importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _listed_only() -> None:
    """Stands for a command in the list of commands."""


def _show_version(on: bool) -> None:
    if on:
        typer.echo(f"traider {__version__}")
        raise typer.Exit


def _global_options(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)] = False,
) -> None:
    pass


def _usage_message(error: typer.TyperException) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "traider"
    return f"{message.rstrip('.')} (see: {where} --help)"


def _complain(message: str, status: int) -> int:
    typer.echo(f"error: {message}", err=True)
    return status


if __name__ == "__main__":
    main()
