"""Text frames of a WebSocket, written to its transport at once and without a task.

A server's frame has no mask, so a message that many receive costs each of them only a header and a sequence number. Where
permessage-deflate was agreed on, the web framework compresses instead (``server``).
"""

from typing import Protocol

_TEXT = 0x81  # the last, and only, frame of a text message


class Wire(Protocol):
    """The sending end of one connection."""

    def send(self, message: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...

    def abort(self) -> None:
        """Resets the connection."""
        ...

    def waiting(self) -> int:
        """Bytes that the peer has not taken yet."""
        ...


def frame(message: bytes) -> bytes:
    length = len(message)
    if length < 126:
        return bytes((_TEXT, length)) + message
    if length < 65_536:
        return bytes((_TEXT, 126)) + length.to_bytes(2) + message
    return bytes((_TEXT, 127)) + length.to_bytes(8) + message
