"""Pages of a listing, newest first, behind cursors that say nothing to a client."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import TypeVar

from .refusals import bad_request

T = TypeVar("T")


def page(items: Iterable[T], *, number: Callable[[T], int], cursor: str, limit: int) -> tuple[list[T], str]:
    """The items after the cursor, at most so many, and the cursor of the next page: empty where there is none.

    The items come with falling numbers.
    """
    before = decode(cursor) if cursor else None
    taken: list[T] = []
    for item in items:
        if before is not None and number(item) >= before:
            continue
        if len(taken) == limit:
            return taken, encode(number(taken[-1]))
        taken.append(item)
    return taken, ""


def encode(number: int) -> str:
    return base64.urlsafe_b64encode(f"after {number}".encode()).decode()


def decode(cursor: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        if word == "after":
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise bad_request("cursor is not one of this listing")
