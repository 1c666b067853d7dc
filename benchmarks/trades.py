"""How near does a compiled strategy on trades come to a loop written by hand for it?"""

from collections.abc import Callable
from typing import Any

from traider.engine.tape import Tape, trades_tape
from traider.storage.market import MarketFile, read_market_file
from traider.strategies.ema_band import EmaBand

from . import reference
from .data import trades_file
from .engine import run_engine, run_loop
from .measure import answer, cases_in_turns, ratio
from .page import Row, Table

INTERPRETED_TRADES = 200_000
PARAMETERS: dict[str, object] = {"span": 1000, "band": 0.0003, "quantity": 0.01}


def _data() -> tuple[MarketFile, Tape]:
    file = read_market_file(trades_file())
    return file, trades_tape(file.ts_ns, *(file.columns[name] for name in ("price", "size", "side")))


def _loop() -> dict[str, Any]:
    file, _ = _data()
    return run_loop(reference.ema_band, [file.columns["price"]], 1000, 0.0003, 0.01)


def _compiled() -> dict[str, Any]:
    return run_engine(EmaBand, PARAMETERS, *_data())


def _interpreted() -> dict[str, Any]:
    file, tape = _data()
    return run_engine(EmaBand, PARAMETERS, file, tape.head(INTERPRETED_TRADES), interpreted=True)


CASES: dict[str, Callable[[], dict[str, Any]]] = {"loop": _loop, "compiled": _compiled, "interpreted": _interpreted}


def measure(rounds: int) -> Table:
    """Nanoseconds a trade, and how often the reference's that is."""
    figures, told = cases_in_turns("trades", CASES, "ns", rounds)
    loop, ours = told["loop"], told["compiled"]
    if (loop["fills"], loop["equity"]) != (ours["fills"], ours["equity"]):
        raise RuntimeError(f"the loop and the engine disagree: {loop}, {ours}")
    return Table(
        title="A strategy on trades",
        question=__doc__ or "",
        text=(
            f"`ema_band` (1000, 0.03 %) on 5,000,000 synthetic trades, {ours['fills']:,} fills at the next trade, 0.1 % fee; the "
            "same fills and the same final equity in both, to the cent. The engine's time alone, every limit set."
        ),
        unit="ns a trade",
        rows=[
            Row("hand-written loop (the reference)", 1.0, figures["loop"]),
            Row("**traider, compiled**", ratio(figures, "compiled", "loop"), figures["compiled"], goal=2.5),
            Row(f"traider, interpreted ({INTERPRETED_TRADES:,} trades)", ratio(figures, "interpreted", "loop"), figures["interpreted"]),
        ],
    )


if __name__ == "__main__":
    answer(measure)
