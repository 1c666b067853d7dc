"""The market data that a run is asked for with, checked: one clear error for what can't be used."""

from decimal import Decimal
from pathlib import Path

from traider.domain.errors import DataError, StrategyError
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.engine.session import acts_on
from traider.engine.tape import Tape, bars_tape, trades_tape
from traider.kernel.kit import Strategy
from traider.storage.market_file import MarketFile, market_frame, read_market_file

DEFAULT_SIZE_INCREMENT = Decimal("0.00000001")


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
