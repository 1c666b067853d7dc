"""What is subscribed to, and who is told what comes of it."""

from typing import Protocol

import msgspec

from .messages import AnyMessage


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A channel by the name that it is subscribed with. One that is ``lively`` has something to say all the time; one that is
    ``optional`` is not waited for: the connection is good without it.
    """

    channel: str
    products: tuple[str, ...] = ()
    lively: bool = False
    optional: bool = False


class Handler(Protocol):
    """What a session tells. Every call is made on the event loop, in the order in which things happened."""

    def on_live(self) -> None:
        """Every channel is confirmed: from here on everything is told."""
        ...

    def on_gap(self, why: str) -> None:
        """Something was missed. The channels are being subscribed anew, and ``on_live`` follows when they are."""
        ...

    def take_frame(self, frame: bytes, expected: int, received_ts_ns: int) -> bool:
        """Takes the whole message with this number out of its bytes, or leaves it untouched: the short way past ``on_message``.

        ``MalformedError`` when it was taken and something was lost with it.
        """
        ...

    def on_message(self, message: AnyMessage, received_ts_ns: int) -> None:
        """The next message, in order. ``MalformedError`` counts as a gap."""
        ...

    def on_lost(self, why: str) -> None:
        """There is no connection. It is being made anew."""
        ...

    def is_whole(self) -> bool:
        """Whether everything that a subscription begins with has been seen, as a snapshot of every book."""
        ...
