"""The one way that kernel functions are compiled.

No fast-math: results must be the same bit for bit compiled, interpreted and on every run. Division by zero gives an
infinity instead of an exception; each divisor is guarded where it could be zero.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types

from .cache import keep

F = TypeVar("F", bound=Callable[..., object])


def inlined(function: F) -> F:
    """As ``compiled``, and put into each caller: for the few small functions that every event passes."""
    return cast(F, _once(numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)))


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between processes."""
    # said even so, because a function that is put into its callers would hand that on to the ones that it calls
    return cast(F, _once(numba.njit(nogil=True, error_model="numpy", forceinline=False)(function)))


def _once(dispatcher: Any) -> Any:
    """Kept on disk, and compiled for whole numbers instead of anew for each constant that it is called with."""
    template_for = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return template_for([types.unliteral(arg) for arg in args], {name: types.unliteral(arg) for name, arg in kws.items()})

    dispatcher.get_call_template = get_call_template
    return keep(dispatcher)
