"""What does it cost to follow a book: from a frame's bytes to best bid and ask, and an event when they changed?"""

import asyncio
import functools
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

from .asked import Asked
from .measure import answer, cases_in_turns, ratio
from .page import ROOT, Row, Table

FRAMES = ROOT / "tests" / "data" / "frames" / "coinbase_advanced_ws_2026-08-09_first331.jsonl"
PASSES = 200
Frames = list[tuple[bytes, int]]  # with their numbers
MARKETS = [
    instrument_from_symbol(symbol, price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
    for symbol in ("BTC-USD", "ETH-USD")
]


def _frames() -> tuple[Frames, Frames]:
    """The snapshots, and the updates of both books, in the order in which they were received; each kind numbered from 1.

    Without the other channels' messages the recording's own numbers have gaps; number 0 was such a message.
    """
    received = [msgspec.json.decode(line)["data"].encode() for line in FRAMES.read_bytes().splitlines()]
    books = [frame for frame in received if frame.startswith(b'{"channel":"l2_data"')]
    snapshots = [frame for frame in books if b'"snapshot"' in frame[:120]]
    return _numbered(snapshots), _numbered([frame for frame in books if frame not in snapshots])


def _numbered(frames: list[bytes]) -> Frames:
    numbered = []
    for number, frame in enumerate(frames, 1):
        head, _, rest = frame.partition(b'"sequence_num":')
        numbered.append((head + b'"sequence_num":%d' % number + rest[rest.index(b",") :], number))
    return numbered


def _timed(workload: str, one_pass: Callable[[Frames], object]) -> dict[str, Any]:
    """Microseconds a message, of the median pass over the workload; the first passes are not counted."""
    snapshots, updates = _frames()
    parts = {"updates": [updates], "snapshots": [snapshots], "both": [snapshots, updates]}[workload]
    took: list[float] = []
    for number in range(PASSES + 20):
        started = time.perf_counter()
        for part in parts:
            one_pass(part)
        if number >= 20:
            took.append(time.perf_counter() - started)
    return {"us": statistics.median(took) / sum(map(len, parts)) * 1e6}


def _decode(workload: str) -> dict[str, Any]:
    """msgspec's bare decode into typed structs: the reference."""
    decode = msgspec.json.Decoder(BookMessage).decode

    def one_pass(frames: Frames) -> None:
        for frame, _ in frames:
            decode(frame)

    return _timed(workload, one_pass)


def _follow(workload: str, feed: MarketFeed) -> dict[str, Any]:
    """As a connection does it: the short way where there is one, every number checked, every event taken out of the queue."""
    queue, events = feed._waiting, 0

    def follow(frames: Frames) -> None:
        nonlocal events
        sequence = SequenceCheck()
        sequence.judge(0)
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

    follow(_frames()[0])
    told = _timed(workload, follow)
    tops = {symbol: tuple(top) for symbol in feed.keepers if (top := feed.top(symbol)) is not None}
    return told | {"tops": tops, "events": events}


async def _in_loop(workload: str, make: Callable[[], MarketFeed]) -> dict[str, Any]:
    return _follow(workload, make())


FEEDS: dict[str, Callable[[], MarketFeed]] = {
    "compiled": lambda: CompiledMarketFeed(MARKETS, depth=False),
    "plain": lambda: MarketFeed(MARKETS, depth=False),
    "rows": lambda: MarketFeed(MARKETS),
}
WORKLOADS = ("updates", "snapshots", "both")
CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"decode {workload}": functools.partial(_decode, workload) for workload in WORKLOADS},
    **{f"compiled {workload}": lambda workload=workload: asyncio.run(_in_loop(workload, FEEDS["compiled"])) for workload in WORKLOADS},
    "plain updates": lambda: asyncio.run(_in_loop("updates", FEEDS["plain"])),
    "rows updates": lambda: asyncio.run(_in_loop("updates", FEEDS["rows"])),
}


def measure(asked: Asked) -> list[Table]:
    """Microseconds a message, and how often a bare decode's that is."""
    figures, told = cases_in_turns("feed", CASES, "us", asked.rounds)
    compiled, plain, rows = (told[f"{name} updates"] for name in FEEDS)
    if not compiled["tops"] == plain["tops"] == rows["tops"] or compiled["events"] != plain["events"]:
        raise RuntimeError(f"the feeds disagree: {told}")
    snapshots, updates = _frames()

    def row(what: str, name: str, workload: str, goal: float | None = None) -> Row:
        return Row(what, ratio(figures, f"{name} {workload}", f"decode {workload}"), figures[f"{name} {workload}"], goal=goal)

    return [
        Table(
            title="Following Coinbase's books",
            question=__doc__ or "",
            text=(
                f"{len(updates)} recorded `l2_data` updates of BTC-USD and ETH-USD, and the {len(snapshots)} snapshots of 100 levels "
                "before them, again and again, one at a time: read, numbered, applied, best bid and ask looked at, a quote made when "
                "they changed. The reference is msgspec's decode of the same bytes into typed structs."
            ),
            unit="us a message",
            ratio_of="the decode",
            rows=[
                row("msgspec's bare decode (the reference), updates", "decode", "updates"),
                row("**compiled reader and book**, updates", "compiled", "updates", goal=1.0),
                row("msgspec and a book of dictionaries, updates", "plain", "updates"),
                row("the same, with an event for each level", "rows", "updates"),
                row("msgspec's bare decode, snapshots", "decode", "snapshots"),
                row("**compiled reader and book**, snapshots", "compiled", "snapshots", goal=1.0),
                row("msgspec's bare decode, snapshots and updates", "decode", "both"),
                row("**compiled reader and book**, snapshots and updates", "compiled", "both", goal=1.0),
            ],
        )
    ]


if __name__ == "__main__":
    answer(measure)
