"""Bars among the trades that they are made of, against the makers taken trade by trade."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.chunks import cut
from traider.domain.vocabulary import BAR_MADE, EventKind
from traider.engine.made_bars import Maker, WithBars
from traider.engine.stream import whole
from traider.engine.tape import Tape
from traider.kernel.aggregators import DollarBars, TimeBars, VolumeBars

SECOND_NS = 1_000_000_000
DEPTH, TRADE, MADE = int(EventKind.DEPTH), int(EventKind.TRADE), EventKind.BAR | BAR_MADE
MAKERS = [lambda: TimeBars(2), lambda: VolumeBars(3.0), lambda: DollarBars(400.0)]

events_of_two = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([TRADE, TRADE, DEPTH]), st.integers(0, 1), st.integers(90, 110), st.integers(1, 3)),
    min_size=1,
)


def tape_of(events: Sequence[tuple[int, int, int, int, int]]) -> Tape:
    step, kind, inst, price, size = (np.array(column) for column in zip(*events, strict=True))
    numbers = [price.astype(np.float64), size.astype(np.float64), np.ones(len(events)), np.zeros(0), np.zeros(0)]
    return Tape(np.cumsum(step) * SECOND_NS, kind.astype(np.uint8), inst.astype(np.uint16), *numbers, instruments=2)


def one_by_one(tape: Tape, makers: list[Maker]) -> list[tuple[float, ...]]:
    """The rows that there must be: a bar before the first trade of its instrument that is not in it, or at the end."""
    found: list[tuple[float, ...]] = []
    waiting: dict[int, list[tuple[float, ...]]] = {}
    for ts, kind, inst, price, size in zip(*(column.tolist() for column in tape.columns()[:5]), strict=True):
        if kind == TRADE:
            found += waiting.pop(inst, [])
            maker = makers[inst]
            if maker.update_trade(ts, price, size):
                bar = (maker.ts_ns, MADE, inst, maker.open, maker.high, maker.low, maker.close, maker.volume)
                if isinstance(maker, TimeBars):
                    found.append(bar)
                else:
                    waiting[inst] = [bar]
        found.append((ts, kind, inst, price, size, 1.0, 0.0, 0.0))
    return found + [bar for _, bars in sorted(waiting.items()) for bar in bars]


@pytest.mark.parametrize("make", MAKERS)
@given(events=events_of_two, at=st.lists(st.integers(0, 30)))
def test_a_bar_stands_before_the_first_trade_that_is_not_in_it(make, events, at) -> None:  # type: ignore[no-untyped-def]  # Hypothesis and pytest fill them
    tape = tape_of(events)
    stream = WithBars(cut(tape, at), make())
    made = whole(stream)
    assert list(zip(*(column.tolist() for column in made.columns()), strict=True)) == one_by_one(tape, [make(), make()])
    assert made.kinds == tape.kinds | 1 << EventKind.BAR
    assert stream.rows == len(made)
