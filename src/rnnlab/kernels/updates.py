"""The optimizer's update of a whole stack in one pass over its weights.

torch's operations read and write every array once each: ten passes for Adam, which is half of a training step of a wide layer
on one sequence. Here a weight, its gradient and its moments are read once and written once, and the gradient's norm is taken on
the way. The rules are those of `torch.optim`; each number is computed from its own alone, and a norm chunk by chunk, so that
neither threads nor neighbours change a bit.
"""

# Compiled functions are typed by numba, from what they are called with.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,attr-defined"

from array import array
from functools import cache
from typing import Any

import numba
import numpy as np
import torch
from numba import types
from torch import Tensor

from rnnlab.kernels.compiling import compiled, helper, inlined, source_stamp
from rnnlab.kernels.memory import add_one, place
from rnnlab.kernels.threads import work_together
from rnnlab.kernels.vectors import WIDE, load, store

_RULES = {"sgd": 0, "adam": 1, "adamw": 2, "none": 3}
_SGD, _ADAM, _NONE = _RULES["sgd"], _RULES["adam"], _RULES["none"]
# The job's fields: counters, sizes, then addresses.
_NEXT, _DONE, _RULE, _RUNS, _SIZE, _CHUNKS = range(6)
_FLAT, _GRADIENT, _MEAN, _SQUARE, _RATES, _MOMENTUM, _DECAY, _SHRINK, _NORMS, _SQUARES, _CONSTANTS = range(6, 17)
_LENGTH = 17
_REST_1, _BETA_2, _REST_2, _EPSILON, _SCALE_1, _SCALE_2 = range(6)

# A chunk is a thread's task; a block of it stays in the nearest cache between the norm and the update.
_CHUNK, _BLOCK = 32_768, 2048
# Below so many weights a second thread costs more than it saves.
_WORTH_A_THREAD = 131_072
_ONE = np.float32(1)


@inlined
def _sgd(flat: Any, gradient: Any, kept: Any, rate: Any, momentum: Any, decay: Any, shrink: Any) -> None:
    """``kept`` is empty where no run has momentum."""
    if kept.size:
        for j in range(flat.size):
            change = gradient[j] * shrink + decay * flat[j]
            kept[j] = momentum * kept[j] + change
            flat[j] -= rate * kept[j]
    else:
        for j in range(flat.size):
            flat[j] -= rate * (gradient[j] * shrink + decay * flat[j])


@inlined
def _adam(
    flat: Any, gradient: Any, mean: Any, square: Any, rate: Any, decay: Any, shrink: Any, apart: Any, constants: Any
) -> None:
    """``apart`` is what decay of its own (AdamW) leaves of a weight; ``decay`` goes through the gradient (Adam)."""
    rest_1, beta_2, rest_2 = constants[_REST_1], constants[_BETA_2], constants[_REST_2]
    step, root, epsilon = rate * constants[_SCALE_1], constants[_SCALE_2], constants[_EPSILON]
    for j in range(flat.size):
        change = gradient[j] * shrink + decay * flat[j]
        first = mean[j] + rest_1 * (change - mean[j])
        second = beta_2 * square[j] + rest_2 * change * change
        mean[j] = first
        square[j] = second
        flat[j] = apart * flat[j] - step * first / (np.sqrt(second) * root + epsilon)


@helper
def _sum_of_squares(numbers):
    """Return it in double precision, from 64 sums in single precision, of 32 numbers each at most."""
    a, b, c, d = WIDE, WIDE, WIDE, WIDE
    whole = numbers.size & ~63
    for j in range(0, whole, 64):
        p, q = load(numbers, j, WIDE), load(numbers, j + 16, WIDE)
        r, s = load(numbers, j + 32, WIDE), load(numbers, j + 48, WIDE)
        a, b, c, d = a + p * p, b + q * q, c + r * r, d + s * s
    sums = np.empty(64, np.float32)
    store(sums, 0, a)
    store(sums, 16, b)
    store(sums, 32, c)
    store(sums, 48, d)
    total = 0.0
    for j in range(64):
        total += np.float64(sums[j])
    for j in range(whole, numbers.size):
        total += np.float64(numbers[j]) * np.float64(numbers[j])
    return total


@inlined
def _part(job: Any, at: Any, first: Any, last: Any) -> Any:
    """Return the numbers ``first:last`` at an address of the job, none where it is 0."""
    there = job[at] != 0
    return numba.carray(place(job[at]), (job[_RUNS] * job[_SIZE] if there else 0,), np.float32)[
        first if there else 0 : last if there else 0
    ]


@inlined
def _column(job: Any, at: Any, run: Any) -> Any:
    return numba.carray(place(job[at]), (job[_RUNS],), np.float32)[run]


def _build(stamp: int) -> Any:
    """Return the driver; ``stamp`` becomes part of the key under which numba keeps it."""

    def update(address):
        job = numba.carray(address, (_LENGTH,))
        constants = numba.carray(place(job[_CONSTANTS]), (6,), np.float32)
        while stamp:
            task = add_one(job, _NEXT)
            if task >= job[_RUNS] * job[_CHUNKS]:
                return
            run, chunk = task // job[_CHUNKS], task % job[_CHUNKS]
            begin, end = run * job[_SIZE] + chunk * _CHUNK, (run + 1) * job[_SIZE]
            rate, decay, shrink = _column(job, _RATES, run), _column(job, _DECAY, run), _column(job, _SHRINK, run)
            squares = 0.0
            for first in range(begin, min(begin + _CHUNK, end), _BLOCK):
                last = min(first + _BLOCK, begin + _CHUNK, end)
                flat, gradient = _part(job, _FLAT, first, last), _part(job, _GRADIENT, first, last)
                mean, square = _part(job, _MEAN, first, last), _part(job, _SQUARE, first, last)
                squares += _sum_of_squares(gradient)
                if job[_RULE] == _SGD:
                    _sgd(flat, gradient, mean, rate, _column(job, _MOMENTUM, run), decay, shrink)
                elif job[_RULE] == _ADAM:
                    _adam(flat, gradient, mean, square, rate, decay, shrink, _ONE, constants)
                elif job[_RULE] != _NONE:
                    apart = _ONE - rate * decay
                    _adam(flat, gradient, mean, square, rate, np.float32(0), shrink, apart, constants)
            sums = numba.carray(place(job[_SQUARES]), (job[_RUNS], job[_CHUNKS]), np.float64)
            sums[run, chunk] = squares
            if add_one(job, _DONE) == job[_RUNS] * job[_CHUNKS] - 1:
                norms = numba.carray(place(job[_NORMS]), (job[_RUNS],), np.float32)
                for row in range(job[_RUNS]):
                    norms[row] = np.sqrt(sums[row].sum())

    return update


@cache
def updater() -> int:
    """Return the address of the driver; the first call compiles it, or loads it from disk."""
    return compiled(_build(source_stamp()), types.void(types.CPointer(types.int64)))


def update(
    rule: str, flat: Tensor, gradient: Tensor, state: list[Tensor], rates: Tensor, momentum: Tensor, decay: Tensor,
    shrink: Tensor, constants: "array[float]",
) -> Tensor:  # fmt: skip
    """Change ``flat`` and ``state`` in place, and return the gradient's norm of each run, ``(runs,)``.

    All are float32, contiguous, and on the CPU.

    Args:
        rule: ``sgd``, ``adam`` or ``adamw``; with ``none`` nothing changes.
        flat: ``(runs, size)`` weights.
        gradient: ``(runs, size)``; unchanged.
        state: ``(runs, size)`` each: none, or the momentum's; Adam's two moments.
        rates: ``(runs, 1)``; so are ``momentum``, ``decay``, and ``shrink``, which clipping multiplies gradients by.
        constants: float32, rounded once: 1 - beta_1, beta_2, 1 - beta_2, epsilon, and the corrections of the moments,
            1 / (1 - beta_1^t) and 1 / sqrt(1 - beta_2^t).
    """
    runs, size = flat.shape
    addresses = [tensor.data_ptr() for tensor in (flat, gradient, *state)] + [0] * (2 - len(state))
    chunks = -(-size // _CHUNK)
    norms, squares = torch.empty(runs), array("d", bytes(8 * runs * chunks))
    addresses += [column.data_ptr() for column in (rates, momentum, decay, shrink, norms)]
    addresses += [squares.buffer_info()[0], constants.buffer_info()[0]]
    job = array("q", (0, 0, _RULES[rule], runs, size, chunks, *addresses))
    threads = torch.get_num_threads() if runs * size > _WORTH_A_THREAD else 1
    work_together(updater(), job.buffer_info()[0], min(threads, runs * chunks))
    if job[_DONE] != runs * chunks:
        raise MemoryError("the update ran out of memory; use fewer runs at once")
    return norms
