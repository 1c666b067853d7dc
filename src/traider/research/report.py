"""A run's HTML report as a file."""

from pathlib import Path

from traider.domain.errors import UserError
from traider.engine.report.context import ReportContext
from traider.engine.report.page import render
from traider.runtime.clock import SystemClock

from .runs import Run


def write_report(run: Run, path: Path, *, name: str, command_line: str = "", manifest: str = "", title: str = "") -> None:
    """Writes the page, and makes the folders above it; ``name`` is the setting that the path was given with."""
    page = render(
        run.result, title=title or f"{run.result.strategy} on {run.result.instrument}", context=_context(run, command_line, manifest)
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name} {path}: can't be written: {error.strerror}") from None


def _context(run: Run, command_line: str, manifest: str) -> ReportContext:
    code = run.manifest.code
    return ReportContext(
        spec=run.spec,
        candles=run.candles,
        market=run.market,
        file_name=run.data.name,
        data_sha256=run.data.sha256,
        created_ns=SystemClock().now_ns(),
        notes=run.data.notes,
        hashes={"Strategy": code.strategy_sha256, "Engine": code.kernel_sha256},
        versions={"traider": code.traider, "Python": code.python, "numpy": code.numpy, "numba": code.numba},
        command_line=command_line,
        manifest=manifest,
    )
