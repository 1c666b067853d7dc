"""The options of the simulated venue: how the command line tells them, and what they come to."""

import csv
import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from traider.domain.errors import SettingsError
from traider.domain.instruments import Instrument
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
from traider.research import amounts, inputs
from traider.research.instrument_settings import parse_settings, with_settings
from traider.research.market import MarketData

from .amounts import increment

_Word = TypeVar("_Word", bound=StrEnum)
InstrumentsOf = Callable[[MarketData, Decimal | None], tuple[Instrument, ...]]
_UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


_OPTIONS: dict[str, Any] = {
    "intrabar_path": Annotated[
        str | None, typer.Option(help="How a bar's prices came: pessimistic, open-high-low-close, open-low-high-close, nearest-first.")
    ],
    "participation": Annotated[float | None, typer.Option(help="Fraction of a bar's volume that own orders may take.")],
    "queue": Annotated[str | None, typer.Option(help="How a resting order moves up at its level of a book: risk-averse, power, log.")],
    "queue_power": Annotated[float | None, typer.Option(help="Of the power model; default 3.")],
    "partial_fills": Annotated[
        bool, typer.Option("--partial-fills", help="Resting orders on a book fill in the sizes of the trades that reach them.")
    ],
    "latency": Annotated[
        str | None, typer.Option(help="5ms; out and back: 5ms,2ms; lognormal:5ms,2ms:0.5; or a CSV of ts_ns,out_ns,back_ns.")
    ],
    "latency_seed": Annotated[int | None, typer.Option(help="Of a latency that is drawn at random.")],
    "slippage": Annotated[str | None, typer.Option(help="By how much worse takers fill: ticks:N, fraction:F, volume-share:F.")],
    "market": Annotated[str | None, typer.Option(help="spot or margin; default: what the strategy needs.")],
    "leverage": Annotated[str | None, typer.Option(help="On margin: notional over what a position takes; default 10.")],
    "liquidation_fee": Annotated[float | None, typer.Option(help="Fraction of the notional that a liquidation takes besides the fee.")],
    "instrument": Annotated[
        list[str] | None,
        typer.Option(help="SYMBOL.NAME=VALUE of one instrument, NAME=VALUE of all: taker_fee, min_notional, ...; as often as needed."),
    ],
    "fee_tier": Annotated[list[str] | None, typer.Option(help="VOLUME:MAKER:TAKER, fees from a 30-day volume on; as often as needed.")],
}


@dataclass(frozen=True)
class VenueOptions:
    """As they were given; None is the default. The fields are the options' names."""

    intrabar_path: str | None = None
    participation: float | None = None
    queue: str | None = None
    queue_power: float | None = None
    partial_fills: bool = False
    latency: str | None = None
    latency_seed: int | None = None
    slippage: str | None = None
    market: str | None = None
    leverage: str | None = None
    liquidation_fee: float | None = None
    instrument: list[str] | None = None
    fee_tier: list[str] | None = None

    @property
    def given(self) -> bool:
        return self != VenueOptions()

    def simulation(self) -> Simulation:
        """SettingsError names the option that can't be used."""
        return Simulation(
            path=_word("--intrabar-path", self.intrabar_path, IntrabarPath.PESSIMISTIC),
            participation=self.participation,
            queue=_word("--queue", self.queue, QueueModel.RISK_AVERSE),
            queue_power=3.0 if self.queue_power is None else self.queue_power,
            partial_fills=self.partial_fills,
            latency=_latency(self.latency),
            slippage=_slippage(self.slippage),
            liquidation_fee=self.liquidation_fee or 0.0,
            seed=_seed(self.latency_seed),
        )

    def market_for(self, usual: str) -> str:
        """``spot`` or ``margin``: as it was chosen, else as the strategy has it."""
        return amounts.market_name(self.market, usual, self.leverage_of(), "--market", "--leverage")

    def leverage_of(self) -> Decimal | None:
        return increment("--leverage", self.leverage)

    def instruments(self, usual: str) -> InstrumentsOf:
        """How the instruments are made of the data; what can't be used is told now, before a large file is read."""
        market, leverage, settings = self.market_for(usual), self.leverage_of(), parse_settings(self.instrument or [])

        def instruments_of(data: MarketData, size_increment: Decimal | None) -> tuple[Instrument, ...]:
            return with_settings(inputs.instruments_of(data, size_increment, market, leverage), settings, "--instrument")

        return instruments_of

    def fees(self, maker: float, taker: float) -> Fees:
        """The fees, with the tiers."""
        for name, rate in (("--fee-maker", maker), ("--fee-taker", taker)):
            amounts.check_fee(rate, name)
        return Fees(maker=maker, taker=taker, tiers=tuple(_tier(text) for text in self.fee_tier or []))


def takes_venue(command: Callable[..., int]) -> Callable[..., int]:
    """The command with the venue's options beside its own; it gets them together, as ``venue``."""
    own = [parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "venue"]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    options = [inspect.Parameter(each.name, kind, default=each.default, annotation=_OPTIONS[each.name]) for each in fields(VenueOptions)]

    @functools.wraps(command)
    def with_venue(**values: Any) -> int:
        venue = VenueOptions(**{option.name: values.pop(option.name) for option in options})
        return command(**values, venue=venue)

    with_venue.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]  # what typer reads
    with_venue.__annotations__ = {each.name: each.annotation for each in (*own, *options)}
    return with_venue


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
        raise SettingsError(f"--latency-seed is {seed}; give a whole number of at least 0")
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
