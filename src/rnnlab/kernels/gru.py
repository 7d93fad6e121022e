"""One step of the GRU, forward and backward, over the rows of a shard.

The arrays are those of `rnnlab.kernels.steps`. Equations and gate order: `rnnlab.cells.gru`. Saved: r, z, n in ``gates``,
``W_hn h + b_hn`` in ``extra``.
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
def _forward_at(
    j: Any, like: Any, product: Any, shift: Any, shift_h: Any, gate: Any, kept: Any, h_before: Any, target: Any
) -> None:
    second, third = j + kept.size, j + 2 * kept.size
    r = sigmoid(load(gate, j, like) + load(product, j, like) + load(shift, j, like))
    z = sigmoid(load(gate, second, like) + load(product, second, like) + load(shift, second, like))
    from_hidden = load(product, third, like) + load(shift_h, third, like)
    n = tanh(load(gate, third, like) + load(shift, third, like) + r * from_hidden)
    fresh = n + z * (load(h_before, j, like) - n)
    store(gate, j, r)
    store(gate, second, z)
    store(gate, third, n)
    store(kept, j, from_hidden)
    store(target, j, fresh)


@helper
def forward(step, here, ahead, running, staying, products, shift, shift_h, gates, extra, nothing, previous, final):
    """Turn the input's part in ``gates[here:here + running]`` into gates and states, and hand the states on: to the next step, or to ``final``.

    ``shift`` is both biases for r and z and the input's alone for n, ``shift_h`` the hidden side's.
    """
    hidden = nothing.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        product, gate = products[row], gates[here + row]
        kept, h_before = extra[here + row], previous[here + row] if step > 0 else nothing
        target = previous[ahead + row] if row < staying else final[row]
        for j in range(0, wide, 16):
            _forward_at(j, WIDE, product, shift, shift_h, gate, kept, h_before, target)
        for j in range(wide, narrow, 4):
            _forward_at(j, NARROW, product, shift, shift_h, gate, kept, h_before, target)
        for j in range(narrow, hidden):
            _forward_at(j, SINGLE, product, shift, shift_h, gate, kept, h_before, target)


@inlined
def _write(at: Any, like: Any, value: Any, change: Any, share: Any) -> None:
    store(change, at, value)
    store(share, at, load(share, at, like) + value)


@inlined
def _backward_at(
    j: Any,
    like: Any,
    arrived: Any,
    gate: Any,
    kept: Any,
    h_before: Any,
    change: Any,
    inner: Any,
    share: Any,
    share_n: Any,
) -> None:
    second, third = j + kept.size, j + 2 * kept.size
    r, z, n = load(gate, j, like), load(gate, second, like), load(gate, third, like)
    d_h = load(arrived, j, like)
    store(arrived, j, d_h * z)
    d_n = d_h * (_ONE - z) * (_ONE - n * n)
    d_z = d_h * (load(h_before, j, like) - n) * z * (_ONE - z)
    d_hidden = d_n * r
    d_r = d_hidden * load(kept, j, like) * (_ONE - r)
    _write(j, like, d_r, change, share)
    _write(second, like, d_z, change, share)
    _write(third, like, d_hidden, change, share)
    _write(j, like, d_n, inner, share_n)


@helper
def backward(step, here, running, gates, extra, nothing, previous, carried, d_gates, d_inner, share, share_n):
    """Write the gradients before the gates, from that of the state, ``carried``.

    ``d_gates`` gets those of the hidden side, whose third is behind the reset gate, ``d_inner`` the third of the input's
    side; ``carried`` what reaches the state before past the gates.
    """
    hidden = nothing.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        arrived, gate, kept = carried[row], gates[here + row], extra[here + row]
        h_before = previous[here + row] if step > 0 else nothing
        change, inner = d_gates[here + row], d_inner[here + row]
        for j in range(0, wide, 16):
            _backward_at(j, WIDE, arrived, gate, kept, h_before, change, inner, share, share_n)
        for j in range(wide, narrow, 4):
            _backward_at(j, NARROW, arrived, gate, kept, h_before, change, inner, share, share_n)
        for j in range(narrow, hidden):
            _backward_at(j, SINGLE, arrived, gate, kept, h_before, change, inner, share, share_n)
