"""What a notebook asks for, checked: one clear error for what can't be used. The command line has its own words for the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal, TypedDict

from traider.domain.errors import SettingsError, StrategyError
from traider.domain.limits import RiskLimits
from traider.engine.backtest import BacktestSpec
from traider.engine.manifest import parse_limits
from traider.kernel.kit import Strategy
from traider.kernel.simulation import Fees, FillMode, Simulation
from traider.strategies.registry import find_strategy

from . import amounts, inputs
from .market import MarketData

FillName = Literal["next-open", "next-close", "close", "same"]
MarketName = Literal["spot", "margin"]
Increment = Decimal | str | float | None


class Settings(TypedDict, total=False):
    """The settings that every run has, beside strategy and data: what ``ask`` takes."""

    params: Mapping[str, object] | None
    quantity: float | None
    cash: float
    fee_taker: float
    fee_maker: float
    fill: FillName
    limits: RiskLimits | Mapping[str, object] | None
    symbol: str | None
    price_increment: Increment
    size_increment: Increment
    interpreted: bool
    bars: str
    simulation: Simulation | None
    market: MarketName | None
    leverage: Increment


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

    def with_data(self, data: object, quantities: Iterable[float]) -> tuple[BacktestSpec, MarketData]:
        """The spec of a run over these files or frames, for entries of these sizes."""
        market = inputs.market_data(data, strategy=self.strategy, symbol=self.symbol, price_increment=self.price_increment, bars=self.bars)
        kind = amounts.market_name(self.market, self.strategy.market, self.leverage)
        instrument, *others = inputs.instruments_of(market, self.size_increment, kind, self.leverage)
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
    fill: FillName = "next-open",
    limits: RiskLimits | Mapping[str, object] | None = None,
    symbol: str | None = None,
    price_increment: Increment = None,
    size_increment: Increment = None,
    interpreted: bool = False,
    bars: str = "",
    simulation: Simulation | None = None,
    market: MarketName | None = None,
    leverage: Increment = None,
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
        fees=Fees(maker=fee_maker, taker=fee_taker),
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
    )


def _strategy(strategy: object) -> tuple[type[Strategy], str]:
    if isinstance(strategy, str):
        return find_strategy(strategy), strategy
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        return strategy, f"{strategy.__module__}:{strategy.__qualname__}"
    raise StrategyError(f"strategy is {strategy!r}; give a class derived from traider.Strategy, or the name of one")


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
