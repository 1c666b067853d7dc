"""Values that the arguments of a fault rule may have. A fault that can't be is refused when it is given, not passed over later."""

from collections.abc import Callable
from typing import Any

from .subscriptions import CHANNELS

SPAN_S = 10 * 365 * 86_400  # ten years: longer waits are mistakes
_LONGEST_REASON = 123  # bytes: a close frame has no room for more
_WIRE_CHANNELS = CHANNELS | {"l2_data", "subscriptions"}

Check = tuple[Callable[[Any], bool], str]  # whether a value of the right type will do, and what to give otherwise

_WHEREVER: dict[str, Check] = {
    "seconds": (lambda value: 0 <= value <= SPAN_S, "seconds, not negative, of ten years at most"),
    "bytes_per_s": (lambda value: value > 0, "a number above 0"),
    "count": (lambda value: value >= 1, "a number from 1 on"),
    "truncate": (lambda value: value >= 0, "how many bytes are left, not negative"),
    "fraction": (lambda value: 0 < value <= 1, "a number above 0, at most 1"),
    "private_per_s": (lambda value: value > 0, "a number above 0"),
    "public_per_s": (lambda value: value > 0, "a number above 0"),
    "channel": (lambda value: value == "" or value in _WIRE_CHANNELS, f"one of {', '.join(sorted(_WIRE_CHANNELS))}"),
    "channels": (
        lambda value: all(isinstance(name, str) and name in _WIRE_CHANNELS for name in value),
        f"a list of {', '.join(sorted(_WIRE_CHANNELS))}",
    ),
    "reason": (lambda value: len(value.encode()) <= _LONGEST_REASON, f"at most {_LONGEST_REASON} bytes"),
    "headers": (lambda value: all(_plain(str(text)) for pair in value.items() for text in pair), "names and values of one line each"),
    "what": (lambda value: value in ("order", "fill"), "order or fill"),
    "delta": (lambda value: not value.startswith("--"), "a decimal number as text"),
}
_OF_AN_ACT: dict[tuple[str, str], Check] = {
    ("clock.skew", "seconds"): (lambda value: abs(value) <= SPAN_S, "seconds, of ten years at most"),
    ("clock.step", "seconds"): (lambda value: abs(value) <= SPAN_S, "seconds, of ten years at most"),
    ("status", "code"): (lambda value: 200 <= value <= 599, "an HTTP status from 200 to 599"),
    ("ws.close", "code"): (lambda value: 1000 <= value <= 4999, "a close code from 1000 to 4999"),
    ("fill", "on"): (lambda value: value in ("", "cancel", "edit"), "cancel or edit"),
    ("product", "status"): (lambda value: value in ("", "online", "offline", "delisted"), "online, offline or delisted"),
}


def wrong_value(do: str, name: str, value: Any) -> str:
    """What to give instead; empty where the value will do."""
    check = _OF_AN_ACT.get((do, name)) or _WHEREVER.get(name)
    return "" if check is None or check[0](value) else check[1]


def _plain(text: str) -> bool:
    return text.isprintable() and text.isascii()
