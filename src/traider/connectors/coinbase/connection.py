"""The life of one connection: subscribed within the venue's deadline, every message counted, silence noticed."""

import asyncio
import logging
from collections.abc import Sequence

from traider.domain.venue import VenueUnavailableError

from .config import SocketTiming
from .malformed import MalformedError
from .messages import (
    AnyMessage,
    BookMessage,
    BrokenMessageError,
    HeartbeatsMessage,
    OtherMessage,
    SubscriptionsMessage,
    VenueComplaint,
    read_message,
)
from .sequence import Arrival, SequenceCheck
from .socket import Socket
from .subscription import Handler, Subscription

log = logging.getLogger(__name__)
HEARTBEATS = "heartbeats"
_BOOK = "l2_data"
_WIRE_NAMES = {"level2": _BOOK}  # a channel that arrives under another name than it is subscribed with
_LOOKS_PER_TIMEOUT = 5


class Connection:
    """Runs once. It hands ``handler`` what arrives, and ends with a reason as soon as it can't be trusted any more."""

    def __init__(self, socket: Socket, subscriptions: Sequence[Subscription], handler: Handler, timing: SocketTiming) -> None:
        self._socket = socket
        self._subscriptions = tuple(subscriptions)
        self._handler = handler
        self._timing = timing
        self._sequence = SequenceCheck()
        self._unconfirmed: set[str] = set()
        self._still_old: set[str] = set()  # of the unconfirmed: those whose old subscription has not been confirmed to be over
        self._live = False
        self._gap: str | None = None
        self._wake = asyncio.Event()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._heartbeat_s = 0.0
        self._heartbeat_counter: int | None = None
        self._begun_s = 0.0
        self._spoke_s: dict[str, float] = {}

    async def run(self, url: str) -> str:
        """Why it ended. ``VenueUnavailableError`` when it could not begin."""
        try:
            await self._open(url)
            await self._begin()
            while not self._ended.done():
                await self._sleep()
                await self._look()
            return self._ended.result()
        finally:
            self.give_up("closed on this side")
            await self._socket.close()

    def give_up(self, why: str) -> None:
        """Ends it; what still arrives is not handed on."""
        if not self._ended.done():
            self._ended.set_result(why)
        self._wake.set()

    def on_gap(self, why: str) -> None:
        """Something was missed: tells so at once, and has the channels subscribed anew."""
        self._live = False
        self._handler.on_gap(why)
        self._gap = why
        self._wake.set()

    async def _open(self, url: str) -> None:
        try:
            async with asyncio.timeout(self._timing.connect_timeout_s):
                await self._socket.open(url, self._on_frame, self.give_up)
        except TimeoutError:
            raise VenueUnavailableError(f"no connection to {url} within {self._timing.connect_timeout_s:g} s") from None

    async def _begin(self) -> None:
        # The venue hangs up on who has not subscribed within five seconds, and on quiet channels where there are no heartbeats.
        now_s = asyncio.get_running_loop().time()
        self._heartbeat_s = self._begun_s = now_s
        self._spoke_s = {_wire_name(part.channel): now_s for part in self._subscriptions if part.lively}
        self._unconfirmed = {HEARTBEATS, *self._needed()}
        await self._socket.subscribe(HEARTBEATS, ())
        for part in self._subscriptions:
            await self._socket.subscribe(part.channel, part.products)

    def _needed(self) -> set[str]:
        return {part.channel for part in self._subscriptions if not part.optional}

    async def _begin_again(self) -> None:
        """Ends and renews every subscription but the heartbeats: each then begins with a snapshot. Tokens are new."""
        log.warning("subscribing anew: %s", self._gap)
        self._gap = None
        self._begun_s = asyncio.get_running_loop().time()
        self._still_old = self._needed()
        self._unconfirmed |= self._still_old
        for part in self._subscriptions:
            await self._socket.unsubscribe(part.channel, part.products)
        for part in self._subscriptions:
            await self._socket.subscribe(part.channel, part.products)

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(self._timing.heartbeat_timeout_s / _LOOKS_PER_TIMEOUT):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _look(self) -> None:
        """What has to be done, or noticed, now."""
        now_s = asyncio.get_running_loop().time()
        timing = self._timing
        if now_s - self._heartbeat_s > timing.heartbeat_timeout_s:
            self.give_up(f"no heartbeat for {timing.heartbeat_timeout_s:g} s")
        elif self._gap is not None and now_s - self._begun_s >= timing.resubscribe_every_s:
            await self._begin_again()
        elif self._unconfirmed and now_s - self._begun_s > timing.subscribe_timeout_s:
            self.give_up(f"{', '.join(sorted(self._unconfirmed))} not confirmed within {timing.subscribe_timeout_s:g} s")
        elif now_s - self._begun_s > timing.snapshot_timeout_s and not self._handler.is_whole():
            self.give_up(f"no snapshot within {timing.snapshot_timeout_s:g} s")
        else:
            silent = [name for name, spoke_s in self._spoke_s.items() if now_s - spoke_s > timing.silence_timeout_s]
            if silent:
                self.give_up(f"{', '.join(silent)} silent for {timing.silence_timeout_s:g} s")

    def _on_frame(self, frame: bytes, received_ts_ns: int) -> None:
        if self._ended.done() or self._took_frame(frame, received_ts_ns):
            return
        try:
            message = read_message(frame)
        except BrokenMessageError as error:
            if error.sequence_num is None or self._sequence.judge(error.sequence_num) is not Arrival.LATE:
                self.on_gap(str(error))
            return
        if isinstance(message, VenueComplaint):
            self.give_up(f"the venue says: {message.message[:200]}")
            return
        # Every message is counted before any is passed over: one number is one message of the connection, whatever its channel.
        if message.sequence_num is not None:
            arrival = self._sequence.judge(message.sequence_num, self._key(message))
            if arrival is Arrival.LATE:
                return
            if arrival is Arrival.GAP:
                self.on_gap(f"messages are missing before number {message.sequence_num}")
        if not isinstance(message, OtherMessage):
            self._take(message, received_ts_ns)

    def _took_frame(self, frame: bytes, received_ts_ns: int) -> bool:
        expected = self._sequence.expected
        if expected is None or self._timing.sequence_by_product:
            return False
        try:
            if not self._handler.take_frame(frame, expected, received_ts_ns):
                return False
            self._sequence.advance(expected)
        except MalformedError as error:
            self._sequence.advance(expected)
            self.on_gap(str(error))
        if _BOOK in self._spoke_s:
            self._spoke_s[_BOOK] = asyncio.get_running_loop().time()
        return True

    def _take(self, message: AnyMessage, received_ts_ns: int) -> None:
        name = str(message.__struct_config__.tag)
        if name in self._spoke_s:
            self._spoke_s[name] = asyncio.get_running_loop().time()
        if isinstance(message, HeartbeatsMessage):
            self._on_heartbeat(message)
        elif isinstance(message, SubscriptionsMessage):
            self._on_subscriptions(message)
        else:
            try:
                self._handler.on_message(message, received_ts_ns)
            except MalformedError as error:
                self.on_gap(str(error))

    def _on_heartbeat(self, message: HeartbeatsMessage) -> None:
        self._heartbeat_s = asyncio.get_running_loop().time()
        for event in message.events:
            counter = int(event.heartbeat_counter) if str(event.heartbeat_counter).isdecimal() else None
            last, self._heartbeat_counter = self._heartbeat_counter, counter
            if counter is not None and last is not None and counter > last + 1:
                self.on_gap(f"heartbeats {last + 1} to {counter - 1} did not come, though no number is missing")

    def _on_subscriptions(self, message: SubscriptionsMessage) -> None:
        for event in message.events:
            held = event.subscriptions.keys()
            self._unconfirmed -= held - self._still_old
            self._still_old &= held
        if not self._unconfirmed and not self._live and self._gap is None:
            self._live = True
            self._handler.on_live()

    def _key(self, message: AnyMessage | OtherMessage) -> str:
        """Which row of numbers the message is in."""
        if not self._timing.sequence_by_product or isinstance(message, OtherMessage):
            return ""
        product = message.events[0].product_id if isinstance(message, BookMessage) and message.events else ""
        return f"{message.__struct_config__.tag} {product}"


def _wire_name(channel: str) -> str:
    return _WIRE_NAMES.get(channel, channel)
