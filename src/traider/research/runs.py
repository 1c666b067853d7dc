"""A run: a strategy over market data, with its manifest and its statistics; and the same once more from a manifest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from traider.domain.errors import UserError
from traider.engine.backtest import BacktestResult, BacktestSpec, run_backtest
from traider.engine.manifest import DataSource, Manifest, Outcome, code_of, decode
from traider.engine.provenance import Provenance, provenance_of
from traider.engine.report.candles import CandleReader, Candles
from traider.engine.statistics.market import Market, MarketReader
from traider.engine.statistics.summary import Statistics, statistics_of
from traider.engine.stream import Stream
from traider.engine.tape import Tape
from traider.kernel.simulation import Fees
from traider.storage.market import file_sha256
from traider.strategies.registry import find_strategy

from . import amounts, inputs
from .market import MarketData, paths_of

Runner = Callable[[BacktestSpec, Stream], BacktestResult]


@dataclass(frozen=True)
class Run:
    """``strategy`` is how the strategy was asked for, ``fill`` how the fill mode was. ``market`` is told by the data it ran over."""

    strategy: str
    fill: str
    spec: BacktestSpec
    data: MarketData
    result: BacktestResult
    market: Market
    candles: Candles

    @cached_property
    def statistics(self) -> Statistics:
        return statistics_of(self.result, self.spec.instrument, self.market, self.spec.others)

    @cached_property
    def provenance(self) -> Provenance:
        return provenance_of(self.spec, self.data.kinds, data_sha256=self.data.sha256, code=self.manifest.code)

    @cached_property
    def manifest(self) -> Manifest:
        spec, result = self.spec, self.result
        return Manifest(
            strategy=self.strategy,
            parameters=result.parameters,
            instruments=spec.instruments,
            data=tuple(DataSource(path=str(file.path), sha256=file.sha256, symbols=file.symbols) for file in self.data.files),
            bars=self.data.bars,
            cash=spec.cash,
            maker_fee=spec.fees.maker,
            taker_fee=spec.fees.taker,
            fee_tiers=spec.fees.tiers,
            fill=self.fill,
            limits=spec.limits,
            simulation=spec.simulation,
            interpreted=spec.interpreted,
            code=code_of(spec.strategy),
            outcome=Outcome(fills=len(result.fills), fills_sha256=result.fills_sha256, final_equity=result.final_equity),
        )


class _Watched:
    """The stream, looked at as it passes, so that nothing has to be read once more for statistics and charts."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.rows, self.kinds, self.instruments = stream.rows, stream.kinds, stream.instruments
        self.market = MarketReader(stream.kinds)
        self.candles = CandleReader(stream)

    def chunks(self) -> Iterator[Tape]:
        for chunk in self._stream.chunks():
            self.market.add(chunk)
            self.candles.add(chunk)
            yield chunk


def run_spec(strategy: str, spec: BacktestSpec, data: MarketData, fill: str, *, runner: Runner = run_backtest) -> Run:
    """Runs it; ``runner`` may show the progress while it does."""
    watched = _Watched(data)
    result = runner(spec, watched)
    return Run(strategy, fill, spec, data, result, watched.market.market(), watched.candles.candles())


def run_manifest(wanted: Manifest, data: Sequence[Path], *, runner: Runner = run_backtest) -> Run:
    """Runs what the manifest tells, over the files at these paths; UserError if those are not the manifest's."""
    cls = find_strategy(wanted.strategy)
    paths = _by_hash(wanted, data)
    market = inputs.market_of_manifest(wanted, paths, strategy=cls)
    amounts.check_cash(wanted.cash)
    for name, rate in (("maker_fee", wanted.maker_fee), ("taker_fee", wanted.taker_fee)):
        amounts.check_fee(rate, name)
    spec = BacktestSpec(
        strategy=cls,
        parameters=dict(wanted.parameters),
        instrument=wanted.instruments[0],
        others=wanted.instruments[1:],
        cash=wanted.cash,
        fees=Fees(maker=wanted.maker_fee, taker=wanted.taker_fee, tiers=wanted.fee_tiers),
        fill=amounts.fill_mode(wanted.fill),
        limits=wanted.limits,
        simulation=wanted.simulation,
        interpreted=wanted.interpreted,
    )
    return run_spec(wanted.strategy, spec, market, wanted.fill, runner=runner)


def _by_hash(wanted: Manifest, data: Sequence[Path]) -> list[Path]:
    """The paths in the manifest's order of the files, which are known by what is in them."""
    paths = {file_sha256(path): path for path in map(Path, map(str, paths_of(data)))}
    found = [paths.pop(source.sha256, None) for source in wanted.data]
    whole = [path for path in found if path is not None]
    if len(whole) == len(found) and not paths:
        return whole
    if paths:
        raise UserError(
            f"{next(iter(paths.values()))}: is not the file of the manifest (its SHA-256 differs); give the same file with --data"
        )
    missing = next(source for source, path in zip(wanted.data, found, strict=True) if path is None)
    raise UserError(f"{missing.path}: is a file of the manifest and not among the data; give all files with --data")


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file; UserError says why it can't be had."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}; give the path of a manifest that a backtest wrote") from None
    except msgspec.DecodeError as error:
        raise UserError(f"{path}: is not a backtest's manifest: {error}") from None


def data_of_manifest(manifest: Manifest, path: Path) -> list[Path]:
    """Where the manifest's data are: where they were, or else beside the manifest, which is at this path."""
    return [_where(Path(source.path), path.parent) for source in manifest.data]


def _where(data: Path, folder: Path) -> Path:
    beside = folder / data.name
    return beside if not data.exists() and beside.exists() else data
