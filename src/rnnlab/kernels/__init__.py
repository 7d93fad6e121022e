"""Compiled forward and backward passes of the Elman, LSTM and GRU layers, for whole stacks of runs.

    choice       which road a layer takes; does not load the compiler
    layers       the layer as one differentiable operation, and without autograd; its arguments' checks
    updates      the optimizer's update of a whole stack
    operation    the autograd operation around the passes
    passes       forward and backward in one direction: tensors become a job; the job is launched
    plan         a batch dealt into shards, its steps packed
    jobs         the fields of a job
    steps        the compiled drivers; elman, lstm, gru, inputs, readout: what they call
    vectors, activations, panels, products, blas, rows, memory, compiling    what compiled code is made of
    preparation  compiles all of it, or loads it from disk
    threads, buffers, places    who runs it, on what memory, and where gradients are written

float32 on the CPU; the results have the same bits for any number of threads, and for a run alone or in a stack.
"""

from typing import TYPE_CHECKING, Any

from rnnlab.kernels.choice import choose, supported
from rnnlab.kernels.places import Places, gradients_into

if TYPE_CHECKING:
    from rnnlab.kernels.layers import Recurrence, layer, recurrent
    from rnnlab.kernels.preparation import prepare
    from rnnlab.kernels.updates import update

__all__ = [
    "Places", "Recurrence", "choose", "gradients_into", "layer", "prepare", "recurrent", "supported", "update",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnnlab.kernels import layers, preparation, updates  # loads numba

    globals().update(
        Recurrence=layers.Recurrence, layer=layers.layer, prepare=preparation.prepare, recurrent=layers.recurrent,
        update=updates.update,
    )  # fmt: skip
    return globals()[name]
