"""What compiled code needs to read a frame where it lies, many letters at a time.

Places are addresses. An address of 0 stands for "not so". None of this looks whether a place is inside of the frame, but ``after``.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import NativeValue, intrinsic, make_attribute_wrapper, models, register_model, unbox

_BIT, _BYTE, _INT64 = ir.IntType(1), ir.IntType(8), ir.IntType(64)


class FrameType(types.Type):
    """``bytes`` as an argument: where they lie, and where they end, while the caller holds them. Nothing is copied."""

    def __init__(self) -> None:
        super().__init__("coinbase_frame")


FRAME = FrameType()


@register_model(FrameType)
class _FrameModel(models.StructModel):
    def __init__(self, manager: Any, frame_type: Any) -> None:
        super().__init__(manager, frame_type, [("start", types.int64), ("end", types.int64)])


make_attribute_wrapper(FrameType, "start", "start")
make_attribute_wrapper(FrameType, "end", "end")


@unbox(FrameType)
def _frame_of(frame_type: Any, value: Any, c: Any) -> NativeValue:
    """By Python's own function for it, which raises ``TypeError`` for anything but ``bytes``."""
    start = cgutils.alloca_once(c.builder, c.pyapi.cstring)
    size = cgutils.alloca_once(c.builder, c.pyapi.py_ssize_t)
    read = c.pyapi.bytes_as_string_and_size(value, start, size)
    frame = cgutils.create_struct_proxy(frame_type)(c.context, c.builder)
    frame.start = c.builder.ptrtoint(c.builder.load(start), _INT64)
    frame.end = c.builder.add(frame.start, c.builder.load(size))
    return NativeValue(frame._getvalue(), is_error=c.builder.not_(read))


def _load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)


def _plus(builder: Any, address: Any, offset: int) -> Any:
    return builder.add(address, _INT64(offset))


def after(text: str) -> Any:
    """An intrinsic ``(place, end)``: the place after this text, 0 where it does not stand at the place, or reaches beyond the end."""
    letters = text.encode()
    parts = _parts(len(letters))

    @intrinsic
    def place_after(typing_context: Any, place: Any, end: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place, end = args
            behind = _plus(builder, place, len(letters))
            there = builder.and_(builder.icmp_signed("!=", place, _INT64(0)), builder.icmp_signed("<=", behind, end))
            found = cgutils.alloca_once_value(builder, _INT64(0))
            with builder.if_then(_likely(builder, there)):
                difference = _INT64(0)
                for offset, size in parts:
                    kind = ir.IntType(8 * size)
                    wanted = kind(int.from_bytes(letters[offset : offset + size], "little"))
                    other = builder.xor(_load(builder, _plus(builder, place, offset), kind), wanted)
                    difference = builder.or_(difference, builder.zext(other, _INT64) if size < 8 else other)
                with builder.if_then(_likely(builder, builder.icmp_signed("==", difference, _INT64(0)))):
                    builder.store(behind, found)
            return builder.load(found)

        return types.int64(types.int64, types.int64), generate

    return place_after


def _parts(size: int) -> list[tuple[int, int]]:
    """Offsets and sizes of the numbers that cover so many letters; the last one may overlap the one before."""
    if size >= 8:
        return [(offset, 8) for offset in (*range(0, size - 8, 8), size - 8)]
    parts, offset = [], 0
    for part in (4, 2, 1):
        if size & part:
            parts.append((offset, part))
            offset += part
    return parts


@intrinsic
def letter_at(typing_context: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(_load(builder, args[0], _BYTE), _INT64)

    return types.int64(types.int64), generate


@intrinsic
def eight_at(typing_context: Any, place: Any) -> Any:
    """Eight letters as one number; the first of them is its lowest byte."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], _INT64)

    return types.uint64(types.int64), generate


@intrinsic
def stops_at(typing_context: Any, place: Any) -> Any:
    """A bit for each of 32 letters that is not plain in a JSON string: a quote, a backslash, or not one of ASCII's printable ones."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters = _row_at(builder, args[0], 32)
        quotes, backslashes = _same(builder, letters, 34), _same(builder, letters, 92)
        return _mask(builder, builder.or_(_beyond(builder, letters, 32, 126), builder.or_(quotes, backslashes)))

    return types.int64(types.int64), generate


@intrinsic
def others_at(typing_context: Any, place: Any) -> Any:
    """A bit for each of 16 letters that is neither a digit nor a point."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters = _row_at(builder, args[0], 16)
        return _mask(builder, builder.and_(_beyond(builder, letters, 48, 57), builder.not_(_same(builder, letters, 46))))

    return types.int64(types.int64), generate


@intrinsic
def points_at(typing_context: Any, place: Any) -> Any:
    """A bit for each of 16 letters that is a point."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _mask(builder, _same(builder, _row_at(builder, args[0], 16), 46))

    return types.int64(types.int64), generate


def _row_at(builder: Any, address: Any, count: int) -> Any:
    return _load(builder, address, ir.VectorType(_BYTE, count))


def _each(letters: Any, letter: int) -> Any:
    return ir.Constant(letters.type, [letter] * letters.type.count)


def _same(builder: Any, letters: Any, letter: int) -> Any:
    return builder.icmp_unsigned("==", letters, _each(letters, letter))


def _beyond(builder: Any, letters: Any, first: int, last: int) -> Any:
    """Which of them are not in this range."""
    return builder.icmp_unsigned(">", builder.sub(letters, _each(letters, first)), _each(letters, last - first))


def _mask(builder: Any, chosen: Any) -> Any:
    return builder.zext(builder.bitcast(chosen, ir.IntType(chosen.type.count)), _INT64)


@intrinsic
def likely(typing_context: Any, condition: Any) -> Any:
    """The condition. The machine then waits for nothing that it decides, but goes on as if it held."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _likely(builder, args[0])

    return types.boolean(types.boolean), generate


def _likely(builder: Any, condition: Any) -> Any:
    function_type = ir.FunctionType(_BIT, [_BIT, _BIT])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, "llvm.expect.i1"), [condition, _BIT(1)])
