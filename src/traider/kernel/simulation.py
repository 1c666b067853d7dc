"""How a venue is simulated: fees, fill mode, intrabar path, queue, latency, slippage. Every rule is in ``docs/matching.md``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from ..domain.errors import SettingsError
from . import layout


class FillMode(IntEnum):
    """Where market orders fill; see ``docs/matching.md``."""

    NEXT_OPEN = layout.NEXT_OPEN
    NEXT_CLOSE = layout.NEXT_CLOSE
    SAME = layout.SAME


@dataclass(frozen=True)
class FeeTier:
    """Fees from a 30-day volume on, in quote currency; fractions of the notional."""

    volume: float
    maker: float
    taker: float


@dataclass(frozen=True)
class Fees:
    """Fractions of the notional: 0.001 is 0.1 %. Below the first tier ``maker`` and ``taker`` hold; else the 30-day volume decides."""

    maker: float = 0.0
    taker: float = 0.0
    tiers: tuple[FeeTier, ...] = ()

    def __post_init__(self) -> None:
        if len(self.tiers) > layout.MAX_FEE_TIERS:
            raise SettingsError(f"{len(self.tiers)} fee tiers are given; at most {layout.MAX_FEE_TIERS} are supported")
        volumes = [tier.volume for tier in self.tiers]
        if volumes != sorted(set(volumes)) or any(not volume > 0 for volume in volumes):
            raise SettingsError("fee tiers begin at volumes above zero, each higher than the one before")


class IntrabarPath(StrEnum):
    """In which order a bar's prices are assumed to have come."""

    PESSIMISTIC = "pessimistic"  # whatever is worse for the account, order by order
    HIGH_FIRST = "open-high-low-close"
    LOW_FIRST = "open-low-high-close"
    NEAREST_FIRST = "nearest-first"  # the extreme that is nearer to the open


class QueueModel(StrEnum):
    """How a resting order moves up in the queue of its price level."""

    RISK_AVERSE = "risk-averse"  # only by trades
    POWER = "power"  # cancellations are shared by x**power of the volume behind and before
    LOG = "log"  # the same by log(1 + x)


class LatencyKind(StrEnum):
    CONSTANT = "constant"
    LOGNORMAL = "lognormal"
    RECORDED = "recorded"


@dataclass(frozen=True)
class Latency:
    """Nanoseconds to the venue (orders, amendments, cancels) and back (fills). Of a distribution they are the medians.

    ``sigma`` is the standard deviation of the logarithm. ``series`` holds rows of (ts_ns, out_ns, back_ns), ascending in time;
    the row that holds at a moment is the last one before it.
    """

    out_ns: int = 0
    back_ns: int = 0
    kind: LatencyKind = LatencyKind.CONSTANT
    sigma: float = 0.0
    series: tuple[tuple[int, int, int], ...] = ()

    def __post_init__(self) -> None:
        times = [row[0] for row in self.series]
        if self.out_ns < 0 or self.back_ns < 0 or not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise SettingsError("latency is a time of at least 0, its sigma a number of at least 0")
        if self.kind is LatencyKind.RECORDED and (not times or times != sorted(times) or any(min(row[1:]) < 0 for row in self.series)):
            raise SettingsError("a recorded latency needs rows of ts_ns, out_ns, back_ns, ascending in time, none negative")

    @property
    def is_zero(self) -> bool:
        return self.kind is not LatencyKind.RECORDED and self.out_ns == 0 and self.back_ns == 0


class SlippageKind(StrEnum):
    NONE = "none"
    TICKS = "ticks"  # whole price increments
    FRACTION = "fraction"  # of the price
    VOLUME_SHARE = "volume-share"  # of the price, times the square of the order's share of the event's volume


@dataclass(frozen=True)
class Slippage:
    """By how much worse than the rule's price a taker fills. Maker fills get their limit."""

    kind: SlippageKind = SlippageKind.NONE
    value: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value >= 0):
            raise SettingsError(f"slippage is {self.value}; give a number of at least 0")


@dataclass(frozen=True)
class Simulation:
    """Everything about the simulated venue beside its fees and the fill mode.

    ``participation`` is the fraction of a bar's volume that own orders may take; None is no limit. ``partial_fills`` lets a
    resting order on a book fill in the sizes of the trades that reach it; without it it fills whole.
    """

    path: IntrabarPath = IntrabarPath.PESSIMISTIC
    participation: float | None = None
    queue: QueueModel = QueueModel.RISK_AVERSE
    queue_power: float = 3.0
    partial_fills: bool = False
    latency: Latency = field(default_factory=Latency)
    slippage: Slippage = field(default_factory=Slippage)
    liquidation_fee: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.participation is not None and not 0 < self.participation <= 1:
            raise SettingsError(f"participation is {self.participation}; give a fraction of the volume above 0, at most 1")
        if not (math.isfinite(self.queue_power) and self.queue_power > 0):
            raise SettingsError(f"queue power is {self.queue_power}; give a number above 0")
        if not 0 <= self.liquidation_fee < 1:
            raise SettingsError(f"liquidation fee is {self.liquidation_fee}; give a fraction of the notional from 0 to below 1")


def latency_rows(rows: Sequence[tuple[int, int, int]]) -> Latency:
    """A recorded latency."""
    return Latency(kind=LatencyKind.RECORDED, series=tuple(rows))
