"""How fast is a strategy as ordinary Python?"""

import functools

from . import bars, race, trades
from .asked import Asked
from .bars import FEW as FEW_BARS
from .data import bars_file, trades_file
from .measure import answer
from .page import Table
from .trades import FEW as FEW_TRADES

GOAL = 1 / 3


def measure(asked: Asked) -> list[Table]:
    """Nanoseconds an event, and how often that of NautilusTrader's Python strategies that is."""
    return [_on_bars(asked), _on_trades(asked)] if asked.peers else []


def _on_bars(asked: Asked) -> Table:
    ran = race.run(
        {
            "nautilus": bars.nautilus(functools.partial(bars_file, FEW_BARS), tuned=True, rounds=3),
            "traider": bars.traider("**traider, interpreted**", FEW_BARS, "close", "--interpreted", goal=GOAL, rounds=3),
            "backtrader": bars.backtrader(functools.partial(bars_file, FEW_BARS), rounds=3),
        },
        asked,
        "nautilus",
    )
    text = (
        f"`sma_cross` on {FEW_BARS:,} bars; the reference is nautilus_trader; traider is `traider backtest --interpreted` with every limit "
        "set. The goal is three times as fast."
    )
    return race.table(ran, title="Interpreted, on bars", question=__doc__ or "", text=text, unit="ns a bar", reference="nautilus")


def _on_trades(asked: Asked) -> Table:
    ran = race.run(
        {
            "nautilus": trades.nautilus(functools.partial(trades_file, FEW_TRADES), trades.SETTINGS, rounds=3),
            "traider": trades.traider("**traider, interpreted**", FEW_TRADES, "--interpreted", fill="same", goal=GOAL, rounds=3),
        },
        asked,
        "nautilus",
    )
    text = f"`ema_band` on {FEW_TRADES:,} trades, the same way."
    return race.table(ran, title="Interpreted, on trades", question=__doc__ or "", text=text, unit="ns a trade", reference="nautilus")


if __name__ == "__main__":
    answer(measure)
