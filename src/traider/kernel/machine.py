"""What the compiler of compiled code can be told beside the code."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

AHEAD = 64  # elements: several hundred nanoseconds of a backtest, a little more than memory takes


@intrinsic
def prefetch(typing_context: Any, column: Any, index: Any) -> Any:
    """Asks for an element that may be read soon, so that it is in the cache by then; any index may be given."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        pointer = builder.bitcast(builder.gep(array.data, [args[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0i8")
        builder.call(function, [pointer, number(0), number(3), number(1)])  # to read, to keep, data
        return context.get_dummy_value()

    return types.none(column, index), generate


@intrinsic
def seldom(typing_context: Any) -> Any:
    """Keeps the function that calls it out of its callers, which stay short: for what few events need."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        builder.function.attributes.add("cold")
        return context.get_dummy_value()

    return types.none(), generate


def apart(sizes: dict[str, int]) -> Any:
    """An intrinsic by which a function says that its arrays lie apart, and how many bytes some of them have at least.

    What is written to one of them then changes nothing that was read from another one, and a field may be read before it is known
    whether it is needed. Whoever calls the function has to see to both.
    """

    @intrinsic
    def lie_apart(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            for argument in builder.function.args:
                if isinstance(argument.type, ir.PointerType) and "noalias" not in argument.attributes:
                    argument.add_attribute("noalias")
                name, _, member = argument.name.removeprefix("arg.").partition(".")
                if name in sizes and member == "4":  # numba's array: its data
                    argument.attributes.dereferenceable = sizes[name]
                    argument.attributes.align = 8
            return context.get_dummy_value()

        return types.none(), generate

    return lie_apart


def nearest(value: float) -> int:
    """The whole number nearest to the value; halfway between two, the even one."""
    return round(value)


@intrinsic
def _nearest(typing_context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function_type = ir.FunctionType(ir.IntType(64), [ir.DoubleType()])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.lrint.i64.f64")
        return builder.call(function, args)

    return types.int64(types.float64), generate


@overload(nearest, strict=False)
def _compiled_nearest(value: Any) -> Any:
    return lambda value: _nearest(value)  # rounds and converts at once


def product_above(a: int, b: int, c: int, d: int) -> bool:
    """Whether a * b is greater than c * d, exactly, even where the products need more than 64 bits."""
    return a * b > c * d


@intrinsic
def _product_above(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = [builder.sext(arg, ir.IntType(128)) for arg in args]
        return builder.icmp_signed(">", builder.mul(wide[0], wide[1]), builder.mul(wide[2], wide[3]))

    number = types.int64
    return types.boolean(number, number, number, number), generate


@overload(product_above, strict=False)
def _compiled_product_above(a: Any, b: Any, c: Any, d: Any) -> Any:
    return lambda a, b, c, d: _product_above(a, b, c, d)


@intrinsic
def copy_record(typing_context: Any, to: Any, source: Any) -> Any:
    """Copies all bytes of one record into another one of its type."""
    if to != source:
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = ir.Constant(ir.IntType(64), signature.args[0].size)
        target, origin = (builder.bitcast(arg, cgutils.voidptr_t) for arg in args)
        cgutils.raw_memcpy(builder, target, origin, size, 1)
        return context.get_dummy_value()

    return types.none(to, source), generate


def record_at(record_type: Any) -> Any:
    """An intrinsic that takes an address and gives the record of this type that lies there."""

    @intrinsic
    def at(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(record_type))

        return record_type(types.int64), generate

    return at


@intrinsic
def integer_at(typing_context: Any, address: Any, index: Any) -> Any:
    """The index-th of the whole numbers of 64 bits that lie from this address on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(pointer, [args[1]]))

    return types.int64(types.int64, types.int64), generate
