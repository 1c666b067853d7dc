"""What a backtest was made of, so that it can be made again: ``traider backtest --manifest FILE``."""

import hashlib
import inspect
import platform
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import PurePath
from typing import get_args

import msgspec
import numba
import numpy as np

import traider

from ..domain.instruments import Instrument
from ..domain.limits import RiskLimits, VolatilityMethod
from ..kernel.author import own_methods, source_of
from ..kernel.cache import kernel_hash
from ..kernel.kit import Strategy, Value
from ..kernel.simulation import FeeTier, Simulation

VERSION = 2

_SWITCHES = ("prevent_self_match", "safe_mode")
_NUMBERS = tuple(name for name in RiskLimits.__struct_fields__ if name not in ("allowed_markets", "volatility_method", *_SWITCHES))
_COUNTS = (
    *("max_open_orders", "max_open_orders_per_market", "max_orders_per_minute", "max_orders_per_second", "max_amends_per_second"),
    *("max_rejections_in_a_row", "max_rejections_per_minute", "max_executions_per_minute", "volatility_window", "atr_window"),
)
_LARGEST_COUNT = 1_000_000_000
_FRACTIONS = ("max_drawdown", "max_price_deviation")


class DataSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``symbols`` are the file's instruments, in the order in which they appear in it."""

    path: str
    sha256: str
    symbols: tuple[str, ...]


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``strategy_sha256`` is of the strategy's source file, ``kernel_sha256`` of the kernel's and what it is compiled with."""

    traider: str
    strategy_sha256: str
    kernel_sha256: str
    python: str
    numpy: str
    numba: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fills: int
    fills_sha256: str
    final_equity: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decided a run, and what came out. Money is in the instruments' quote currency."""

    manifest: int = VERSION
    strategy: str  # as it was named on the command line
    parameters: dict[str, Value]
    instruments: tuple[Instrument, ...]  # by number
    data: tuple[DataSource, ...]  # in the order in which they were given
    bars: str = ""  # what was made of the trades: "1m", "volume:100", ...
    cash: float
    maker_fee: float
    taker_fee: float
    fee_tiers: tuple[FeeTier, ...] = ()
    fill: str
    limits: RiskLimits
    simulation: Simulation
    interpreted: bool
    code: Code
    outcome: Outcome

    def file_name(self) -> str:
        """The same for the same run."""
        return f"{PurePath(self.strategy.rpartition(':')[2]).name}-{hashlib.sha256(encode(self)).hexdigest()[:12]}.manifest.json"


class _Version1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As the first release wrote it: one file of one instrument."""

    manifest: int
    strategy: str
    parameters: dict[str, Value]
    instrument: Instrument
    data: "_Version1Data"
    cash: float
    maker_fee: float
    taker_fee: float
    fill: str
    limits: RiskLimits
    interpreted: bool
    code: Code
    outcome: Outcome

    def today(self) -> Manifest:
        return Manifest(
            strategy=self.strategy,
            parameters=self.parameters,
            instruments=(self.instrument,),
            data=(DataSource(path=self.data.path, sha256=self.data.sha256, symbols=(self.instrument.symbol,)),),
            cash=self.cash,
            maker_fee=self.maker_fee,
            taker_fee=self.taker_fee,
            fill=self.fill,
            limits=self.limits,
            simulation=Simulation(),
            interpreted=self.interpreted,
            code=self.code,
            outcome=self.outcome,
        )


class _Version1Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str
    sha256: str


class _AnyVersion(msgspec.Struct, frozen=True):
    manifest: int = VERSION


def code_of(strategy: type[Strategy]) -> Code:
    """What the run's result hangs on, beside data and parameters."""
    try:
        text = inspect.getsource(sys.modules[strategy.__module__])
    except (OSError, TypeError):  # typed into a prompt: there is no file, and the methods have to stand for it
        text = "".join(map(source_of, own_methods(strategy)))
    return Code(
        traider=traider.__version__,
        strategy_sha256=hashlib.sha256(text.encode()).hexdigest(),
        kernel_sha256=kernel_hash(),
        python=platform.python_version(),
        numpy=np.__version__,
        numba=numba.__version__,
    )


def encode(manifest: Manifest) -> bytes:
    """As JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(text: bytes) -> Manifest:
    """The manifest in this JSON; msgspec.ValidationError or msgspec.DecodeError tell what is wrong with it."""
    version = msgspec.json.decode(text, type=_AnyVersion).manifest
    if version not in (1, VERSION):
        raise msgspec.ValidationError(f"it is of version {version}, and this traider reads versions 1 and {VERSION}")
    manifest = msgspec.json.decode(text, type=_Version1).today() if version == 1 else msgspec.json.decode(text, type=Manifest)
    if not manifest.instruments or not manifest.data:
        raise msgspec.ValidationError("it names no instrument, or no data")
    for name in _NUMBERS:
        value = getattr(manifest.limits, name)
        if value is not None and not value > 0:
            raise msgspec.ValidationError(f"limit {name}: {value} must be above zero")
    return manifest


_CODE_WORDS = {
    "traider": "traider's version",
    "strategy_sha256": "the strategy's source",
    "kernel_sha256": "the engine",
    "python": "Python",
    "numpy": "numpy",
    "numba": "numba",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the code that is not what it was: a version, or a hash."""

    what: str
    then: str
    now: str


def changes(before: Code, now: Code) -> list[Change]:
    """Which parts of the code are not what they were."""
    both = ((words, getattr(before, name), getattr(now, name)) for name, words in _CODE_WORDS.items())
    return [Change(what=words, then=then, now=today) for words, then, today in both if then != today]


def parse_limits(assignments: list[str]) -> RiskLimits:
    """``name=value`` pairs as limits; ValueError says what is wrong with one."""
    values: dict[str, Decimal | int | str | tuple[str, ...]] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if name not in RiskLimits.__struct_fields__ or not equals:
            raise ValueError(f"{assignment!r}: write one of {', '.join(RiskLimits.__struct_fields__)} = value")
        if name in values:
            raise ValueError(f"{name} is given twice; give it once")
        if name == "allowed_markets":
            values[name] = _markets(name, text)
            continue
        if name == "volatility_method":
            values[name] = _one_of(name, text, get_args(VolatilityMethod))
            continue
        if name in _SWITCHES:
            values[name] = _one_of(name, text.lower(), ("true", "false")) == "true"
            continue
        number = _positive(name, text)
        if name in _COUNTS and (number > _LARGEST_COUNT or number != int(number)):
            raise ValueError(f"{name}: {text} is no whole number of at most {_LARGEST_COUNT:,}")
        if name == "volatility_alpha" and number >= 1:
            raise ValueError(f"{name}: {text} is not below 1")
        if name in _FRACTIONS and number > 1:
            raise ValueError(f"{name}: {text} is more than 1; it is a fraction, 0.05 is 5 %")
        values[name] = int(number) if name in _COUNTS else number
    return msgspec.convert(values, RiskLimits)


def _markets(name: str, text: str) -> tuple[str, ...]:
    markets = tuple(market.strip() for market in text.split(","))
    if not all(markets):
        raise ValueError(f"{name}: {text!r} names no market; write BTC-USD,ETH-USD")
    return markets


def _one_of(name: str, text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise ValueError(f"{name}: {text!r} is not one of {', '.join(known)}")
    return text


def _positive(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ValueError(f"{name}: {text!r} is not a number") from None
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{name}: {text} must be above zero")
    return number
