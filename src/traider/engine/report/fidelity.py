"""What the run assumed, and what the data is like, in sentences: the reader judges the result by them."""

from collections.abc import Mapping

from ...domain.limits import RiskLimits
from ...kernel.simulation import FillMode, Simulation
from .. import simulation_words
from . import words

_MARKET_ORDERS = {
    ("bars", FillMode.NEXT_OPEN): "Decided at a bar's close; market orders fill whole at the next bar's open, as taker.",
    ("bars", FillMode.NEXT_CLOSE): "Decided at a bar's close; market orders fill whole at the next bar's close, as taker.",
    ("bars", FillMode.SAME): (
        "Market orders fill whole at the close of the very bar that they were decided on, as taker. "
        "This is optimistic: nobody can trade at a price that is already history."
    ),
    ("trades", FillMode.NEXT_OPEN): "Market orders fill whole at the next trade's price, as taker.",
    ("trades", FillMode.NEXT_CLOSE): "Market orders fill whole at the next trade's price, as taker.",
    ("trades", FillMode.SAME): (
        "Market orders fill whole at the price of the very trade that they were decided on, as taker. "
        "This is optimistic: nobody can trade at a price that is already history."
    ),
    ("quotes", FillMode.NEXT_OPEN): "Market orders fill whole at the next quote's other side, as taker, whatever its size.",
    ("quotes", FillMode.NEXT_CLOSE): "Market orders fill whole at the next quote's other side, as taker, whatever its size.",
    ("quotes", FillMode.SAME): "Market orders fill whole at the other side of the quote that they were decided on, as taker.",
}
_ON_BOOKS = "Market orders take the levels of the other side as they stand, best first, as taker; what the book lacks is cancelled."
_OTHER_ORDERS: dict[simulation_words.Fidelity, list[str]] = {
    "bars": [
        "A resting limit order fills whole at its limit, as maker, when a bar trades through it; touching is not enough.",
        "A stop fills at its price, or at the bar's open where that is worse.",
    ],
    "trades": [
        "A resting limit order fills at its limit, as maker, when a trade goes through it, and at most by that trade's size.",
        "A stop that is reached fills at the next trade's price. The size of a trade does not limit market orders.",
    ],
    "quotes": [
        "A resting limit order fills whole at its limit, as maker, when the other side comes to it or a trade goes through it.",
        "A stop that the side which it would take has reached takes that side.",
    ],
    "l2": [
        "A resting limit order stands behind what its level holds when it arrives.",
        "It fills at its limit, as maker, when trades there go beyond that, or one its price, or when the other side comes to it.",
        "What own orders take is still there for the next one: the recorded book knows nothing of them.",
    ],
}
_ROWS: dict[simulation_words.Fidelity, str] = {
    "bars": "bars",
    "trades": "trades",
    "quotes": "rows of quotes",
    "l2": "rows of an order book",
}


def rows_of(fidelity: simulation_words.Fidelity) -> str:
    """What the rows are of, in words."""
    return _ROWS[fidelity]


def fill_rules(fidelity: simulation_words.Fidelity, fill: FillMode, simulation: Simulation | None = None) -> list[str]:
    """The matching rules that decided the fills (``kernel.matching``), in words; without a ``simulation`` its defaults."""
    settings = simulation or Simulation()
    return [
        _ON_BOOKS if fidelity == "l2" else _MARKET_ORDERS[fidelity, fill],
        *_OTHER_ORDERS[fidelity],
        *simulation_words.sentences(settings, fidelity),
        simulation_words.not_modelled(settings, fidelity),
    ]


def data_notes(notes: Mapping[str, int | str], rows: int, kind: str) -> list[str]:
    """What was noticed in the data file (``storage.market``), in words; what is not known here as it stands."""
    said: list[str] = []
    for name, value in notes.items():
        if name == "bars_missing" and "gaps" in notes:
            continue
        count = f"{value:,}" if isinstance(value, int) else value
        one = value == 1
        if name == "bar_interval_ns" and isinstance(value, int):
            said.append(f"{rows:,} bars of {words.span(value)}.")
        elif name == "gaps":
            missing = notes.get("bars_missing", 0)
            bars = f", {missing:,} {'bar' if missing == 1 else 'bars'} missing" if isinstance(missing, int) else ""
            said.append(f"{count} {'gap' if one else 'gaps'} in time{bars}: nothing was filled in.")
        elif name.endswith("_outside_high_low"):
            column = name.removesuffix("_outside_high_low")
            said.append(f"{count} {'bar has its' if one else 'bars have their'} {column} outside high and low: used as recorded.")
        elif name == "trades_of_one_time":
            said.append(f"{count} {'trade has' if one else 'trades have'} the time of the one before: taken in the file's order.")
        elif name == "price_increment":
            said.append(f"{count}.")
        else:
            said.append(f"{name.replace('_', ' ')}: {count}.")
    if "bar_interval_ns" not in notes:
        said.insert(0, f"{rows:,} {kind}.")
    return said


def limits_in_force(limits: RiskLimits) -> list[tuple[str, str]]:
    """Name and value of every limit that was set."""
    drawdown = limits.max_drawdown
    rows = [
        ("Allowed markets", None if limits.allowed_markets is None else ", ".join(limits.allowed_markets) or "none"),
        ("Order notional", limits.max_order_notional),
        ("Order size", limits.max_order_size),
        ("Open orders", limits.max_open_orders),
        ("Open orders in a market", limits.max_open_orders_per_market),
        ("Position size", limits.max_position_size),
        ("Daily loss", limits.max_daily_loss),
        ("Drawdown", None if drawdown is None else words.percent(float(drawdown))),
        ("Orders a minute", limits.max_orders_per_minute),
    ]
    return [(name, value if isinstance(value, str) else f"{value:,}") for name, value in rows if value is not None]
