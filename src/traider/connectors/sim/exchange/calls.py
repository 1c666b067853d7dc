"""A request and its answer, apart from any web framework; and the table that leads from one to the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from .keys import Key
from .refusals import RequestRefusedError, bad_request, not_found

_LONGEST_NUMBER = 12


@dataclass(slots=True)
class Call:
    """One request. ``path`` has no doubled slashes; ``parts`` are what the route's placeholders stand for."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    address: str
    headers: dict[str, str] = field(default_factory=dict)
    key: Key | None = None
    parts: tuple[str, ...] = ()

    def word(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def words(self, name: str) -> list[str]:
        """All values of a repeated key; one value may hold several, with commas."""
        return [word for value in self.query.get(name, []) for word in value.split(",") if word]

    def number(self, name: str, default: int, most: int) -> int:
        """A count, or the default where none is given or it is 0."""
        return min(self.seconds(name, default) or default, most)

    def seconds(self, name: str, default: int) -> int:
        """A whole number that is not negative."""
        text = self.word(name)
        if text in ("", "None"):
            return default
        if not text.isdecimal() or len(text) > _LONGEST_NUMBER:
            raise bad_request(f"{name} must be a whole number")
        return int(text)

    def json(self) -> dict[str, Any]:
        try:
            body = msgspec.json.decode(self.body or b"{}")
        except (msgspec.DecodeError, RecursionError):
            raise bad_request("the body is not JSON") from None
        if not isinstance(body, dict):
            raise bad_request("the body is not an object")
        return body


@dataclass(slots=True)
class Answer:
    """What is sent back. ``body`` is ready for the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def answer(body: Any, status: int = 200) -> Answer:
    """Compact JSON: a client looks for texts in it that have no blanks."""
    return Answer(status, msgspec.json.encode(body))


def refusal(refused: RequestRefusedError) -> Answer:
    if isinstance(refused.body, str):
        return Answer(refused.status, refused.body.encode(), dict(refused.headers), "text/plain; charset=utf-8")
    return Answer(refused.status, msgspec.json.encode(refused.body), dict(refused.headers))


class Route(NamedTuple):
    """``scope`` is what a key must have; None where the call is public."""

    method: str
    pattern: str
    scope: str | None
    handle: Callable[[Call], Any]


class Router:
    """Routes by method and path; ``{}`` in a pattern stands for one part."""

    def __init__(self, routes: list[Route]) -> None:
        self._fixed = {(route.method, route.pattern): route for route in routes if "{}" not in route.pattern}
        self._open = [(route, route.pattern.strip("/").split("/")) for route in routes if "{}" in route.pattern]

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        """The route and what its placeholders stand for; 404 where there is none."""
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, ()
        words = path.strip("/").split("/")
        for route, pattern in self._open:
            if route.method == method and len(pattern) == len(words):
                pairs = list(zip(pattern, words, strict=True))
                if all(mark in ("{}", word) for mark, word in pairs):
                    return route, tuple(word for mark, word in pairs if mark == "{}")
        raise not_found("no such endpoint")
