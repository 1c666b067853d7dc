"""Why a strategy can't be compiled, in its author's terms: file, line, construct, what to write instead."""

import ast
import inspect
import re
import sysconfig
from pathlib import Path
from typing import Any

from numba.core import ir, types

from ..domain.errors import CompileError
from . import author
from .author import Place
from .cache import cache_folder
from .structs import StructType

INSTEAD = "or run it with --interpreted"
_ADVICE: tuple[tuple[tuple[type[ast.AST], ...], str, str], ...] = (
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
_KINDS = tuple(kind for kinds, _, _ in _ADVICE for kind in kinds)

_NO_ATTRIBUTE = "there is no attribute"

# What the compiler says that tells more than the construct on its line does, in an author's words.
_SAYINGS = (
    (r"NameError: name '(\w+)' is not defined", "the name {0} is not defined"),
    (r"Unknown attribute '(\w+)' of type traider\.Context", "ctx has no {0}"),
    (r"Unknown attribute '(\w+)' of type", f"{_NO_ATTRIBUTE} {{0}}"),
    (r"Unknown attribute: (\w+)", f"{_NO_ATTRIBUTE} {{0}}"),
    (r"Cannot resolve setattr: \(.*\)\.(\w+)", "self.{0} is not set in setup(), where the state is made"),
    (r"due to \"TypeError: missing a required argument: '(\w+)'\"", "the argument {0} is missing"),
    (r"due to \"TypeError: (too many positional arguments)\"", "{0}"),
    (r"due to \"TypeError: got an unexpected keyword argument '(\w+)'\"", "there is no argument {0}"),
)
_VAGUE_SAYINGS = (
    (r"Untyped global name '(\w+)'", "{0} is not something that compiled code can use"),
    (r"Variable '?([\w.$]+)'? unified", "a variable has values of different types"),
    (r"Cannot unify .*", "a variable has values of different types"),
    (r"No implementation of function|No match|No conversion|Invalid use of|Cannot cast", "this operation does not exist for these types"),
)


def explain(error: Exception, strategy: object) -> CompileError:
    """The compiler's error, told by the line of the author's that caused it."""
    own = _own_error(error)
    if own is not None:
        return own
    cls = type(strategy)
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    place = _place(text)
    saying = _words(_SAYINGS, text)
    if saying is not None and place is not None and saying.startswith(_NO_ATTRIBUTE) and saying.split()[-1] not in _source_line(place):
        saying = None  # it is about an attribute of the compiler's own making
    if saying is None:
        found = _construct(cls, place, text)
        if found is not None:
            place, construct, instead = found
            return CompileError(f"{place}: {construct} can't be compiled: {instead}; {INSTEAD}")
    elif place is None:
        place = _place_of_name(cls, saying)
    place = place or Place(inspect.getsourcefile(cls) or "<strategy>", 0)
    saying = saying or _words(_VAGUE_SAYINGS, text) or "the compiler does not know this construct"
    why = f"{saying}; use numbers, arrays and the kit's objects here, {INSTEAD}"
    return CompileError(f"{place}: `{_source_line(place)}` can't be compiled: {why}")


_LIBRARIES = ("stdlib", "purelib", "platlib")
_PLACES = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)|(?:at|from) (?P<at>/[^\n]*?) \((?P<at_line>\d+)\)')


def _place(text: str) -> Place | None:
    """The first file and line of the author's that the compiler names: the innermost."""
    foreign = (
        Path(__file__).parent.resolve(),
        cache_folder().resolve(),
        *(Path(sysconfig.get_path(name)).resolve() for name in _LIBRARIES),
    )
    for match in _PLACES.finditer(text):
        file = Path(match["file"] or match["at"])  # perhaps relative to the folder that it runs in
        if not any(folder in file.resolve().parents for folder in foreign):
            return Place(str(file.resolve()), int(match["line"] or match["at_line"]))
    return None


def _own_error(error: BaseException) -> CompileError | None:
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, CompileError):
        seen = seen.__cause__ or seen.__context__
    return seen


def _words(sayings: tuple[tuple[str, str], ...], text: str) -> str | None:
    for pattern, words in sayings:
        match = re.search(pattern, text)
        if match:
            return words.format(*match.groups())
    return None


def _construct(cls: type, place: Place | None, text: str) -> tuple[Place, str, str] | None:
    """The first construct known not to compile on this line; where the line is not known, the first of the class."""
    kinds = (ast.With, ast.AsyncWith) if "'with (" in text else _KINDS  # the compiler tells no line of it

    def wanted(node: ast.AST) -> bool:
        if not isinstance(node, kinds):
            return False
        if isinstance(node, ast.Global | ast.Nonlocal):
            return "GLOBAL" in text or place is None
        if place is None:
            return not isinstance(node, ast.Yield | ast.YieldFrom)  # most generators compile
        first = int(getattr(node, "lineno", 0))
        return first <= place.line <= int(getattr(node, "end_lineno", None) or first)

    found = author.find(cls, wanted, in_setup=False)
    if found is None:
        return None
    at, node = found
    construct, instead = next((construct, instead) for kinds, construct, instead in _ADVICE if isinstance(node, kinds))
    return (place or at), construct, instead


def _place_of_name(cls: type, saying: str) -> Place | None:
    words = saying.split()
    found = author.find(cls, lambda node: isinstance(node, ast.Name) and node.id in words, in_setup=False)
    return found[0] if found else None


def _source_line(place: Place) -> str:
    try:
        lines = Path(place.file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return "?"
    return lines[place.line - 1].strip() if 0 < place.line <= len(lines) else "?"


def refuse_narrowing(struct: StructType) -> None:
    """CompileError where an attribute gets a value of another kind than it began with, which would be cut to fit."""
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
            kind, name = target.fields[statement.attr].kind, statement.attr
            if kind in ("int", "slot") and isinstance(value, types.Float):
                problem = f"self.{name} began as a whole number in setup() and gets a fraction here: begin it as {name} = 0.0"
            elif kind == "bool" and isinstance(value, types.Number):
                problem = f"self.{name} began as true or false in setup() and gets a number here: begin it as a number"
            else:
                continue
            raise CompileError(f"{inspect.getsourcefile(function)}:{statement.loc.line}: {problem}, {INSTEAD}")
