"""One socket: what it subscribed to, its sequence numbers, and what is broken about it."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from .agenda import Agenda, Due
from .damage import Damage
from .keys import Key
from .messages import Message
from .settings import Switches
from .wire import Wire


class Session:
    """The exchange's side of one connection. ``gone`` is called once, when it is closed from this side."""

    def __init__(self, number: int, wire: Wire, agenda: Agenda, switches: Switches, *, address: str, user_only: bool) -> None:
        self.number, self.wire, self.address, self.user_only = number, wire, address, user_only
        self._agenda, self._switches = agenda, switches
        self.channels: dict[str, set[str]] = {}  # as they were subscribed to; for user: products, or nothing for all
        self.subscribed = False  # ever
        self.key: Key | None = None
        self.damage = Damage()
        self.sent: Counter[str] = Counter()  # messages by channel
        self.last_sent_ns = agenda.time_ns()
        self.closed = False
        self.timers: list[Due] = []
        self.heartbeat: Due | None = None
        self.on_closed: Callable[[Session], None] | None = None
        self._sequence = 0
        self._by_product: dict[str, int] = {}

    def send(self, message: Message) -> None:
        """Numbers the message and sends it; a consumer that takes too little is disconnected."""
        if self.closed:
            return
        if not self.damage.active:
            self._write(message.channel, self._numbered(message))
            return
        channel = message.channel
        for content, delay_s in self.damage.pass_through(message, self._numbered):
            if delay_s:
                self._agenda.after(delay_s, partial(self._write, channel, content))
            else:
                self._write(channel, content)

    def send_text(self, text: bytes) -> None:
        """Outside of the sequence: errors have no number."""
        if not self.closed and not self.damage.mute:
            self.wire.send(text)

    def close(self, code: int, reason: str = "") -> None:
        if not self.closed:
            self.wire.close(code, reason)
            self.leave()

    def drop(self) -> None:
        """Resets the connection, without a word."""
        if not self.closed:
            self.wire.abort()
            self.leave()

    def leave(self) -> None:
        """Nothing is sent any more."""
        if self.closed:
            return
        self.closed = True
        for due in (*self.timers, self.heartbeat):
            if due is not None:
                due.cancel()
        if self.on_closed is not None:
            self.on_closed(self)

    def _numbered(self, message: Message) -> bytes:
        if self._switches.sequence == "product":
            number = self._by_product.get(message.product_id, 0)
            self._by_product[message.product_id] = number + 1
        else:
            number = self._sequence
            self._sequence += 1
        return b"%b%d%b" % (message.head, number, message.tail)

    def _write(self, channel: str, content: bytes) -> None:
        if self.closed:
            return
        self.sent[channel] += 1
        self.last_sent_ns = self._agenda.time_ns()
        self.wire.send(content)
        if self.wire.waiting() > self._switches.slow_consumer_bytes:
            self.close(1008, "slow consumer")
