"""Errors that come with status 200, told apart by their words; the key is in none of ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.alphavantage.local_server import (
    BAD_CALL,
    BAD_KEY,
    DAILY_LIMIT,
    DEMO,
    KEY,
    PER_MINUTE,
    PREMIUM,
    TOO_FAST,
    daily,
    row,
    said,
)
from traider.connectors.alphavantage.client import redaction
from traider.connectors.alphavantage.read_reply import MINUTE_S, SECOND_S, read_reply
from traider.domain.errors import UserError
from traider.domain.history import ProviderError, ProviderRefusedError, ProviderUnavailableError, RateLimitedError

REDACT = redaction(KEY)


@pytest.mark.parametrize(
    ("key", "text", "wait_s"),
    [
        ("Information", DAILY_LIMIT, None),
        ("Note", DAILY_LIMIT, None),
        ("Information", TOO_FAST, SECOND_S),
        ("Note", PER_MINUTE, MINUTE_S),
        ("Information", "Thank you, and good bye.", None),  # no known word: as if it were a limit, of unknown duration
        ("Note", "", None),
    ],
)
def test_limits(key: str, text: str, wait_s: float | None) -> None:
    with pytest.raises(RateLimitedError) as caught:
        read_reply(*said(key, text), REDACT)
    assert caught.value.wait_s == wait_s
    assert not isinstance(caught.value, UserError)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "text", "remedy"),
    [
        ("Information", PREMIUM, "the key's plan"),
        ("Information", DEMO, "check ALPHAVANTAGE_API_KEY"),
        ("Error Message", BAD_KEY, "check ALPHAVANTAGE_API_KEY"),
        ("Error Message", BAD_CALL, "check the symbol"),
    ],
)
def test_refusals_are_the_users_to_mend(key: str, text: str, remedy: str) -> None:
    with pytest.raises(ProviderRefusedError, match=remedy) as caught:
        read_reply(*said(key, text), REDACT)
    assert isinstance(caught.value, UserError)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, b"", RateLimitedError),
        (500, b"{}", ProviderUnavailableError),
        (302, b"", ProviderUnavailableError),
        (200, b"<html>", ProviderUnavailableError),
        (200, b"timestamp,open\n", ProviderUnavailableError),
        (200, b"\xff{", ProviderUnavailableError),
        (200, b"[]", ProviderUnavailableError),
        (200, b"{}", ProviderRefusedError),
    ],
)
def test_what_is_no_answer(status: int, body: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        read_reply(status, body, REDACT)


def test_information_within_the_meta_data_is_no_error() -> None:
    answer = daily({"2026-03-06": row(1)})
    assert read_reply(200, json.dumps(answer).encode(), REDACT) == answer
    with pytest.raises(RateLimitedError):
        read_reply(200, json.dumps({**answer, "Note": PER_MINUTE}).encode(), REDACT)


@given(key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=20), before=st.text(max_size=300))
def test_a_key_is_in_no_message_wherever_it_stands_in_the_answer(key: str, before: str) -> None:
    for written in (key, key.lower(), key.upper()):
        with pytest.raises(ProviderError) as caught:
            read_reply(*said("Error Message", f"{before} {written} and on"), redaction(key))
        assert written not in str(caught.value).removeprefix("Alpha Vantage: ").replace("ALPHAVANTAGE_API_KEY", "").replace("[key]", "")


def test_a_message_that_is_cut_does_not_end_in_half_a_key() -> None:
    with pytest.raises(ProviderError) as caught:
        read_reply(*said("Error Message", "x" * 295 + " " + KEY), REDACT)
    assert KEY[:4] not in str(caught.value)
