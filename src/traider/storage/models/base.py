"""What every table shares."""

from decimal import Decimal
from typing import ClassVar

from sqlalchemy import BigInteger, MetaData, Text
from sqlalchemy.orm import DeclarativeBase

from traider.storage.types import ExactDecimal


class Base(DeclarativeBase):
    # Constraints have names, so that a migration can speak of them on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {Decimal: ExactDecimal(), int: BigInteger(), str: Text()}
