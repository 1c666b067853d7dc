"""How this report writes its numbers: digits that fit the instrument, the account and the data's times."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from ..backtest import BacktestResult
from . import words
from .candles import Candles
from .context import ReportContext

_MOST_DIGITS = 8


@dataclass(frozen=True)
class Form:
    """Digits after the point: ``price`` and ``size`` at most, ``money`` of sums, ``trade_money`` of single trades."""

    base: str
    quote: str
    price: int
    size: int
    money: int
    trade_money: int
    time: int  # ``words.moment``'s

    @classmethod
    def of(cls, result: BacktestResult, context: ReportContext, trade_sums: np.ndarray[Any, Any]) -> "Form":
        """``trade_sums`` are sums of money as single trades have them: their usual size decides the digits."""
        instrument = context.spec.instrument
        return cls(
            base=instrument.base,
            quote=instrument.quote,
            price=_places(instrument.price_increment),
            size=_places(instrument.size_increment),
            money=2 if result.cash >= 1000 else 4,
            trade_money=_digits_of(trade_sums),
            time=_time_digits(result, context.candles),
        )

    def amount(self, value: float | None, *, signed: bool = False) -> str:
        """A sum; one too small for the usual digits gets as many as show two that count."""
        digits = self.money
        if value and abs(value) < 10**-digits:
            digits = min(_MOST_DIGITS, 1 - math.floor(math.log10(abs(value))))
        return words.number(value, digits, digits, signed=signed)

    def trade_amount(self, value: float | None, *, signed: bool = False) -> str:
        return words.number(value, self.trade_money, self.trade_money, signed=signed)

    def prices(self, value: float | None) -> str:
        return words.number(value, min(2, self.price), self.price)

    def sizes(self, value: float | None) -> str:
        return words.number(value, 0, self.size)

    def moment(self, ts_ns: int) -> str:
        return words.moment(ts_ns, self.time)


def _places(increment: Decimal) -> int:
    exponent = increment.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _digits_of(sums: np.ndarray[Any, Any]) -> int:
    sizes = np.abs(sums[sums != 0])
    usual = float(np.median(sizes)) if len(sizes) else 1.0
    return 2 if usual >= 1 else min(_MOST_DIGITS, 2 - int(np.floor(np.log10(usual))))


def _time_digits(result: BacktestResult, candles: Candles) -> int:
    for digits, unit_ns in enumerate((60_000_000_000, 1_000_000_000)):
        if not any(np.any(times % unit_ns) for times in (candles.ts_ns, result.fills["ts_ns"], result.curve["ts_ns"])):
            return digits
    return 2
