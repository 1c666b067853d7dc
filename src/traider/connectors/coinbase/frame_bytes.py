"""What compiled code needs to read a frame where it lies, many letters at a time.

Places are addresses. An address of 0 stands for "not so". None of this looks whether a place is inside of the frame, but ``after``.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import NativeValue, intrinsic, make_attribute_wrapper, models, register_model, unbox

_BIT, _BYTE, _INT64, _WIDE = ir.IntType(1), ir.IntType(8), ir.IntType(64), ir.IntType(128)


class FrameType(types.Type):
    """``bytes`` as an argument: where they lie, and where they end, while the caller holds them. Nothing is copied."""

    def __init__(self) -> None:
        super().__init__("coinbase_frame")


class LettersType(types.Type):
    """Sixteen letters as one number; the first of them is its lowest byte."""

    def __init__(self) -> None:
        super().__init__("coinbase_letters")


FRAME, LETTERS = FrameType(), LettersType()


@register_model(FrameType)
class _FrameModel(models.StructModel):
    def __init__(self, manager: Any, frame_type: Any) -> None:
        super().__init__(manager, frame_type, [("start", types.int64), ("end", types.int64)])


@register_model(LettersType)
class _LettersModel(models.PrimitiveModel):
    def __init__(self, manager: Any, letters_type: Any) -> None:
        super().__init__(manager, letters_type, _WIDE)


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
            with builder.if_then(there):
                difference = _INT64(0)
                for offset, size in parts:
                    kind = ir.IntType(8 * size)
                    wanted = kind(int.from_bytes(letters[offset : offset + size], "little"))
                    other = builder.xor(_load(builder, _plus(builder, place, offset), kind), wanted)
                    difference = builder.or_(difference, builder.zext(other, _INT64) if size < 8 else other)
                builder.store(builder.select(builder.icmp_signed("==", difference, _INT64(0)), behind, _INT64(0)), found)
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
def letters_at(typing_context: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, args[0], _WIDE)

    return LETTERS(types.int64), generate


@intrinsic
def without(typing_context: Any, letters: Any, count: Any) -> Any:
    """The letters but the first ``count``, which is less than sixteen, and zeros behind them."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters, count = args
        return builder.lshr(letters, builder.zext(builder.shl(count, _INT64(3)), _WIDE))

    return LETTERS(LETTERS, types.int64), generate


@intrinsic
def stops_at(typing_context: Any, place: Any) -> Any:
    """A bit for each of 32 letters that is not plain in a JSON string: a quote, a backslash, or not one of ASCII's printable ones."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters = _load(builder, args[0], ir.VectorType(_BYTE, 32))
        beyond = builder.icmp_unsigned(">=", builder.sub(letters, _each(32, 32)), _each(32, 127 - 32))
        quote, backslash = builder.icmp_unsigned("==", letters, _each(32, 34)), builder.icmp_unsigned("==", letters, _each(32, 92))
        stops = builder.or_(beyond, builder.or_(quote, backslash))
        return builder.zext(builder.bitcast(stops, ir.IntType(32)), _INT64)

    return types.int64(types.int64), generate


def _each(count: int, letter: int) -> Any:
    return ir.Constant(ir.VectorType(_BYTE, count), [letter] * count)


@intrinsic
def points_in(typing_context: Any, letters: Any) -> Any:
    """A bit for each letter that is a point."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters = builder.bitcast(args[0], ir.VectorType(_BYTE, 16))
        points = builder.icmp_unsigned("==", letters, _each(16, 46))
        return builder.zext(builder.bitcast(points, ir.IntType(16)), _INT64)

    return types.int64(LETTERS), generate


@intrinsic
def digits_in(typing_context: Any, letters: Any) -> Any:
    """A bit for each letter that is a digit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters = builder.bitcast(args[0], ir.VectorType(_BYTE, 16))
        digits = builder.icmp_unsigned("<", builder.sub(letters, _each(16, 48)), _each(16, 10))
        return builder.zext(builder.bitcast(digits, ir.IntType(16)), _INT64)

    return types.int64(LETTERS), generate


@intrinsic
def value_of(typing_context: Any, letters: Any, before_point: Any, count: Any) -> Any:
    """The number that ``count`` (1 to 15) digits make, with the letter after the first ``before_point`` (0 to 15) of them left out."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        letters, before_point, count = args
        figures = builder.xor(letters, _WIDE(int.from_bytes(b"0" * 16, "little")))
        whole = builder.sub(builder.shl(_WIDE(1), _bits(builder, before_point)), _WIDE(1))
        fraction = builder.and_(builder.lshr(figures, _WIDE(8)), builder.not_(whole))
        figures = builder.or_(builder.and_(figures, whole), fraction)
        # so that the last one is the highest byte; what follows falls off, and zeros come before the first
        figures = builder.shl(figures, _bits(builder, builder.sub(_INT64(16), count)))
        first, second = builder.trunc(figures, _INT64), builder.trunc(builder.lshr(figures, _WIDE(64)), _INT64)
        return builder.add(builder.mul(_of_eight(builder, first), _INT64(10**8)), _of_eight(builder, second))

    return types.int64(LETTERS, types.int64, types.int64), generate


def _bits(builder: Any, letters: Any) -> Any:
    return builder.zext(builder.shl(letters, _INT64(3)), _WIDE)


def _of_eight(builder: Any, figures: Any) -> Any:
    """The number of eight figures, a byte each, the first the lowest: pairs to numbers below 100, these below 10,000, and these to one."""
    for scale, width, mask in ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0x00000000FFFFFFFF)):
        # the upper one of a pair is the lower figure: low * scale + high, for all pairs with one multiplication
        figures = builder.and_(
            builder.lshr(builder.mul(figures, _INT64((scale << width) + 1)), _INT64(width)),
            _INT64(mask),
        )
    return figures
