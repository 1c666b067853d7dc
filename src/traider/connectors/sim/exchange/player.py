"""Plays a tape into its market, at the pace of the exchange's time or N times that."""

from collections.abc import Iterator

from .agenda import Agenda
from .exchange import Exchange
from .markets import Market
from .tape import Message, Passage, Tape, apply

_A_TIME = 256  # messages applied before others get a turn
_PAUSE_NS = 1_000_000_000  # between the end of a tape and its next beginning


class Player:
    """``speed`` times as fast as the tape's own time. A tape that ends begins anew unless ``once``; then ``ended`` is True.

    Messages that are late are applied as soon as it goes, in their order.
    """

    def __init__(self, exchange: Exchange, market: Market, tape: Tape, *, speed: float, once: bool = False) -> None:
        self._exchange, self._market, self._tape = exchange, market, tape
        self._speed, self._once = speed, once
        self.ended = False
        self.messages = 0
        self._source: Iterator[Message] = iter(())
        self._following: Message | None = None
        self._passage: Passage | None = None
        self._first_ns = self._began_ns = 0

    def start(self) -> None:
        """The first message, which has the book, is applied now."""
        self._source = iter(self._tape.messages())
        self._following = next(self._source, None)
        self._passage = Passage() if self._tape.infers_trades else None
        if self._following is None:
            self.ended = True
            return
        self._first_ns, self._began_ns = self._following.ts_ns, self._agenda.time_ns()
        self._play()

    @property
    def _agenda(self) -> Agenda:
        return self._exchange.agenda

    def _due_ns(self, message: Message) -> int:
        return self._began_ns + round((message.ts_ns - self._first_ns) / self._speed)

    def _play(self) -> None:
        """Applies what is due, and plans the rest."""
        for _ in range(_A_TIME):
            message = self._following
            if message is None or self._due_ns(message) > self._agenda.time_ns():
                break
            self._apply(message)
            self._following = next(self._source, None)
        if self._following is not None:
            self._agenda.at(max(self._due_ns(self._following), self._agenda.time_ns()), self._play)
        elif self._once:
            self.ended = True
        else:
            self._agenda.at(self._agenda.time_ns() + _PAUSE_NS, self.start)

    def _apply(self, message: Message) -> None:
        self.messages += 1
        self._exchange.step(self._market, lambda matcher: apply(matcher, message.rows, self._passage))
