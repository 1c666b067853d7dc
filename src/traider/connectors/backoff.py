"""How long to wait before trying again."""

import random


class Backoff:
    """Waits that double up to a maximum, each drawn at random from its upper half, so that many clients do not come back together."""

    def __init__(self, *, first_s: float, most_s: float, random: random.Random) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._random = random
        self._tries = 0

    def next_s(self) -> float:
        """The next wait, between half of its step and all of it."""
        # past 2**30 the maximum has long been reached, and the power itself would overflow a float
        step_s: float = min(self._most_s, self._first_s * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return step_s * (0.5 + 0.5 * self._random.random())

    def reset(self) -> None:
        """It went well: the next wait is the first one again."""
        self._tries = 0
