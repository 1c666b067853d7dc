"""Compiling ahead of time: a built-in strategy has code for each kind of file and for a live market before its first run."""

from pathlib import Path

import pytest

from traider.cli import warm
from traider.cli.warm import compile_ahead, streams, warm_up_feed
from traider.connectors.coinbase.compiled_feed import CompiledMarketFeed
from traider.connectors.coinbase.live_market import kinds_of
from traider.kernel import cache
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


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine on which nothing was compiled; what is compiled on it."""
    compiled: list[str] = []
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(warm, "warm_up", lambda strategies: compiled.extend(strategy.name for strategy in strategies))
    monkeypatch.setattr(warm, "warm_up_feed", lambda: compiled.append("feed"))
    return compiled


def test_what_takes_a_minute_is_said_and_done_once(cold: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    compile_ahead()
    assert "compiling the engine, once for this version and machine" in capsys.readouterr().err
    assert cold == [*BUILT_IN, "feed"]
    compile_ahead()
    assert len(cold) == len(BUILT_IN) + 1
    assert capsys.readouterr().err == ""


def test_another_kernel_is_compiled_anew(cold: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    compile_ahead()
    monkeypatch.setattr(cache, "kernel_hash", lambda: "of another kernel")
    compile_ahead()
    assert len(cold) == 2 * (len(BUILT_IN) + 1)
