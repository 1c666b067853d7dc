"""A tape as a stream of chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from traider.engine.tape import Tape


def cut(tape: Tape, at: Sequence[int]) -> "Pieces":
    """The tape as a stream of chunks that begin at those of these rows that it has."""
    return Pieces(tape, (0, *sorted({row for row in at if 0 < row < len(tape)}), len(tape)))


@dataclass(frozen=True)
class Pieces:
    """A tape in chunks; the stream is the same."""

    tape: Tape
    bounds: tuple[int, ...]

    @property
    def rows(self) -> int:
        return len(self.tape)

    @property
    def kinds(self) -> int:
        return self.tape.kinds

    @property
    def instruments(self) -> int:
        return self.tape.instruments

    def chunks(self) -> Iterator[Tape]:
        for start, stop in pairwise(self.bounds):
            yield self.tape.part(start, stop)
