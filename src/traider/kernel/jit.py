"""The one way that kernel functions are compiled, and where machine code is kept.

No fast-math: results must be the same bit for bit compiled, interpreted and on every run. Division by zero gives an
infinity instead of an exception; each divisor is guarded where it could be zero.

numba's disk cache looks at the file that a function stands in, not at those of the functions that it calls. Each state of
the kernel's sources has therefore a folder of its own: an edited risk check can't be met by an older caller's code.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., object])


@functools.cache
def kernel_hash() -> str:
    """Of everything that the kernel's machine code is made from: its sources, the vocabulary's, the compiler's version."""
    digest = hashlib.sha256(f"{sys.version}{numba.__version__}{np.__version__}".encode())
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *(here.parent / "domain").glob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def user_cache() -> Path:
    """The user's cache folder for everything of traider's."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "traider"


def _kernel_cache() -> Path | None:
    """``NUMBA_CACHE_DIR`` or the user's cache folder, and in it the folder of these sources; None when it can't be written."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or user_cache() / "kernel") / kernel_hash()[:24]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


_FOLDER = _kernel_cache()


def _decorated(function: F, **options: Any) -> F:
    chosen = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_FOLDER or chosen)
    try:
        return cast(F, numba.njit(cache=_FOLDER is not None, nogil=True, error_model="numpy", **options)(function))
    finally:
        numba.config.CACHE_DIR = chosen


def inlined(function: F) -> F:
    """As ``compiled``, and put into each caller: for the few small functions that every event passes."""
    return _decorated(function, forceinline=True)


def compiled(function: F) -> F:
    """The function as machine code, kept on disk between processes."""
    return _decorated(function)
