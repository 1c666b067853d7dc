"""A recorded stream whose future is another, instrument by instrument."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...domain.vocabulary import BOOK_CLEAR, KIND_BITS, EventKind
from ..tape import Tape
from .futures import Columns, Floats, Grid, Jump, changed, price_of
from .shifted import Kinds, Levels, Values, shifted

NAMES: dict[int, tuple[str, ...]] = {
    EventKind.BAR: ("open", "high", "low", "close", "volume"),
    EventKind.TRADE: ("price", "size", "side"),
    EventKind.QUOTE: ("bid", "bid_size", "ask", "ask_size"),
}
_WORDS: dict[int, str] = {EventKind.BAR: "bars", EventKind.TRADE: "trades", EventKind.QUOTE: "quotes"}


@dataclass(frozen=True)
class OtherMarket:
    """``values`` are a..e of the recorded rows. ``levels`` stand right before the recorded row that is their key."""

    values: Values
    levels: dict[int, Levels]


def other_market(tape: Tape, cut: int, future: Jump, *, grids: Sequence[Grid], seed: int) -> OtherMarket:
    """The rows from ``cut`` on of another future; what came before is the same bit for bit."""
    values = _full(tape)
    levels: dict[int, Levels] = {}
    for number, grid in enumerate(grids):
        rows = np.flatnonzero(tape.inst == number)
        first = int(np.searchsorted(rows, cut))
        if first == len(rows):
            continue
        kind, mine = tape.kind[rows], [column[rows] for column in values]
        only = only_kind(kind)
        own_seed = seed + (number << 32)  # instruments don't move together
        if only and first > 0:
            columns = changed(_WORDS[only], _columns(only, mine), first, future, grid=grid, seed=own_seed)
            new = [*columns.values(), *mine[len(columns) :]]
        else:
            moved = shifted(kind, mine, first, future, grid=grid, seed=own_seed)
            new = moved.values
            if moved.levels is not None:
                levels[int(rows[moved.before])] = moved.levels
        _change_funding(kind, new, first, np.random.default_rng([own_seed, cut]))
        for column, other in zip(values, new, strict=True):
            column[rows] = other
    return OtherMarket(values, dict(sorted(levels.items())))


def tape_of(tape: Tape, other: OtherMarket) -> Tape:
    """The stream of the other market. It says that it may hold what the recorded one may."""
    at = np.repeat(np.fromiter(other.levels, np.int64), [len(levels) for levels in other.levels.values()])
    if not len(at):
        return Tape(tape.ts_ns, tape.kind, tape.inst, *other.values, kinds=tape.kinds, instruments=tape.instruments)
    put_in = [np.concatenate([getattr(levels, name) for levels in other.levels.values()]) for name in ("price", "size", "side")]
    kind = np.full(len(at), int(EventKind.DEPTH), np.uint8)
    kind[np.flatnonzero(np.concatenate(([True], np.diff(at) != 0)))] |= BOOK_CLEAR
    put_in += [np.zeros(len(at))] * 2
    return Tape(
        np.insert(tape.ts_ns, at, tape.ts_ns[at]),
        np.insert(tape.kind, at, kind),
        np.insert(tape.inst, at, tape.inst[at]),
        *(np.insert(column, at, new) for column, new in zip(other.values, put_in, strict=True)),
        kinds=tape.kinds,
        instruments=tape.instruments,
    )


def only_kind(kind: Kinds) -> int:
    """BAR, TRADE or QUOTE where an instrument has prices of that kind only, which moves of another sign can be drawn for; else 0."""
    kinds = set(np.unique(kind & np.uint8(KIND_BITS)).tolist()) - {int(EventKind.FUNDING)}
    (one,) = kinds if len(kinds) == 1 else (0,)
    return one if one in NAMES and not (kind & np.uint8(KIND_BITS) == EventKind.FUNDING).any() else 0


def prices_of(tape: Tape, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]", kind: int) -> Floats:
    """What the instrument is marked at, at these rows of that kind."""
    return price_of(_WORDS[kind], _columns(kind, [column[rows] for column in _full(tape)]))


def _columns(kind: int, values: Values) -> Columns:
    return dict(zip(NAMES[kind], values, strict=False))


def _full(tape: Tape) -> Values:
    """a..e, of zeros where the tape leaves one out."""
    return [column.copy() if len(column) else np.zeros(len(tape)) for column in tape.columns()[3:]]


def _change_funding(kind: Kinds, values: Values, cut: int, random: np.random.Generator) -> None:
    """Rates in another order, of another scale and sign."""
    rows = cut + np.flatnonzero(kind[cut:] & np.uint8(KIND_BITS) == EventKind.FUNDING)
    values[0][rows] = random.permutation(values[0][rows]) * random.choice([-2.0, 2.0], len(rows))
