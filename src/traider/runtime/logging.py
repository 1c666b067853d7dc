"""One logging pipeline for our own and our libraries' messages: JSON lines with a trace id, or readable text on a terminal.

A trace id is 32 hex digits, made where a piece of work begins (an HTTP request, a batch of orders); every message written while
that work runs carries it.
"""

import logging
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from .settings import LogSettings

_TRACE_ID = re.compile(r"[0-9a-f]{32}")

# These speak at INFO of what we log better ourselves.
_QUIET = dict.fromkeys(("aiosqlite", "alembic", "asyncio", "picows", "uvicorn"), logging.WARNING)


def configure_logging(settings: LogSettings, stream: TextIO | None = None) -> None:
    """From now on every message of this process goes to ``stream`` (default stderr). Calling it again replaces the pipeline."""
    stream = sys.stderr if stream is None else stream
    as_text = settings.format == "console" or (settings.format == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _drop_colour, *_rendering(as_text, stream)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level_number)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, settings.level_number))
    logging.captureWarnings(True)


def _drop_colour(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's second text of the same message
    return event


def _rendering(as_text: bool, stream: TextIO) -> list[Processor]:
    if as_text:
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="time")]
    return [
        structlog.processors.dict_tracebacks,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(default=str),
    ]


@contextmanager
def trace(trace_id: str | None = None) -> Iterator[str]:
    """The trace id that every message within the block carries; a new one where the given one is none of ours."""
    if trace_id is None or not _TRACE_ID.fullmatch(trace_id):
        trace_id = secrets.token_hex(16)
    with structlog.contextvars.bound_contextvars(trace_id=trace_id):
        yield trace_id
