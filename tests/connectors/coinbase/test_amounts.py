from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.connectors.coinbase.amounts import amount, moment_ns, moment_text, optional_amount, plain, positive_amount
from traider.connectors.coinbase.malformed import MalformedError


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.00000001", "0.00000001"), ("65083.67", "65083.67"), ("", "0"), (None, "0"), (10, "10"), (0.1, "0.1"), ("1e-8", "0.00000001")],
)
def test_a_number_is_exact(text: str | float | None, value: str) -> None:
    assert amount(text, "it") == Decimal(value)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-inf", "1,5", "abc", "0x10"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(MalformedError, match="it is no"):
        amount(text, "it")


def test_missing_is_none_or_an_error_where_it_matters() -> None:
    assert optional_amount("", "it") is None
    assert optional_amount("0", "it") == 0
    for missing in ("", None, "0", "-1"):
        with pytest.raises(MalformedError, match="above zero"):
            positive_amount(missing, "it")


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("2026-08-09T21:05:48.228568804Z", 1_786_309_548_228_568_804),
        ("2026-08-09T21:05:42.51Z", 1_786_309_542_510_000_000),
        ("2026-08-09T21:05:42Z", 1_786_309_542_000_000_000),
        ("2026-08-09T23:05:42+02:00", 1_786_309_542_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_a_moment_is_exact_to_the_nanosecond(text: str | None, expected_ns: int) -> None:
    assert moment_ns(text, "it") == expected_ns


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-09T21:05:42Z", "2026-08-09", "2026-08-09T21:05:42.Z", "2026-08-09T21:05:42.1x2Z", "20Z"]
)
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(MalformedError, match="it is no time"):
        moment_ns(text, "it")


@given(st.integers(min_value=0, max_value=2**62))
def test_a_moment_survives_being_written(ts_ns: int) -> None:
    assert moment_ns(moment_text(ts_ns), "it") == ts_ns


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 (a zone is put on below)
def test_moments_are_those_of_the_calendar(when: datetime) -> None:
    when = when.replace(tzinfo=UTC)
    seconds = int(when.replace(microsecond=0).timestamp())
    text = when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert moment_ns(text, "it") == seconds * 10**9 + when.microsecond * 1000


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_number_is_written_plainly(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
    assert "E" not in plain(value)
