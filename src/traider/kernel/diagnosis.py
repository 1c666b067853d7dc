"""Why a strategy can't be compiled, in its author's terms: file, line, construct, what to write instead."""

import ast
import inspect
import re
import sysconfig
import textwrap
from pathlib import Path
from typing import Any

from numba.core import ir, types

from ..domain.errors import CompileError
from .cache import cache_folder
from .structs import Stateful, StructType, methods_of

_ADVICE: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], str, str], ...] = (
    ((ast.Try,), "try/except", "test for the case with an if before it happens"),
    ((ast.With, ast.AsyncWith), "with", "do the work in setup(), which is ordinary Python"),
    ((ast.JoinedStr,), "f-string", "leave text out of the handlers; the trade list and the log say what happened"),
    ((ast.Import, ast.ImportFrom), "import", "import at the top of the module"),
    ((ast.Lambda,), "lambda", "write a method"),
    ((ast.FunctionDef, ast.AsyncFunctionDef), "function inside a method", "write a method of the class"),
    ((ast.ClassDef,), "class inside a method", "define it at the top of the module, derived from Stateful"),
    ((ast.Yield, ast.YieldFrom, ast.Await), "generator or await", "return values; handlers run to their end"),
    ((ast.Dict, ast.DictComp), "dict", "use attributes, or arrays made in setup()"),
    ((ast.Set, ast.SetComp), "set", "use an array of flags made in setup()"),
    ((ast.List, ast.ListComp, ast.GeneratorExp), "list", "use a numpy array made in setup()"),
    ((ast.Delete,), "del", "set a value that means 'none'"),
    ((ast.Global, ast.Nonlocal), "global", "keep state on self"),
)
_INSTEAD = "or run it with --interpreted"


def explain(error: Exception, strategy: Stateful) -> CompileError:
    """The compiler's error told by the line of the author's that caused it."""
    cls = type(strategy)
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    file, line = _place(text) or (inspect.getsourcefile(cls) or "<strategy>", 0)
    own = _own_error(error)
    if own is not None:
        return CompileError(f"{file}:{line}: {own}")
    found = _construct_at(cls, line)
    if found is not None:
        construct, instead = found
        return CompileError(f"{file}:{line}: {construct} can't be compiled: {instead}; {_INSTEAD}")
    source = _source_line(file, line)
    why = f"{_reason(text)}; use numbers, arrays and the kit's objects here, {_INSTEAD}"
    return CompileError(f"{file}:{line}: `{source}` can't be compiled: {why}")


_LIBRARIES = ("stdlib", "purelib", "platlib")
_PLACES = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)|(?:at|from) (?P<at>/[^\n]*?) \((?P<at_line>\d+)\)')


def _place(text: str) -> tuple[str, int] | None:
    """The first file and line of the author's that the compiler names: the innermost."""
    foreign = (
        Path(__file__).parent.resolve(),
        cache_folder().resolve(),
        *(Path(sysconfig.get_path(name)).resolve() for name in _LIBRARIES),
    )
    for match in _PLACES.finditer(text):
        file = Path(match["file"] or match["at"])  # perhaps relative to the folder that it runs in
        if not any(folder in file.resolve().parents for folder in foreign):
            return str(file.resolve()), int(match["line"] or match["at_line"])
    return None


def _own_error(error: BaseException) -> str | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CompileError):
            return str(seen)
        seen = seen.__cause__ or seen.__context__
    return None


def _construct_at(cls: type, line: int) -> tuple[str, str] | None:
    """The first construct known not to compile on this line; where the line is not known, in the whole class."""
    for function in methods_of(cls).values():
        try:
            source, start = inspect.getsourcelines(function)
        except OSError:
            continue
        tree = ast.parse(textwrap.dedent("".join(source)))
        body = tree.body[0]
        for node in ast.walk(tree):
            if node is body or not hasattr(node, "lineno"):
                continue
            first = node.lineno + start - 1
            last = (getattr(node, "end_lineno", None) or node.lineno) + start - 1
            if line and not first <= line <= last:
                continue
            for kinds, construct, instead in _ADVICE:
                if isinstance(node, kinds):
                    return construct, instead
    return None


def _source_line(file: str, line: int) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return "?"
    return lines[line - 1].strip() if 0 < line <= len(lines) else "?"


def _reason(text: str) -> str:
    for pattern, words in (
        (r"NameError: name '(\w+)' is not defined", "the name {0} is not defined"),
        (r"Unknown attribute '(\w+)' of type traider\.Context", "ctx has no {0}"),
        (r"Unknown attribute '(\w+)' of type", "there is no attribute {0}"),
        (r"Unknown attribute: (\w+)", "there is no attribute {0}"),
        (r"Cannot resolve setattr: \(.*\)\.(\w+)", "self.{0} is not set in setup(), where the state is made"),
        (r"Untyped global name '(\w+)'", "{0} is not something that compiled code can use"),
        (r"Variable '?([\w.$]+)'? unified", "a variable has values of different types"),
        (r"Cannot unify .*", "a variable has values of different types"),
        (
            r"No implementation of function|No match|No conversion|Invalid use of|Cannot cast",
            "this operation does not exist for these types",
        ),
    ):
        match = re.search(pattern, text)
        if match:
            return words.format(*match.groups())
    return "the compiler does not know this construct"


def refuse_narrowing(struct: StructType) -> None:
    """CompileError where a fraction would be stored in an attribute that began as a whole number, and be cut off."""
    for part in struct.structs():
        for dispatcher in part.methods.values():
            for overload in dispatcher.overloads.values():
                _refuse_narrowing_in(part, dispatcher.py_func, overload.type_annotation)


def _refuse_narrowing_in(struct: StructType, function: Any, annotation: Any) -> None:
    blocks = getattr(annotation, "blocks", None)
    if blocks is None:
        return  # loaded from a cache, so it was looked at when it was compiled
    for block in blocks.values():
        for statement in block.body:
            if not isinstance(statement, ir.SetAttr):
                continue
            target = annotation.typemap.get(statement.target.name)
            value = annotation.typemap.get(statement.value.name)
            if not isinstance(target, StructType) or statement.attr not in target.fields:
                continue
            if target.fields[statement.attr].kind == "int" and isinstance(value, types.Float):
                raise CompileError(
                    f"{inspect.getsourcefile(function)}:{statement.loc.line}: self.{statement.attr} began as a whole number in setup() "
                    f"and gets a fraction here: begin it as {statement.attr} = 0.0"
                )
