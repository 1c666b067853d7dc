"""What an author has written: its source, what it depends on, and the line that something is about."""

import ast
import functools
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

_KERNEL = str(Path(__file__).parent)


class Place(NamedTuple):
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def own_methods(cls: type) -> Iterator[FunctionType]:
    """The functions that the author of the class has written, the most derived first; not those of the kit."""
    for base in cls.__mro__:
        for value in vars(base).values():
            if isinstance(value, FunctionType) and not value.__code__.co_filename.startswith(_KERNEL):
                yield value


@functools.cache
def source_of(function: FunctionType) -> str:
    """The function's source; where that is gone, what it was compiled to."""
    try:
        return inspect.getsource(function)
    except OSError:
        return repr((function.__code__.co_code, function.__code__.co_consts, function.__code__.co_names))


def surroundings_of(function: FunctionType) -> bytes:
    """What a method's meaning depends on beside its own source: the functions and constants that it names."""
    seen: dict[str, str] = {}
    waiting = [function]
    while waiting:
        user = waiting.pop()
        for named, value in _named(user):
            name = f"{user.__module__}.{user.__qualname__}.{named}"
            helper = getattr(value, "py_func", value)
            if isinstance(helper, FunctionType):
                known = f"{helper.__module__}.{helper.__qualname__}"
                seen[name] = known
                if known not in seen:
                    seen[known] = source_of(helper)
                    waiting.append(helper)
            elif isinstance(value, np.ndarray):
                seen[name] = f"{value.dtype}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
            elif isinstance(value, ModuleType | type):
                seen[name] = f"{getattr(value, '__module__', '')}.{value.__name__}"
            else:
                seen[name] = repr(value)
    return repr(sorted(seen.items())).encode()


def _named(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The names that a function takes from around it, those in the author's other modules included, and what they mean."""
    code = function.__code__
    for name in code.co_names:
        if name in function.__globals__:
            value = function.__globals__[name]
            yield name, value
            if isinstance(value, ModuleType):
                for inner in code.co_names:
                    attribute = getattr(value, inner, None)
                    if isinstance(attribute, int | float) or hasattr(attribute, "py_func"):
                        yield f"{name}.{inner}", attribute
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def tree_of(function: FunctionType) -> ast.AST | None:
    """The function's syntax tree with the line numbers of its file; None where the source is gone."""
    try:
        lines, start = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):
        return None
    return ast.increment_lineno(tree, start - 1).body[0]


def find(cls: type, wanted: Callable[[ast.AST], bool], *, in_setup: bool = True) -> tuple[Place, ast.AST] | None:
    """The first piece of the author's source that is wanted, and where it stands."""
    for function in own_methods(cls):
        if function.__name__ in ("setup", "__init__") and not in_setup:
            continue
        tree = tree_of(function)
        if tree is None:
            continue
        for node in ast.walk(tree):
            if node is not tree and hasattr(node, "lineno") and wanted(node):
                return Place(function.__code__.co_filename, node.lineno), node
    return None


def assignment(cls: type, attribute: str, *, in_setup: bool) -> Place | None:
    """Where ``self.attribute`` is first given a value."""

    def wanted(node: ast.AST) -> bool:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []
        return any(isinstance(target, ast.Attribute) and target.attr == attribute for target in targets)

    found = find(cls, wanted, in_setup=in_setup)
    return found[0] if found else None
