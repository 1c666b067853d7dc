"""How near does a compiled strategy on trades come to a loop written by hand for it?"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import commands, race, reference
from .asked import Asked
from .bars import check_fills
from .data import trades_file
from .loops import run_loop
from .measure import answer
from .page import Table
from .race import Entrant, case, peer

MANY, FEWER, FEW = 5_000_000, 1_000_000, 100_000
PARAMETERS: dict[str, object] = {"span": 1000, "band": 0.0003}
SETTINGS: dict[str, Any] = {**PARAMETERS, "quantity": 0.01, "cash": reference.CASH, "fee": reference.FEE, "tick": 0.01}


def _loop() -> dict[str, Any]:
    return run_loop(reference.ema_band, trades_file(MANY), ("price",), 1000, 0.0003, 0.01)


CASES: dict[str, Callable[[], dict[str, Any]]] = {"loop": _loop}


def traider(name: str, rows: int, *more: str, fill: str = "next-open", **entrant: Any) -> Entrant:
    """``traider backtest`` on so many trades."""
    return Entrant(
        name,
        lambda: commands.backtest("ema_band", trades_file(rows), PARAMETERS, fill=fill, quantity=0.01, more=more),
        commands.read_backtest,
        **entrant,
    )


def measure(asked: Asked) -> list[Table]:
    """Nanoseconds a trade, and how often the reference's that is."""
    fewer, few = functools.partial(trades_file, FEWER), functools.partial(trades_file, FEW)
    ran = race.run(
        {
            "loop": case("hand-written loop (the reference)", "trades", "loop"),
            "traider": traider("**traider, next trade**", MANY, goal=2.5),
            "traider-same": traider("traider, same trade", MANY, fill="same"),
            "interpreted": traider(f"traider, interpreted ({FEW:,} trades)", FEW, "--interpreted"),
            "hftbacktest": peer("hftbacktest, touch,", "hftbacktest", "hftbacktest_trades", trades_file, SETTINGS),
            "nautilus": nautilus(fewer, SETTINGS, f" ({FEWER:,} trades)", rounds=2, slow=True),
            "nautilus-few": nautilus(few, SETTINGS, f" ({FEW:,} trades)", rounds=3),
            "backtrader": backtrader(few, SETTINGS, f" ({FEW:,} trades as bars)", rounds=3),
        },
        asked,
        "loop",
    )
    check_fills(ran, "loop")
    text = (
        f"`ema_band` (1000, 0.03 %) on {MANY:,} synthetic trades, 0.1 % fee. The engines' time alone, traider's with every limit set; its "
        "fills at the next trade and its final equity are the loop's, to the cent. hftbacktest needs a book to fill from: 1.8 rows a trade."
    )
    return [race.table(ran, title="W3: a strategy on trades", question=__doc__ or "", text=text, unit="ns a trade", reference="loop")]


def nautilus(data: Callable[[], Path], settings: dict[str, Any], how_many: str = "", **more: Any) -> Entrant:
    """NautilusTrader with a Python strategy, tuned as in its script."""
    name = f"nautilus_trader, tuned, same trade{how_many},"
    return peer(name, "nautilus", "nautilus_trades", data, {**settings, "tuned": True}, **more)


def backtrader(data: Callable[[], Path], settings: dict[str, Any], how_many: str = "", **more: Any) -> Entrant:
    """backtrader, to which every trade is a bar."""
    return peer(f"backtrader, next trade{how_many},", "backtrader", "backtrader_events", data, settings, **more)


if __name__ == "__main__":
    answer(measure)
