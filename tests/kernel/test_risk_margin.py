"""The risk check on margin: what an order takes, and what carries it."""

from decimal import Decimal

import pytest

from tests.kernel.desks import BUY, SELL, Pit, instrument
from traider.domain.instruments import Instrument
from traider.domain.limits import RiskLimits
from traider.domain.vocabulary import OrderType, Reason
from traider.kernel.simulation import Fees

MARGIN = Reason.INSUFFICIENT_MARGIN


def perpetual(symbol: str = "BTC-PERP", *, initial: str = "0.1", maintenance: str = "0.05", price: str = "0.01") -> Instrument:
    return instrument(symbol, price=price, initial_margin=initial, maintenance_margin=maintenance)


def pit(cash: float = 1000.0, *, price: float = 100.0, **more: object) -> Pit:
    """A contract at 100 that takes a tenth to be opened and a twentieth to be kept."""
    return Pit(perpetual(), marks=[price], cash=cash, **more)  # type: ignore[arg-type]  # handed on


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_takes_its_initial_margin(side: int) -> None:
    """1,000 carries 100 contracts at 100 with a tenth of their worth."""
    market = pit()
    assert market.ask(side, 100.001)[1] is MARGIN
    assert market.ask(side, 100.0)[1] is Reason.NONE


def test_the_fee_has_to_be_there_beside_the_margin() -> None:
    """x contracts take 10 x and 1 x: 1,000 is 90.909 of them."""
    market = pit(fees=Fees(taker=0.01))
    assert market.ask(BUY, 90.91)[1] is MARGIN
    assert market.ask(BUY, 90.909)[1] is Reason.NONE


def test_open_orders_count_on_the_side_where_they_take_more() -> None:
    market = pit()
    market.limit(BUY, 60.0, 100.0)
    assert market.ask(SELL, 100.001, OrderType.LIMIT, limit_price=101.0)[1] is MARGIN
    assert market.ask(BUY, 40.001, OrderType.LIMIT, limit_price=100.0)[1] is MARGIN
    assert market.ask(BUY, 40.0, OrderType.LIMIT, limit_price=100.0)[1] is Reason.NONE
    assert market.ask(SELL, 99.0, OrderType.LIMIT, limit_price=101.0)[1] is Reason.NONE, "100 long or 99 short, not both"


def test_an_order_above_the_market_takes_margin_at_its_own_price() -> None:
    market = pit()
    assert market.ask(BUY, 80.0, OrderType.STOP, stop_price=125.01)[1] is MARGIN
    assert market.ask(BUY, 80.0, OrderType.STOP, stop_price=125.0)[1] is Reason.NONE


def test_profit_carries_more_and_loss_less() -> None:
    market = pit()
    market.hold(50.0, 100.0)
    market.trade(110.0)
    assert market.equity == 1500.0
    assert market.ask(BUY, 86.364)[1] is MARGIN, "136.364 x 11 is 1,500.004"
    assert market.ask(BUY, 86.363)[1] is Reason.NONE
    market = pit()
    market.hold(50.0, 100.0)
    market.trade(90.0)
    assert market.ask(BUY, 5.556)[1] is MARGIN, "500 is left: 55.556 x 9 is 500.004"
    assert market.ask(BUY, 5.555)[1] is Reason.NONE


def test_all_instruments_take_from_one_equity() -> None:
    market = Pit(perpetual(), perpetual("ETH-PERP", initial="0.2", maintenance="0.1"), marks=[100.0, 10.0], cash=1000.0)
    market.hold(60.0, 100.0)  # takes 600
    market.limit(SELL, 100.0, 10.0, inst=1)  # takes 200
    assert market.ask(BUY, 20.001)[1] is MARGIN
    assert market.ask(SELL, 100.001, inst=1)[1] is MARGIN
    assert market.ask(SELL, 100.0, inst=1)[1] is Reason.NONE


def test_what_reduces_needs_no_margin() -> None:
    market = pit()
    market.hold(100.0, 100.0)
    market.trade(96.0)
    assert market.ask(BUY, 0.001)[1] is MARGIN
    assert market.ask(SELL, 100.0)[1] is Reason.NONE


def test_a_position_may_be_turned_as_far_as_the_margin_goes() -> None:
    market = pit()
    market.hold(100.0, 100.0)
    assert market.ask(SELL, 200.001)[1] is MARGIN
    assert market.ask(SELL, 200.0)[1] is Reason.NONE


def test_what_a_short_position_brought_in_buys_nothing_on_spot() -> None:
    """1,000 of equity, of which the short takes 500; the 5,000 that it was sold for are in the cash and not to be spent."""
    market = Pit(perpetual(), instrument("BTC-USD"), marks=[100.0, 100.0], cash=1000.0)
    market.hold(-50.0, 100.0)
    assert market.cash == 6000.0
    assert market.ask(BUY, 5.001, inst=1)[1] is MARGIN
    assert market.ask(BUY, 5.0, OrderType.LIMIT, limit_price=100.0, inst=1)[1] is Reason.NONE
    assert market.ask(BUY, 0.001, inst=1)[1] is MARGIN, "the open order counts"


def test_a_position_limit_holds_on_margin_too() -> None:
    market = pit(limits=RiskLimits(max_position_size=Decimal(2)))
    assert market.ask(SELL, 2.001)[1] is Reason.POSITION_SIZE
    assert market.ask(SELL, 2.0)[1] is Reason.NONE
