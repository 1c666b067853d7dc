"""Downloads one after the other, of any spans, from a provider that stops anywhere: the file is always the truth about what it claims."""

import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from traider.cli.downloading import Wanted, download
from traider.domain.errors import TraiderError, UserError
from traider.domain.history import BarHistory, BarPage, BarsOf, Gap, PastBar, RateLimitedError
from traider.storage.market.downloaded import read_downloaded, starts_of

MINUTE_NS = 60 * 10**9
FIRST_NS = 1_767_225_600 * 10**9
COMPLETE = 60  # minutes


class Provider:
    """Bars at these minutes, in pages of so many; after so many pages it stops."""

    grows = True

    def __init__(self, minutes: set[int], page: int, stops_after: int | None) -> None:
        self.bars_of = BarsOf(provider="Test", symbol="BTC-USD", span_s=60)
        self._minutes, self._page, self._left = minutes, page, stops_after

    async def complete_until_ns(self) -> int:
        return FIRST_NS + COMPLETE * MINUTE_NS

    async def pages(self, first_ns: int, end_ns: int) -> AsyncIterator[BarPage]:
        for begin_ns in range(first_ns, end_ns, self._page * MINUTE_NS):
            if self._left is not None:
                if self._left == 0:
                    raise RateLimitedError("enough")
                self._left -= 1
            until_ns = min(end_ns, begin_ns + self._page * MINUTE_NS)
            starts = sorted(FIRST_NS + minute * MINUTE_NS for minute in self._minutes)
            yield BarPage(bars=tuple(bar(start) for start in starts if begin_ns <= start < until_ns), until_ns=until_ns)

    def gaps(self, starts_ns: Sequence[int], first_ns: int, end_ns: int) -> Iterator[Gap]:
        return iter(())


def bar(start_ns: int) -> PastBar:
    price = Decimal(100 + start_ns // MINUTE_NS % 7)
    return PastBar(ts_ns=start_ns, open=price, high=price, low=price, close=price, volume=Decimal(1))


@asynccontextmanager
async def opened(history: BarHistory) -> AsyncIterator[BarHistory]:
    yield history


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_asked_for_in_turn_the_file_holds_all_bars_of_the_span_that_it_claims(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    minutes = set(rng.sample(range(80), rng.choice((0, 3, 40, 80))))
    inside = sorted(FIRST_NS + minute * MINUTE_NS for minute in minutes)
    path = tmp_path / "bars.parquet"
    for _ in range(6):
        there = path.exists()
        first, length, stops_after = rng.randrange(70), rng.randint(1, 25), rng.choice((None, None, 0, 1, 2, 3))
        wanted = Wanted(FIRST_NS + first * MINUTE_NS, FIRST_NS + (first + length) * MINUTE_NS, path, rng.random() < 0.1)
        status = 0
        try:
            download(opened(Provider(minutes, rng.randint(1, 12), stops_after)), wanted, absent="")
        except (RateLimitedError, UserError):  # it stopped, or there was nothing to be had: no other error is one of its makings
            status = 1
        assert [one.name for one in tmp_path.iterdir()] == (["bars.parquet"] if path.exists() else [])
        if not path.exists():
            assert (there, status) == (False, 1)
            continue
        holding, table = read_downloaded(path)
        assert starts_of(table).tolist() == [start for start in inside if holding.first_ns <= start < holding.end_ns]
        assert holding.end_ns <= FIRST_NS + COMPLETE * MINUTE_NS
        if status == 0:
            assert holding.first_ns <= wanted.first_ns
            assert holding.end_ns >= min(FIRST_NS + (first + length) * MINUTE_NS, FIRST_NS + COMPLETE * MINUTE_NS)


def test_bars_that_can_not_be_right_are_not_stored(tmp_path: Path) -> None:
    class Twice(Provider):
        async def pages(self, first_ns: int, end_ns: int) -> AsyncIterator[BarPage]:
            yield BarPage(bars=(bar(first_ns), bar(first_ns)), until_ns=end_ns)

    wanted = Wanted(FIRST_NS, None, tmp_path / "bars.parquet", False)
    with pytest.raises(TraiderError, match="what Test told can't be right: two bars of one time"):
        download(opened(Twice(set(), 1, None)), wanted, absent="")
    assert list(tmp_path.iterdir()) == []
