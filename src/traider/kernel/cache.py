"""Where machine code is kept between processes, and when it is too old.

Numba by itself looks only at the file that a function stands in; a function that calls into another file would go on
running that file's old code. Here everything hangs on one hash of the whole kernel.
"""

import functools
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from ..domain.errors import SettingsError

_REMEDY = "set TRAIDER_CACHE_DIR to a folder of your own"


@functools.cache
def kernel_hash() -> str:
    """Of what the kernel's machine code depends on: its source, the vocabulary's numbers, the versions it is compiled with."""
    digest = hashlib.sha256(f"{sys.version}{numba.__version__}{np.__version__}".encode())
    for name, path in sorted(kernel_sources().items()):
        digest.update(name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def kernel_sources() -> dict[str, Path]:
    """The files that the kernel's machine code depends on, those in folders of its own too, by their place in the package."""
    package = Path(__file__).parents[1]
    paths = [*package.joinpath("kernel").rglob("*.py"), package / "domain" / "vocabulary.py"]
    return {path.relative_to(package).as_posix(): path for path in paths}


@functools.cache
def cache_folder() -> Path:
    """``TRAIDER_CACHE_DIR``, else the user's cache folder, else one of the user's own in the temporary folder.

    What is in it is loaded as code, so a folder that somebody else can write to is refused.
    """
    chosen = os.environ.get("TRAIDER_CACHE_DIR")
    if chosen:
        return _usable(Path(chosen))
    try:
        return _usable(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "traider")
    except (SettingsError, RuntimeError):
        return _usable(Path(tempfile.gettempdir()) / f"traider-{os.getuid()}")


def is_warm() -> bool:
    """Whether ``traider.cli.warm`` has compiled this kernel on this machine."""
    return _warm_mark().exists()


def note_warm() -> None:
    """All of it is compiled."""
    _warm_mark().parent.mkdir(parents=True, exist_ok=True)
    _warm_mark().touch()


def _warm_mark() -> Path:
    return cache_folder() / f"kernel-{kernel_hash()[:16]}" / "warm"


def _usable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
    except OSError as error:
        raise SettingsError(f"can't keep compiled code in {folder} ({error.strerror}); {_REMEDY}") from None
    if status.st_uid != os.getuid() or status.st_mode & 0o002 or not os.access(folder, os.W_OK):
        raise SettingsError(f"can't keep compiled code in {folder}: others own it or can write to it; {_REMEDY}")
    return folder.absolute()


class _Locator(_CacheLocator):
    """One folder for each hash of the kernel."""

    def __init__(self, line: int, file: str) -> None:
        self._line = line
        self._py_file = file  # by this name numba asks for it when it warns that something can't be kept

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "_Locator":
        return cls(py_func.__code__.co_firstlineno, py_file)

    def get_cache_path(self) -> str:
        return str(cache_folder() / f"kernel-{kernel_hash()[:16]}")

    def get_source_stamp(self) -> str:
        return kernel_hash()

    def get_disambiguator(self) -> str:
        return str(self._line)


class _KernelCacheImpl(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _KernelCache(FunctionCache):
    _impl_class = _KernelCacheImpl


def keep(dispatcher: Any) -> Any:
    """The same dispatcher, its machine code kept on disk for as long as the kernel stays as it is."""
    dispatcher._cache = _KernelCache(dispatcher.py_func)
    return dispatcher
