"""One step of the Elman cell, forward and backward, over the rows of a shard.

The arrays are those of `rnnlab.kernels.steps`. Equations: `rnnlab.cells.elman`. Saved: h itself, in ``gates``.
"""

# Compiled functions are typed by numba, from what they are called with.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from typing import Any

import numpy as np

from rnnlab.kernels.activations import tanh
from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.vectors import NARROW, SINGLE, WIDE, load, store, where_greater

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
# The smallest number that no processor setting flushes to zero: a state is below it if it is 0, and not if it is NaN.
_LEAST = np.finfo(np.float32).tiny


@inlined
def _forward_at(j: Any, like: Any, relu: Any, product: Any, shift: Any, state: Any, target: Any) -> None:
    total = load(state, j, like) + load(product, j, like) + load(shift, j, like)
    if relu:
        fresh = where_greater(_ZERO, total, _ZERO, total)
    else:
        fresh = tanh(total)
    store(state, j, fresh)
    store(target, j, fresh)


@helper
def forward(here, ahead, running, staying, relu, products, shift, gates, previous, final):
    """Turn the input's part in ``gates[here:here + running]`` into states, and hand them on: to the next step, or to ``final``."""
    hidden = shift.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        product, state = products[row], gates[here + row]
        target = previous[ahead + row] if row < staying else final[row]
        for j in range(0, wide, 16):
            _forward_at(j, WIDE, relu, product, shift, state, target)
        for j in range(wide, narrow, 4):
            _forward_at(j, NARROW, relu, product, shift, state, target)
        for j in range(narrow, hidden):
            _forward_at(j, SINGLE, relu, product, shift, state, target)


@inlined
def _backward_at(j: Any, like: Any, relu: Any, arrived: Any, state: Any, change: Any, share: Any) -> None:
    d_h, h = load(arrived, j, like), load(state, j, like)
    if relu:
        d_total = where_greater(_LEAST, h, _ZERO, d_h)
    else:
        d_total = d_h * (_ONE - h * h)
    store(change, j, d_total)
    store(share, j, load(share, j, like) + d_total)


@helper
def backward(here, running, relu, gates, carried, d_gates, share):
    """Write the gradient before the activation, from that of the state, ``carried``."""
    hidden = share.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        arrived, state, change = carried[row], gates[here + row], d_gates[here + row]
        for j in range(0, wide, 16):
            _backward_at(j, WIDE, relu, arrived, state, change, share)
        for j in range(wide, narrow, 4):
            _backward_at(j, NARROW, relu, arrived, state, change, share)
        for j in range(narrow, hidden):
            _backward_at(j, SINGLE, relu, arrived, state, change, share)
