"""How this connector's functions are compiled, and where their machine code is kept between processes.

Beside the kernel's own (``traider.kernel.cache``), because it hangs on more: on the kernel that it calls and on these files.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from traider.kernel.cache import cache_folder, kernel_hash

F = TypeVar("F", bound=Callable[..., object])
SOURCES = ("compiled.py", "compiled_book.py", "frame_bytes.py", "frame_numbers.py", "frame_reader.py")


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between processes."""
    # said even so, because a function that is put into its callers would hand that on to the ones that it calls
    return cast(F, _kept(numba.njit(nogil=True, error_model="numpy", forceinline=False)(function)))


def compiled_at_once(function: F) -> F:
    """As ``compiled``, for what is so short that letting other threads run meanwhile would cost more than it gives."""
    return cast(F, _kept(numba.njit(nogil=False, error_model="numpy", forceinline=False)(function)))


def inlined(function: F) -> F:
    """As ``compiled``, and put into each caller."""
    return cast(F, _kept(numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)))


@functools.cache
def code_hash() -> str:
    """Of everything that the machine code depends on."""
    digest = hashlib.sha256(kernel_hash().encode())
    for name in SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


class _Locator(_CacheLocator):
    def __init__(self, line: int, file: str) -> None:
        self._line = line
        self._py_file = file

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "_Locator":
        return cls(py_func.__code__.co_firstlineno, py_file)

    def get_cache_path(self) -> str:
        return str(cache_folder() / f"coinbase-{code_hash()[:16]}")

    def get_source_stamp(self) -> str:
        return code_hash()

    def get_disambiguator(self) -> str:
        return str(self._line)


class _CacheImpl(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    _impl_class = _CacheImpl


def _kept(dispatcher: Any) -> Any:
    dispatcher._cache = _Cache(dispatcher.py_func)
    return dispatcher
