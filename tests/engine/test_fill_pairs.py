"""Which parts of orders the session filled as the backtest did, and what the others cost."""

from decimal import Decimal

from traider.domain.orders import OrderFilled
from traider.domain.vocabulary import Liquidity, Side
from traider.engine.fill_pairs import Compared, Verdict, compare_fills, find_twins, sums_of

MS_NS = 1_000_000


def fill(
    order: str, size: str, price: str, *, fee: str = "0", ts_ms: int = 0, side: Side = Side.BUY, maker: bool = False, number: int = 1
) -> OrderFilled:
    return OrderFilled(
        n=0,
        ts_ns=ts_ms * MS_NS,
        client_order_id=order,
        trade_id=f"{order}-{number}",
        symbol="BTC-USD",
        side=side,
        price=Decimal(price),
        size=Decimal(size),
        fee=Decimal(fee),
        liquidity=Liquidity.MAKER if maker else Liquidity.TAKER,
    )


def verdicts(compared: list[Compared]) -> list[tuple[str, str, str]]:
    return [(str(one.verdict), one.client_order_id, str(one.size)) for one in compared]


def test_fills_that_are_equal_in_everything_are_the_same() -> None:
    fills = [fill("a", "1", "100", fee="0.1"), fill("b", "2", "101", side=Side.SELL, ts_ms=5)]
    compared = compare_fills(fills, fills, {})
    assert verdicts(compared) == [("same", "a", "1"), ("same", "b", "2")]
    sums = sums_of(compared)
    assert (sums.same, sums.different, sums.slippage, sums.fee_difference, sums.later_ms_max) == (2, 0, Decimal(0), Decimal(0), 0.0)
    assert (sums.fees_session, sums.fees_backtest) == (Decimal("0.1"), Decimal("0.1"))


def test_slippage_is_what_a_buyer_pays_more_and_a_seller_gets_less() -> None:
    session = [fill("b", "2", "101"), fill("s", "2", "99", side=Side.SELL), fill("g", "2", "99")]
    backtest = [fill("b", "2", "100"), fill("s", "2", "100", side=Side.SELL), fill("g", "2", "100")]
    buy, sell, gained = compare_fills(session, backtest, {})
    assert (buy.slippage, buy.basis_points) == (Decimal(2), Decimal(100)), "2 at 1 more, which is 1 % of 100"
    assert (sell.slippage, sell.basis_points) == (Decimal(2), Decimal(100))
    assert (gained.slippage, gained.basis_points) == (Decimal(-2), Decimal(-100))
    assert sums_of([buy, sell, gained]).slippage == Decimal(2)
    assert sums_of([buy, sell, gained]).basis_points == Decimal(2) / Decimal(600) * 10_000


def test_an_order_that_was_filled_in_parts_is_compared_part_by_part() -> None:
    session = [fill("a", "1", "100", fee="0.1", ts_ms=10, number=1), fill("a", "0.5", "102", fee="0.051", ts_ms=20, number=2)]
    compared = compare_fills(session, [fill("a", "1.5", "100", fee="0.15")], {})
    assert verdicts(compared) == [("different", "a", "1"), ("different", "a", "0.5")]
    assert [one.slippage for one in compared] == [0, Decimal(1)]
    assert [one.fee_difference for one in compared] == [0, Decimal("0.001")], "a third of the fee belongs to a third of the size"
    assert [one.later_ms for one in compared] == [10.0, 20.0]
    sums = sums_of(compared)
    assert (sums.later_ms_p50, sums.later_ms_p99, sums.later_ms_max) == (10.0, 20.0, 20.0)
    assert sums.fees_backtest == Decimal("0.15")


def test_the_parts_of_a_fee_that_no_division_gives_exactly_come_to_the_whole_fee() -> None:
    session = [fill("a", "1", "100", number=number) for number in (1, 2, 3)]
    sums = sums_of(compare_fills(session, [fill("a", "3", "100", fee="0.1")], {}))
    assert sums.fees_backtest == Decimal("0.1")


def test_what_one_side_alone_has_filled_is_missed_or_extra() -> None:
    session = [fill("a", "1", "100"), fill("x", "3", "100", ts_ms=9)]
    backtest = [fill("a", "1.5", "100"), fill("m", "2", "100", ts_ms=4)]
    compared = compare_fills(session, backtest, {})
    assert verdicts(compared) == [("different", "a", "1"), ("missed", "a", "0.5"), ("missed", "m", "2"), ("extra", "x", "3")]
    sums = sums_of(compared)
    assert (sums.missed, sums.extra, sums.missed_notional, sums.extra_notional) == (2, 1, Decimal(250), Decimal(300))
    assert sums.basis_points == 0, "only what both have filled has a slippage"


def test_liquidity_or_time_alone_makes_a_difference() -> None:
    later = compare_fills([fill("a", "1", "100", ts_ms=1)], [fill("a", "1", "100")], {})
    maker = compare_fills([fill("a", "1", "100", maker=True)], [fill("a", "1", "100")], {})
    assert [one.verdict for one in (*later, *maker)] == [Verdict.DIFFERENT, Verdict.DIFFERENT]


def test_an_order_decided_a_little_later_is_the_backtests_one() -> None:
    decided = {"s-10-0": 10, "s-12-0": 12, "s-90-0": 90, "t-11-0": 11, "t-30-0": 30}
    session = [fill("s-10-0", "1", "100"), fill("s-12-0", "1", "100"), fill("s-90-0", "1", "100")]
    backtest = [fill("t-11-0", "1", "100"), fill("t-30-0", "1", "100"), fill("t-12-0", "1", "100", side=Side.SELL)]
    twins = find_twins(session, backtest, decided, 5)
    assert twins == {"t-11-0": "s-10-0"}, "the nearest; too far apart, or on another side, they are others"
    compared = compare_fills(session, backtest, twins)
    assert ("different", "s-10-0", "1") in verdicts(compared)
    assert sums_of(compared).missed == 2
    assert sums_of(compared).extra == 2


def test_an_order_that_both_have_has_no_twin() -> None:
    both = [fill("s-1-0", "1", "100")]
    assert find_twins([*both, fill("s-2-0", "1", "100")], both, {"s-1-0": 1, "s-2-0": 2}, 5) == {}
