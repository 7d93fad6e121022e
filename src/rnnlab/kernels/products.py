"""Products of two shapes that BLAS is slow at: with a row or few, and the weights' gradient.

BLAS lays out what it multiplies, and for some of these there is too little arithmetic to repay it: one row by 256 units is twice as
fast without, the gradient of 32 units, too. Others it lays out worse than they need. Sums are taken in the same order whatever the
machine is doing.
"""

from typing import Any

import numpy as np

from rnnlab.kernels.blas import transposed_times
from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.panels import FITS, begin, padded
from rnnlab.kernels.vectors import NARROW, SINGLE, WIDE, load, store, sum_of

FEW = 3
# The steps that are added up before the gradient is stored: their states and gradients stay in the nearest cache, or what is
# laid out of them.
_STEPS, _STEPS_LAID_OUT = 64, 96


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


@helper
def outer(sgemm: Any, left: Any, right: Any, out: Any) -> None:
    """Set ``out (width, columns)`` to ``left.T @ right``, ``left (steps, width or more)``, ``right (steps, columns)``.

    A narrow layer's, and a few steps', is computed in place, a wide one's from pieces laid out for it (GFLOP/s of one core, BLAS's in
    brackets: 151 (82) for 32 columns of 128, 153 (137) for 256 of 1024, 115 (81) for 57 of 1024), and all others by BLAS.
    """
    width, columns = out.shape
    steps, whole = left.shape[0], columns % 32 == 0
    if FITS and whole and width % 8 == 0 and (width < 256 or (steps <= 8 and columns <= 256)):
        _in_place(left, right, out)
    elif FITS and width % 32 == 0 and width >= 256 and steps >= 16 and (whole or columns % 32 >= 16):
        _laid_out(left, right, out)
    else:
        transposed_times(sgemm, left, left.shape[1], right, out, width, columns, steps)


@inlined
def _eight_by_32(
    left: Any, a: Any, ahead: Any, right: Any, b: Any, beside: Any, steps: Any, out: Any, i: Any, j: Any, add: Any
) -> None:
    """Compute, or ``add`` to, eight rows and 32 columns from ``left[a:]`` and ``right[b:]``, a step ``ahead`` and ``beside`` numbers apart."""
    far = j + 16
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
    for k in range(steps):
        x, y = a + k * ahead, b + k * beside
        p, q = load(right, y, WIDE), load(right, y + 16, WIDE)
        x0, x1, x2, x3 = (
            load(left, x, SINGLE),
            load(left, x + 1, SINGLE),
            load(left, x + 2, SINGLE),
            load(left, x + 3, SINGLE),
        )
        x4, x5, x6, x7 = (
            load(left, x + 4, SINGLE),
            load(left, x + 5, SINGLE),
            load(left, x + 6, SINGLE),
            load(left, x + 7, SINGLE),
        )
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
def _in_place(left: Any, right: Any, out: Any) -> None:
    width, columns = out.shape
    ahead, steps = left.shape[1], left.shape[0]
    lefts, rights = left.reshape(-1), right.reshape(-1)
    for first in range(0, steps, _STEPS):
        count = min(_STEPS, steps - first)
        for i in range(0, width, 8):
            for j in range(0, columns, 32):
                _eight_by_32(
                    lefts, first * ahead + i, ahead, rights, first * columns + j, columns, count, out, i, j, first > 0
                )


@helper
def _laid_out(left: Any, right: Any, out: Any) -> None:
    """Lay out 32 columns of ``right`` a piece, and of ``left`` four pieces of eight at a time, each step behind the other."""
    width, columns = out.shape
    wide, steps = padded(columns), left.shape[0]
    panels = np.zeros((wide // 32, 32 * _STEPS_LAID_OUT), np.float32)
    pieces = np.empty((4, 8 * _STEPS_LAID_OUT), np.float32)
    # The last columns, where they do not fill a piece, are added up aside.
    whole = columns & ~31
    aside = np.empty((width if whole < columns else 0, 32), np.float32)
    for first in range(0, steps, _STEPS_LAID_OUT):
        count = min(_STEPS_LAID_OUT, steps - first)
        for k in range(count):
            source = right[first + k]
            for j in range(0, whole, 16):
                store(panels[j // 32], 32 * k + j % 32, load(source, j, WIDE))
            for j in range(whole, columns):
                panels[j // 32, 32 * k + j % 32] = source[j]
        for i in range(0, width, 32):
            for k in range(count):
                source = left[first + k]
                for j in range(0, 32, 4):
                    store(pieces[j // 8], 8 * k + j % 8, load(source, i + j, NARROW))
            for j in range(0, wide, 32):
                for piece in range(4):
                    row = i + 8 * piece
                    if j < whole:
                        _eight_by_32(pieces[piece], 0, 8, panels[j // 32], 0, 32, count, out, row, j, first > 0)
                    else:
                        _eight_by_32(pieces[piece], 0, 8, panels[j // 32], 0, 32, count, aside, row, 0, first > 0)
    for i in range(aside.shape[0]):
        for j in range(whole, columns):
            out[i, j] = aside[i, j - whole]
