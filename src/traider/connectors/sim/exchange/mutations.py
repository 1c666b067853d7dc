"""Answers made wrong: fields removed, renamed, set, and bodies that are no JSON."""

from typing import Any

import msgspec

from .calls import Answer

MAINTENANCE_PAGE = b"<html><head><title>Maintenance</title></head><body><h1>We'll be back soon</h1></body></html>"


def mutated(answer: Answer, args: dict[str, Any]) -> Answer:
    """The answer with what is asked for done to it, in this order: remove, null, rename, set; then truncate, or html instead of it all.

    A field is named by its path, such as ``success_response.order_id`` or ``results.0.success``.
    """
    if args.get("html"):
        return Answer(answer.status, MAINTENANCE_PAGE, answer.headers, "text/html; charset=utf-8")
    body = answer.body
    if any(name in args for name in ("remove", "null", "rename", "set", "reverse")):
        body = _edited_json(body, args)
    if "truncate" in args:
        body = body[: int(args["truncate"])]
    return Answer(answer.status, body, answer.headers, answer.content_type)


def _edited_json(body: bytes, args: dict[str, Any]) -> bytes:
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body  # a refusal without fields: there is nothing in it to remove
    return msgspec.json.encode(_edited(decoded, args))


def _edited(body: Any, args: dict[str, Any]) -> Any:
    for path in _paths(args.get("remove")):
        parent, name = _find(body, path)
        if parent is not None:
            del parent[name]
    for path in _paths(args.get("null")):
        parent, name = _find(body, path)
        if parent is not None:
            parent[name] = None
    for path, new in (args.get("rename") or {}).items():
        parent, name = _find(body, path)
        if isinstance(parent, dict):
            parent[new] = parent.pop(name)
    for path, value in (args.get("set") or {}).items():
        parent, name = _find(body, path, make=True)
        if parent is not None:
            parent[name] = value
    for path in _paths(args.get("reverse")):
        parent, name = _find(body, path)
        if parent is not None and isinstance(parent[name], list):
            parent[name].reverse()
    return body


def _paths(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _find(body: Any, path: str, *, make: bool = False) -> tuple[Any, Any]:
    """What holds the field, and its name or index there; None where there is no such field."""
    *way, last = path.split(".")
    for word in way:
        body = _step(body, word)
        if body is None:
            return None, None
    if isinstance(body, dict) and (make or last in body):
        return body, last
    if isinstance(body, list) and last.isdigit() and int(last) < len(body):
        return body, int(last)
    return None, None


def _step(body: Any, word: str) -> Any:
    if isinstance(body, dict):
        return body.get(word)
    if isinstance(body, list) and word.isdigit() and int(word) < len(body):
        return body[int(word)]
    return None
