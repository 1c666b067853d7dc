"""Many runs, over the machine's cores."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from traider.guard.audit.truth import INVARIANTS, Tally

from .asked import Asked
from .run import Outcome

_A_TIME = 4  # seeds that a process is given at once


def play_all(asked: Asked, seeds: Sequence[int], *, processes: int | None = None) -> Iterator[Outcome]:
    """Each seed's outcome, in their order. Few seeds are played in this process: to start another takes longer."""
    asked.check()
    count = min(processes or os.cpu_count() or 1, -(-len(seeds) // _A_TIME))
    if count == 1:
        yield from map(asked.play, seeds)
        return
    # spawned, since a process with threads in it can't be copied safely
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            yield from pool.map(asked.play, seeds, chunksize=_A_TIME)
        finally:
            pool.shutdown(cancel_futures=True)


def summed(outcomes: Sequence[Outcome]) -> Tally:
    """All checks and violations together; every invariant has a number, 0 where it was never looked at."""
    tally = Tally()
    for invariant in INVARIANTS:
        tally.checks[invariant] = sum(outcome.checks.get(invariant, 0) for outcome in outcomes)
    tally.violations = [violation for outcome in outcomes for violation in outcome.violations]
    return tally
