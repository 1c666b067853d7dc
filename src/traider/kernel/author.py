"""Finding the line of an author's that something is about."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

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


def source_of(function: FunctionType) -> str:
    """The function's source; where that is gone, what it was compiled to."""
    try:
        return inspect.getsource(function)
    except OSError:
        return repr((function.__code__.co_code, function.__code__.co_consts, function.__code__.co_names))


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
