"""What does it cost to follow a book: from a frame's bytes to best bid and ask, and an event when they changed?"""

import asyncio
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.market_feed import MarketFeed
from traider.connectors.coinbase.messages import BookMessage, OtherMessage, VenueComplaint, read_message
from traider.connectors.coinbase.sequence import SequenceCheck
from traider.domain.guard_protocol import MarketEvent
from traider.domain.instruments import instrument_from_symbol

from .measure import answer, cases_in_turns, ratio
from .page import ROOT, Row, Table

FRAMES = ROOT / "tests" / "data" / "frames" / "coinbase_advanced_ws_2026-08-09_first331.jsonl"
PASSES = 200
MARKETS = [
    instrument_from_symbol(symbol, price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
    for symbol in ("BTC-USD", "ETH-USD")
]


def _frames() -> tuple[list[bytes], list[bytes]]:
    """The snapshots, and the updates of both books, in the order in which they were received."""
    received = [msgspec.json.decode(line)["data"].encode() for line in FRAMES.read_bytes().splitlines()]
    books = [frame for frame in received if frame.startswith(b'{"channel":"l2_data"')]
    return [frame for frame in books if b'"snapshot"' in frame[:120]], [frame for frame in books if b'"snapshot"' not in frame[:120]]


def _timed(one_pass: Callable[[], object], frames: int) -> dict[str, Any]:
    """Microseconds a message, of the median pass; the first passes are not counted."""
    took: list[float] = []
    for number in range(PASSES + 20):
        started = time.perf_counter()
        one_pass()
        if number >= 20:
            took.append(time.perf_counter() - started)
    return {"us": statistics.median(took) / frames * 1e6}


def _decode() -> dict[str, Any]:
    """msgspec's bare decode into typed structs: the reference."""
    _, updates = _frames()
    decode = msgspec.json.Decoder(BookMessage).decode

    def one_pass() -> None:
        for frame in updates:
            decode(frame)

    return _timed(one_pass, len(updates))


def _renumbered(frames: list[bytes]) -> list[tuple[bytes, int]]:
    """Each frame with the next number: without the other channels' messages the recording's numbers have gaps."""
    numbered = []
    for number, frame in enumerate(frames):
        head, _, rest = frame.partition(b'"sequence_num":')
        numbered.append((head + b'"sequence_num":%d' % number + rest[rest.index(b",") :], number))
    return numbered


def _follow(feed: MarketFeed) -> dict[str, Any]:
    """As a connection does it: the short way where there is one, every number checked, every event taken out of the queue."""
    snapshots, updates = map(_renumbered, _frames())
    queue, events = feed._waiting, 0

    def follow(frames: list[tuple[bytes, int]]) -> None:
        nonlocal events
        sequence = SequenceCheck()
        for frame, number in frames:
            expected = sequence.expected
            if expected is not None and feed.take_frame(frame, expected, 0):
                sequence.advance(expected)
                continue
            message = read_message(frame)
            if isinstance(message, OtherMessage | VenueComplaint):
                raise RuntimeError("a frame of another channel")
            sequence.judge(number)
            feed.on_message(message, 0)
        events += sum(isinstance(event, MarketEvent) for event in queue)
        queue.clear()

    follow(snapshots)
    told = _timed(lambda: follow(updates), len(updates))
    tops = {symbol: tuple(top) for symbol in feed.keepers if (top := feed.top(symbol)) is not None}
    return told | {"tops": tops, "events": events}


async def _in_loop(make: Callable[[], MarketFeed]) -> dict[str, Any]:
    return _follow(make())


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "decode": _decode,
    "plain": lambda: asyncio.run(_in_loop(lambda: MarketFeed(MARKETS, depth=False))),
    "rows": lambda: asyncio.run(_in_loop(lambda: MarketFeed(MARKETS))),
    "compiled": lambda: asyncio.run(_in_loop(lambda: CompiledMarketFeed(MARKETS, depth=False))),
}


def measure(rounds: int) -> Table:
    """Microseconds a message, and how often a bare decode's that is."""
    figures, told = cases_in_turns("feed", CASES, "us", rounds)
    if (
        not told["plain"]["tops"] == told["rows"]["tops"] == told["compiled"]["tops"]
        or told["plain"]["events"] != told["compiled"]["events"]
    ):
        raise RuntimeError(f"the feeds disagree: {told}")
    _, updates = _frames()
    return Table(
        title="Following Coinbase's books",
        question=__doc__ or "",
        text=(
            f"{len(updates)} recorded `l2_data` updates of BTC-USD and ETH-USD, again and again, one at a time: read, numbered, applied, "
            "best bid and ask looked at, a quote made when they changed. The reference is msgspec's decode of the same bytes into typed "
            "structs."
        ),
        unit="us a message",
        ratio_of="the decode",
        rows=[
            Row("msgspec's bare decode (the reference)", 1.0, figures["decode"]),
            Row("**compiled reader and book**", ratio(figures, "compiled", "decode"), figures["compiled"], goal=1.7),
            Row("msgspec and a book of dictionaries", ratio(figures, "plain", "decode"), figures["plain"]),
            Row("the same, with an event for each level", ratio(figures, "rows", "decode"), figures["rows"]),
        ],
    )


if __name__ == "__main__":
    answer(measure)
