"""What ``traider sweep`` and ``traider walkforward`` are asked for, checked before anything runs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from traider.domain.errors import SettingsError
from traider.engine.backtest import BacktestSpec
from traider.engine.grid import Axis, parse_axis, trials_of
from traider.engine.tape import Tape
from traider.kernel.kit import Strategy
from traider.research.market import MarketData
from traider.research.search_plan import SearchPlan
from traider.strategies.registry import find_strategy

from . import options
from .simulation import VenueOptions


class Prepared(NamedTuple):
    spec: BacktestSpec
    search: SearchPlan
    market: MarketData
    tape: Tape


def prepare(
    *,
    strategy: str,
    data: Sequence[Path],
    bars: str,
    search: SearchPlan,
    param: Sequence[str],
    quantity: float | None,
    cash: float,
    fee_taker: float,
    fee_maker: float,
    fill: str,
    limit: Sequence[str],
    symbol: str | None,
    price_increment: str | None,
    size_increment: str | None,
    threads: int | None,
    interpreted: bool,
    venue: VenueOptions,
) -> Prepared:
    """The options of the command line, by their names there; a UserError for the first that can't be used."""
    if threads is not None and threads < 1:
        raise SettingsError(f"--threads is {threads}; give at least 1")
    cls = find_strategy(strategy)
    shared = options.parameters(param, quantity=quantity)
    both = next((name for name, _ in search.axes if name in shared), None)
    if both is not None:
        raise SettingsError(f"{both} is given by --grid and by --param or --quantity; give it once")
    options.check_cash(cash)
    fees, mode, limits = venue.fees(fee_maker, fee_taker), options.fill_mode(fill), options.limits(limit)
    simulation, instruments_of = venue.simulation(), venue.instruments(cls.market)
    if bars:
        options.bar_maker(bars, "--bars")
    increments = options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment)
    quantities = _quantities(cls, shared, search)
    market = options.market_file(list(data), strategy=cls, symbol=symbol, price_increment=increments[0], bars=bars)
    instrument, *others = instruments_of(market, increments[1])
    for size in sorted(quantities):
        options.check_quantity(size, instrument)
    spec = BacktestSpec(
        strategy=cls,
        parameters=shared,
        instrument=instrument,
        others=tuple(others),
        cash=cash,
        fees=fees,
        fill=mode,
        limits=limits,
        simulation=simulation,
        interpreted=interpreted,
    )
    if search.tpe is not None:
        search.space(spec)  # a strategy without ranges is told now
    return Prepared(spec, search, market, options.tape_of_file(market))


def plan_of(*, grid: Sequence[str], random: int | None, tpe: int | None, seed: int) -> SearchPlan:
    """The search that the options ask for."""
    return SearchPlan(axes=tuple(parse_axis(axis) for axis in grid), random=random, tpe=tpe, seed=seed)


def _quantities(cls: type[Strategy], shared: dict[str, object], search: SearchPlan) -> set[float]:
    """Every size that a trial may have; a parameter that no strategy could be made with is told here."""
    sets: Iterable[dict[str, object]] = search.sets() if search.tpe is None else _each_value(search.axes)
    return {cls(**shared, **parameters).quantity for parameters in sets}


def _each_value(axes: Sequence[Axis]) -> list[dict[str, object]]:
    """Of a search whose sets are not known yet: every value of every axis, one at a time."""
    trials_of([(name, values[:1]) for name, values in axes])  # an axis that is given twice is told
    return [{}, *({name: value} for name, values in axes for value in values)]
