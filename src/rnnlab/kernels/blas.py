"""The matrix product of the kernels: scipy's ``sgemm``, called by address from compiled code.

Each worker computes its own products, so the library must not start threads of its own: `one_blas_thread` sees to
that while kernels run, and puts things back. Nothing here knows cells.
"""

# numba states no types for what writes code.
# mypy: disable-error-code="no-untyped-call,untyped-decorator"

import ctypes
import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address

from rnnlab.kernels.compiling import emitted, inlined

_Ask = Callable[[], int]
_Set = Callable[[int], object]
_NO, _YES = ord("N"), ord("T")
_ZERO = np.float32(0)


@cache
def sgemm_address() -> int:
    """Return the address of ``sgemm``; compiled code gets it as an argument, so that it can be cached on disk."""
    return int(get_cython_function_address("scipy.linalg.cython_blas", "sgemm"))


@emitted
def _sgemm(
    _context: Any, at: Any, ta: Any, tb: Any, m: Any, n: Any, k: Any,
    a: Any, lda: Any, b: Any, ldb: Any, beta: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    """Emit a call of Fortran's sgemm with alpha 1; a, b, c are addresses, sizes are passed by reference."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        address, *rest = given
        byte, integer, real = ir.IntType(8), ir.IntType(32), ir.FloatType()

        def whole(value: Any, kind: Any = integer) -> Any:
            return cgutils.alloca_once_value(builder, builder.trunc(value, kind))

        def matrix(value: Any) -> Any:
            return builder.inttoptr(value, real.as_pointer())

        ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc = rest
        arguments = [
            whole(ta, byte), whole(tb, byte), whole(m), whole(n), whole(k),
            cgutils.alloca_once_value(builder, ir.Constant(real, 1.0)),
            matrix(a), whole(lda), matrix(b), whole(ldb),
            cgutils.alloca_once_value(builder, beta), matrix(c), whole(ldc),
        ]  # fmt: skip
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        builder.call(builder.inttoptr(address, kind.as_pointer()), arguments)
        return context.get_dummy_value()

    size = types.intp
    signature = types.void(size, size, size, size, size, size, size, size, size, size, types.float32, size, size)
    return signature, generate


@inlined
def times(at: Any, left: Any, width: Any, right: Any, out: Any, rows: Any, columns: Any, inner: Any, beta: Any) -> None:
    """Set ``out (rows, columns)`` to ``left (rows, inner) @ right (inner, columns) + beta * out``.

    All are row-major; a row of ``left`` begins every ``width`` numbers, the others are contiguous.
    """
    _sgemm(
        at, _NO, _NO, columns, rows, inner, right.ctypes.data, columns, left.ctypes.data, width,
        beta, out.ctypes.data, columns,
    )  # fmt: skip


@inlined
def times_transposed(at: Any, left: Any, right: Any, out: Any, rows: Any, columns: Any, inner: Any) -> None:
    """Set ``out (rows, columns)`` to ``left (rows, inner) @ right.T``, ``right (columns, inner)``."""
    _sgemm(
        at, _YES, _NO, columns, rows, inner, right.ctypes.data, inner, left.ctypes.data, inner,
        _ZERO, out.ctypes.data, columns,
    )  # fmt: skip


@inlined
def transposed_times(at: Any, left: Any, width: Any, right: Any, out: Any, rows: Any, columns: Any, inner: Any) -> None:
    """Set ``out (rows, columns)`` to ``left.T @ right``, ``left (inner, rows)`` with rows of ``width``."""
    _sgemm(
        at, _NO, _YES, columns, rows, inner, right.ctypes.data, columns, left.ctypes.data, width,
        _ZERO, out.ctypes.data, columns,
    )  # fmt: skip


class _Limit:
    """Counts who needs one thread; the first sets it, the last restores it."""

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0
        self.before: list[tuple[_Set, int]] = []

    def __enter__(self) -> None:
        with self.lock:
            self.users += 1
            if self.users > 1:
                return
            self.before = [(put, threads) for ask, put in _libraries() if (threads := ask()) != 1]
            for put, _ in self.before:
                put(1)

    def __exit__(self, *_raised: object) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                for put, threads in self.before:
                    put(threads)


@cache
def _libraries() -> list[tuple[_Ask, _Set]]:
    """Return who asks and who sets the threads of the library that has scipy's ``sgemm``; of all where scipy uses the system's."""
    sgemm_address()  # loads scipy's library, so that it is found
    found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    ours = [library for library in found if "scipy" in Path(library.filepath).parent.name] or list(found)
    return [_quick(library) or (library.get_num_threads, library.set_num_threads) for library in ours]


def _quick(library: Any) -> tuple[_Ask, _Set] | None:
    """Return OpenBLAS's own functions: threadpoolctl's take ten times as long, and this is called twice a step."""
    if getattr(library, "threading_layer", "") != "pthreads":
        return None
    loaded = ctypes.CDLL(library.filepath)
    for prefix, suffix in itertools.product(("scipy_", ""), ("", "64_", "_64")):
        ask, put = (getattr(loaded, f"{prefix}openblas_{verb}_num_threads{suffix}", None) for verb in ("get", "set"))
        if ask is not None and put is not None:
            return ask, put
    return None


_limit = _Limit()


def one_blas_thread() -> AbstractContextManager[None]:
    """Keep the kernels' BLAS library to one thread; safe to nest and to enter from several threads."""
    return _limit
