"""What a reply means: its shape where it is a good one, else which of the venue's errors it is."""

from typing import TypeVar

import msgspec

from traider.domain.venue import VenueRejectedError, VenueUnavailableError, VenueUnknownError

from .malformed import MalformedError
from .transport import Call, Reply
from .wire_orders import ErrorReply, OrderRefusal

T = TypeVar("T")

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNSPECIFIC = frozenset({"", "UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON", "UNKNOWN"})
_ERRORS = msgspec.json.Decoder(ErrorReply)


class NotFoundError(VenueUnavailableError):
    """The venue does not know what was asked for. Of an order that was just made this proves nothing."""


def decoded(body: bytes, shape: type[T], what: str) -> T:
    """The body as this shape; ``MalformedError`` names what is missing."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError(f"{what}: the reply can't be read: {error}") from None


def read_answer(call: Call, reply: Reply, shape: type[T]) -> T:
    """The answer to a question; ``VenueUnavailableError`` when it is none, for asking changes nothing."""
    if reply.status == 200:
        try:
            return decoded(reply.body, shape, call.name)
        except MalformedError as error:
            raise VenueUnavailableError(str(error)) from None
    if reply.status == 404:
        raise NotFoundError(f"{call.name}: not found")
    raise VenueUnavailableError(f"{call.name} was answered with {told_status(reply)}")


def read_outcome(call: Call, reply: Reply, shape: type[T]) -> T:
    """The answer to a call that changes something.

    ``VenueRejectedError`` for a 400 that can be read, and for nothing else: a gateway that says 401, 403, 404, 429 or 5xx, or a
    page that can't be read, proves neither that it was done nor that it was not (``VenueUnknownError``).
    """
    if reply.status == 200:
        try:
            return decoded(reply.body, shape, call.name)
        except MalformedError as error:
            raise VenueUnknownError(str(error)) from None
    if reply.status == 400 and (error_reply := _error_of(reply)) is not None:
        code = error_reply.error or "INVALID_REQUEST"
        raise VenueRejectedError(f"{call.name} was refused: {_told_error(error_reply)}", code=code)
    raise VenueUnknownError(f"{call.name} was answered with {told_status(reply)}")


def refusal_code(refusal: OrderRefusal | None) -> str:
    """The most telling of the venue's words for why; the enums grow, so any word is passed on as it is."""
    if refusal is None:
        return "UNKNOWN_FAILURE_REASON"
    for code in (refusal.new_order_failure_reason, refusal.preview_failure_reason, refusal.error):
        if code and code not in _UNSPECIFIC:
            return code
    return refusal.error or "UNKNOWN_FAILURE_REASON"


def told_status(reply: Reply) -> str:
    """The status and, where the venue said why in a form of its own, the reason. Never a foreign page, never a header."""
    error_reply = _error_of(reply)
    return f"status {reply.status}" if error_reply is None else f"status {reply.status}: {_told_error(error_reply)}"


def _error_of(reply: Reply) -> ErrorReply | None:
    try:
        error_reply = _ERRORS.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return error_reply if error_reply.error or error_reply.message or error_reply.errors else None


def _told_error(error_reply: ErrorReply) -> str:
    entries = [entry for entry in error_reply.errors or [] if entry.id or entry.message]
    parts = [error_reply.error, error_reply.message, error_reply.error_details, *(entry.id or entry.message for entry in entries)]
    return ", ".join(dict.fromkeys(part[:200] for part in parts if part)) or "no reason given"
