"""Products with weights that are laid out once and used at every step.

BLAS lays the weights out anew for every product, which at 256 units costs as much as 30 rows of arithmetic: most of the time
of a small batch. Here a pass does it once, into *panels* of 32 columns, ``(panels, inner, 32)``, filled up with zeros; a
product keeps eight rows by one panel in registers. Every row is added up in the same order whatever its neighbours are.
"""

from typing import Any

import numpy as np
from llvmlite import binding  # type: ignore[import-untyped]

from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.vectors import SINGLE, WIDE, load, store

_PANEL = 32

# Eight rows by 32 columns fill sixteen registers of 512 bits; a processor without them leaves products to BLAS.
FITS = bool(binding.get_host_cpu_features().get("avx512f", False))


@inlined
def padded(columns: Any) -> Any:
    """Return ``columns`` rounded up to whole panels: the width of a product's result."""
    return (columns + 31) & ~31


@helper
def panels_of_transposed(weight: Any) -> Any:
    """Return the panels of ``weight.T``, for ``h @ weight.T``; ``weight (columns, inner)``."""
    columns, inner = weight.shape
    panels = np.zeros((padded(columns) // _PANEL, inner * _PANEL), np.float32)
    for column in range(columns):
        source, target, at = weight[column], panels[column // _PANEL], column % _PANEL
        for k in range(inner):
            target[k * _PANEL + at] = source[k]
    return panels


@helper
def panels_of(weight: Any) -> Any:
    """Return the panels of ``weight``, for ``d @ weight``; ``weight (inner, columns)``."""
    inner, columns = weight.shape
    panels = np.zeros((padded(columns) // _PANEL, inner * _PANEL), np.float32)
    for k in range(inner):
        for panel in range(panels.shape[0]):
            source, target = weight[k, panel * _PANEL : (panel + 1) * _PANEL], panels[panel]
            for j in range(source.size):
                target[k * _PANEL + j] = source[j]
    return panels


@inlined
def begin(out: Any, column: Any, add: Any) -> Any:
    """Return the sixteen numbers that a sum begins with: what is there, or zeros."""
    return load(out, column, WIDE) if add else WIDE


@inlined
def _eight_rows(a: Any, row: Any, rows: Any, panel: Any, out: Any, column: Any, inner: Any, add: Any) -> None:
    """Compute up to eight rows by one panel; where fewer are left, the last is computed again."""
    end, far = rows - 1, column + 16
    r1, r2, r3, r4 = min(row + 1, end), min(row + 2, end), min(row + 3, end), min(row + 4, end)
    r5, r6, r7 = min(row + 5, end), min(row + 6, end), min(row + 7, end)
    a0, a1, a2, a3, a4, a5, a6, a7 = a[row], a[r1], a[r2], a[r3], a[r4], a[r5], a[r6], a[r7]
    o0, o1, o2, o3, o4, o5, o6, o7 = out[row], out[r1], out[r2], out[r3], out[r4], out[r5], out[r6], out[r7]
    s0, t0 = begin(o0, column, add), begin(o0, far, add)
    s1, t1 = begin(o1, column, add), begin(o1, far, add)
    s2, t2 = begin(o2, column, add), begin(o2, far, add)
    s3, t3 = begin(o3, column, add), begin(o3, far, add)
    s4, t4 = begin(o4, column, add), begin(o4, far, add)
    s5, t5 = begin(o5, column, add), begin(o5, far, add)
    s6, t6 = begin(o6, column, add), begin(o6, far, add)
    s7, t7 = begin(o7, column, add), begin(o7, far, add)
    for k in range(inner):
        left, right = load(panel, k * 32, WIDE), load(panel, k * 32 + 16, WIDE)
        x0, x1, x2, x3 = load(a0, k, SINGLE), load(a1, k, SINGLE), load(a2, k, SINGLE), load(a3, k, SINGLE)
        x4, x5, x6, x7 = load(a4, k, SINGLE), load(a5, k, SINGLE), load(a6, k, SINGLE), load(a7, k, SINGLE)
        s0, t0 = s0 + left * x0, t0 + right * x0
        s1, t1 = s1 + left * x1, t1 + right * x1
        s2, t2 = s2 + left * x2, t2 + right * x2
        s3, t3 = s3 + left * x3, t3 + right * x3
        s4, t4 = s4 + left * x4, t4 + right * x4
        s5, t5 = s5 + left * x5, t5 + right * x5
        s6, t6 = s6 + left * x6, t6 + right * x6
        s7, t7 = s7 + left * x7, t7 + right * x7
    store(o7, column, s7)
    store(o7, far, t7)
    store(o6, column, s6)
    store(o6, far, t6)
    store(o5, column, s5)
    store(o5, far, t5)
    store(o4, column, s4)
    store(o4, far, t4)
    store(o3, column, s3)
    store(o3, far, t3)
    store(o2, column, s2)
    store(o2, far, t2)
    store(o1, column, s1)
    store(o1, far, t1)
    store(o0, column, s0)
    store(o0, far, t0)


@helper
def multiply(a: Any, panels: Any, out: Any, rows: Any, add: Any) -> None:
    """Set ``out[:rows]`` to the product of ``a (rows, inner)`` and what ``panels`` hold, or ``add`` it."""
    inner = panels.shape[1] // _PANEL
    for number in range(panels.shape[0]):
        panel = panels[number]
        for row in range(0, rows, 8):
            _eight_rows(a, row, rows, panel, out, number * _PANEL, inner, add)
