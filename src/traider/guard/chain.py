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
_SEAL_SIZE = len(',"hash":""}\n') + 64


class _Place(msgspec.Struct):
    """What a line says of its place; the rest is skipped."""

    n: int
    left: int


_place = msgspec.json.Decoder(_Place)


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


@dataclass
class Scan:
    """What a journal's bytes prove, from the first line on.

    ``offsets`` holds where each line begins and, last, where the next one would. Lines from ``n`` on, at byte ``offsets[n]``, are
    no complete batch; ``problem`` says what is wrong with the first of them, None when there are none. It is ``torn`` where an
    interrupted write explains it: nothing but the beginning of one batch lies there.
    """

    n: int = 0
    head: str = GENESIS
    offsets: "array[int]" = field(default_factory=lambda: array("Q", [0]))
    problem: str | None = None
    torn: bool = False
    hashes_by_n: dict[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes up to the end of the last complete batch."""
        return self.offsets[-1]


def scan(lines: Iterable[bytes], wanted: int = 0) -> Scan:
    """Follows the chain as far as it holds. The hash of line ``wanted`` is kept, for comparing it with the head file."""
    result = Scan()
    before = GENESIS
    left = 0
    ends: list[int] = []
    for number, line in enumerate(lines, 1):
        problem = _problem(line, before, number, left)
        if problem is not None:
            result.problem = f"line {number}: {problem}"
            result.torn = not line.endswith(b"\n")
            return result
        before = line[-67:-3].decode()
        left = _place.decode(unseal(line)).left
        if number == wanted:
            result.hashes_by_n[number] = before
        ends.append((ends[-1] if ends else result.offsets[-1]) + len(line))
        if left == 0:
            result.offsets.extend(ends)
            ends.clear()
            result.n, result.head = number, before
    if ends:
        result.problem = f"line {result.n + 1}: the batch that begins here has no end"
        result.torn = True
    return result


def _problem(line: bytes, before: str, number: int, left_before: int) -> str | None:
    if not line.endswith(b"\n"):
        return "it is cut off"
    sealed = _SEAL.fullmatch(line[-_SEAL_SIZE:])
    if sealed is None:
        return "it is no journal line"
    if digest(before, line[:-_SEAL_SIZE]) != sealed[1].decode():
        return "its hash does not follow from the line before: an edit, a missing line or a swap"
    try:
        place = _place.decode(unseal(line))
    except msgspec.DecodeError as error:
        return f"it can't be read ({error})"
    if place.n != number:
        return f"it is entry {place.n}"
    if left_before and place.left != left_before - 1:
        return f"{left_before} lines of the batch are missing"
    return None
