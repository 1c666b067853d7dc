"""What a market does, message by message: the words that recordings and generators speak."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from .matching import Matcher


class Word(IntEnum):
    CLEAR = 0  # a snapshot follows
    LEVEL = 1  # side, ticks, lots: the market's size at a price
    TRADE = 2  # taker's side, ticks, lots: as it was recorded
    TAKE = 3  # taker's side, limit in ticks or 0, lots: somebody takes from the book as it is


Row = tuple[Word, int, int, int]


@dataclass(frozen=True, slots=True)
class Message:
    """What happens at one moment, together. ``ts_ns`` is the tape's own time."""

    ts_ns: int
    rows: list[Row]


class Tape(Protocol):
    """A market to play."""

    @property
    def infers_trades(self) -> bool:
        """Whether trades are to be inferred from the book, because the tape has none."""
        ...

    def messages(self) -> Iterator[Message]: ...


class Passage:
    """Infers trades of a book that was recorded without: one where the other side's best price has come to where a best price was.

    The level that was best is then traded at its price, with the size that it had. What else was traded, a book does not tell.
    """

    def __init__(self) -> None:
        self._was: dict[int, tuple[int, int]] = {1: (0, 0), -1: (0, 0)}  # ticks and lots of the best level, until it is passed

    def rows(self, matcher: Matcher) -> list[Row]:
        """The trades that the book as it is now tells of."""
        found: list[Row] = []
        for side in (1, -1):
            ladder = matcher.side(side)
            ticks, lots = self._was[side]
            best, reached = ladder.best(), matcher.side(-side).best()
            if ticks and reached and (ticks - reached) * side >= 0:
                found.append((Word.TRADE, -side, ticks, lots))
                self._was[side] = best, ladder.lots.get(best, 0)
            elif best and (not ticks or (best - ticks) * side >= 0):
                self._was[side] = best, ladder.lots.get(best, 0)
        return [row for row in found if row[3]]


def apply(matcher: Matcher, rows: list[Row], passage: Passage | None = None) -> None:
    """One message: the rows in their order, then own orders that the book has reached."""
    for word, side, ticks, lots in rows:
        if word is Word.LEVEL:
            matcher.on_level(side, ticks, lots)
        elif word is Word.TRADE:
            matcher.on_trade(side, ticks, lots)
        elif word is Word.TAKE:
            matcher.market_takes(side, lots, ticks)
        else:
            matcher.clear()
    if passage is not None:
        for _, side, ticks, lots in passage.rows(matcher):
            matcher.on_trade(side, ticks, lots)
    matcher.uncross()
