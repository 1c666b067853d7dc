"""A Python object's attributes as a block of bytes that compiled code reads and writes as if they were attributes.

``describe`` looks at a live instance: numbers become fields, one-dimensional arrays regions behind the fields, other
stateful objects nested structs. Regions are found by their distance from the field that names them, so that a copy of
the block is a copy of the state, wherever it lies, and the size of a window is no part of the type: one compiled
strategy serves all its parameters.
"""

import hashlib
from collections.abc import Iterator
from types import FunctionType
from typing import Annotated, Any, NamedTuple, get_type_hints

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin
from numba.core.typing import templates
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, lower_setattr_generic, register_model
from numba.np.arrayobj import populate_array

from ..domain.errors import CompileError
from . import author

WORD = 8
_SCALARS = {"float": types.float64, "int": types.int64, "slot": types.int64, "bool": types.boolean}
_ELEMENTS = {"f8": types.float64, "i8": types.int64}


# A whole number that is an index and never negative. The kit's own code declares it of an attribute, and what it says there
# is believed: an index that can't mean "from the end" costs three instructions less.
Slot = Annotated[int, "an index, never negative"]


class Stateful:
    """Base of everything that can be part of a compiled strategy: its attributes are its state."""


class Field(NamedTuple):
    name: str
    kind: str  # "float" | "int" | "slot" | "bool" | "f8[]" | "i8[]" | "struct"
    offset: int
    struct: "StructType | None"


class StructType(types.Type):
    """The compiled type of one class with one set of fields."""

    def __init__(self, cls: type, fields: tuple[Field, ...], size: int) -> None:
        self.cls = cls
        self.fields = {field.name: field for field in fields}
        self.size = size
        self.methods = {name: _dispatcher(function) for name, function in methods_of(cls).items()}
        shape = ",".join(f"{f.name}:{f.struct.name if f.struct else f.kind}" for f in fields)
        super().__init__(name=f"{cls.__module__}.{cls.__qualname__}#{source_hash(cls)}({shape})")

    def structs(self) -> Iterator["StructType"]:
        """This type and every one nested in it."""
        yield self
        for field in self.fields.values():
            if field.struct is not None:
                yield from field.struct.structs()


def methods_of(cls: type) -> dict[str, FunctionType]:
    """The functions that can be called on a compiled instance, the most derived first; no dunders."""
    found: dict[str, FunctionType] = {}
    for base in cls.__mro__:
        if base in (Stateful, object):
            break
        for name, value in vars(base).items():
            if isinstance(value, FunctionType) and not name.startswith("__"):
                found.setdefault(name, value)
    return found


def source_hash(cls: type) -> str:
    """Of everything that the meaning of the class's methods hangs on."""
    digest = hashlib.sha256()
    for name, function in sorted(methods_of(cls).items()):
        digest.update(name.encode())
        digest.update(author.source_of(function).encode())
        digest.update(author.surroundings_of(function))
    return digest.hexdigest()[:24]


_dispatchers: dict[FunctionType, Any] = {}


def _dispatcher(function: FunctionType) -> Any:
    if function not in _dispatchers:
        # an author's division by zero and index out of range raise, as they do interpreted; the kit guards its own
        own = function.__module__.startswith(f"{__package__}.")
        options = {"error_model": "numpy"} if own else {"error_model": "python", "boundscheck": True}
        _dispatchers[function] = numba.njit(nogil=True, forceinline=True, **options)(function)
    return _dispatchers[function]


def describe(instance: object, path: str = "self", seen: dict[int, str] | None = None) -> StructType:
    """The compiled type of this instance; CompileError names the attribute that has no place in one.

    Numbers that stand on the class are part of the state too, as if setup() had put them on self.
    """
    seen = {} if seen is None else seen
    cls = type(instance)
    seen[id(instance)] = path
    hints = _hints(cls)
    fields: list[Field] = []
    offset = 0
    for name, value in {**_numbers_of(cls), **vars(instance)}.items():
        struct: StructType | None = None
        size = WORD
        if isinstance(value, Stateful | np.ndarray) and id(value) in seen:
            raise CompileError(
                f"{_where(cls, name)}{path}.{name} is the same object as {seen[id(value)]}, and compiled code would keep two: "
                "name it once; or run it with --interpreted"
            )
        if isinstance(value, Stateful):
            struct = describe(value, f"{path}.{name}", seen)
            kind, size = "struct", struct.size
        elif isinstance(value, bool | np.bool_):
            kind = "bool"
        elif isinstance(value, int | np.integer) and _is(float, hints.get(name)):
            kind = "float"
        elif isinstance(value, int | np.integer) and -(2**63) <= value < 2**63:
            kind = "slot" if hints.get(name) == Slot else "int"
        elif isinstance(value, float | np.floating):
            kind = "float"
        elif isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.str[1:] in _ELEMENTS:
            kind, size = f"{value.dtype.str[1:]}[]", 2 * WORD
            seen[id(value)] = f"{path}.{name}"
        else:
            raise CompileError(
                f"{_where(cls, name)}{path}.{name} is {_kind_of(value)}, which compiled code can't keep: "
                "use numbers, booleans, one-dimensional arrays of float64 or int64 (numpy), or indicators; or run it with --interpreted"
            )
        fields.append(Field(name, kind, offset, struct))
        offset += size
    return StructType(cls, tuple(fields), max(offset, WORD))


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise CompileError(f"{cls.__qualname__}: an annotation names {error.name}, which is not there when the strategy runs") from None


def _is(plain: type, hint: Any) -> bool:
    """Whether the annotation means this type, with or without more said of it."""
    return getattr(hint, "__origin__", hint) is plain


def _numbers_of(cls: type) -> dict[str, int | float]:
    """Constants that stand on the class itself."""
    found: dict[str, int | float] = {}
    for base in reversed(cls.__mro__):
        found.update((name, value) for name, value in vars(base).items() if isinstance(value, int | float) and not name.startswith("__"))
    return found


def _where(cls: type, name: str) -> str:
    place = author.assignment(cls, name, in_setup=True)
    return f"{place}: " if place else ""


def _kind_of(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"a {value.ndim}-dimensional array of {value.dtype}"
    if isinstance(value, int):
        return "a whole number of more than 64 bits"
    return "None" if value is None else f"a {type(value).__name__}"


def allocate(instance: object, struct: StructType) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A block that holds the instance's state."""
    heap = struct.size + sum(_round_up(array.nbytes) for array in _arrays(instance, struct))
    block = np.zeros(_round_up(heap), np.uint8)
    _write(instance, struct, block, 0, struct.size)
    return block


def read_back(instance: object, struct: StructType, block: np.ndarray[Any, np.dtype[np.uint8]], base: int = 0) -> None:
    """Puts the block's values into the instance's attributes."""
    words = block.view(np.int64)
    floats = block.view(np.float64)
    for field in struct.fields.values():
        slot = (base + field.offset) // WORD
        if field.struct is not None:
            read_back(getattr(instance, field.name), field.struct, block, base + field.offset)
        elif field.kind == "float":
            _put(instance, field.name, float(floats[slot]))
        elif field.kind in ("int", "slot"):
            _put(instance, field.name, int(words[slot]))
        elif field.kind == "bool":
            _put(instance, field.name, bool(words[slot]))
        else:
            start = (base + field.offset + int(words[slot])) // WORD
            source = floats if field.kind == "f8[]" else words
            getattr(instance, field.name)[:] = source[start : start + int(words[slot + 1])]


def _put(instance: object, name: str, value: float | int | bool) -> None:
    if name in vars(instance) or getattr(instance, name) != value:  # a constant of the class stays on the class
        setattr(instance, name, value)


def _round_up(size: int) -> int:
    return (size + WORD - 1) // WORD * WORD


def _arrays(instance: object, struct: StructType) -> Iterator[np.ndarray[Any, Any]]:
    for field in struct.fields.values():
        value = getattr(instance, field.name)
        if field.struct is not None:
            yield from _arrays(value, field.struct)
        elif field.kind.endswith("[]"):
            yield value


def _write(instance: object, struct: StructType, block: np.ndarray[Any, np.dtype[np.uint8]], base: int, heap: int) -> int:
    words = block.view(np.int64)
    floats = block.view(np.float64)
    for field in struct.fields.values():
        value = getattr(instance, field.name)
        at = base + field.offset
        if field.struct is not None:
            heap = _write(value, field.struct, block, at, heap)
        elif field.kind == "float":
            floats[at // WORD] = value
        elif field.kind in ("int", "slot", "bool"):
            words[at // WORD] = int(value)
        else:
            words[at // WORD] = heap - at
            words[at // WORD + 1] = len(value)
            target = floats if field.kind == "f8[]" else words
            target[heap // WORD : heap // WORD + len(value)] = value
            heap += _round_up(value.nbytes)
    return heap


# --- how compiled code sees it ---------------------------------------------------------------------------------------


@register_model(StructType)
class _StructModel(models.OpaqueModel):
    """A bare pointer to the first field."""


def view_of(struct: StructType) -> Any:
    """An intrinsic that takes the block and gives the struct in it."""

    @intrinsic
    def view(typing_context: Any, block: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, args[0])
            return builder.bitcast(array.data, cgutils.voidptr_t)

        return struct(block), generate

    return view


@infer_getattr
class _StructAttributes(templates.AttributeTemplate):
    key = StructType

    def generic_resolve(self, struct: StructType, name: str) -> Any:
        if name in struct.fields:
            field = struct.fields[name]
            if field.struct is not None:
                return field.struct
            if field.kind.endswith("[]"):
                return types.Array(_ELEMENTS[field.kind[:-2]], 1, "C")
            return _SCALARS[field.kind]
        if name in struct.methods:
            _implement_method(name)
            dispatcher = types.Dispatcher(struct.methods[name])

            class Method(templates.AbstractTemplate):
                key = (StructType, name)

                def generic(self, args: Any, kws: Any) -> Any:
                    return dispatcher.get_call_type(self.context, (struct, *args), kws).as_method()

            return types.BoundFunction(Method, struct)
        return None


_implemented: set[str] = set()


def _implement_method(name: str) -> None:
    if name in _implemented:
        return
    _implemented.add(name)

    @lower_builtin((StructType, name), StructType, types.VarArg(types.Any))
    def call(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        dispatcher = types.Dispatcher(signature.args[0].methods[name])
        function = context.get_function(dispatcher, signature)
        result = function(builder, args)
        context.add_linking_libs(getattr(function, "libs", ()))
        return result


def _address(builder: Any, pointer: Any, offset: int, as_type: Any) -> Any:
    moved = builder.gep(pointer, [ir.Constant(ir.IntType(64), offset)], inbounds=True)
    return builder.bitcast(moved, as_type.as_pointer())


@lower_getattr_generic(StructType)
def _get(context: Any, builder: Any, struct: StructType, pointer: Any, name: str) -> Any:
    field = struct.fields[name]
    word = ir.IntType(64)
    if field.struct is not None:
        return builder.gep(pointer, [ir.Constant(word, field.offset)], inbounds=True)
    if field.kind == "float":
        return builder.load(_address(builder, pointer, field.offset, ir.DoubleType()))
    value = builder.load(_address(builder, pointer, field.offset, word))
    if field.kind.endswith("[]"):
        value.set_metadata("invariant.load", builder.module.add_metadata([]))  # an array stays where it is, and as long as it is
    if field.kind == "slot":
        value.set_metadata("range", builder.module.add_metadata([ir.Constant(word, 0), ir.Constant(word, 2**63 - 1)]))
    if field.kind in ("int", "slot"):
        return value
    if field.kind == "bool":
        return builder.icmp_signed("!=", value, ir.Constant(word, 0))
    array_type = types.Array(_ELEMENTS[field.kind[:-2]], 1, "C")
    start = builder.gep(pointer, [ir.Constant(word, field.offset)], inbounds=True)
    data = builder.gep(start, [value], inbounds=True)
    length = builder.load(_address(builder, pointer, field.offset + WORD, word))
    length.set_metadata("invariant.load", builder.module.add_metadata([]))
    array = context.make_array(array_type)(context, builder)
    element = context.get_data_type(array_type.dtype)
    populate_array(
        array,
        data=builder.bitcast(data, element.as_pointer()),
        shape=[length],
        strides=[ir.Constant(word, WORD)],
        itemsize=ir.Constant(word, WORD),
        meminfo=None,
    )
    return array._getvalue()


@lower_setattr_generic(StructType)
def _set(context: Any, builder: Any, signature: Any, args: Any, name: str) -> None:
    struct, value_type = signature.args
    pointer, value = args
    field = struct.fields[name]
    if field.struct is not None or field.kind.endswith("[]"):
        place = author.assignment(struct.cls, name, in_setup=False)
        raise CompileError(f"{f'{place}: ' if place else ''}self.{name} can't be replaced while the strategy runs; change what is in it")
    number_type = _SCALARS[field.kind]
    value = context.cast(builder, value, value_type, number_type)
    if field.kind == "bool":
        value = builder.zext(value, ir.IntType(64))
    target = ir.DoubleType() if field.kind == "float" else ir.IntType(64)
    builder.store(value, _address(builder, pointer, field.offset, target))
