"""The journal's hash chain: how a line is sealed, and what a file of lines proves.

A line is canonical JSON that ends in ``,"hash":"<64 hex digits>"}``. The hash is SHA-256 over the hash of the line before (64
zeros before the first) followed by the line's bytes up to the hash. So an edit, a missing line or a swap shows at the first line
that it touches; a journal that lost whole batches at its end shows by the head file, which tells the last durable line.
"""

import hashlib
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

GENESIS = "0" * 64
_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"}\n')
_PLACED = re.compile(rb'\{"n":(\d{1,18}),"left":(\d{1,9}),')  # of a line that may be damaged further on
_SEAL_SIZE = len(',"hash":""}\n') + 64


class Place(msgspec.Struct):
    """What a line says of its place; the rest is skipped."""

    n: int
    left: int

    @property
    def end(self) -> int:
        """The number of the last line of its batch."""
        return self.n + self.left


_place = msgspec.json.Decoder(Place)


def digest(before: str, body: bytes) -> str:
    return hashlib.sha256(before.encode() + body).hexdigest()


def seal(before: str, payload: bytes) -> tuple[bytes, str]:
    """The line for a payload (a JSON object without a line end), and its hash."""
    body = payload[:-1]
    hashed = digest(before, body)
    return body + b',"hash":"' + hashed.encode() + b'"}\n', hashed


def unseal(line: bytes) -> bytes:
    """The payload of a line that is known to be sealed."""
    return line[:-_SEAL_SIZE] + b"}"


def seal_of(line: bytes) -> str | None:
    """The hash that a whole line bears; None where it is no journal line."""
    sealed = _SEAL.fullmatch(line[-_SEAL_SIZE:])
    return None if sealed is None else sealed[1].decode()


def follows(line: bytes, before: str) -> bool:
    """Whether a line is the one that was sealed after the line with this hash."""
    return seal_of(line) == digest(before, line[:-_SEAL_SIZE])


@dataclass
class Scan:
    """What the bytes of a file prove, from its first line on.

    ``offsets`` holds where each line begins and, last, where the next one would. Lines from ``n + 1`` on, at byte ``size``, are
    no complete batch; ``problem`` says what is wrong with the first of them, None when there are none. The end is ``torn`` where it
    was cut off within a batch, and ``damaged`` where that batch is there in full length and doesn't hold: an interrupted write
    explains either, so nothing but one batch lies there.
    """

    n: int = 0
    head: str = GENESIS
    offsets: "array[int]" = field(default_factory=lambda: array("Q", [0]))
    problem: str | None = None
    torn: bool = False
    damaged: bool = False
    hashes_by_n: dict[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes up to the end of the last complete batch."""
        return self.offsets[-1]


def scan(lines: Iterable[bytes], wanted: int = 0, *, first: int = 1, before: str = GENESIS) -> Scan:
    """Follows the chain as far as it holds, from line ``first`` on, which follows the line with the hash ``before``.

    The hash of line ``wanted`` is kept, for comparing it with the head file.
    """
    result = Scan(n=first - 1, head=before)
    end = 0  # the last line of the batch that has begun
    ends: list[int] = []
    every = iter(lines)
    for number, line in enumerate(every, first):
        problem = _problem(line, before, number, end - number + 1 if ends else 0)
        if problem is not None:
            result.problem = f"line {number}: {problem}"
            result.torn = not line.endswith(b"\n")
            result.damaged = not result.torn and _is_one_batch(number, [line, *every], end if ends else 0)
            return result
        before = line[-67:-3].decode()
        end = _place.decode(unseal(line)).end
        if number == wanted:
            result.hashes_by_n[number] = before
        ends.append((ends[-1] if ends else result.offsets[-1]) + len(line))
        if end == number:
            result.offsets.extend(ends)
            ends.clear()
            result.n, result.head = number, before
    if ends:
        result.problem = f"line {result.n + 1}: the batch that begins here has no end"
        result.torn = True
    return result


def _is_one_batch(first: int, lines: Iterable[bytes], end: int) -> bool:
    """Whether lines from a bad one on, number ``first``, are known to be one batch: the one up to line ``end``, if that is not 0.

    In doubt they are not: where the line that would say how long its batch is doesn't, and others follow.
    """
    for number, line in enumerate(lines, first):
        placed = _PLACED.match(line)
        if placed is not None and int(placed[1]) == number:
            its_end = number + int(placed[2])
            if end not in (0, its_end):
                return False
            end = its_end
        elif end == 0:
            end = first  # it doesn't say: then it has to be the last one
    return True


def _problem(line: bytes, before: str, number: int, left: int) -> str | None:
    """What is wrong with the line, of whose batch so many are ``left``, itself included: 0 where it begins one."""
    if not line.endswith(b"\n"):
        return "it is cut off"
    sealed = seal_of(line)
    if sealed is None:
        return "it is no journal line"
    if digest(before, line[:-_SEAL_SIZE]) != sealed:
        return "its hash does not follow from the line before: an edit, a missing line or a swap"
    try:
        place = _place.decode(unseal(line))
    except msgspec.DecodeError as error:
        return f"it can't be read ({error})"
    if place.n != number:
        return f"it is entry {place.n}"
    if left and place.left != left - 1:
        return f"{left} lines of the batch are missing"
    return None
