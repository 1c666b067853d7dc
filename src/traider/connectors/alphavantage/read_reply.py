"""What an answer is: the series that was asked for, or which error. Alpha Vantage says nearly all of them with status 200."""

from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from traider.domain.history import ProviderRefusedError, ProviderUnavailableError, RateLimitedError

SECOND_S, MINUTE_S = 2.0, 61.0
_LONGEST = 300  # letters of the provider's words that a message repeats
_ERROR_KEYS = ("Error Message", "Information", "Note")
_TOO_FAST = ("spreading out", "sparingly", "per second")
_KEY = ("demo purposes", "claim your free api key", "apikey is invalid", "api key is invalid")
_LIMITS = ("rate limit", "call frequency", "calls per", "requests per")

Redact = Callable[[str], str]


def read_reply(status: int, body: bytes, redact: Redact) -> dict[str, Any]:
    """The answer's object, which is no error: that is raised, by its kind, and holds nothing that ``redact`` takes out."""
    if status == 429:
        raise RateLimitedError("Alpha Vantage: too many requests (status 429)", wait_s=MINUTE_S)
    if status != 200:
        raise ProviderUnavailableError(f"Alpha Vantage answered with status {status}")
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProviderUnavailableError("Alpha Vantage's answer is no JSON") from None
    if not isinstance(answer, dict):
        raise ProviderUnavailableError("Alpha Vantage's answer is no JSON object")
    for key in _ERROR_KEYS:  # at the top only: a good answer's Meta Data has information of its own
        if key in answer:
            _refuse(key, redact(str(answer[key])))
    if not answer:
        raise ProviderRefusedError("Alpha Vantage answered with nothing at all: it does not know this symbol")
    return answer


def _refuse(key: str, text: str) -> NoReturn:
    """Told by its words; what has none that are known counts as a limit of unknown duration."""
    words = " ".join(text.lower().split())
    told = f"Alpha Vantage: {' '.join(text.split())[:_LONGEST]}"
    if any(known in words for known in _KEY):
        raise ProviderRefusedError(f"{told} (check ALPHAVANTAGE_API_KEY)")
    if key == "Error Message":
        raise ProviderRefusedError(f"{told} (check the symbol)")
    # The advice to ask more slowly, and the daily limit, both praise the premium plans: those are looked for last.
    if any(known in words for known in _TOO_FAST):
        raise RateLimitedError(told, wait_s=SECOND_S)
    if any(known in words for known in _LIMITS):
        raise RateLimitedError(told, wait_s=MINUTE_S if "per minute" in words else None)
    if "premium" in words:
        raise ProviderRefusedError(f"{told} (the key's plan does not have it)")
    raise RateLimitedError(told)
