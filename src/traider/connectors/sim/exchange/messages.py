"""Messages to many connections, which number them each for itself."""

from dataclasses import dataclass

from .settings import Switches
from .shapes import iso


@dataclass(frozen=True, slots=True)
class Message:
    """A message to many: everything but the sequence number. ``product_id`` is what it counts by with ``sequence`` "product"."""

    channel: str
    head: bytes
    tail: bytes
    product_id: str = ""
    snapshot: bool = False


def message(channel: str, events: bytes, ts_ns: int, switches: Switches, *, product_id: str = "", snapshot: bool = False) -> Message:
    client = '"client_id":"",' if switches.client_id else ""
    head = f'{{"channel":"{channel}",{client}"timestamp":"{iso(ts_ns)}","sequence_num":'.encode()
    return Message(channel, head, b',"events":' + events + b"}", product_id, snapshot)
