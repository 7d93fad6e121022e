"""One step of the LSTM, forward and backward, over the rows of a shard.

The arrays are those of `rnnlab.kernels.steps`. Equations and gate order: `rnnlab.cells.lstm`. Saved: i, f, g, o in ``gates``,
c in ``extra``.
"""

# Compiled functions are typed by numba, from what they are called with.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from typing import Any

import numpy as np

from rnnlab.kernels.activations import sigmoid, tanh
from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.vectors import NARROW, SINGLE, WIDE, load, store

_ONE = np.float32(1.0)


@inlined
def _forward_at(j: Any, like: Any, product: Any, shift: Any, gate: Any, c: Any, c_before: Any, target: Any) -> None:
    second, third, fourth = j + c.size, j + 2 * c.size, j + 3 * c.size
    i = sigmoid(load(gate, j, like) + load(product, j, like) + load(shift, j, like))
    f = sigmoid(load(gate, second, like) + load(product, second, like) + load(shift, second, like))
    g = tanh(load(gate, third, like) + load(product, third, like) + load(shift, third, like))
    o = sigmoid(load(gate, fourth, like) + load(product, fourth, like) + load(shift, fourth, like))
    kept = f * load(c_before, j, like) + i * g
    fresh = o * tanh(kept)
    store(gate, j, i)
    store(gate, second, f)
    store(gate, third, g)
    store(gate, fourth, o)
    store(c, j, kept)
    store(target, j, fresh)


@helper
def forward(step, here, before, ahead, running, staying, products, shift, gates, extra, nothing, previous, final):
    """Turn the input's part in ``gates[here:here + running]`` into gates and states, and hand the states on: to the next step, or to ``final``."""
    hidden = nothing.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        product, gate = products[row], gates[here + row]
        c, c_before = extra[here + row], extra[before + row] if step > 0 else nothing
        target = previous[ahead + row] if row < staying else final[row]
        for j in range(0, wide, 16):
            _forward_at(j, WIDE, product, shift, gate, c, c_before, target)
        for j in range(wide, narrow, 4):
            _forward_at(j, NARROW, product, shift, gate, c, c_before, target)
        for j in range(narrow, hidden):
            _forward_at(j, SINGLE, product, shift, gate, c, c_before, target)


@inlined
def _write(at: Any, like: Any, value: Any, change: Any, share: Any) -> None:
    store(change, at, value)
    store(share, at, load(share, at, like) + value)


@inlined
def _backward_at(
    j: Any, like: Any, arrived: Any, d_c: Any, gate: Any, c: Any, c_before: Any, change: Any, share: Any
) -> None:
    second, third, fourth = j + c.size, j + 2 * c.size, j + 3 * c.size
    i, f, g, o = load(gate, j, like), load(gate, second, like), load(gate, third, like), load(gate, fourth, like)
    bent = tanh(load(c, j, like))
    d_h = load(arrived, j, like) * o
    through = load(d_c, j, like) + d_h * (_ONE - bent * bent)
    store(d_c, j, through * f)
    _write(j, like, through * g * i * (_ONE - i), change, share)
    _write(second, like, through * load(c_before, j, like) * f * (_ONE - f), change, share)
    _write(third, like, through * i * (_ONE - g * g), change, share)
    _write(fourth, like, d_h * bent * (_ONE - o), change, share)


@helper
def backward(step, here, before, running, gates, extra, nothing, carried, carried_c, d_gates, share):
    """Write the gradients before the gates, from those of h (``carried``) and c (``carried_c``)."""
    hidden = nothing.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        arrived, d_c = carried[row], carried_c[row]
        gate, c, c_before = gates[here + row], extra[here + row], extra[before + row] if step > 0 else nothing
        change = d_gates[here + row]
        for j in range(0, wide, 16):
            _backward_at(j, WIDE, arrived, d_c, gate, c, c_before, change, share)
        for j in range(wide, narrow, 4):
            _backward_at(j, NARROW, arrived, d_c, gate, c, c_before, change, share)
        for j in range(narrow, hidden):
            _backward_at(j, SINGLE, arrived, d_c, gate, c, c_before, change, share)
