"""A strategy class as machine code: one loop that holds the kernel and the strategy's handlers, kept on disk.

The loop is written to a file of its own, named by the hash of everything that it depends on (the strategy's source, the
kit's, the kernel's, numba's version), so that numba's disk cache holds for it and an edit can't meet old code.
"""

import hashlib
import importlib.util
import sys
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np

from ..domain.errors import CompileError, StrategyError
from . import layout, loop, rounding  # noqa: F401  # round() is exact from here on
from .cache import cache_folder, kernel_hash
from .diagnosis import explain, refuse_narrowing
from .kit import MARKET_HANDLERS, Strategy
from .loop import Shape
from .structs import StructType, allocate, describe, read_back

_drivers: dict[str, "CompiledStrategy"] = {}


class CompiledStrategy:
    """The machine code of one strategy class; ``drive`` is called with a desk, a state and columns of events."""

    def __init__(self, struct: StructType, module: ModuleType) -> None:
        self.struct = struct
        self.drive = module.drive
        self._module = module

    def prepare_timers(self, desks: Any, block: Any) -> None:
        """Compiles what ``fire`` needs, so that no timer waits for it."""
        self._module.fire.compile((numba.typeof(desks), numba.typeof(block)))

    def fire(self, desks: Any, block: Any) -> None:
        """Lets the timer that is due first fire; what it asks for waits among the requests."""
        self._module.fire(desks, block)

    def state_of(self, strategy: Strategy) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The instance's state as a block for ``drive``."""
        return allocate(strategy, self.struct)

    def store_into(self, strategy: Strategy, block: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """The block's values as attributes of the instance again."""
        read_back(strategy, self.struct, block)


def compile_strategy(strategy: Strategy, shape: Shape) -> CompiledStrategy:
    """The class of this instance as machine code for streams of this shape, from the disk where it was compiled before.

    CompileError names file, line and construct of what can't be compiled.
    """
    handlers = strategy.handlers()
    if not set(MARKET_HANDLERS) & set(handlers):
        raise StrategyError(f"strategy {strategy.name} has none of {', '.join(MARKET_HANDLERS)}: it would never see the market")
    struct = describe(strategy)
    key = _key(struct, handlers, shape)
    if key not in _drivers:
        loop.offer(key, struct)
        module = _load(key, loop.source(strategy.name, key, handlers, shape))
        _compile(strategy, struct, module)
        _drivers[key] = CompiledStrategy(struct, module)
    return _drivers[key]


def _compile(strategy: Strategy, struct: StructType, module: ModuleType) -> None:
    desks = np.zeros(1, layout.DESK)
    columns = [np.zeros(0, dtype) for dtype in ("i8", "u1", "u2", "f8", "f8", "f8", "f8", "f8")]
    curve = np.zeros(0, layout.CURVE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", numba.core.errors.NumbaWarning)  # what matters of them is an error of ours
            module.drive(desks, allocate(strategy, struct), curve, *columns, 0, 0)
    except Exception as error:  # no event has been handled: it is the compiler, which fails in many ways
        raise explain(error, strategy) from error
    if not sum(module.drive.stats.cache_hits.values()):
        try:
            refuse_narrowing(struct)
        except CompileError:
            _forget(module)
            raise


def _forget(module: ModuleType) -> None:
    """Takes the machine code off the disk again, so that the next process refuses it as well."""
    for path in Path(module.drive.stats.cache_path).glob(f"{module.__name__}.*"):
        path.unlink(missing_ok=True)


def _key(struct: StructType, handlers: tuple[str, ...], shape: Shape) -> str:
    digest = hashlib.sha256(kernel_hash().encode())
    digest.update(repr((struct.name, handlers, shape)).encode())
    return digest.hexdigest()[:24]


def _load(key: str, source: str) -> ModuleType:
    name = f"traider_strategy_{key}"
    path = _write(name, source)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"can't load the compiled strategy at {path}; delete the file and run again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba's cache looks the module up by its name
    spec.loader.exec_module(module)
    return module


def _write(name: str, source: str) -> Path:
    folder = cache_folder() / "strategies"
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"{name}.py"
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False) as file:
                file.write(source)
            Path(file.name).replace(path)
    except OSError as error:
        raise StrategyError(
            f"can't write the compiled strategy to {folder} ({error.strerror}); set TRAIDER_CACHE_DIR to a folder that can be written"
        ) from None
    return path
