"""What a notebook asks for, checked: one clear error for what can't be used. The command line has its own words for the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal, TypedDict

from traider.domain.errors import SettingsError, StrategyError
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestSpec
from traider.engine.manifest import parse_limits
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees, FeeTier, FillMode, Simulation
from traider.strategies.registry import find_strategy

from . import amounts, inputs
from .instrument_settings import InstrumentSettings, read_settings, with_settings
from .market import MarketData

FillName = Literal["next-open", "next-close", "close", "same"]
MarketName = Literal["spot", "margin"]
Increment = Decimal | str | float | None


DEFAULT_FILL: FillName = "next-open"


class Settings(TypedDict, total=False):
    """The settings that every run has, beside strategy and data: what ``ask`` takes. All have a default."""

    params: Mapping[str, object] | None  # by name
    quantity: float | None  # size of one entry; 1 unless the strategy says otherwise
    cash: float  # starting cash, in quote currency
    fee_taker: float  # fractions of the notional
    fee_maker: float
    fee_tiers: Sequence[tuple[float, float, float]]  # (volume, maker, taker), from a volume of 30 days on
    fill: FillName  # where market orders fill
    limits: RiskLimits | Mapping[str, object] | None  # risk limits by name
    symbol: str | None  # where the data don't tell
    price_increment: Increment
    size_increment: Increment
    interpreted: bool  # as ordinary Python, for a debugger
    bars: str  # made of the trades while they pass: 5s, 1m, volume:100, dollar:1000000
    simulation: Simulation | None  # queue, latency, slippage, ...: traider.kernel.simulation
    market: MarketName | None
    leverage: Increment  # on margin
    instruments: Mapping[str, Mapping[str, object]] | None  # settings of single ones: {"BTC-USD": {"taker_fee": 0.001}}; "*" is every one


@dataclass(frozen=True)
class Asked:
    """Settings that were checked as far as they can be without the data. ``name`` is how the strategy was asked for."""

    name: str
    strategy: type[Strategy]
    parameters: dict[str, object]
    cash: float
    fees: Fees
    fill: FillMode
    limits: RiskLimits
    symbol: str | None
    price_increment: Decimal | None
    size_increment: Decimal | None
    interpreted: bool
    bars: str = ""
    simulation: Simulation = field(default_factory=Simulation)
    market: str | None = None
    leverage: Decimal | None = None
    instruments: InstrumentSettings = field(default_factory=dict)

    def with_data(self, data: object, quantities: Iterable[float]) -> tuple[BacktestSpec, MarketData]:
        """The spec of a run over these files or frames, for entries of these sizes."""
        market = inputs.market_data(data, strategy=self.strategy, symbol=self.symbol, price_increment=self.price_increment, bars=self.bars)
        kind = amounts.market_name(self.market, self.strategy.market, self.leverage)
        found = inputs.instruments_of(market, self.size_increment, kind, self.leverage)
        instrument, *others = with_settings(found, self.instruments, "instruments")
        for quantity in quantities:
            amounts.check_quantity(quantity, instrument)
        spec = BacktestSpec(
            strategy=self.strategy,
            parameters=self.parameters,
            instrument=instrument,
            others=tuple(others),
            cash=self.cash,
            fees=self.fees,
            fill=self.fill,
            limits=self.limits,
            simulation=self.simulation,
            interpreted=self.interpreted,
        )
        return spec, market


def ask(
    strategy: str | type[Strategy],
    *,
    params: Mapping[str, object] | None = None,
    quantity: float | None = None,
    cash: float = 100_000.0,
    fee_taker: float = 0.0,
    fee_maker: float = 0.0,
    fee_tiers: Sequence[tuple[float, float, float]] = (),
    fill: FillName = DEFAULT_FILL,
    limits: RiskLimits | Mapping[str, object] | None = None,
    symbol: str | None = None,
    price_increment: Increment = None,
    size_increment: Increment = None,
    interpreted: bool = False,
    bars: str = "",
    simulation: Simulation | None = None,
    market: MarketName | None = None,
    leverage: Increment = None,
    instruments: Mapping[str, Mapping[str, object]] | None = None,
) -> Asked:
    """The settings of ``traider.backtest`` and its siblings; a UserError for the first that can't be used."""
    cls, name = _strategy(strategy)
    values = dict(params or {})
    if quantity is not None:
        if "quantity" in values:
            raise StrategyError("quantity is given twice, by itself and in params; give it once")
        values["quantity"] = quantity
    cash, fee_maker, fee_taker = _number("cash", cash), _number("fee_maker", fee_maker), _number("fee_taker", fee_taker)
    amounts.check_cash(cash)
    amounts.check_fee(fee_maker, "fee_maker")
    amounts.check_fee(fee_taker, "fee_taker")
    return Asked(
        name=name,
        strategy=cls,
        parameters=values,
        cash=cash,
        fees=Fees(maker=fee_maker, taker=fee_taker, tiers=tuple(_tier(one) for one in fee_tiers)),
        fill=amounts.fill_mode(fill),
        limits=_limits(limits),
        symbol=symbol,
        price_increment=_increment("price_increment", price_increment),
        size_increment=_increment("size_increment", size_increment),
        interpreted=interpreted,
        bars=bars,
        simulation=simulation or Simulation(),
        market=market,
        leverage=_increment("leverage", leverage),
        instruments=read_settings(instruments),
    )


def _strategy(strategy: object) -> tuple[type[Strategy], str]:
    if isinstance(strategy, str):
        return find_strategy(strategy), strategy
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        return strategy, f"{strategy.__module__}:{strategy.__qualname__}"
    raise StrategyError(f"strategy is {strategy!r}; give a class derived from traider.Strategy, or the name of one")


def _tier(tier: tuple[float, float, float]) -> FeeTier:
    try:
        volume, maker, taker = tier
    except (TypeError, ValueError):
        raise SettingsError(f"fee_tiers: {tier!r}; give three numbers a tier: volume, maker, taker") from None
    made = FeeTier(volume=_number("fee_tiers: a volume", volume), maker=_number("a fee", maker), taker=_number("a fee", taker))
    for rate in (made.maker, made.taker):
        amounts.check_fee(rate, "fee_tiers: a fee")
    return made


def _number(name: str, value: float) -> float:
    """A plain float also of what numpy and Decimal have."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{name} is {value!r}; give a number") from None


def _limits(limits: RiskLimits | Mapping[str, object] | None) -> RiskLimits:
    if limits is None or isinstance(limits, RiskLimits):
        return limits or RiskLimits()
    try:
        return parse_limits([f"{name}={_text(value)}" for name, value in limits.items()])
    except ValueError as error:
        raise SettingsError(f"limits: {error}") from None


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def _increment(name: str, value: Decimal | str | float | None) -> Decimal | None:
    if value is None:
        return None
    try:
        increment = Decimal(str(value))
    except InvalidOperation:
        raise SettingsError(f"{name} is {value!r}; give a decimal such as 0.01") from None
    if not increment.is_finite() or increment <= 0:
        raise SettingsError(f"{name} is {value}; give a decimal above zero such as 0.01")
    return increment
