"""What a run of the benchmarks is asked for."""

from dataclasses import dataclass

ROUNDS = 7
QUICK_ROUNDS = 1


@dataclass(frozen=True)
class Asked:
    """``quick`` leaves out what takes more than about a minute; without ``peers`` only traider and the loops run."""

    rounds: int = ROUNDS
    peers: bool = True
    quick: bool = False
