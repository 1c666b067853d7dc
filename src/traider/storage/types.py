"""Column types that keep money exact on every database."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that comes back digit for digit as it went in.

    NUMERIC without a bound where the database has it. SQLite's NUMERIC is a 64-bit float, so there it is text: never sort, compare
    or add such a column in SQL.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else Numeric(asdecimal=True)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"money is a Decimal, not {type(value).__name__}")
        if not value.is_finite():
            raise ValueError(f"money is a finite number, not {value}")
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Decimal | str | None, dialect: Dialect) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(value)
        except InvalidOperation:
            raise ValueError(f"the store holds {value!r} where a decimal belongs") from None
