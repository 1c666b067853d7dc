from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traider.connectors.sim.exchange.units import ONE, Grid, atoms, decimal, parse_atoms, scaled, text
from traider.domain.errors import SettingsError


@given(st.decimals(min_value=0, max_value=10**12, places=12))
def test_a_decimal_text_becomes_atoms_and_the_same_number_again(number: Decimal) -> None:
    whole = parse_atoms(f"{number:f}")
    assert whole is not None
    assert Decimal(text(whole)) == number == decimal(whole)


@pytest.mark.parametrize(
    "bad", ["", "-1", "nan", "inf", "1e99", "1,5", "0x1", "1" * 65, None, 1, 1.5, "1e-25", "1_0", " 1", "1\n", "+1", "٠.٠١", "."]
)
def test_what_is_no_number_of_at_least_0_is_none(bad: object) -> None:
    assert parse_atoms(bad) is None


def test_an_exponent_is_read() -> None:
    assert parse_atoms("1e-05") == atoms("0.00001")


def test_a_point_needs_digits_on_one_side_only() -> None:
    assert (parse_atoms(".5"), parse_atoms("5.")) == (atoms("0.5"), atoms(5))


def test_the_text_is_the_shortest() -> None:
    assert [text(0), text(ONE), text(ONE // 2), text(-ONE // 4), scaled(6000, 6)] == ["0", "1", "0.5", "-0.25", "0.006"]


def test_a_number_finer_than_an_atom_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 24 decimals"):
        atoms(Decimal("1e-25"))


@given(st.integers(1, 10**9), st.integers(1, 10**12))
def test_a_cost_is_the_exact_product(ticks: int, lots: int) -> None:
    grid = Grid.of(Decimal("0.01"), Decimal("0.00000001"))
    exact = int(ticks * lots)  # in 10**-10 USD
    assert text(grid.cost(ticks, lots)) == scaled(exact, 10)


def test_increments_that_the_ledger_can_not_hold_are_refused() -> None:
    with pytest.raises(SettingsError, match="give coarser increments"):
        Grid.of(Decimal("1e-12"), Decimal("1e-12"))
