"""The one way that kernel functions are compiled.

No fast-math: results must be the same bit for bit compiled, interpreted and on every run. Division by zero gives an
infinity instead of an exception; each divisor is guarded where it could be zero.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

from .cache import keep

F = TypeVar("F", bound=Callable[..., object])


def inlined(function: F) -> F:
    """As ``compiled``, and put into each caller: for the few small functions that every event passes."""
    return cast(F, keep(numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)))


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between processes."""
    return cast(F, keep(numba.njit(nogil=True, error_model="numpy")(function)))
