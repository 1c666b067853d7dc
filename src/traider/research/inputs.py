"""The market data that a run is asked for with, checked: one clear error for what can't be used."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from traider.domain.errors import DataError, SettingsError, StrategyError
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.engine.manifest import Manifest
from traider.engine.session import acts_on
from traider.engine.stream import whole
from traider.engine.tape import Tape
from traider.kernel.kit import MARKET_HANDLERS, Strategy
from traider.storage.market import MarketFile
from traider.strategies.registry import BUILT_IN

from .market import MarketData, checked_file, paths_of, together

DEFAULT_SIZE_INCREMENT = Decimal("0.00000001")


def market_data(
    data: object, *, strategy: type[Strategy], symbol: str | None, price_increment: Decimal | None, bars: str = ""
) -> MarketData:
    """The checked data, if the strategy has a handler for something that is in them.

    ``data`` is a path or a frame, or several of them; a path may be a folder or a pattern. ``bars`` are made of the trades.
    """
    if not acts_on(strategy):
        raise StrategyError(f"strategy {strategy.name} has none of {', '.join(MARKET_HANDLERS)}: it would never see the market")
    if symbol is not None and not symbol.strip():
        raise SettingsError(f"symbol is {symbol!r}; give the instrument as BASE-QUOTE, such as BTC-USD")
    several = paths_of(data if isinstance(data, list | tuple) else [data])
    if not several:
        raise DataError("no data are given; give a path, or a pyarrow, pandas or polars frame of market data")
    return _for(strategy, together([checked_file(one, symbol=symbol, price_increment=price_increment) for one in several], bars=bars))


def market_of_manifest(manifest: Manifest, paths: Sequence[Path], *, strategy: type[Strategy]) -> MarketData:
    """The manifest's data at these paths, under the names that its instruments have there."""
    only = manifest.instruments[0].price_increment if len(manifest.instruments) == 1 else None
    files = [
        checked_file(path, symbol=source.symbols[0] if len(source.symbols) == 1 else None, price_increment=only)
        for path, source in zip(paths, manifest.data, strict=True)
    ]
    market = together(files, bars=manifest.bars)
    if market.symbols != tuple(instrument.symbol for instrument in manifest.instruments):
        raise DataError(f"{market.path}: holds {', '.join(market.symbols)}, which are not the manifest's instruments; make a new one")
    return _for(strategy, market)


def _for(strategy: type[Strategy], market: MarketData) -> MarketData:
    """The market, if the strategy acts on something that is in it."""
    kinds = acts_on(strategy)
    if not market.kinds & sum(1 << kind for kind in kinds.values()):
        wanted = " and ".join(sorted(kinds))
        raise DataError(f"{market.path}: holds {market.kind}, and strategy {strategy.name} acts on {wanted}; give such data")
    if market.instruments > 1 and strategy in BUILT_IN.values():  # it would take the prices of all for those of one
        symbols = ", ".join(market.symbols)
        raise DataError(
            f"{market.path}: the data hold {symbols}, and strategy {strategy.name} trades one instrument; give the data of one, "
            "with its symbol where the files' names don't tell, or a strategy that tells them apart"
        )
    return market


DEFAULT_LEVERAGE = Decimal(10)
_MAINTENANCE = Decimal("0.5")  # of the initial margin


def instrument_of(
    data: MarketData | MarketFile, size_increment: Decimal | None, market: str = "spot", leverage: Decimal | None = None
) -> Instrument:
    """The first instrument."""
    return instruments_of(data, size_increment, market, leverage)[0]


def instruments_of(
    data: MarketData | MarketFile, size_increment: Decimal | None, market: str = "spot", leverage: Decimal | None = None
) -> tuple[Instrument, ...]:
    """All of them, by number; on ``margin`` they can be sold short, and a position takes its notional over the leverage.

    The account is liquidated at half of that.

    DataError where they are not of one quote currency, in which an account counts.
    """
    sizes = size_increment or DEFAULT_SIZE_INCREMENT
    found = tuple(
        _on(market, leverage or DEFAULT_LEVERAGE, instrument_from_symbol(symbol, price_increment=increment, size_increment=sizes))
        for symbol, increment in zip(data.symbols, data.price_increments, strict=True)
    )
    other = next((one for one in found if one.quote != found[0].quote), None)
    if other is not None:
        raise DataError(
            f"{data.path}: {found[0].symbol} is quoted in {found[0].quote} and {other.symbol} in {other.quote}; "
            "an account is of one currency: give instruments of one"
        )
    return found


def _on(market: str, leverage: Decimal, instrument: Instrument) -> Instrument:
    if market != "margin":
        return instrument
    initial = 1 / leverage
    return msgspec.structs.replace(instrument, shortable=True, initial_margin=initial, maintenance_margin=initial * _MAINTENANCE)


def tape_of(data: MarketData | MarketFile) -> Tape:
    """All events in memory, once: for what goes over them many times."""
    return whole(together([data]) if isinstance(data, MarketFile) else data)
