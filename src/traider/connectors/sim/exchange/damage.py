"""What the control API does to a connection."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .messages import Message


@dataclass(slots=True)
class Damage:
    """Counters are of messages, and count down; ``channel`` "" means any.

    ``skip_unnumbered`` loses a message before it gets its number (the client can't notice), ``skip`` after it.
    """

    mute: bool = False
    stalled: set[str] = field(default_factory=set)
    channel: str = ""
    skip: int = 0
    skip_unnumbered: int = 0
    dup: int = 0
    reorder: int = 0
    truncate: int = 0
    garbage: int = 0
    delay_s: float = 0.0
    delay: int = 0
    no_snapshot: bool = False
    held: list[bytes] = field(default_factory=list)

    def concerns(self, channel: str) -> bool:
        return self.channel in ("", channel)

    @property
    def active(self) -> bool:
        return bool(
            self.mute or self.stalled or self.skip or self.skip_unnumbered or self.dup or self.reorder or self.truncate
            or self.garbage or self.delay or self.no_snapshot or self.held
        )  # fmt: skip

    def pass_through(self, message: Message, number: Callable[[Message], bytes]) -> Iterator[tuple[bytes, float]]:
        """What is sent instead of the message, each with its delay in seconds; ``number`` gives it its place in the sequence."""
        if self.mute or message.channel in self.stalled or (self.no_snapshot and message.snapshot):
            return
        if not self.concerns(message.channel):
            yield number(message), 0.0
            return
        if self._counts("skip_unnumbered"):
            return
        content = number(message)
        if self._counts("skip"):
            return
        if self._counts("reorder"):
            self.held.append(content)
            if not self.reorder:
                held, self.held = self.held, []
                yield from ((late, 0.0) for late in reversed(held))
        elif self._counts("truncate"):
            yield content[: len(content) // 2], 0.0
        elif self._counts("garbage"):
            yield b"not json: " + content[:40], 0.0
        elif self._counts("delay"):
            yield content, self.delay_s
        else:
            yield content, 0.0
            if self._counts("dup"):
                yield content, 0.0

    def _counts(self, name: str) -> bool:
        """Takes one off the counter; False where there is none left."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0
