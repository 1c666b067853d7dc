from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from traider.storage.engine import reading, writing
from traider.storage.models import Balance
from traider.storage.sql import upsert
from traider.storage.types import ExactDecimal

EXACT = [
    "0",
    "-0.000000000000000001",
    "123456789012345678.123456789012345678",
    "999999999999999999.999999999999999999",
    "0.1",
    "1E+30",
    "1E-30",
    "100",
]


async def there_and_back(engine: AsyncEngine, value: Decimal) -> Decimal:
    async with writing(engine) as connection:
        await upsert(connection, Balance, [{"currency": "USD", "cash": value, "ts_ns": 1}])
    async with reading(engine) as connection:
        stored = await connection.scalar(select(Balance.cash))
    assert isinstance(stored, Decimal)
    return stored


@pytest.mark.parametrize("text", EXACT)
async def test_money_comes_back_digit_for_digit(engine: AsyncEngine, text: str) -> None:
    assert await there_and_back(engine, Decimal(text)) == Decimal(text)


async def test_a_number_that_is_not_a_decimal_is_refused(engine: AsyncEngine) -> None:
    kind = ExactDecimal()
    with pytest.raises(TypeError, match="not float"):
        kind.process_bind_param(0.1, engine.dialect)  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
async def test_money_is_finite(engine: AsyncEngine, text: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        ExactDecimal().process_bind_param(Decimal(text), engine.dialect)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(value=st.decimals(allow_nan=False, allow_infinity=False))
def test_what_is_bound_is_what_is_read(engine: AsyncEngine, value: Decimal) -> None:
    kind = ExactDecimal()
    assert kind.process_result_value(kind.process_bind_param(value, engine.dialect), engine.dialect) == value
