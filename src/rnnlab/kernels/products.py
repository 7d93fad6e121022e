"""Products of two shapes that BLAS is slow at: with a row or few, and the weights' gradient.

BLAS lays out what it multiplies, and for these there is too little arithmetic to repay it: one row by 256 units is twice as fast
without, the gradient of 32 units, too. Sums are taken in the same order whatever the machine is doing.
"""

from typing import Any

from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.panels import FITS, begin
from rnnlab.kernels.vectors import SINGLE, WIDE, load, store, sum_of

FEW = 3
# The steps that are added up before the gradient is stored: their states and gradients stay in the nearest cache.
_STEPS = 64


@inlined
def few(rows: Any, inner: Any) -> Any:
    """Whether `dots` is made for a product: so few rows that reading the weights is all the work."""
    return rows <= FEW and inner % 16 == 0


@inlined
def _four(row: Any, weight: Any, first: Any, out: Any) -> None:
    """Write four numbers of a row of the product."""
    w0, w1, w2, w3 = weight[first], weight[first + 1], weight[first + 2], weight[first + 3]
    s0, s1, s2, s3 = WIDE, WIDE, WIDE, WIDE
    for k in range(0, row.size, 16):
        x = load(row, k, WIDE)
        s0, s1 = s0 + load(w0, k, WIDE) * x, s1 + load(w1, k, WIDE) * x
        s2, s3 = s2 + load(w2, k, WIDE) * x, s3 + load(w3, k, WIDE) * x
    out[first], out[first + 1], out[first + 2], out[first + 3] = sum_of(s0), sum_of(s1), sum_of(s2), sum_of(s3)


@helper
def dots(a: Any, weight: Any, out: Any, rows: Any) -> None:
    """Set ``out (rows, columns)`` to ``a (rows, inner) @ weight.T``, ``weight (columns, inner)``; `few` must hold.

    ``columns`` must be a multiple of 4, as that of ``inner``, which is one of 16, makes it.
    """
    for row in range(rows):
        for first in range(0, weight.shape[0], 4):
            _four(a[row], weight, first, out[row])


@inlined
def thin(columns: Any, inner: Any, width: Any) -> Any:
    """Whether `outer` is made for a gradient: of a narrow layer, or over few steps."""
    return FITS and columns % 32 == 0 and width % 8 == 0 and (columns <= 64 or (columns <= 256 and inner <= _STEPS))


@inlined
def _eight_by_32(left: Any, i: Any, right: Any, j: Any, out: Any, first: Any, last: Any) -> None:
    """Add the steps from ``first`` to ``last`` to eight rows and 32 columns; the first steps are not added to anything."""
    add, far = first > 0, j + 16
    o0, o1, o2, o3, o4, o5 = out[i], out[i + 1], out[i + 2], out[i + 3], out[i + 4], out[i + 5]
    o6, o7 = out[i + 6], out[i + 7]
    s0, t0 = begin(o0, j, add), begin(o0, far, add)
    s1, t1 = begin(o1, j, add), begin(o1, far, add)
    s2, t2 = begin(o2, j, add), begin(o2, far, add)
    s3, t3 = begin(o3, j, add), begin(o3, far, add)
    s4, t4 = begin(o4, j, add), begin(o4, far, add)
    s5, t5 = begin(o5, j, add), begin(o5, far, add)
    s6, t6 = begin(o6, j, add), begin(o6, far, add)
    s7, t7 = begin(o7, j, add), begin(o7, far, add)
    for k in range(first, last):
        a, b = left[k], right[k]
        p, q = load(b, j, WIDE), load(b, far, WIDE)
        x0, x1, x2, x3 = load(a, i, SINGLE), load(a, i + 1, SINGLE), load(a, i + 2, SINGLE), load(a, i + 3, SINGLE)
        x4, x5, x6, x7 = load(a, i + 4, SINGLE), load(a, i + 5, SINGLE), load(a, i + 6, SINGLE), load(a, i + 7, SINGLE)
        s0, t0 = s0 + p * x0, t0 + q * x0
        s1, t1 = s1 + p * x1, t1 + q * x1
        s2, t2 = s2 + p * x2, t2 + q * x2
        s3, t3 = s3 + p * x3, t3 + q * x3
        s4, t4 = s4 + p * x4, t4 + q * x4
        s5, t5 = s5 + p * x5, t5 + q * x5
        s6, t6 = s6 + p * x6, t6 + q * x6
        s7, t7 = s7 + p * x7, t7 + q * x7
    store(o0, j, s0)
    store(o0, far, t0)
    store(o1, j, s1)
    store(o1, far, t1)
    store(o2, j, s2)
    store(o2, far, t2)
    store(o3, j, s3)
    store(o3, far, t3)
    store(o4, j, s4)
    store(o4, far, t4)
    store(o5, j, s5)
    store(o5, far, t5)
    store(o6, j, s6)
    store(o6, far, t6)
    store(o7, j, s7)
    store(o7, far, t7)


@helper
def outer(left: Any, right: Any, out: Any) -> None:
    """Set ``out (width, columns)`` to ``left.T @ right``, ``left (steps, width)``, ``right (steps, columns)``; `thin` must hold."""
    width, columns = out.shape
    steps = left.shape[0]
    for first in range(0, steps, _STEPS):
        last = min(first + _STEPS, steps)
        for i in range(0, width, 8):
            for j in range(0, columns, 32):
                _eight_by_32(left, i, right, j, out, first, last)
