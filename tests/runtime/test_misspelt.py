"""A setting with a slip in its name is noticed, and a variable of somebody else's is let be."""

import pytest

from traider.runtime.misspelt import misspelt
from traider.runtime.settings import variables


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MAX_DAILYLOSS", "MAX_DAILY_LOSS"),
        ("max_daily_loss", "MAX_DAILY_LOSS"),
        ("MAX_DRAW_DOWN", "MAX_DRAWDOWN"),
        ("MAX_ORDERS_PER_HOUR", "MAX_ORDERS_PER_SECOND"),
        ("MAX_NOTIONAL", "MAX_ORDER_NOTIONAL"),
        ("SAFEMODE", "SAFE_MODE"),
        ("ALLOWED_MARKET", "ALLOWED_MARKETS"),
        ("LIVE_TRADING", "LIVE_TRADING_DEFAULT"),
        ("VOLATILITY_MULTI", "VOLATILITY_MULT"),
    ],
)
def test_a_limit_or_a_switch_with_a_slip_in_its_name_holds_live_trading_back(name: str, meant: str) -> None:
    (found,) = misspelt({name: "5"})
    assert (found.name, found.meant, found.holds_back) == (name, meant, True)
    assert str(found) == f"{name} is no setting and does nothing: did you mean {meant}?"


@pytest.mark.parametrize("name", ["LOG_LEVELS", "COINBASE_SECRET"])
def test_another_setting_with_a_slip_is_told_and_holds_nothing_back(name: str) -> None:
    (found,) = misspelt({name: "x"})
    assert found.meant
    assert not found.holds_back


def test_what_begins_like_a_setting_and_is_near_none_is_told_too() -> None:
    (found,) = misspelt({"MAX_LOSS_PER_DAY": "5"})
    assert (str(found), found.holds_back) == ("MAX_LOSS_PER_DAY is no setting and does nothing", False)


@pytest.mark.parametrize(
    "name", ["PATH", "HTTP_PORT", "API_KEY", "LOG_FILE", "STATE_DIR", "HOST", "DATABASE_PASSWORD", "TRAIDER_CACHE_DIR"]
)
def test_variables_of_others_are_let_be(name: str) -> None:
    assert list(misspelt({name: "5"})) == []


def test_settings_themselves_are_no_slips_nor_is_a_slip_without_a_value() -> None:
    assert list(misspelt(dict.fromkeys(variables(), "1"))) == []
    assert list(misspelt({"MAX_DAILYLOSS": " "})) == []
