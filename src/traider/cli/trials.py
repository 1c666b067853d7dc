"""What ``traider sweep`` and ``traider walkforward`` are asked for, checked before anything runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from traider.domain.errors import SettingsError
from traider.engine.backtest import BacktestSpec
from traider.engine.grid import parse_axis, trials_of
from traider.engine.tape import Tape
from traider.strategies.registry import find_strategy

from . import options


class Prepared(NamedTuple):
    spec: BacktestSpec
    sets: list[dict[str, object]]
    tape: Tape


def prepare(
    *,
    strategy: str,
    data: Path,
    grid: Sequence[str],
    param: Sequence[str],
    random: int | None,
    seed: int,
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
) -> Prepared:
    """The options of the command line, by their names there; a UserError for the first that can't be used."""
    if threads is not None and threads < 1:
        raise SettingsError(f"--threads is {threads}; give at least 1")
    cls = find_strategy(strategy)
    shared = options.parameters(param, quantity=quantity)
    sets = trials_of([parse_axis(axis) for axis in grid], draws=random, seed=seed)
    both = next((name for name in sets[0] if name in shared), None)
    if both is not None:
        raise SettingsError(f"{both} is given by --grid and by --param or --quantity; give it once")
    options.check_cash(cash)
    fees, mode, limits = options.fees(fee_maker, fee_taker), options.fill_mode(fill), options.limits(limit)
    increments = options.increment("--price-increment", price_increment), options.increment("--size-increment", size_increment)
    checked = [cls(**shared, **parameters) for parameters in sets]
    file = options.market_file(data, strategy=cls, symbol=symbol, price_increment=increments[0])
    instrument = options.instrument_of(file, increments[1])
    for trial in checked:
        options.check_quantity(trial.quantity, instrument)
    spec = BacktestSpec(
        strategy=cls, parameters=shared, instrument=instrument, cash=cash, fees=fees, fill=mode, limits=limits, interpreted=interpreted
    )
    return Prepared(spec, sets, options.tape_of_file(file))
