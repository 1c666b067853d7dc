"""Client order ids that are used up, of orders that are over and no longer remembered one by one: no order may bear one again.

A trader makes its ids from the session, the market event and a number (``s2-338-0``, see ADR 14), and both rise. So of these the newest
that was forgotten says it all: whatever is not newer is used up. Of ids of any other shape a hash of 8 bytes is kept, of the newest
``OTHERS_REMEMBERED``.
"""

import re
from base64 import b64decode, b64encode
from hashlib import blake2b

from .records import Spent

OTHERS_REMEMBERED = 100_000
_BYTES = 8
_MADE = re.compile(r"s(\d{1,18})-(\d{1,18})(?:t\d+)?-\d+")


class SpentIds:
    """``identifier in spent`` says whether an id is used up. What is remembered one by one is not asked about here."""

    def __init__(self, told: Spent | None = None) -> None:
        told = told or Spent()
        self._newest = (told.session_n, told.index)
        packed = b64decode(told.others)
        self._others = {packed[at : at + _BYTES]: None for at in range(0, len(packed), _BYTES)}

    def spend(self, identifier: str) -> None:
        """The order with this id is forgotten."""
        made = _MADE.fullmatch(identifier)
        if made is not None:
            self._newest = max(self._newest, (int(made[1]), int(made[2])))
            return
        self._others[_hash(identifier)] = None
        if len(self._others) > OTHERS_REMEMBERED:
            del self._others[next(iter(self._others))]

    def __contains__(self, identifier: str) -> bool:
        made = _MADE.fullmatch(identifier)
        if made is not None:
            return (int(made[1]), int(made[2])) <= self._newest
        return bool(self._others) and _hash(identifier) in self._others

    def copy(self) -> "SpentIds":
        other = SpentIds()
        other._newest, other._others = self._newest, self._others.copy()
        return other

    def told(self) -> Spent:
        """As the journal keeps it."""
        session_n, index = self._newest
        return Spent(session_n=session_n, index=index, others=b64encode(b"".join(self._others)).decode())


def _hash(identifier: str) -> bytes:
    return blake2b(identifier.encode(), digest_size=_BYTES).digest()
