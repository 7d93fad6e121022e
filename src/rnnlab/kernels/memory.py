"""Addresses in compiled code: what one names, and counting at one from several threads."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from rnnlab.kernels.compiling import emitted


@emitted
def place(_context: Any, address: Any) -> Any:
    """Return ``address`` as a pointer, for `numba.carray`."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@emitted
def add_one(_context: Any, array: Any, _index: Any) -> Any:
    """Return ``array[index]`` and add one to it, so that no two threads see the same value."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        data = context.make_array(array)(context, builder, given[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [given[1]]), ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(array, types.intp), generate
