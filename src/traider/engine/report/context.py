"""What a report says beside the result: where the numbers come from, and how to get them again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..backtest import BacktestSpec
from ..statistics.market import Market
from .candles import Candles


@dataclass(frozen=True)
class ReportContext:
    """Fees, fill mode, limits, quantity and instrument are the spec's; the period is the candles'."""

    spec: BacktestSpec
    candles: Candles
    market: Market
    file_name: str
    data_sha256: str
    created_ns: int
    notes: Mapping[str, int | str] = field(default_factory=dict)  # ``storage.market``'s, on what the data is like
    hashes: Mapping[str, str] = field(default_factory=dict)  # of the strategy's source and of the engine
    versions: Mapping[str, str] = field(default_factory=dict)
    command_line: str = ""
    manifest: str = ""  # the file from which ``traider backtest --manifest`` runs this again
