"""The options of the simulated venue: how the command line tells them, and what they come to."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from traider.domain.errors import SettingsError
from traider.kernel.simulation import (
    Fees,
    FeeTier,
    IntrabarPath,
    Latency,
    LatencyKind,
    QueueModel,
    Simulation,
    Slippage,
    SlippageKind,
)
from traider.research import amounts

_Word = TypeVar("_Word", bound=StrEnum)
_UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_MARKETS = ("spot", "margin")


@dataclass(frozen=True)
class VenueOptions:
    """As they were given; None is the default."""

    path: str | None = None
    participation: float | None = None
    queue: str | None = None
    queue_power: float | None = None
    partial_fills: bool = False
    latency: str | None = None
    slippage: str | None = None
    seed: int | None = None
    market: str | None = None
    leverage: str | None = None
    liquidation_fee: float | None = None

    @property
    def given(self) -> bool:
        return self != VenueOptions()

    def simulation(self) -> Simulation:
        """SettingsError names the option that can't be used."""
        return Simulation(
            path=_word("--path", self.path, IntrabarPath.PESSIMISTIC),
            participation=self.participation,
            queue=_word("--queue", self.queue, QueueModel.RISK_AVERSE),
            queue_power=3.0 if self.queue_power is None else self.queue_power,
            partial_fills=self.partial_fills,
            latency=_latency(self.latency),
            slippage=_slippage(self.slippage),
            liquidation_fee=self.liquidation_fee or 0.0,
            seed=_seed(self.seed),
        )

    def market_for(self, usual: str) -> str:
        """``spot`` or ``margin``: as it was chosen, else as the strategy has it."""
        if self.market is not None and self.market not in _MARKETS:
            raise SettingsError(f"--market is {self.market!r}; give one of {', '.join(_MARKETS)}")
        market = self.market or usual
        if self.leverage is not None and market != "margin":
            raise SettingsError("--leverage is for --market margin; on spot there is none")
        return market

    def leverage_of(self) -> Decimal | None:
        if self.leverage is None:
            return None
        try:
            leverage = Decimal(self.leverage)
        except InvalidOperation:
            raise SettingsError(f"--leverage is {self.leverage!r}; give a number of at least 1, such as 5") from None
        if not leverage.is_finite() or not 1 <= leverage <= 1000:
            raise SettingsError(f"--leverage is {self.leverage}; give a number from 1 to 1000")
        return leverage


def fees(maker: float, taker: float, tiers: Sequence[str]) -> Fees:
    """The fees, with tiers written VOLUME:MAKER:TAKER."""
    for name, rate in (("--fee-maker", maker), ("--fee-taker", taker)):
        amounts.check_fee(rate, name)
    return Fees(maker=maker, taker=taker, tiers=tuple(_tier(text) for text in tiers))


def _tier(text: str) -> FeeTier:
    try:
        volume, maker, taker = (float(part) for part in text.split(":"))
    except ValueError:
        raise SettingsError(f"--fee-tier {text}: write VOLUME:MAKER:TAKER, for example 1000000:0.0005:0.001") from None
    for rate in (maker, taker):
        amounts.check_fee(rate, f"--fee-tier {text}: a fee")
    return FeeTier(volume=volume, maker=maker, taker=taker)


def _word(option: str, text: str | None, usual: _Word) -> _Word:
    if text is None:
        return usual
    words = [str(word) for word in type(usual)]
    if text not in words:
        raise SettingsError(f"{option} is {text!r}; give one of {', '.join(words)}")
    return type(usual)(text)


def _seed(seed: int | None) -> int:
    if seed is not None and not 0 <= seed < 2**63:
        raise SettingsError(f"--seed is {seed}; give a whole number of at least 0")
    return seed or 0


def _slippage(text: str | None) -> Slippage:
    if text is None:
        return Slippage()
    kind, colon, value = text.partition(":")
    kinds = [str(kind) for kind in SlippageKind if kind is not SlippageKind.NONE]
    if kind not in kinds or not colon:
        raise SettingsError(f"--slippage {text}: write KIND:VALUE, KIND one of {', '.join(kinds)}, for example ticks:1 or fraction:0.0005")
    return Slippage(kind=SlippageKind(kind), value=_number("--slippage", text, value))


def _latency(text: str | None) -> Latency:
    """``5ms``, ``5ms,2ms`` (out, back), ``lognormal:5ms,2ms:0.5``, or the path of a CSV file of ts_ns,out_ns,back_ns."""
    if text is None:
        return Latency()
    if text.endswith(".csv"):
        return _recorded(Path(text))
    kind, sigma = LatencyKind.CONSTANT, 0.0
    times = text
    if text.startswith("lognormal:"):
        _, times, *more = text.split(":")
        kind = LatencyKind.LOGNORMAL
        sigma = _number("--latency", text, more[0] if more else "")
    out, _, back = times.partition(",")
    return Latency(out_ns=_duration_ns(text, out), back_ns=_duration_ns(text, back or out), kind=kind, sigma=sigma)


def _duration_ns(text: str, duration: str) -> int:
    unit = next((unit for unit in ("ns", "us", "ms", "s") if duration.endswith(unit)), "")
    try:
        value = float(duration.removesuffix(unit))
    except ValueError:
        value = math.nan
    if not unit or not 0 <= value < 1e9:
        raise SettingsError(
            f"--latency {text}: write a time such as 5ms or 250us, two with a comma for out and back, lognormal:5ms:0.5, or a CSV file"
        )
    return round(value * _UNITS_NS[unit])


def _recorded(path: Path) -> Latency:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [tuple(int(cell) for cell in row) for row in csv.reader(file) if row and not row[0].lstrip().startswith(("ts", "#"))]
    except OSError as error:
        raise SettingsError(f"--latency {path}: can't be read: {error.strerror}; give a CSV file of ts_ns,out_ns,back_ns") from None
    except ValueError:
        raise SettingsError(f"--latency {path}: a value is no whole number; give rows of ts_ns,out_ns,back_ns") from None
    if any(len(row) != 3 for row in rows):
        raise SettingsError(f"--latency {path}: give three values a row: ts_ns,out_ns,back_ns")
    return Latency(kind=LatencyKind.RECORDED, series=tuple((row[0], row[1], row[2]) for row in rows))


def _number(option: str, text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise SettingsError(f"{option} {text}: {value!r} is not a number") from None
