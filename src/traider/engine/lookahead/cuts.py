"""Where the future begins: after a few rows of the data, those at which the strategy decides something first of all."""

from .traces import Integers


def cut_rows(times: Integers, decided: Integers, count: int, breaks: Integers | None = None) -> list[int]:
    """At most ``count`` rows, in order, each later in time than the row before it, and one of ``breaks`` where those are given.

    The data are parted evenly. Within each part the cut comes right after the first event at which the strategy asked for
    something (``decided`` has those events' times), because what it asked for there is what the next row might have told it.
    """
    rows = len(times)
    cuts: list[int] = []
    for part in range(1, count + 1):
        start, stop = rows * part // (count + 1), rows * (part + 1) // (count + 1)
        if not 0 < start < rows:
            continue
        at = int(decided.searchsorted(times[start]))
        asked = at < len(decided) and (stop >= rows or decided[at] < times[stop])
        # The last row of the event's time, for several trades may have one.
        row = int(times.searchsorted(decided[at] if asked else times[start], side="right"))
        if breaks is not None:
            following = int(breaks.searchsorted(row))
            row = int(breaks[following]) if following < len(breaks) else rows
        if row < rows and row not in cuts:
            cuts.append(row)
    return cuts
