"""What ``traider up`` and ``traider live`` trade on: a market that plays, the guard for it, and the plan that both follow."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from traider.connectors.coinbase.build import Options, options_from
from traider.connectors.coinbase.config import Addresses
from traider.connectors.coinbase.live_market import LiveMarket, instrument_at, kinds_of
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.sim.replay import Replay
from traider.domain.errors import SettingsError, StrategyError
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.vocabulary import EventKind
from traider.engine.session import acts_on
from traider.kernel.kit import Strategy
from traider.runtime.clock import SystemClock
from traider.runtime.settings import Settings
from traider.services.up import ExchangeProcess

from . import options
from .plan import PaperPlan, replayed

PRICE_INCREMENT, SIZE_INCREMENT = Decimal("0.01"), Decimal("0.00000001")
EXCHANGE = "exchange"  # the simulated exchange's folder in the state directory


@dataclass(frozen=True)
class Chosen:
    """A strategy as it is to run."""

    strategy: type[Strategy]
    values: Mapping[str, object]
    interpreted: bool


def at_exchange(exchange: ExchangeProcess) -> dict[str, str]:
    """The variables by which the client of Coinbase finds the simulated one."""
    return {
        "COINBASE_REST_URL": f"http://127.0.0.1:{exchange.port}",
        "COINBASE_WS_URL": f"ws://127.0.0.1:{exchange.port}",
        "COINBASE_WS_USER_URL": f"ws://127.0.0.1:{exchange.port}",
        "COINBASE_CA_FILE": "",
    }


def options_at(exchange: ExchangeProcess, settings: Settings) -> Options:
    """How this process reaches it, for market data."""
    url = f"127.0.0.1:{exchange.port}"
    addresses = Addresses(rest_url=f"http://{url}", market_url=f"ws://{url}", user_urls=(f"ws://{url}",))
    return Options(addresses=addresses, official_sdk=settings.coinbase.official_sdk)


def simulated_instrument(symbol: str) -> Instrument:
    """As the simulated exchange lists it."""
    if not symbol.partition("-")[2]:
        raise SettingsError(f"--symbol {symbol}: write BASE-QUOTE, for example BTC-USD")
    return instrument_from_symbol(symbol, price_increment=PRICE_INCREMENT, size_increment=SIZE_INCREMENT)


def listed_instrument(symbol: str, settings: Settings) -> Instrument:
    """As Coinbase lists it, with its increments and smallest sizes."""
    return asyncio.run(instrument_at(symbol, options_from(settings.coinbase)))


def check_chosen(chosen: Chosen, instrument: Instrument, bars: str) -> None:
    """Tells before anything is started what can't be run on a market that plays by itself."""
    cls = chosen.strategy
    if cls.market != "spot":
        raise StrategyError(f"strategy {cls.name} sells what it does not hold, and {instrument.symbol} there is spot: run it on a --replay")
    if not acts_on(cls):
        raise StrategyError(f"strategy {cls.name} has no handler of the market: it would never see it")
    options.check_quantity(cls(**chosen.values).quantity, instrument)
    options.bar_maker(bars, "--bars")


def live_plan(
    chosen: Chosen, instrument: Instrument, market_options: Options, *, name: Mapping[str, object], bars: str, on_exchange: bool
) -> tuple[PaperPlan, LiveMarket]:
    """The strategy on a market that plays by itself; it has been checked."""
    cls, wants = chosen.strategy, acts_on(chosen.strategy)
    kinds = kinds_of(wants)
    maker = options.bar_maker(bars, "--bars")
    description = {**name, "symbol": instrument.symbol} | ({"bars": bars} if "bars" in wants else {})
    market = LiveMarket(
        instrument, market_options, SystemClock(), kinds=kinds, bars=maker, feeds_past=not on_exchange, make_feed=_feed_for(kinds)
    )
    plan = PaperPlan(cls, chosen.values, instrument, description, lambda: market, chosen.interpreted, kinds=kinds)
    return plan, market


def replay_plan(
    chosen: Chosen, replay: Path, *, speed: float, symbol: str | None, increments: tuple[Decimal | None, Decimal | None]
) -> PaperPlan:
    """The strategy on a recorded file."""
    checked = chosen.strategy(**chosen.values)  # a wrong parameter is told before a large file is read
    market = options.market_file(replay, strategy=chosen.strategy, symbol=symbol, price_increment=increments[0])
    if market.instruments > 1:
        raise SettingsError(f"--replay {replay}: holds {', '.join(market.symbols)}; paper trading is of one instrument: give its file")
    instrument = options.instrument_of(market, increments[1])
    options.check_quantity(checked.quantity, instrument)
    source_of, description = replayed(Replay(options.tape_of_file(market), market.symbols, sha256=market.sha256, speed=speed))
    return PaperPlan(chosen.strategy, chosen.values, instrument, description, source_of, chosen.interpreted, kinds=market.kinds)


def _feed_for(kinds: int) -> type[MarketFeed]:
    """Best bid and ask come straight from the socket's bytes where the rows of the book are not asked for."""
    if kinds >> EventKind.QUOTE & 1 and not kinds >> EventKind.DEPTH & 1:
        from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed  # brings its compiled code with it

        return CompiledMarketFeed
    return MarketFeed
