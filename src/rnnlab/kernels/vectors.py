"""Sixteen numbers at a time: a vector type for compiled loops.

The compiler vectorises a loop by itself only where it can prove, or cheaply check, that no two of its arrays overlap, and
then only the part of a row that fills its unrolled body: a cell's row of 16 units touches a dozen arrays and would stay scalar. So
the kernels say it outright. A loop body is written once, for vectors and for the single numbers of a row's end:

    for j in range(0, whole, 16):
        store(out, j, tanh(load(a, j, WIDE) + load(b, j, WIDE)))

`load` returns what its third argument is: a vector of 16 (`WIDE`), of 4 (`NARROW`), or a number (`SINGLE`). Arrays are
one-dimensional, float32 and contiguous; nothing is checked.
"""

# numba states no types for what writes code.
# mypy: disable-error-code="no-untyped-call,untyped-decorator"

import operator
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.imputils import lower_constant
from numba.extending import models, overload, register_model, typeof_impl

from rnnlab.kernels.compiling import emitted

# Contraction to fused multiply-adds, and no more: a NaN must stay a NaN.
_FLAGS = ("contract", "nsz", "arcp")


class Vector:
    """A constant that stands for vectors of ``lanes`` float32 in compiled code."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes


class VectorType(types.Type):
    """Numba's type of a vector of float32."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"float32x{lanes}")


WIDE, NARROW, SINGLE = Vector(16), Vector(4), np.float32(0)


def _llvm(kind: Any) -> Any:
    return ir.VectorType(ir.FloatType(), kind.lanes) if isinstance(kind, VectorType) else ir.FloatType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: VectorType) -> None:
        super().__init__(manager, kind, _llvm(kind))


@typeof_impl.register(Vector)
def _typeof(value: Vector, _context: Any) -> VectorType:
    return VectorType(value.lanes)


@lower_constant(VectorType)
def _constant(_context: Any, _builder: Any, kind: VectorType, _value: Vector) -> Any:
    return ir.Constant(_llvm(kind), [0.0] * kind.lanes)


def _spread(context: Any, builder: Any, value: Any, given: Any, kind: Any) -> Any:
    """Return ``value`` as ``kind``: a number is copied into every lane."""
    if isinstance(given, VectorType):
        return value
    number = context.cast(builder, value, given, types.float32)
    if not isinstance(kind, VectorType):
        return number
    nothing, zero = ir.Constant(_llvm(kind), ir.Undefined), ir.IntType(32)
    first = builder.insert_element(nothing, number, ir.Constant(zero, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(zero, kind.lanes), None))


def _common(*kinds: Any) -> Any:
    vectors = [kind for kind in kinds if isinstance(kind, VectorType)]
    return vectors[0] if vectors else types.float32


def _place(context: Any, builder: Any, kind: Any, array: Any, value: Any, index: Any) -> Any:
    data = context.make_array(array)(context, builder, value).data
    return builder.bitcast(builder.gep(data, [index]), _llvm(kind).as_pointer())


@emitted
def load(_context: Any, array: Any, _index: Any, like: Any) -> Any:
    """Return the numbers of ``array`` from ``index`` on, as many as ``like`` has."""
    kind = _common(like)

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        found = builder.load(_place(context, builder, kind, array, given[0], given[1]))
        found.align = 4
        return found

    return kind(array, types.intp, like), generate


@emitted
def store(_context: Any, array: Any, _index: Any, value: Any) -> Any:
    """Write ``value`` to ``array`` from ``index`` on."""
    kind = _common(value)

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        numbers = _spread(context, builder, given[2], value, kind)
        builder.store(numbers, _place(context, builder, kind, array, given[0], given[1])).align = 4
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@emitted
def where_greater(_context: Any, left: Any, right: Any, yes: Any, no: Any) -> Any:
    """Return ``yes`` where ``left > right``, else ``no``; a NaN is not greater."""
    kind = _common(left, right, yes, no)
    kinds = (left, right, yes, no)

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        a, b, c, d = (_spread(context, builder, value, of, kind) for value, of in zip(given, kinds))
        return builder.select(builder.fcmp_ordered(">", a, b), c, d)

    return kind(*kinds), generate


@emitted
def sum_of(_context: Any, vector: Any) -> Any:
    """Return the sum of a vector's numbers: of its halves, and theirs, always in the same order."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        (found,), lanes = given, vector.lanes
        nothing, place = ir.Constant(found.type, ir.Undefined), ir.IntType(32)
        while lanes > 1:
            lanes //= 2
            half = ir.Constant(ir.VectorType(place, vector.lanes), [lanes + j % lanes for j in range(vector.lanes)])
            found = builder.fadd(found, builder.shuffle_vector(found, nothing, half), flags=_FLAGS)
        return builder.extract_element(found, ir.Constant(place, 0))

    return types.float32(vector), generate


def _arithmetic(name: str, symbol: Any) -> None:
    """Give vectors the operator ``symbol``; the other side may be a number."""

    @emitted
    def apply(_context: Any, left: Any, right: Any) -> Any:
        kind = _common(left, right)

        def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            a = _spread(context, builder, given[0], left, kind)
            b = _spread(context, builder, given[1], right, kind)
            return getattr(builder, name)(a, b, flags=_FLAGS)

        return kind(left, right), generate

    @overload(symbol)
    def choose(left, right):  # type: ignore[no-untyped-def]  # numba compares signatures, annotations included
        if not isinstance(left, VectorType) and not isinstance(right, VectorType):
            return None
        return lambda left, right: apply(left, right)


for _name, _symbol in (
    ("fadd", operator.add),
    ("fsub", operator.sub),
    ("fmul", operator.mul),
    ("fdiv", operator.truediv),
):
    _arithmetic(_name, _symbol)
