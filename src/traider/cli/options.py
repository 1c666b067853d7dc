"""What several commands read from the command line, with one clear error for what can't be used."""

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from traider.domain.errors import DataError, SettingsError, StrategyError
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.engine.manifest import parse_limits
from traider.engine.session import acts_on
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.desk import Fees, FillMode
from traider.kernel.kit import Strategy
from traider.storage.market_file import MarketFile, read_market_file

DEFAULT_SIZE_INCREMENT = Decimal("0.00000001")
FILL_MODES = {
    "next-open": FillMode.NEXT_OPEN,
    "next-close": FillMode.NEXT_CLOSE,
    "close": FillMode.SAME,
    "same": FillMode.SAME,
}


def parameters(assignments: Sequence[str], *, quantity: float | None) -> dict[str, object]:
    """``name=value`` pairs and the quantity as a strategy's parameters; the strategy checks the values."""
    values: dict[str, object] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise StrategyError(f"--param {assignment}: write NAME=VALUE, for example fast=20")
        if name in values:
            raise StrategyError(f"--param {name} is given twice; give it once")
        values[name.strip()] = value.strip()
    if quantity is not None:
        if "quantity" in values:
            raise StrategyError("quantity is given twice, as --quantity and as --param; give it once")
        values["quantity"] = quantity
    return values


def check_quantity(quantity: float, instrument: Instrument) -> None:
    """Refuses a size that no order could have."""
    if not math.isfinite(quantity) or quantity <= 0:
        raise SettingsError(f"--quantity is {quantity:g}; give a size above zero, in {instrument.base}")
    if quantity > 1e9:
        raise SettingsError(f"--quantity is {quantity:g}; sizes up to 1e9 are supported")
    if Decimal(repr(quantity)) % instrument.size_increment:
        raise SettingsError(
            f"--quantity is {quantity!r}, no multiple of the increment {instrument.size_increment:f}; round it, or set --size-increment"
        )


def check_cash(cash: float) -> None:
    if not math.isfinite(cash) or cash <= 0:
        raise SettingsError(f"--cash is {cash:g}; give the starting cash, an amount above zero in quote currency")


def fees(maker: float, taker: float) -> Fees:
    for name, rate in (("--fee-maker", maker), ("--fee-taker", taker)):
        if not math.isfinite(rate) or not 0 <= rate < 1:
            raise SettingsError(f"{name} is {rate:g}; give a fraction of the notional from 0 to below 1 (0.001 is 0.1 %)")
    return Fees(maker=maker, taker=taker)


def fill_mode(name: str) -> FillMode:
    if name not in FILL_MODES:
        raise SettingsError(f"--fill is {name!r}; give one of {', '.join(FILL_MODES)}")
    return FILL_MODES[name]


def limits(assignments: Sequence[str]) -> RiskLimits:
    try:
        return parse_limits(list(assignments))
    except ValueError as error:
        raise SettingsError(f"--limit {error}") from None


def increment(option: str, text: str | None) -> Decimal | None:
    """A price or size increment as an exact decimal."""
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise SettingsError(f"{option} is {text!r}; give a decimal such as 0.01") from None
    if not value.is_finite() or value <= 0:
        raise SettingsError(f"{option} is {text}; give a decimal above zero such as 0.01")
    return value


def market_file(path: Path, *, strategy: type[Strategy], symbol: str | None, price_increment: Decimal | None) -> MarketFile:
    """The checked file, if the strategy has a handler for what is in it."""
    if not acts_on(strategy):
        raise StrategyError(f"strategy {strategy.name} has neither on_bar nor on_trade: it would never see the market")
    data = read_market_file(path, symbol=symbol, price_increment=price_increment)
    if data.kind not in acts_on(strategy):
        wanted = " and ".join(sorted(acts_on(strategy)))
        raise DataError(f"{path}: holds {data.kind}, and strategy {strategy.name} acts on {wanted}; give such a file")
    return data


def instrument_of(data: MarketFile, size_increment: Decimal | None) -> Instrument:
    sizes = size_increment or DEFAULT_SIZE_INCREMENT
    return instrument_from_symbol(data.symbol, price_increment=data.price_increment, size_increment=sizes)


def tape_of_file(data: MarketFile) -> Tape:
    columns = data.columns
    if data.kind == "bars":
        return bars_tape(data.ts_ns, columns["open"], columns["high"], columns["low"], columns["close"], columns["volume"])
    return trades_tape(data.ts_ns, columns["price"], columns["size"], columns["side"])
