"""The compiled drivers: each worker draws shards and takes them through all steps, forward or backward.

One driver serves the three cells, because compiled code is kept a driver. It is a plain C function of a job
(`rnnlab.kernels.jobs`), so that any thread can work on it. The steps themselves are the cells' (`elman`, `lstm`, `gru`), the
input's side is in `inputs`.
"""

# Compiled functions are typed by numba, from what they are called with.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,attr-defined"

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from rnnlab.kernels import elman, gru, jobs, lstm
from rnnlab.kernels.blas import times, times_transposed
from rnnlab.kernels.compiling import compiled, helper, inlined, source_stamp
from rnnlab.kernels.inputs import by_steps, pack, unpack
from rnnlab.kernels.jobs import ELMAN_RELU, FEATURES, GRU, LAST_STATE, LSTM, PROJECTED, SYMBOLS
from rnnlab.kernels.memory import add_one, place
from rnnlab.kernels.panels import FITS, multiply, padded, panels_of, panels_of_transposed
from rnnlab.kernels.products import dots, few, outer
from rnnlab.kernels.readout import bring_back, hand_over

# Small products run two to ten times faster from transposed weights, which fit the small-matrix kernels of OpenBLAS.
_TRANSPOSE_UP_TO = 128
# Larger ones run fastest on panels, if there are rows enough to repay laying them out.
_PANELS_FROM, _PANEL_ROWS, _PANEL_WORK = 48, 4, 64
_ZERO, _ONE = np.float32(0), np.float32(1)


@inlined
def _on_panels(rows: Any, time: Any, hidden: Any) -> Any:
    return FITS and hidden >= _PANELS_FROM and rows >= _PANEL_ROWS and rows * time >= _PANEL_WORK


@helper
def _forward_shard(
    sgemm,
    cell,
    stepwise,
    rows,
    counts,
    start,
    lengths,
    reverse,
    readout,
    weight_ih,
    weight,
    bias_ih,
    bias_hh,
    outputs,
    read,
    winners,
    gates,
    previous,
    extra,
    packed_inputs,
):
    """Take a shard through all steps, and leave in ``gates``, ``previous`` and ``extra`` what the way back needs."""
    time, (width, hidden) = counts.size - 1, weight.shape
    nothing, final = np.zeros(hidden, np.float32), np.empty((rows.size, hidden), np.float32)
    shift = bias_ih + bias_hh
    if cell == GRU:
        shift[2 * hidden :] = bias_ih[2 * hidden :]
    on_panels = _on_panels(rows.size, time, hidden)
    panels = panels_of_transposed(weight if on_panels else weight[:0])
    panels_ih = panels_of_transposed(weight_ih if stepwise else weight_ih[:0])
    products = np.zeros((rows.size, padded(width) if on_panels else width), np.float32)
    transposed = weight.T.copy() if hidden <= _TRANSPOSE_UP_TO and not on_panels else weight
    here, before = start, start
    for step in range(time):
        running, staying = counts[step], counts[step + 1]
        if running == 0:
            break
        ahead = here + running
        if stepwise:
            multiply(packed_inputs[here:ahead], panels_ih, gates[here:ahead], running, False)
        if step > 0 and on_panels:
            multiply(previous[here:ahead], panels, products, running, False)
        elif step > 0 and few(running, hidden):
            dots(previous[here:ahead], weight, products, running)
        elif step > 0 and hidden <= _TRANSPOSE_UP_TO:
            times(sgemm, previous[here:ahead], hidden, transposed, products, running, width, hidden, _ZERO)
        elif step > 0:
            times_transposed(sgemm, previous[here:ahead], weight, products, running, width, hidden)
        if cell == LSTM:
            lstm.forward(
                step, here, before, ahead, running, staying, products, shift, gates, extra, nothing, previous, final
            )
        elif cell == GRU:
            gru.forward(
                step, here, ahead, running, staying, products, shift, bias_hh, gates, extra, nothing, previous, final
            )
        else:
            elman.forward(here, ahead, running, staying, cell == ELMAN_RELU, products, shift, gates, previous, final)
        hand_over(
            rows, step, ahead, running, staying, lengths, reverse, readout, previous, final, outputs, read, winners
        )
        before, here = here, ahead
    for batch in rows:
        if outputs.shape[0] and lengths[batch] < time:
            outputs[batch, lengths[batch] :, :hidden] = _ZERO
        if lengths[batch] == 0:
            read[batch, :hidden] = _ZERO


@helper
def _backward_shard(
    sgemm,
    cell,
    rows,
    counts,
    start,
    lengths,
    reverse,
    readout,
    weight,
    gates,
    previous,
    extra,
    d_outputs,
    d_read,
    winners,
    d_gates,
    d_inner,
    d_weight,
    d_bias_ih,
    d_bias_hh,
):
    """Take a shard back through all steps: the gradients of the recurrent weights and the biases, and those of every step's gates."""
    time, (width, hidden) = counts.size - 1, weight.shape
    nothing, share, share_n = np.zeros(hidden, np.float32), np.zeros(width, np.float32), np.zeros(hidden, np.float32)
    on_panels = _on_panels(rows.size, time, hidden)
    panels = panels_of(weight if on_panels else weight[:0])
    carried = np.zeros((rows.size, padded(hidden) if on_panels else hidden), np.float32)
    carried_c = np.zeros((rows.size, hidden), np.float32)
    if readout == LAST_STATE and d_read.shape[0]:
        for row in range(rows.size):
            carried[row, :hidden] = d_read[rows[row], :hidden]
    d_bias_ih[:] = _ZERO
    d_bias_hh[:] = _ZERO
    here = start + counts.sum()
    for step in range(time - 1, -1, -1):
        running = counts[step]
        if running == 0:
            continue
        here -= running
        before = here - (counts[step - 1] if step > 0 else 0)
        bring_back(rows, step, running, lengths, reverse, readout, d_outputs, d_read, winners, carried)
        if cell == LSTM:
            lstm.backward(step, here, before, running, gates, extra, nothing, carried, carried_c, d_gates, share)
        elif cell == GRU:
            gru.backward(
                step, here, running, gates, extra, nothing, previous, carried, d_gates, d_inner, share, share_n
            )
            _move(share_n, d_bias_ih[2 * hidden :])
        else:
            elman.backward(here, running, cell == ELMAN_RELU, gates, carried, d_gates, share)
        _move(share, d_bias_hh)
        if step > 0 and on_panels:
            multiply(d_gates[here : here + running], panels, carried, running, cell == GRU)
        elif step > 0:
            beta = _ONE if cell == GRU else _ZERO
            times(sgemm, d_gates[here : here + running], width, weight, carried, running, hidden, width, beta)
    alike = 2 * hidden if cell == GRU else width
    d_bias_ih[:alike] = d_bias_hh[:alike]
    _weight_gradient(sgemm, counts, start, previous, d_gates, d_weight)


@helper
def _weight_gradient(sgemm, counts, start, previous, d_gates, d_weight):
    """Write the recurrent weights' gradient: one product over all steps but the first, which has no state before it."""
    later, total = start + counts[0], counts.sum() - counts[0]
    if total > 0:
        outer(sgemm, d_gates[later : later + total], previous[later : later + total], d_weight)
    else:
        d_weight[:] = _ZERO


@inlined
def _move(share: Any, total: Any) -> None:
    """Add a step's ``share`` to ``total`` and empty it: sums of sums lose less to rounding than one long one."""
    for j in range(share.size):
        total[j] += share[j]
        share[j] = _ZERO


@helper
def _add_up(shares, first, total):
    """Write the sum of what all ``shares (shards, weights)`` have from ``first`` on, in their order: the same bits every time."""
    to = total.reshape(-1)
    for j in range(to.size):
        to[j] = shares[0, first + j] + shares[1, first + j]
    for shard in range(2, shares.shape[0]):
        share = shares[shard, first : first + to.size]
        for j in range(to.size):
            to[j] += share[j]


@inlined
def _numbers(job: Any, at: Any, shape: Any) -> Any:
    return numba.carray(place(job[at]), shape, np.float32)


@inlined
def _whole(job: Any, at: Any, shape: Any) -> Any:
    return numba.carray(place(job[at]), shape, np.int64)


@inlined
def _plan(job: Any) -> Any:
    runs, batch, time, shards = job[jobs.RUNS], job[jobs.BATCH], job[jobs.TIME], job[jobs.SHARDS]
    return (
        _whole(job, jobs.ORDER, (runs, batch)), _whole(job, jobs.BOUNDS, (shards + 1,)),
        _whole(job, jobs.COUNTS, (runs, shards, time + 1)), _whole(job, jobs.STARTS, (runs, shards)),
        _whole(job, jobs.LENGTHS, (runs, batch)),
    )  # fmt: skip


@inlined
def _inputs(job: Any, at: Any) -> Any:
    """Return what lies at ``at`` as each mode sees it; where a mode is not the job's, the array is empty."""
    mode, batch, time = job[jobs.MODE], job[jobs.BATCH], job[jobs.TIME]
    projected = _numbers(job, at, (job[jobs.RUNS] if mode == PROJECTED else 0, batch, time, job[jobs.WIDTH]))
    sets = job[jobs.INPUT_RUNS]
    numbers = _numbers(job, at, (sets if mode == FEATURES else 0, batch, time, job[jobs.FEATURES_SIZE]))
    symbols = _whole(job, at, (sets if mode == SYMBOLS else 0, batch, time))
    return projected, numbers, symbols


@inlined
def _pick(arrays: Any, run: Any) -> Any:
    """Return the run's array; a single one serves all runs, and an empty stack gives what is never read."""
    return arrays[run if arrays.shape[0] > run else 0]


@inlined
def _four_at(at_ih: Any, at_hh: Any, at_bias_ih: Any, at_bias_hh: Any, width: Any, features: Any, hidden: Any) -> Any:
    """Return one run's four weights, or their gradients, at four addresses."""
    return (
        numba.carray(place(at_ih), (width, features), np.float32),
        numba.carray(place(at_hh), (width, hidden), np.float32),
        numba.carray(place(at_bias_ih), (width,), np.float32), numba.carray(place(at_bias_hh), (width,), np.float32),
    )  # fmt: skip


@inlined
def _four(job: Any, first: Any, strides: Any, run: Any) -> Any:
    """Return a run's four weights, or the places of their gradients: addresses from ``first`` on, and ``strides`` from there."""
    return _four_at(
        job[first] + 4 * run * job[strides], job[first + 1] + 4 * run * job[strides + 1],
        job[first + 2] + 4 * run * job[strides + 2], job[first + 3] + 4 * run * job[strides + 3],
        job[jobs.WIDTH], job[jobs.FEATURES_SIZE], job[jobs.HIDDEN],
    )  # fmt: skip


@inlined
def _weights(job: Any, run: Any) -> Any:
    return _four(job, jobs.WEIGHT_IH, jobs.WEIGHT_STRIDES, run)


@inlined
def _gradients(job: Any, run: Any) -> Any:
    return _four(job, jobs.D_WEIGHT_IH, jobs.GRADIENT_STRIDES, run)


@inlined
def _share(job: Any, run: Any, shard: Any, size: Any) -> Any:
    """Return a shard's part of the gradients of its run."""
    width, features, hidden = job[jobs.WIDTH], job[jobs.FEATURES_SIZE], job[jobs.HIDDEN]
    first = job[jobs.SHARES] + 4 * (run * job[jobs.SHARDS] + shard) * size
    second = first + 4 * width * features
    third = second + 4 * width * hidden
    return _four_at(first, second, third, third + 4 * width, width, features, hidden)


@inlined
def _saved(job: Any) -> Any:
    packed, hidden = job[jobs.PACKED], job[jobs.HIDDEN]
    return (
        _numbers(job, jobs.GATES, (packed, job[jobs.WIDTH])), _numbers(job, jobs.PREVIOUS, (packed, hidden)),
        _numbers(job, jobs.EXTRA, (packed, hidden)),
        _numbers(job, jobs.PACKED_INPUTS, (packed, job[jobs.FEATURES_SIZE])),
        _numbers(job, jobs.WINNERS, (job[jobs.RUNS], job[jobs.BATCH], hidden)),
    )  # fmt: skip


@inlined
def _at_states(job: Any, each: Any, read: Any, run: Any) -> Any:
    """Return what lies at ``each`` and ``read`` of a run: numbers of every step, and of every sequence; none where nothing does."""
    runs, batch, time, row = job[jobs.RUNS], job[jobs.BATCH], job[jobs.TIME], job[jobs.ROW]
    return (
        _numbers(job, each, (runs, batch, time, row))[run][: batch if job[each] != 0 else 0],
        _numbers(job, read, (runs, batch, row))[run][: batch if job[read] != 0 else 0],
    )  # fmt: skip


def _build_forward(stamp: int) -> Any:
    """Return the forward driver; ``stamp`` becomes part of the key under which numba keeps it."""

    def forward(address):
        job = numba.carray(address, (jobs.LENGTH,))
        order, bounds, counts, starts, lengths = _plan(job)
        projected, numbers, symbols = _inputs(job, jobs.INPUTS)
        gates, previous, extra, packed_inputs, winners = _saved(job)
        sgemm, cell, reverse, readout = job[jobs.SGEMM], job[jobs.CELL], job[jobs.REVERSE], job[jobs.READOUT]
        while stamp:
            task = add_one(job, jobs.NEXT)
            if task >= starts.size:
                return
            run, shard = task // starts.shape[1], task % starts.shape[1]
            rows = order[run, bounds[shard] : bounds[shard + 1]]
            weight_ih, weight_hh, bias_ih, bias_hh = _weights(job, run)
            outputs, read = _at_states(job, jobs.OUTPUTS, jobs.READ, run)
            stepwise = by_steps(job[jobs.MODE], rows.size, job[jobs.TIME], job[jobs.FEATURES_SIZE], job[jobs.WIDTH])
            pack(
                sgemm, job[jobs.MODE], stepwise, rows, counts[run, shard], starts[run, shard], lengths[run], reverse,
                _pick(projected, run), _pick(numbers, run), _pick(symbols, run), weight_ih, gates, packed_inputs,
            )  # fmt: skip
            _forward_shard(
                sgemm, cell, stepwise, rows, counts[run, shard], starts[run, shard], lengths[run], reverse, readout,
                weight_ih, weight_hh, bias_ih, bias_hh, outputs, read, winners[run], gates, previous, extra, packed_inputs,
            )  # fmt: skip
            add_one(job, jobs.DONE)

    return forward


def _build_backward(stamp: int) -> Any:
    """Return the backward driver; see `_build_forward`."""

    def backward(address):
        job = numba.carray(address, (jobs.LENGTH,))
        runs, batch, time, hidden = job[jobs.RUNS], job[jobs.BATCH], job[jobs.TIME], job[jobs.HIDDEN]
        width, shards, packed, features = job[jobs.WIDTH], job[jobs.SHARDS], job[jobs.PACKED], job[jobs.FEATURES_SIZE]
        order, bounds, counts, starts, lengths = _plan(job)
        _, _, symbols = _inputs(job, jobs.INPUTS)
        d_projected, _, _ = _inputs(job, jobs.D_INPUTS)
        d_numbers = _numbers(job, jobs.D_INPUTS, (runs, batch, time, features))
        gates, previous, extra, packed_inputs, winners = _saved(job)
        sgemm, cell, reverse, readout = job[jobs.SGEMM], job[jobs.CELL], job[jobs.REVERSE], job[jobs.READOUT]
        d_gates, d_inner = _numbers(job, jobs.D_GATES, (packed, width)), _numbers(job, jobs.D_INNER, (packed, hidden))
        d_packed = _numbers(job, jobs.D_PACKED, (packed, features))
        size = width * (features + hidden + 2)
        shares = _numbers(job, jobs.SHARES, (runs if shards > 1 else 0, shards, size))
        finished = _whole(job, jobs.FINISHED, (runs,))
        while stamp:
            task = add_one(job, jobs.NEXT)
            if task >= starts.size:
                return
            run, shard = task // shards, task % shards
            rows = order[run, bounds[shard] : bounds[shard + 1]]
            d_ih, d_hh, d_bias_ih, d_bias_hh = _share(job, run, shard, size) if shards > 1 else _gradients(job, run)
            weight_ih, weight_hh, _, _ = _weights(job, run)
            d_outputs, d_read = _at_states(job, jobs.D_OUTPUTS, jobs.D_READ, run)
            _backward_shard(
                sgemm, cell, rows, counts[run, shard], starts[run, shard], lengths[run], reverse, readout, weight_hh, gates,
                previous, extra, d_outputs, d_read, winners[run], d_gates, d_inner, d_hh, d_bias_ih, d_bias_hh,
            )  # fmt: skip
            unpack(
                sgemm, cell, job[jobs.MODE], job[jobs.WANTS_D_INPUTS], rows, counts[run, shard], starts[run, shard],
                lengths[run], reverse, _pick(symbols, run), weight_ih, packed_inputs, d_gates, d_inner, d_packed,
                _pick(d_projected, run), d_numbers[run], d_ih,
            )  # fmt: skip
            if shards > 1 and add_one(finished, run) == shards - 1:
                d_ih, d_hh, d_bias_ih, d_bias_hh = _gradients(job, run)
                _add_up(shares[run], 0, d_ih)
                _add_up(shares[run], d_ih.size, d_hh)
                _add_up(shares[run], d_ih.size + d_hh.size, d_bias_ih)
                _add_up(shares[run], d_ih.size + d_hh.size + width, d_bias_hh)
            add_one(job, jobs.DONE)

    return backward


@cache
def forward() -> int:
    """Return the address of the forward driver; the first call compiles it, or loads it from disk."""
    return compiled(_build_forward(source_stamp()), types.void(types.CPointer(types.int64)))


@cache
def backward() -> int:
    """Return the address of the backward driver, as `forward`."""
    return compiled(_build_backward(source_stamp()), types.void(types.CPointer(types.int64)))
