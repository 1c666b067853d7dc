"""A sum without end that does not lose what is small beside it."""

from ..structs import Stateful


class RunningSum(Stateful):
    """Sum of everything so far; the rounding of each addition is carried along (Neumaier 1974)."""

    def __init__(self) -> None:
        self.total = 0.0
        self.lost = 0.0

    def add(self, value: float) -> None:
        total = self.total + value
        if abs(self.total) >= abs(value):
            self.lost += (self.total - total) + value
        else:
            self.lost += (value - total) + self.total
        self.total = total

    def sum(self) -> float:
        return self.total + self.lost

    def clear(self) -> None:
        self.total = 0.0
        self.lost = 0.0
