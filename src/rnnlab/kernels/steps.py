"""The compiled drivers: each worker draws shards and takes them through all steps, forward or backward.

One driver serves the three cells (`ELMAN`, `LSTM`, `GRU`), because compiled code is kept a driver. It is a plain C function
of a *job*: an array of sizes and addresses, in the order of `JOB`, that any thread can work on. Arrays are float32 (the
plan's int64) and contiguous; ``packed`` rows are those of `rnnlab.kernels.plan`, ``width`` is gates * hidden:

    projected, d_projected   (runs, batch, time, width)
    weight, bias             (runs, width, hidden), (runs, width)
    outputs, from_output     (runs, batch, time, hidden)
    last, from_last          (runs, batch, hidden)
    gates, d_gates           (packed, width)     what the gates were; their gradients before the activation
    previous                 (packed, hidden)    the state before the step
    extra                    (packed, hidden)    see the cells
    d_weight, d_bias         (runs, shards, ...) a share a shard, added up by the caller in a fixed order
"""

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from rnnlab.kernels import elman, gru, lstm
from rnnlab.kernels.blas import times, times_transposed, transposed_times
from rnnlab.kernels.compiling import compiled, helper, inlined, source_stamp
from rnnlab.kernels.memory import add_one, place

ELMAN, ELMAN_RELU, LSTM, GRU = 0, 1, 2, 3

SIZES = ("next", "done", "sgemm", "cell", "runs", "batch", "time", "hidden", "width", "shards", "packed")
PLAN = ("order", "bounds", "counts", "starts", "lengths")
FORWARD = ("projected", "weight", "bias", "outputs", "last", "gates", "previous", "extra")
BACKWARD = (
    "weight", "gates", "previous", "extra", "from_output", "from_last", "d_gates", "d_projected", "d_weight", "d_bias",
)  # fmt: skip
"""What a job holds: sizes (``next`` and ``done`` count tasks), then addresses: the plan's, then the pass's own."""

# Small products run two to ten times faster from transposed weights, which fit the small-matrix kernels of OpenBLAS.
_TRANSPOSE_UP_TO = 128
_ZERO = np.float32(0)


@helper
def _forward_shard(sgemm, cell, rows, counts, start, lengths, projected, weight, bias, outputs, last, gates, previous, extra):  # type: ignore[no-untyped-def]
    time, hidden = outputs.shape[1], outputs.shape[2]
    width = weight.shape[0]
    nothing = np.zeros(hidden, np.float32)
    transposed = weight.T.copy() if hidden <= _TRANSPOSE_UP_TO else weight
    here, before = start, start
    for step in range(time):
        running, staying = counts[step], counts[step + 1]
        if running == 0:
            break
        ahead = here + running
        if step == 0:
            gates[here:ahead] = _ZERO
        elif hidden <= _TRANSPOSE_UP_TO:
            times(sgemm, previous[here:ahead], transposed, gates[here:ahead], running, width, hidden)
        else:
            times_transposed(sgemm, previous[here:ahead], weight, gates[here:ahead], running, width, hidden)
        if cell == LSTM:
            lstm.forward(rows, step, here, before, ahead, running, staying, projected, bias, gates, extra, nothing, previous, outputs, last)  # fmt: skip
        elif cell == GRU:
            gru.forward(rows, step, here, ahead, running, staying, projected, bias, gates, extra, nothing, previous, outputs, last)  # fmt: skip
        else:
            elman.forward(rows, step, here, ahead, running, staying, cell == ELMAN_RELU, projected, bias, gates, previous, outputs, last)  # fmt: skip
        before, here = here, ahead
    for batch in rows:
        if lengths[batch] < time:
            outputs[batch, lengths[batch] :] = _ZERO
        if lengths[batch] == 0:
            last[batch] = _ZERO


@helper
def _backward_shard(sgemm, cell, rows, counts, start, lengths, weight, gates, previous, extra, from_output, from_last, d_gates, d_projected, d_weight, d_bias):  # type: ignore[no-untyped-def]
    time, hidden = from_output.shape[1], from_output.shape[2]
    width = weight.shape[0]
    nothing, share = np.zeros(hidden, np.float32), np.zeros(width, np.float32)
    carried, carried_c = np.empty((rows.size, hidden), np.float32), np.zeros((rows.size, hidden), np.float32)
    past = np.empty((rows.size, hidden), np.float32)
    for row in range(rows.size):
        carried[row] = from_last[rows[row]]
    d_bias[:] = _ZERO
    packed = counts.sum()
    here = start + packed
    for step in range(time - 1, -1, -1):
        running = counts[step]
        if running == 0:
            continue
        here -= running
        before = here - (counts[step - 1] if step > 0 else 0)
        if cell == LSTM:
            lstm.backward(rows, step, here, before, running, gates, extra, nothing, from_output, carried, carried_c, d_gates, d_projected, share)  # fmt: skip
        elif cell == GRU:
            gru.backward(rows, step, here, running, gates, extra, nothing, previous, from_output, carried, d_gates, d_projected, share)  # fmt: skip
        else:
            elman.backward(rows, step, here, running, cell == ELMAN_RELU, gates, from_output, carried, d_gates, d_projected, share)  # fmt: skip
        _move(share, d_bias)
        if step == 0:
            break
        if cell == GRU:
            times(sgemm, d_gates[here : here + running], weight, past, running, hidden, width)
            _add(past[:running], carried[:running])
        else:
            times(sgemm, d_gates[here : here + running], weight, carried, running, hidden, width)
    later, total = start + counts[0], packed - counts[0]
    if total > 0:
        transposed_times(sgemm, d_gates[later:], previous[later:], d_weight, width, hidden, total)
    else:
        d_weight[:] = _ZERO
    for batch in rows:
        if lengths[batch] < time:
            d_projected[batch, lengths[batch] :] = _ZERO


@inlined
def _move(share: Any, total: Any) -> None:
    """Add a step's ``share`` to ``total`` and empty it: sums of sums lose less to rounding than one long one."""
    for j in range(share.size):
        total[j] += share[j]
        share[j] = _ZERO


@inlined
def _add(values: Any, total: Any) -> None:
    """Add ``values`` to ``total``, both ``(rows, hidden)``."""
    source, target = values.reshape(values.size), total.reshape(total.size)
    for j in range(target.size):
        target[j] += source[j]


@inlined
def _numbers(job: Any, at: Any, shape: Any) -> Any:
    return numba.carray(place(job[at]), shape, np.float32)


@inlined
def _whole(job: Any, at: Any, shape: Any) -> Any:
    return numba.carray(place(job[at]), shape, np.int64)


@inlined
def _sizes(job: Any) -> Any:
    return job[4], job[5], job[6], job[7], job[8], job[9], job[10]


@inlined
def _plan(job: Any) -> Any:
    runs, batch, time, shards = job[4], job[5], job[6], job[9]
    return (
        _whole(job, 11, (runs, batch)), _whole(job, 12, (shards + 1,)), _whole(job, 13, (runs, shards, time + 1)),
        _whole(job, 14, (runs, shards)), _whole(job, 15, (runs, batch)),
    )  # fmt: skip


def _build_forward(stamp: int) -> Any:
    """Return the forward driver; ``stamp`` becomes part of the key under which numba keeps it."""

    def forward(address):  # type: ignore[no-untyped-def]
        job = numba.carray(address, (24,))
        runs, batch, time, hidden, width, shards, packed = _sizes(job)
        order, bounds, counts, starts, lengths = _plan(job)
        projected = _numbers(job, 16, (runs, batch, time, width))
        weight, bias = _numbers(job, 17, (runs, width, hidden)), _numbers(job, 18, (runs, width))
        outputs, last = _numbers(job, 19, (runs, batch, time, hidden)), _numbers(job, 20, (runs, batch, hidden))
        gates, previous = _numbers(job, 21, (packed, width)), _numbers(job, 22, (packed, hidden))
        extra = _numbers(job, 23, (packed, hidden))
        while stamp:
            task = add_one(job, 0)
            if task >= runs * shards:
                return
            run, shard = task // shards, task % shards
            rows = order[run, bounds[shard] : bounds[shard + 1]]
            _forward_shard(
                job[2], job[3], rows, counts[run, shard], starts[run, shard], lengths[run], projected[run], weight[run],
                bias[run], outputs[run], last[run], gates, previous, extra,
            )  # fmt: skip
            add_one(job, 1)

    return forward


def _build_backward(stamp: int) -> Any:
    """Return the backward driver; see `_build_forward`."""

    def backward(address):  # type: ignore[no-untyped-def]
        job = numba.carray(address, (26,))
        runs, batch, time, hidden, width, shards, packed = _sizes(job)
        order, bounds, counts, starts, lengths = _plan(job)
        weight = _numbers(job, 16, (runs, width, hidden))
        gates, previous = _numbers(job, 17, (packed, width)), _numbers(job, 18, (packed, hidden))
        extra = _numbers(job, 19, (packed, hidden))
        from_output, from_last = _numbers(job, 20, (runs, batch, time, hidden)), _numbers(job, 21, (runs, batch, hidden))
        d_gates, d_projected = _numbers(job, 22, (packed, width)), _numbers(job, 23, (runs, batch, time, width))
        d_weight, d_bias = _numbers(job, 24, (runs, shards, width, hidden)), _numbers(job, 25, (runs, shards, width))
        while stamp:
            task = add_one(job, 0)
            if task >= runs * shards:
                return
            run, shard = task // shards, task % shards
            rows = order[run, bounds[shard] : bounds[shard + 1]]
            _backward_shard(
                job[2], job[3], rows, counts[run, shard], starts[run, shard], lengths[run], weight[run], gates, previous,
                extra, from_output[run], from_last[run], d_gates, d_projected[run], d_weight[run, shard],
                d_bias[run, shard],
            )  # fmt: skip
            add_one(job, 1)

    return backward


@cache
def forward() -> int:
    """Return the address of the forward driver; the first call compiles it, or loads it from disk.

    It fills ``outputs``, ``last``, ``gates``, ``previous`` and ``extra``.
    """
    return compiled(_build_forward(source_stamp()), types.void(types.CPointer(types.int64)))


@cache
def backward() -> int:
    """Return the address of the backward driver, as `forward`. It fills all that begins with ``d_``."""
    return compiled(_build_backward(source_stamp()), types.void(types.CPointer(types.int64)))
