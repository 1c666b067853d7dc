"""The exchange's own noes: for orders, for edits, and for requests as a whole."""

from dataclasses import dataclass, field
from typing import Any


class OrderRefusedError(Exception):
    """An order that is not taken. ``reason`` is the word of ``new_order_failure_reason``, ``preview`` the preview's word for it."""

    def __init__(self, reason: str, message: str, *, preview: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.preview = preview or f"PREVIEW_{reason}"
        self.message = message


class EditRefusedError(Exception):
    """An edit that is not taken; ``reason`` is the word of ``edit_failure_reason``."""

    def __init__(self, reason: str, preview: str = "UNKNOWN_PREVIEW_FAILURE_REASON") -> None:
        super().__init__(reason)
        self.reason = reason
        self.preview = preview


@dataclass
class RequestRefusedError(Exception):
    """A request that is answered with an HTTP error. A ``body`` that is text is sent as plain text."""

    status: int
    body: dict[str, Any] | str
    headers: dict[str, str] = field(default_factory=dict)


def bad_request(message: str, error: str = "INVALID_ARGUMENT") -> RequestRefusedError:
    return RequestRefusedError(400, {"error": error, "error_details": message, "message": message})


def unauthorized() -> RequestRefusedError:
    return RequestRefusedError(401, "Unauthorized\n")


def forbidden(headers: dict[str, str]) -> RequestRefusedError:
    details = "Missing required scopes"
    return RequestRefusedError(403, {"error": "PERMISSION_DENIED", "error_details": details, "message": details}, headers)


def not_found(message: str) -> RequestRefusedError:
    return RequestRefusedError(404, {"error": "NOT_FOUND", "error_details": message, "message": message})


def too_many(shape: str, headers: dict[str, str]) -> RequestRefusedError:
    message = "Too many requests"
    body: dict[str, Any] = {"errors": [{"id": "rate_limit_exceeded", "message": message}]}
    if shape == "error":
        body = {"error": "RATE_LIMIT_EXCEEDED", "message": message}
    return RequestRefusedError(429, body, headers)
