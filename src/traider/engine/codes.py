"""Machine code for the many instances of one sweep, looked up by the shape of their state.

``compile_strategy`` reads and hashes an author's source for each instance, which takes longer than a trial over little data.
"""

from collections.abc import Iterator

import numpy as np

from ..kernel.compiler import CompiledStrategy, compile_strategy
from ..kernel.kit import Strategy
from ..kernel.loop import Shape
from ..kernel.structs import Stateful

State = tuple[object, ...]


class Codes:
    """Of one strategy class; for no longer than one sweep, while nothing that its methods name is changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[State, Shape], CompiledStrategy] = {}
        self.compile_seconds = 0.0  # that no trial was running in

    def of(self, strategy: Strategy, shape: Shape) -> CompiledStrategy:
        """The code for this instance and streams of this shape; CompileError where it can't be compiled."""
        key = state_of(strategy), shape
        code = self._known.get(key)
        if code is None:
            code = self._known[key] = compile_strategy(strategy, shape)
        return code


def state_of(instance: Stateful) -> State:
    """Equal for two instances that the compiler describes alike: classes, names, types, and which values are the same object."""
    return tuple(_parts(instance, {}))


def _parts(instance: Stateful, seen: dict[int, int]) -> Iterator[object]:
    seen[id(instance)] = len(seen)
    yield type(instance)
    for name, value in vars(instance).items():
        yield name
        if isinstance(value, Stateful | np.ndarray) and id(value) in seen:
            yield seen[id(value)]
        elif isinstance(value, Stateful):
            yield tuple(_parts(value, seen))
        elif isinstance(value, np.ndarray):
            seen[id(value)] = len(seen)
            yield value.dtype.str, value.ndim
        else:
            yield type(value), isinstance(value, int) and -(2**63) <= value < 2**63
