"""``traider backtest --report``: what the page is told beside the result."""

import shlex
import sys
from pathlib import Path

from traider.engine.backtest import BacktestResult, BacktestSpec
from traider.engine.manifest import Manifest
from traider.engine.report import ReportContext, candles_of, render
from traider.engine.statistics.market import market_of
from traider.runtime.clock import SystemClock
from traider.storage.market_file import MarketFile

from . import options


def render_report(result: BacktestResult, spec: BacktestSpec, data: MarketFile, manifest: Manifest, written: Path | None) -> str:
    """The page."""
    code = manifest.code
    tape = options.tape_of_file(data)
    context = ReportContext(
        spec=spec,
        candles=candles_of(tape),
        market=market_of(tape),
        file_name=data.path.name,
        data_sha256=data.sha256,
        created_ns=SystemClock().now_ns(),
        notes=data.notes,
        versions={"traider": code.traider, "Python": code.python, "numpy": code.numpy, "numba": code.numba},
        command_line=shlex.join(["traider", *sys.argv[1:]]),
        manifest="" if written is None else written.name,
    )
    return render(result, title=f"{result.strategy} on {result.instrument}", context=context)
