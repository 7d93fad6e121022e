"""Which road a layer takes: compiled kernels, torch's own layers, or the equations. The one place that decides.

The rule is measured (``python -m benchmarks choice``; forward, backward and an Adam update, 12 steps of 32 features, CPU
seconds of one core, torch 2.13). How many times faster than ``torch.nn`` the kernels were, for batches of 1, 8, 32, 128, 256:

    hidden    lstm                        gru                          elman
        16    12.4 11.0  7.1  3.8  2.8    26.6 23.9 14.8  8.0  5.0    15.0 14.0 10.5  6.3  4.1
        64     8.2  5.5  2.8  1.9  2.1    20.4 12.7  6.1  3.2  3.0    13.9 10.9  6.4  3.5  2.4
       128     4.1  3.0  1.8  1.7  1.5     9.3  6.6  3.2  2.2  2.0    10.7  7.2  3.7  2.1  1.9
       256     3.6  2.1  1.6  1.2  1.5     7.1  3.8  2.2  1.7  1.5     7.9  3.7  2.1  1.7  1.6
       512     1.1  1.5  1.1  1.2  1.2     3.7  2.5  1.4  1.3  1.3     5.7  2.7  1.6  1.4  1.3

Wide LSTMs on fewer than 32 sequences are torch's: on two threads it splits their weights, and the kernels have one shard, which is
one thread's (0.5 to 1.3 there, and 1.0 to 1.3 from 32 on). A stack of runs has no torch layer (torch's take one run): there the
kernels compete with the equations, which never won by more than the noise.

This module does not import the kernels: whoever asks need not load a compiler.
"""

from functools import cache
from importlib.util import find_spec
from typing import Literal

import torch

Engine = Literal["kernel", "torch", "equations"]


def choose(
    cell: str,
    runs: int,
    batch: int,
    time: int,
    features: int,
    hidden: int,
    device: torch.device | str,
    dtype: torch.dtype,
) -> Engine:
    """Return the fastest road for a layer of this shape: ``kernel``, ``torch`` (single runs only) or ``equations``.

    Args:
        cell: as in `rnnlab.cells`; torch and the kernels know ``elman``, ``lstm`` and ``gru``.
        runs: of the stack.
        batch: sequences a run.
        time: steps; the rule does not use it yet.
        features: of a step; the rule does not use it yet.
        hidden: units.
        device: where the weights are.
        dtype: of the weights.

    Example:
        >>> choose("gru", 64, 32, 8, 1, 16, "cuda", torch.float32)
        'equations'
        >>> choose("lstm", 1, 16, 8, 1, 512, "cpu", torch.float32)
        'torch'
    """
    if cell not in ("elman", "lstm", "gru"):
        return "equations"
    if supported(cell, device, dtype) and _kernels_win(cell, runs, batch, hidden):
        return "kernel"
    return "torch" if runs == 1 else "equations"


def supported(cell: str, device: torch.device | str, dtype: torch.dtype) -> bool:
    """Return whether the kernels can run at all: their cells, float32, on the CPU, with numba installed."""
    return (
        cell in ("elman", "lstm", "gru")
        and torch.device(device).type == "cpu"
        and dtype == torch.float32
        and _compiler_is_there()
    )


@cache
def _compiler_is_there() -> bool:
    return all(find_spec(name) is not None for name in ("numba", "scipy", "threadpoolctl"))


def _kernels_win(cell: str, runs: int, batch: int, hidden: int) -> bool:
    """The table above, in words."""
    return runs > 1 or cell != "lstm" or hidden < 512 or batch >= 32
