"""Hands a changed copy to whoever opens the market data file by its path, in this process and from here on.

Python's own ``open`` and the readers of pyarrow and polars (pandas goes through those and ``open``) are given the copy's
path instead. The file itself is never touched; one that writes to it writes to the copy. Nothing undoes this: it is for a
process that ends when the strategy has run.
"""

import builtins
import functools
import importlib.abc
import io
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any
from urllib.parse import unquote, urlparse

import msgspec

# Readers that open files in native code. Of a class, its constructor is meant.
_READERS: dict[str, tuple[str, ...]] = {
    "pyarrow": ("memory_map",),
    "pyarrow.csv": ("read_csv", "open_csv"),
    "pyarrow.dataset": ("dataset", "parquet_dataset"),
    "pyarrow.feather": ("read_table", "read_feather"),
    "pyarrow.orc": ("read_table", "ORCFile"),
    "pyarrow.parquet": ("read_table", "read_metadata", "read_schema", "read_pandas"),
    "pyarrow.parquet.core": ("read_table", "read_metadata", "read_schema", "read_pandas", "ParquetFile", "ParquetDataset"),
    "polars": (
        *("read_parquet", "scan_parquet", "read_parquet_schema", "read_parquet_metadata", "read_csv", "scan_csv", "read_csv_batched"),
        *("read_ipc", "scan_ipc", "read_ndjson", "scan_ndjson", "read_json"),
    ),
}
_PACKAGE = str(Path(__file__).parents[1])
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_PATHS = ("file", "path", "source", "where", "input_file")  # as readers call their first argument
NOT_THE_AUTHORS = (_PACKAGE, *_LIBRARIES)  # where code lies that no author of a strategy wrote
_SOURCES = (".py", ".pyc", ".so", ".pyi")


class Read(msgspec.Struct, frozen=True):
    """A file that the strategy opened, and the line of the author's code that did; ``market``: it was the market data file."""

    path: str
    place: str
    market: bool


class Redirect:
    """Leads from files to their copies. ``reads`` has what was opened, in order, each file and line once."""

    def __init__(self, copies: Mapping[Path, Path]) -> None:
        self._copies = {os.path.realpath(file): os.path.realpath(copy) for file, copy in copies.items()}
        self._reads: dict[Read, None] = {}

    @property
    def reads(self) -> list[Read]:
        return list(self._reads)

    def install(self) -> None:
        """From now on every known way to open a file goes by ``path``."""
        opening = self._first_argument(builtins.open)
        builtins.open = io.open = opening
        os.open = self._first_argument(os.open)
        for name in _READERS:
            if name in sys.modules:
                self._wrap_readers(sys.modules[name])
        sys.meta_path.insert(0, _WhenImported(self._wrap_readers))

    def path(self, asked: Any) -> Any:
        """The copy's path where the market data file is asked for, and what was asked for everywhere else."""
        if isinstance(asked, list | tuple):
            return type(asked)(map(self.path, asked))
        if not isinstance(asked, str | bytes | os.PathLike):
            return asked
        name = os.fsdecode(asked)
        if name.startswith("file:"):
            name = unquote(urlparse(name).path)
        real = os.path.realpath(name)
        market = real in self._copies
        if market or (real not in self._copies.values() and not real.endswith(_SOURCES) and Path(real).is_file()):
            place, through_traider = _author(sys._getframe(1))
            if market or (place and not through_traider):
                self._reads[Read(name, place, market)] = None
        return self._copies.get(real, asked)

    def _first_argument(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def redirected(*arguments: Any, **named: Any) -> Any:
            if arguments:
                return function(self.path(arguments[0]), *arguments[1:], **named)
            return function(**{name: self.path(value) if name in _PATHS else value for name, value in named.items()})

        return redirected

    def _wrap_readers(self, module: ModuleType) -> None:
        for name in _READERS[module.__name__]:
            reader = getattr(module, name, None)
            if isinstance(reader, type):
                self._wrap_constructor(reader)
            elif reader is not None and not hasattr(reader, "__traider_redirects__"):
                redirected = self._first_argument(reader)
                redirected.__traider_redirects__ = True  # type: ignore[attr-defined]  # a function takes any attribute
                setattr(module, name, redirected)

    def _wrap_constructor(self, reader: type) -> None:
        initialize = reader.__init__  # type: ignore[misc]  # the class is known, and stays

        @functools.wraps(initialize)
        def redirected(instance: Any, *arguments: Any, **named: Any) -> None:
            first = (self.path(arguments[0]), *arguments[1:]) if arguments else ()
            initialize(instance, *first, **{name: self.path(value) if name in _PATHS else value for name, value in named.items()})

        reader.__init__ = redirected  # type: ignore[misc]  # that is what this module is for


class _WhenImported(importlib.abc.MetaPathFinder):
    """Calls back with each of the readers' modules when it has been imported."""

    def __init__(self, call: Callable[[ModuleType], None]) -> None:
        self._call = call

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _READERS:
            return None
        others = sys.meta_path[sys.meta_path.index(self) + 1 :]
        spec = next((found for finder in others if (found := finder.find_spec(name, path, target))), None)
        if spec is None or spec.loader is None:
            return spec
        execute, call = spec.loader.exec_module, self._call

        def then_call(module: ModuleType) -> None:
            execute(module)
            call(module)

        spec.loader.exec_module = then_call  # type: ignore[method-assign]  # a loader is one module's own
        return spec


def _author(frame: FrameType | None) -> tuple[str, bool]:
    """The nearest line that is neither traider's nor a library's, and whether the way there leads through traider.

    Empty where there is none, and for what a library opens while it is imported.
    """
    through_traider = False
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return "", through_traider
        if not file.startswith(("<", *NOT_THE_AUTHORS)):
            return f"{file}:{frame.f_lineno}", through_traider
        through_traider = through_traider or (file.startswith(_PACKAGE) and file != __file__)
        frame = frame.f_back
    return "", through_traider
