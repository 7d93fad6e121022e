"""The input's side of a shard: into packed rows before the steps, and its gradients after them.

Three modes (`rnnlab.kernels.jobs`): ``PROJECTED`` rows are copied as they are; ``FEATURES`` are gathered and multiplied in one
product over all steps; ``SYMBOLS`` look up a row of the transposed weights, which is what a product with one-hot
vectors comes to.
"""

# Compiled functions are typed by numba, from what they are called with.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from typing import Any

import numpy as np

from rnnlab.kernels.blas import times, times_transposed
from rnnlab.kernels.compiling import helper, inlined
from rnnlab.kernels.jobs import FEATURES, GRU, PROJECTED
from rnnlab.kernels.panels import FITS
from rnnlab.kernels.products import outer
from rnnlab.kernels.rows import add, copy, place_of

_ZERO, _ONE = np.float32(0), np.float32(1)


@inlined
def by_steps(mode: Any, rows: Any, steps: Any, features: Any, width: Any) -> Any:
    """Whether the input's product is taken step by step, on panels: its result is then read while it is in the nearest caches."""
    return FITS and mode == FEATURES and features >= 8 and width % 32 == 0 and rows >= 8 and rows * steps >= 64


@helper
def pack(
    sgemm,
    mode,
    stepwise,
    rows,
    counts,
    start,
    lengths,
    reverse,
    projected,
    numbers,
    symbols,
    weight,
    gates,
    packed_inputs,
):
    """Fill the shard's rows of ``gates`` with the input's part, without the bias; where `by_steps`, ``packed_inputs`` alone."""
    time, width, features = counts.size - 1, gates.shape[1], weight.shape[1]
    table = weight.T.copy() if mode > FEATURES else np.empty((1, 1), np.float32)
    here = start
    for step in range(time):
        for row in range(counts[step]):
            batch = rows[row]
            at = place_of(step, lengths[batch], reverse)
            if mode == PROJECTED:
                copy(projected[batch, at], gates[here + row])
            elif mode == FEATURES:
                copy(numbers[batch, at], packed_inputs[here + row])
            else:
                copy(table[symbols[batch, at]], gates[here + row])
        here += counts[step]
    if mode == FEATURES and not stepwise and here > start:
        times_transposed(sgemm, packed_inputs[start:here], weight, gates[start:here], here - start, width, features)


@helper
def unpack(
    sgemm,
    cell,
    mode,
    wanted,
    rows,
    counts,
    start,
    lengths,
    reverse,
    symbols,
    weight,
    packed_inputs,
    d_gates,
    d_inner,
    d_packed,
    d_projected,
    d_numbers,
    d_weight,
):
    """Turn the gradients in packed rows into those of the input and of ``weight_ih``."""
    total, hidden = counts.sum(), d_inner.shape[1]
    width, features = d_weight.shape
    end = start + total
    if mode == PROJECTED:
        _scatter_projected(cell, rows, counts, start, lengths, reverse, d_gates, d_inner, d_projected)
        return
    if mode != FEATURES:
        _add_to_table(cell, rows, counts, start, lengths, reverse, symbols, d_gates, d_inner, d_weight)
        return
    # A GRU's candidate has a gradient of its own on the input's side.
    outside = width - hidden if cell == GRU else width
    if total == 0:
        d_weight[:] = _ZERO
        return
    packed = packed_inputs[start:end]
    outer(sgemm, d_gates[start:end], packed, d_weight[:outside])
    if cell == GRU:
        outer(sgemm, d_inner[start:end], packed, d_weight[outside:])
    if wanted:
        change = d_packed[start:end]
        times(sgemm, d_gates[start:end], width, weight, change, total, features, outside, _ZERO)
        if cell == GRU:
            times(sgemm, d_inner[start:end], hidden, weight[outside:], change, total, features, hidden, _ONE)
        here = start
        for step in range(counts.size - 1):
            for row in range(counts[step]):
                batch = rows[row]
                copy(d_packed[here + row], d_numbers[batch, place_of(step, lengths[batch], reverse)])
            here += counts[step]
        _zero_padding(rows, lengths, d_numbers)


@inlined
def _zero_padding(rows: Any, lengths: Any, values: Any) -> None:
    for batch in rows:
        if lengths[batch] < values.shape[1]:
            values[batch, lengths[batch] :] = _ZERO


@helper
def _scatter_projected(cell, rows, counts, start, lengths, reverse, d_gates, d_inner, d_projected):
    hidden, here = d_inner.shape[1], start
    for step in range(counts.size - 1):
        for row in range(counts[step]):
            batch = rows[row]
            target = d_projected[batch, place_of(step, lengths[batch], reverse)]
            copy(d_gates[here + row], target)
            if cell == GRU:
                copy(d_inner[here + row], target[2 * hidden :])
        here += counts[step]
    _zero_padding(rows, lengths, d_projected)


@helper
def _add_to_table(cell, rows, counts, start, lengths, reverse, symbols, d_gates, d_inner, d_weight):
    """Add every row to the column of its symbol, and write ``d_weight (width, symbols)``."""
    width, features = d_weight.shape
    hidden = d_inner.shape[1]
    outer = width - hidden if cell == GRU else width
    table = np.zeros((features, width), np.float32)
    here = start
    for step in range(counts.size - 1):
        for row in range(counts[step]):
            batch = rows[row]
            target = table[symbols[batch, place_of(step, lengths[batch], reverse)]]
            add(d_gates[here + row], target[:outer])
            if cell == GRU:
                add(d_inner[here + row], target[outer:])
        here += counts[step]
    for j in range(width):
        for symbol in range(features):
            d_weight[j, symbol] = table[symbol, j]
