"""What a run is asked for with, checked: one clear error for what can't be used.

``name`` is how whoever asks calls the setting: ``cash`` in a notebook, ``--cash`` on the command line.
"""

import math
from decimal import Decimal
from pathlib import Path

from traider.domain.errors import DataError, SettingsError, StrategyError
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.engine.session import acts_on
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.desk import FillMode
from traider.kernel.kit import Strategy
from traider.storage.market_file import MarketFile, market_frame, read_market_file

DEFAULT_SIZE_INCREMENT = Decimal("0.00000001")
FILL_MODES = {
    "next-open": FillMode.NEXT_OPEN,
    "next-close": FillMode.NEXT_CLOSE,
    "close": FillMode.SAME,
    "same": FillMode.SAME,
}


def check_quantity(quantity: float, instrument: Instrument, name: str = "quantity") -> None:
    """Refuses a size that no order could have."""
    if not math.isfinite(quantity) or quantity <= 0:
        raise SettingsError(f"{name} is {quantity:g}; give a size above zero, in {instrument.base}")
    if quantity > 1e9:
        raise SettingsError(f"{name} is {quantity:g}; sizes up to 1e9 are supported")
    if Decimal(repr(quantity)) % instrument.size_increment:
        other = "--size-increment" if name.startswith("--") else "size_increment"
        raise SettingsError(f"{name} is {quantity!r}, no multiple of the increment {instrument.size_increment:f}; round it, or set {other}")


def check_cash(cash: float, name: str = "cash") -> None:
    if not math.isfinite(cash) or cash <= 0:
        raise SettingsError(f"{name} is {cash:g}; give the starting cash, an amount above zero in quote currency")


def check_fee(rate: float, name: str) -> None:
    if not math.isfinite(rate) or not 0 <= rate < 1:
        raise SettingsError(f"{name} is {rate:g}; give a fraction of the notional from 0 to below 1 (0.001 is 0.1 %)")


def fill_mode(fill: str, name: str = "fill") -> FillMode:
    if fill not in FILL_MODES:
        raise SettingsError(f"{name} is {fill!r}; give one of {', '.join(FILL_MODES)}")
    return FILL_MODES[fill]


def market_data(data: object, *, strategy: type[Strategy], symbol: str | None, price_increment: Decimal | None) -> MarketFile:
    """The checked file or frame, if the strategy has a handler for what is in it."""
    if not acts_on(strategy):
        raise StrategyError(f"strategy {strategy.name} has neither on_bar nor on_trade: it would never see the market")
    if isinstance(data, str | Path):
        market = read_market_file(Path(data), symbol=symbol, price_increment=price_increment)
    else:
        market = market_frame(data, symbol=symbol, price_increment=price_increment)
    if market.kind not in acts_on(strategy):
        wanted = " and ".join(sorted(acts_on(strategy)))
        raise DataError(f"{market.path}: holds {market.kind}, and strategy {strategy.name} acts on {wanted}; give such data")
    return market


def instrument_of(data: MarketFile, size_increment: Decimal | None) -> Instrument:
    sizes = size_increment or DEFAULT_SIZE_INCREMENT
    return instrument_from_symbol(data.symbol, price_increment=data.price_increment, size_increment=sizes)


def tape_of(data: MarketFile) -> Tape:
    columns = data.columns
    if data.kind == "bars":
        return bars_tape(data.ts_ns, columns["open"], columns["high"], columns["low"], columns["close"], columns["volume"])
    return trades_tape(data.ts_ns, columns["price"], columns["size"], columns["side"])
