import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from traider.runtime.logging import configure_logging, trace
from traider.runtime.settings import LogSettings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    named = {name: logging.getLogger(name).level for name in ("aiosqlite", "alembic", "asyncio", "picows", "uvicorn")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, its_level in named.items():
        logging.getLogger(name).setLevel(its_level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configured(level: str = "INFO", format_: str = "json", stream: io.StringIO | None = None) -> io.StringIO:
    stream = io.StringIO() if stream is None else stream
    configure_logging(LogSettings.model_validate({"level": level, "format": format_}), stream)
    return stream


def test_ours_and_the_libraries_messages_are_json_lines_of_one_shape() -> None:
    stream = configured()
    structlog.get_logger("traider.guard").warning("order refused", reason="kill switch", size=1)
    logging.getLogger("library").info("listening on %s", "127.0.0.1", extra={"color_message": "the same in colours"})
    ours, theirs = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", ours.pop("time"))
    assert ours == {"level": "warning", "logger": "traider.guard", "message": "order refused", "reason": "kill switch", "size": 1}
    theirs.pop("time")
    assert theirs == {"level": "info", "logger": "library", "message": "listening on 127.0.0.1"}


def test_what_is_logged_within_a_trace_carries_its_id() -> None:
    stream = configured()
    log = structlog.get_logger("traider.api")
    with trace() as outer:
        log.info("one")
        logging.getLogger("library").warning("two")
        with trace() as inner:
            log.info("three")
        log.info("four")
    log.info("five")
    assert re.fullmatch(r"[0-9a-f]{32}", outer)
    assert outer != inner
    assert [line.get("trace_id") for line in lines(stream)] == [outer, outer, inner, outer, None]


def test_a_given_trace_id_is_kept_when_it_is_one() -> None:
    given = "0123456789abcdef" * 2
    with trace(given) as kept:
        assert kept == given
    for wrong in ("", "short", given.upper(), given + "0"):
        with trace(wrong) as made:
            assert re.fullmatch(r"[0-9a-f]{32}", made)
            assert made != wrong


def test_below_its_level_nothing_is_logged() -> None:
    stream = configured("WARNING")
    log = structlog.get_logger("traider.api")
    log.info("quiet")
    logging.getLogger("library").info("quiet")
    log.error("loud")
    assert [line["message"] for line in lines(stream)] == ["loud"]


def test_talkative_libraries_are_heard_from_warnings_on() -> None:
    stream = configured("INFO")
    logging.getLogger("alembic.runtime.migration").info("running upgrade")
    logging.getLogger("alembic.runtime.migration").warning("odd")
    assert [line["message"] for line in lines(stream)] == ["odd"]


def test_an_exception_is_structured() -> None:
    stream = configured()
    try:
        raise ValueError("no such thing")
    except ValueError:
        structlog.get_logger("traider.api").exception("failed")
    (line,) = lines(stream)
    assert (line["exception"][0]["exc_type"], line["exception"][0]["exc_value"]) == ("ValueError", "no such thing")


def test_a_value_that_json_does_not_know_is_told_as_text() -> None:
    stream = configured()
    structlog.get_logger("traider.api").info("odd", value={1, 2}.__class__)
    assert lines(stream)[0]["value"] == "<class 'set'>"


def test_warnings_are_logged() -> None:
    stream = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old" in lines(stream)[0]["message"]


@pytest.mark.parametrize(
    ("format_", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("json", Terminal(), True),
        ("console", io.StringIO(), False),
    ],
)
def test_people_get_text_and_machines_json(format_: str, stream: io.StringIO, is_json: bool) -> None:
    configured(format_=format_, stream=stream)
    structlog.get_logger("traider.api").info("hello", answer=42)
    text = stream.getvalue()
    assert "hello" in text
    assert text.startswith("{") is is_json


def test_configuring_again_replaces_the_pipeline() -> None:
    first = configured()
    second = configured()
    structlog.get_logger("traider.api").info("hello")
    assert first.getvalue() == ""
    assert len(lines(second)) == 1
