"""One step of the GRU, forward and backward, over the rows of a shard.

The arrays are those of `rnnlab.kernels.steps`. Equations and gate order: `rnnlab.cells.gru`. Saved: r, z, n in ``gates``,
``W_hn h + b_hn`` in ``extra``.
"""

from typing import Any

import numpy as np

from rnnlab.kernels.activations import sigmoid, tanh
from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.vectors import NARROW, SINGLE, WIDE, load, store

_ONE = np.float32(1.0)


@inlined
def _forward_at(j: Any, like: Any, source: Any, shift: Any, gate: Any, kept: Any, h_before: Any, h: Any, target: Any) -> None:  # fmt: skip
    second, third = j + kept.size, j + 2 * kept.size
    r = sigmoid(load(gate, j, like) + load(source, j, like) + load(shift, j, like))
    z = sigmoid(load(gate, second, like) + load(source, second, like) + load(shift, second, like))
    from_hidden = load(gate, third, like) + load(shift, third, like)
    n = tanh(load(source, third, like) + r * from_hidden)
    fresh = n + z * (load(h_before, j, like) - n)
    store(gate, j, r)
    store(gate, second, z)
    store(gate, third, n)
    store(kept, j, from_hidden)
    store(h, j, fresh)
    store(target, j, fresh)


@helper
def forward(rows, step, here, ahead, running, staying, projected, bias, gates, extra, nothing, previous, outputs, last):  # type: ignore[no-untyped-def]
    """Turn the products in ``gates[here:here + running]`` into gates and states, and hand the states on."""
    hidden = nothing.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        batch = rows[row]
        source, gate, h = projected[batch, step], gates[here + row], outputs[batch, step]
        kept, h_before = extra[here + row], previous[here + row] if step > 0 else nothing
        target = previous[ahead + row] if row < staying else last[batch]
        for j in range(0, wide, 16):
            _forward_at(j, WIDE, source, bias, gate, kept, h_before, h, target)
        for j in range(wide, narrow, 4):
            _forward_at(j, NARROW, source, bias, gate, kept, h_before, h, target)
        for j in range(narrow, hidden):
            _forward_at(j, SINGLE, source, bias, gate, kept, h_before, h, target)


@inlined
def _write(at: Any, like: Any, value: Any, here: Any, change: Any, target: Any, share: Any) -> None:
    store(change, at, here)
    store(target, at, value)
    store(share, at, load(share, at, like) + here)


@inlined
def _backward_at(j: Any, like: Any, arrived: Any, later: Any, gate: Any, kept: Any, h_before: Any, change: Any, target: Any, share: Any) -> None:  # fmt: skip
    second, third = j + kept.size, j + 2 * kept.size
    r, z, n = load(gate, j, like), load(gate, second, like), load(gate, third, like)
    d_h = load(arrived, j, like) + load(later, j, like)
    store(later, j, d_h * z)
    d_n = d_h * (_ONE - z) * (_ONE - n * n)
    d_z = d_h * (load(h_before, j, like) - n) * z * (_ONE - z)
    d_hidden = d_n * r
    d_r = d_hidden * load(kept, j, like) * (_ONE - r)
    _write(j, like, d_r, d_r, change, target, share)
    _write(second, like, d_z, d_z, change, target, share)
    _write(third, like, d_n, d_hidden, change, target, share)


@helper
def backward(rows, step, here, running, gates, extra, nothing, previous, from_output, carried, d_gates, d_projected, share):  # type: ignore[no-untyped-def]
    """Write the gradients before the gates, from that of the state (``carried``, ``from_output``).

    ``d_gates`` gets those of the hidden side, whose third is behind the reset gate; ``carried`` what reaches the state
    before past the gates.
    """
    hidden = nothing.size
    wide, narrow = hidden & ~15, hidden & ~3
    for row in range(running):
        batch = rows[row]
        arrived, later, gate, kept = from_output[batch, step], carried[row], gates[here + row], extra[here + row]
        h_before = previous[here + row] if step > 0 else nothing
        change, target = d_gates[here + row], d_projected[batch, step]
        for j in range(0, wide, 16):
            _backward_at(j, WIDE, arrived, later, gate, kept, h_before, change, target, share)
        for j in range(wide, narrow, 4):
            _backward_at(j, NARROW, arrived, later, gate, kept, h_before, change, target, share)
        for j in range(narrow, hidden):
            _backward_at(j, SINGLE, arrived, later, gate, kept, h_before, change, target, share)
