"""The recorded messages and replies of ``tests/data``."""

from pathlib import Path

import msgspec

_DATA = Path(__file__).parents[2] / "data"


class Received(msgspec.Struct, frozen=True):
    ts: float
    data: str


def frames() -> list[bytes]:
    """Every message, in the order in which it was received: number 0 to 330 of one connection."""
    lines = (_DATA / "frames" / "coinbase_advanced_ws_2026-08-09_first331.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Received).data.encode() for line in lines]


def reply(name: str) -> bytes:
    """A REST reply."""
    return (_DATA / "rest" / f"coinbase_advanced_{name}_2026-04.json").read_bytes()
