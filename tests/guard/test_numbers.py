"""Which decimals a float holds, by the shortest name that the float has."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from traider.domain.vocabulary import Reason
from traider.guard.numbers import exact, held, unheld

NEAR_THE_SHORT_ONES = st.builds(
    lambda digits, places, negative: Decimal((int(negative), tuple(map(int, digits)), -places)),
    st.text("0123456789", min_size=1, max_size=18),
    st.integers(-4, 20),
    st.booleans(),
)


@given(st.one_of(st.decimals(), NEAR_THE_SHORT_ONES, st.floats(allow_nan=False, allow_infinity=False).map(exact)))
@example(Decimal(9999999999999999))  # sixteen digits, and its float has another name
@example(Decimal(999999999999999))
@example(Decimal("0.1000000000000001"))
@example(Decimal("1E+400"))
@example(Decimal("1E-400"))
@example(Decimal("25000.00"))
@example(Decimal("-0"))
@example(Decimal("sNaN1"))
def test_a_decimal_is_held_where_its_float_is_named_by_it(value: Decimal) -> None:
    expected = float(value) if value.is_finite() and exact(float(value)) == value else None
    assert held(value) == expected


def test_a_number_with_too_many_digits_is_no_multiple_of_an_increment_and_what_is_no_number_is_no_order() -> None:
    assert unheld(Decimal("0.00100000000000000000001"), Reason.SIZE_INCREMENT) is Reason.SIZE_INCREMENT
    assert unheld(Decimal("NaN"), Reason.SIZE_INCREMENT) is Reason.INVALID_ORDER
    assert unheld(Decimal("Infinity"), Reason.PRICE_INCREMENT) is Reason.INVALID_ORDER
