"""Bars of the past: what a download asks of a provider of market data, and the words of its answers.

ProviderError
├── ProviderUnavailableError   no answer, or none that can be read: it can be asked again
├── RateLimitedError           too much was asked, by the minute or by the day: later it can be asked again
└── ProviderRefusedError       the provider's no to what was asked (an unknown symbol, the key, the plan); a UserError, too
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from .errors import TraiderError, UserError


class ProviderError(TraiderError):
    """A provider of market data did not give what was asked for. No message of it holds a key."""


class ProviderUnavailableError(ProviderError):
    """There was no answer, or none that can be read."""


class RateLimitedError(ProviderError):
    """The provider answers no more for now. ``wait_s`` is after how long it may, None where it does not say or it is a matter of days."""

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class ProviderRefusedError(ProviderError, UserError):
    """The provider will not answer this, however often it is asked."""


class PastBar(msgspec.Struct, frozen=True, kw_only=True):
    """``ts_ns`` is the bar's start. Prices are in the quote currency, the volume in the base currency, or in shares."""

    ts_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class BarPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some bars, oldest first; every bar that starts before ``until_ns`` is in this page or in one before it."""

    bars: tuple[PastBar, ...]
    until_ns: int


def known_until_ns(bars: Sequence[PastBar], span_ns: int, *, first_ns: int, until_ns: int, sure_ns: int) -> int:
    """Up to when it is known which bars there are, after an answer for [``first_ns``, ``until_ns``).

    Up to ``sure_ns`` a bar that is missing does not exist; one that would have started later may only be late.
    """
    told_ns = bars[-1].ts_ns + span_ns if bars else first_ns
    return min(until_ns, max(told_ns, sure_ns, first_ns))


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """So many bars that might have been there and are not; ``first_ns`` and ``last_ns`` are the starts of the first and last of them."""

    first_ns: int
    last_ns: int
    bars: int


class BarsOf(msgspec.Struct, frozen=True, kw_only=True):
    """Which bars: of whom, of what, how long, and what was done to their prices."""

    provider: str
    symbol: str
    span_s: int
    prices: str = "as traded"
    hours: str = ""  # of the day, where the provider has bars of more than one choice


class BarHistory(Protocol):
    """One row of bars at a provider. Times are nanoseconds since the epoch, UTC."""

    bars_of: BarsOf
    grows: bool  # whether bars that were told stay as they are; else a later answer can't be put behind an earlier one

    async def complete_until_ns(self) -> int:
        """Each bar that starts before this is over, and the provider has had the time to finish it."""
        ...

    def pages(self, first_ns: int, end_ns: int) -> AsyncIterator[BarPage]:
        """The bars that start in [``first_ns``, ``end_ns``), oldest page first.

        The last page reaches to ``end_ns``, or as far as the provider's bars do where the latest may still be to come.
        """
        ...

    def gaps(self, starts_ns: Sequence[int], first_ns: int, end_ns: int) -> Iterator[Gap]:
        """What is missing in [``first_ns``, ``end_ns``) between bars that start then, which are in order."""
        ...
