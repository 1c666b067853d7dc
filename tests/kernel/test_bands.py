"""The volatility band against its formulas, computed here with the standard library on the same prices."""

import math
import random
import statistics
from decimal import Decimal
from itertools import pairwise
from typing import Literal

import pytest

from traider.domain.errors import UserError
from traider.domain.limits import RiskLimits
from traider.kernel.control_desk import Controls

MINUTE_NS = 60_000_000_000
Method = Literal["std", "ewma", "atr"]


def prices(count: int) -> list[float]:
    source = random.Random(7)
    walk = [100.0]
    while len(walk) < count:
        walk.append(round(walk[-1] * (1 + source.gauss(0, 0.002)), 2))
    return walk


def controls(method: Method, length: int, mult: str = "3") -> Controls:
    return Controls(
        RiskLimits(
            volatility_method=method,
            volatility_window=None if method == "atr" else length,
            atr_window=length if method == "atr" else None,
            volatility_mult=Decimal(mult),
            volatility_alpha=Decimal("0.9"),
        )
    )


def shown(band: Controls, walk: list[float], first: int = 0) -> None:
    for minute, price in enumerate(walk, first):
        band.see_market(0, minute * MINUTE_NS, price)


def changes(walk: list[float]) -> list[float]:
    """Returns between spans that are over: the last price's span still runs."""
    return [after / before - 1.0 for before, after in pairwise(walk[:-1])]


def weighted(returns: list[float]) -> float:
    variance = returns[0] ** 2
    for change in returns[1:]:
        variance = 0.9 * variance + 0.1 * change**2
    return math.sqrt(variance)


def test_the_deviation_is_the_sample_deviation_of_the_last_returns() -> None:
    walk, band = prices(60), controls("std", 20)
    shown(band, walk)
    assert band.band_width(0) == pytest.approx(3 * statistics.stdev(changes(walk)[-20:]), rel=1e-12)


def test_ewma_weighs_the_past_with_alpha() -> None:
    walk, band = prices(60), controls("ewma", 20)
    shown(band, walk)
    assert band.band_width(0) == pytest.approx(3 * weighted(changes(walk)), rel=1e-12)


def test_atr_is_the_mean_of_absolute_returns() -> None:
    walk, band = prices(60), controls("atr", 14)
    shown(band, walk)
    assert band.band_width(0) == pytest.approx(3 * statistics.fmean(map(abs, changes(walk)[-14:])), rel=1e-12)


@pytest.mark.parametrize("method", ["std", "ewma", "atr"])
def test_the_band_is_known_after_as_many_returns_as_the_window_holds(method: Method) -> None:
    band = controls(method, 5)
    walk = prices(7)
    shown(band, walk[:6])
    assert (band.returns_seen(0), band.band_width(0)) == (4, None), "six prices end five spans, between which lie four returns"
    shown(band, walk[6:], first=6)
    assert band.returns_seen(0) == 5
    assert band.band_width(0) is not None


def test_many_prices_within_a_span_count_once_with_the_last() -> None:
    walk = prices(30)
    quiet, busy = controls("std", 10), controls("std", 10)
    shown(quiet, walk)
    for minute, price in enumerate(walk):
        for second in range(5):
            busy.see_market(0, minute * MINUTE_NS + second, price * 1.5)
        busy.see_market(0, minute * MINUTE_NS + 30, price)
    assert busy.band_width(0) == quiet.band_width(0)


def test_each_instrument_has_a_band_of_its_own() -> None:
    band = controls("std", 10)
    for minute, price in enumerate(prices(30)):
        band.see_market(0, minute * MINUTE_NS, price)
        band.see_market(1, minute * MINUTE_NS, 50.0)
    assert band.band_width(1) == 0.0
    assert band.band_width(0) != 0.0


def test_a_price_does_not_change_the_band_before_its_span_is_over() -> None:
    walk = prices(30)
    band = controls("std", 10)
    shown(band, walk)
    before = band.band_width(0)
    band.see_market(0, 29 * MINUTE_NS + 1, 1_000_000.0)
    assert band.band_width(0) == before


@pytest.mark.parametrize(("method", "length"), [("std", 1), ("std", 257), ("atr", 257)])
def test_a_window_that_can_not_be_measured_is_refused(method: Method, length: int) -> None:
    with pytest.raises(UserError, match=f"_window is {length}"):
        controls(method, length)
