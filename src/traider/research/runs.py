"""A run: a strategy over market data, with its manifest and its statistics; and the same once more from a manifest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from traider.domain.errors import UserError
from traider.engine.backtest import BacktestResult, BacktestSpec, run_backtest
from traider.engine.manifest import DataSource, Manifest, Outcome, code_of, decode
from traider.engine.provenance import Provenance, provenance_of
from traider.engine.statistics.market import market_of
from traider.engine.statistics.summary import Statistics, statistics_of
from traider.engine.tape import Tape
from traider.kernel.simulation import Fees
from traider.storage.market_file import MarketFile
from traider.strategies.registry import find_strategy

from . import amounts, inputs

Runner = Callable[[BacktestSpec, Tape], BacktestResult]


@dataclass(frozen=True)
class Run:
    """``strategy`` is how the strategy was asked for, ``fill`` how the fill mode was."""

    strategy: str
    fill: str
    spec: BacktestSpec
    data: MarketFile
    tape: Tape
    result: BacktestResult

    @cached_property
    def statistics(self) -> Statistics:
        return statistics_of(self.result, self.spec.instrument, market_of(self.tape))

    @cached_property
    def provenance(self) -> Provenance:
        return provenance_of(self.spec, self.tape, data_sha256=self.data.sha256, code=self.manifest.code)

    @cached_property
    def manifest(self) -> Manifest:
        spec, result = self.spec, self.result
        return Manifest(
            strategy=self.strategy,
            parameters=result.parameters,
            instrument=spec.instrument,
            data=DataSource(path=str(self.data.path), sha256=self.data.sha256),
            cash=spec.cash,
            maker_fee=spec.fees.maker,
            taker_fee=spec.fees.taker,
            fill=self.fill,
            limits=spec.limits,
            interpreted=spec.interpreted,
            code=code_of(spec.strategy),
            outcome=Outcome(fills=len(result.fills), fills_sha256=result.fills_sha256, final_equity=result.final_equity),
        )


def run_spec(strategy: str, spec: BacktestSpec, data: MarketFile, fill: str, *, runner: Runner = run_backtest) -> Run:
    """Runs it; ``runner`` may show the progress while it does."""
    tape = inputs.tape_of(data)
    return Run(strategy, fill, spec, data, tape, runner(spec, tape))


def run_manifest(wanted: Manifest, path: Path, *, runner: Runner = run_backtest) -> Run:
    """Runs what the manifest tells, over the file at this path; UserError if that isn't the manifest's."""
    cls = find_strategy(wanted.strategy)
    data = inputs.market_data(path, strategy=cls, symbol=wanted.instrument.symbol, price_increment=wanted.instrument.price_increment)
    if data.sha256 != wanted.data.sha256:
        raise UserError(f"{path}: is not the file of the manifest (its SHA-256 differs); give the same file with --data")
    amounts.check_cash(wanted.cash)
    for name, rate in (("maker_fee", wanted.maker_fee), ("taker_fee", wanted.taker_fee)):
        amounts.check_fee(rate, name)
    spec = BacktestSpec(
        strategy=cls,
        parameters=dict(wanted.parameters),
        instrument=wanted.instrument,
        cash=wanted.cash,
        fees=Fees(maker=wanted.maker_fee, taker=wanted.taker_fee),
        fill=amounts.fill_mode(wanted.fill),
        limits=wanted.limits,
        interpreted=wanted.interpreted,
    )
    return run_spec(wanted.strategy, spec, data, wanted.fill, runner=runner)


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file; UserError says why it can't be had."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}; give the path of a manifest that a backtest wrote") from None
    except msgspec.DecodeError as error:
        raise UserError(f"{path}: is not a backtest's manifest: {error}") from None


def data_of_manifest(manifest: Manifest, path: Path) -> Path:
    """Where the manifest's data are: where they were, or else beside the manifest, which is at this path."""
    data = Path(manifest.data.path)
    beside = path.parent / data.name
    return beside if not data.exists() and beside.exists() else data
