"""Rules of the fault API: what they match, what they do, how often. Pure; ``faults`` carries them out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from .argument_checks import SPAN_S, wrong_value
from .calls import Call
from .market_calls import PREFIX
from .refusals import RequestRefusedError, bad_request

When = Literal["before_apply", "after_apply"]
_MATCH_WORDS = {"method", "path", "nth", "product", "client_order_id", "order_id", "size", "account"}
_RULE_WORDS = {"match", "do", "times", "at", "when"}


@dataclass(slots=True)
class Match:
    """Which requests; what isn't given matches all. ``path`` is a pattern with *, with or without the API's prefix.

    ``client_order_id`` is a regular expression. ``size`` is a base or quote size, or what its digits end in, written ``*9001``.
    """

    method: str = ""
    path: str = ""
    nth: int = 0
    product: str = ""
    client_order_id: str = ""
    order_id: str = ""
    size: str = ""
    account: str = ""

    def fits(self, call: Call) -> bool:
        if self.method and call.method != self.method:
            return False
        if self.path and not (fnmatchcase(call.path, self.path) or fnmatchcase(call.path, PREFIX + self.path)):
            return False
        if self.account and (call.key is None or call.key.account.name != self.account):
            return False
        return self._fits_body(call)

    def _fits_body(self, call: Call) -> bool:
        if not (self.product or self.client_order_id or self.order_id or self.size):
            return True
        try:
            body = call.json()
        except RequestRefusedError:
            return False
        products = [body.get("product_id"), *call.words("product_id"), *call.words("product_ids")]
        ids = [body.get("order_id"), *listed_ids(body), *call.parts, call.path.rpartition("/")[2]]
        return (
            (not self.product or self.product in products)
            and (not self.client_order_id or re.search(self.client_order_id, str(body.get("client_order_id", ""))) is not None)
            and (not self.order_id or self.order_id in ids)
            and (not self.size or any(_size_fits(self.size, size) for size in sizes(body)))
        )


def listed_ids(body: dict[str, Any]) -> list[Any]:
    """``order_ids`` of a request, whatever the client has put there."""
    ids = body.get("order_ids")
    return ids if isinstance(ids, list) else []


def sizes(body: dict[str, Any]) -> list[str]:
    """The sizes in an order's configuration."""
    return [size for size, _ in sized(body, base=0, quote=0)]


def sized(body: dict[str, Any], *, base: int, quote: int) -> list[tuple[str, int]]:
    """The same, each with the increment of its kind."""
    configuration = body.get("order_configuration")
    fields = next(iter(configuration.values()), None) if isinstance(configuration, dict) else None
    if not isinstance(fields, dict):
        return []
    return [(fields[name], step) for name, step in (("base_size", base), ("quote_size", quote)) if isinstance(fields.get(name), str)]


def _size_fits(wanted: str, size: str) -> bool:
    return size.endswith(wanted[1:]) if wanted.startswith("*") else size == wanted


@dataclass(slots=True)
class Rule:
    """One rule. ``times`` 0 means always. ``seen`` counts matching requests, ``done`` those that it acted on."""

    id: int
    do: str
    args: dict[str, Any]
    match: Match | None = None
    times: int = 1
    at_s: float = 0.0
    when: When = "after_apply"
    seen: int = 0
    done: int = 0
    failed: str = ""  # what went wrong when it acted

    @property
    def spent(self) -> bool:
        return bool(self.times) and self.done >= self.times

    def takes(self, call: Call) -> bool:
        """Whether the rule acts on this request; counts it."""
        if self.match is None or self.spent or not self.match.fits(call):
            return False
        self.seen += 1
        if self.match.nth and self.seen != self.match.nth:
            return False
        self.done += 1
        return True

    def told(self) -> dict[str, Any]:
        match = {name: value for name in sorted(_MATCH_WORDS) if (value := getattr(self.match, name))} if self.match else None
        counts = {"at": self.at_s, "times": self.times, "seen": self.seen, "done": self.done, "failed": self.failed}
        return {"id": self.id, "do": self.do, "when": self.when, "match": match, "args": self.args, **counts}


@dataclass(slots=True)
class Signature:
    """What one kind of act takes. ``requests``: it needs a request to act on."""

    args: Mapping[str, type | tuple[type, ...]] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    requests: bool = False


def parse_rule(number: int, given: object, signatures: dict[str, Signature]) -> Rule:
    """The rule, or a 400 that says what is wrong with it."""
    if not isinstance(given, dict):
        raise bad_request("a rule is an object with do, and mostly match")
    do = given.get("do")
    signature = signatures.get(do) if isinstance(do, str) else None
    if signature is None or not isinstance(do, str):
        raise bad_request(f"do is {do!r}; there are: {', '.join(signatures)}")
    args = {name: value for name, value in given.items() if name not in _RULE_WORDS}
    for name, value in args.items():
        if name not in signature.args:
            raise bad_request(f"{do} takes no {name!r}; it takes: {', '.join(signature.args) or 'nothing'}")
        if not isinstance(value, signature.args[name]) or (isinstance(value, bool) and signature.args[name] is not bool):
            raise bad_request(f"{do}: {name} is {value!r}, which is of the wrong type")
        wanted = wrong_value(do, name, value)
        if wanted:
            raise bad_request(f"{do}: {name} is {value!r}; give {wanted}")
    for name in signature.needed:
        if name not in args:
            raise bad_request(f"{do} needs {name!r}")
    when = given.get("when", "after_apply")
    if do == "status" and "when" in given:
        args.setdefault("applied", when == "after_apply")
    if when not in ("before_apply", "after_apply"):
        raise bad_request(f"when is {when!r}; give before_apply or after_apply")
    match = _match(given.get("match"))
    if match is None and signature.requests:
        raise bad_request(f"{do} needs match: the requests that it acts on")
    times, at_s = given.get("times", 1), given.get("at", 0)
    if not isinstance(times, int) or times < 0 or not isinstance(at_s, int | float) or not 0 <= at_s <= SPAN_S:
        raise bad_request("times and at are numbers that are not negative")
    return Rule(number, do, args, match, times, float(at_s), when)


def _match(given: object) -> Match | None:
    if given is None:
        return None
    if not isinstance(given, dict) or given.keys() - _MATCH_WORDS:
        raise bad_request(f"match is an object of: {', '.join(sorted(_MATCH_WORDS))}")
    try:
        match = msgspec.convert(given, Match)
        match.method = match.method.upper()
        re.compile(match.client_order_id)
    except (msgspec.ValidationError, re.error) as error:
        raise bad_request(f"match: {error}") from None
    if match.nth < 0:
        raise bad_request("match: nth counts from 1; 0 is any")
    return match
