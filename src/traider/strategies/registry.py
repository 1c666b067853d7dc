"""Strategies by name: the built-in ones, and an author's own as ``package.module:Class`` or ``file.py:Class``."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from traider.domain.errors import StrategyError
from traider.kernel.kit import Strategy

from .ema_band import EmaBand
from .momentum import Momentum
from .sma_cross import SmaCross
from .touch_maker import TouchMaker

BUILT_IN: dict[str, type[Strategy]] = {cls.name: cls for cls in (SmaCross, Momentum, EmaBand, TouchMaker)}


def find_strategy(name: str) -> type[Strategy]:
    """The strategy class of this name; StrategyError says which names there are."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    place, colon, attribute = name.rpartition(":")
    if not colon:
        known = ", ".join(sorted(BUILT_IN))
        raise StrategyError(f"unknown strategy {name!r}; built in: {known}; your own: FILE.py:CLASS or PACKAGE.MODULE:CLASS")
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    cls = getattr(module, attribute, None)
    if not isinstance(cls, type) or not issubclass(cls, Strategy):
        raise StrategyError(f"{place} has no strategy class {attribute!r}; it must be a class derived from traider.Strategy")
    return cls


def _load_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise StrategyError(f"can't import {name}: {error}") from None


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise StrategyError(f"there is no file {path}")
    name = f"traider_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{path} can't be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except StrategyError:
        raise
    except SyntaxError as error:
        raise StrategyError(f"{error.filename or path}:{error.lineno}: {error.msg}") from None
    except Exception as error:  # an author's file may raise anything
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        raise StrategyError(f"{path}:{lines[-1] if lines else 1}: {type(error).__name__}: {error}") from error
    return module
