"""Compiling ahead of time: a built-in strategy has code for each kind of file and for a live market before its first run."""

import pytest

from traider.cli.warm import streams, warm_up_feed
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.live_market import kinds_of
from traider.kernel.kit import Strategy
from traider.kernel.layout import KIND_BITS
from traider.kernel.loop import Shape
from traider.storage.market.formats import BARS, BOOK, DEPTH, TRADES, Format
from traider.strategies.registry import BUILT_IN

FILES = {"on_bar": (BARS,), "on_trade": (TRADES,), "on_book": (DEPTH, BOOK)}


def files_of(strategy: type[Strategy]) -> list[Format]:
    return [file for handler, files in FILES.items() if handler in strategy.handlers() for file in files]


@pytest.mark.parametrize("strategy", BUILT_IN.values(), ids=BUILT_IN)
def test_each_stream_has_the_shape_of_a_file(strategy: type[Strategy]) -> None:
    wanted = {Shape(file.event_kinds, single=True) for file in files_of(strategy)}
    assert wanted
    if "on_bar" in strategy.handlers():
        wanted.add(Shape(kinds_of({"bars"}), single=True))  # trades, and bars made of them
    assert {tape.shape for tape in streams(strategy)} == wanted


@pytest.mark.parametrize("strategy", BUILT_IN.values(), ids=BUILT_IN)
def test_each_stream_brings_what_its_file_may_hold(strategy: type[Strategy]) -> None:
    for tape in streams(strategy):
        brought = {1 << (int(kind) & KIND_BITS) for kind in tape.kind}
        assert sum(brought) == tape.kinds


def test_the_reader_of_the_feeds_frames_is_compiled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    take_frame = CompiledMarketFeed.take_frame

    def noted(feed: CompiledMarketFeed, frame: bytes, expected: int, received_ts_ns: int) -> bool:
        taken.append(take_frame(feed, frame, expected, received_ts_ns))
        return taken[-1]

    monkeypatch.setattr(CompiledMarketFeed, "take_frame", noted)
    warm_up_feed()
    assert taken == [True], "of the layout that the short way takes"
