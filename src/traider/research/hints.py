"""Lines of a strategy's source that often look ahead. They accuse nobody: they are shown beside a leak that was found."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from traider.kernel.kit import Strategy


class Hint(msgspec.Struct, frozen=True):
    place: str
    what: str


def hints(strategy: type[Strategy]) -> list[Hint]:
    """What is known to leak in the file that the class stands in, by line; nothing where there is no file."""
    file = getattr(sys.modules.get(strategy.__module__), "__file__", None)
    if file is None:
        return []
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError):
        return []
    found = {(node.lineno, what): None for node, what in _found(tree)}
    return [Hint(f"{file}:{line}", what) for line, what in sorted(found)]


def _found(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node, what) for test, what in _CALLS if test(node))
        elif isinstance(node, ast.Subscript):
            yield from ((node, what) for test, what in _SUBSCRIPTS if test(node.slice))


def _named(*names: str) -> Callable[[ast.Call], bool]:
    return lambda call: _name(call) in names


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _with(call: ast.Call, name: str, *values: object) -> bool:
    return any(word.arg == name and isinstance(word.value, ast.Constant) and word.value.value in values for word in call.keywords)


def _negative(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords)]


def _shifts_back(call: ast.Call) -> bool:
    return _name(call) in ("shift", "diff", "pct_change", "roll") and any(map(_negative, _arguments(call)))


def _fills_backwards(call: ast.Call) -> bool:
    backward = ("bfill", "backfill", "backward")
    return _name(call) in ("bfill", "backfill", "interpolate") or (
        _name(call) in ("fillna", "fill_null", "reindex") and any(_with(call, name, *backward) for name in ("method", "strategy"))
    )


def _steps_back(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.step is not None and _negative(node.step)


def _is_next(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and isinstance(node.right, ast.Constant) and not _whole(node.left)


def _whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _from_next(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and any(part is not None and _is_next(part) for part in (node.lower, node.upper))


_CALLS: tuple[tuple[Callable[[ast.Call], bool], str], ...] = (
    (_shifts_back, "a negative shift takes values from later rows"),
    (lambda call: _with(call, "center", True), "a centred window ends after the row that it belongs to"),
    (_fills_backwards, "filling backwards takes the value from a later row"),
    (_named("fit", "fit_transform", "lstsq", "polyfit"), "a model fitted on rows that it then predicts"),
    (_named("resample", "group_by_dynamic"), "a bar of a longer interval is complete only at its end"),
    (
        _named("argmax", "argmin", "idxmax", "idxmin", "argsort", "rank", "sort_values"),
        "a rank or an extreme of rows, later ones among them",
    ),
    (_named("mean", "std", "min", "max", "quantile", "median", "var"), "a figure of all rows at once, if these are all rows"),
    (_named("load", "loads", "read_pickle", "fromfile"), "what is loaded here may have been made from the whole sample"),
)
_SUBSCRIPTS: tuple[tuple[Callable[[ast.expr], bool], str], ...] = (
    (_is_next, "a row after the one that is named"),
    (_from_next, "rows after the one that is named"),
    (_steps_back, "the rows from the last to the first"),
)
