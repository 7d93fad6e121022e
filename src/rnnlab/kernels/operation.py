"""The autograd operation around the drivers: tensors become addresses here, and nowhere else."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnlab.kernels import jobs, steps
from rnnlab.kernels.blas import one_blas_thread, sgemm_address
from rnnlab.kernels.buffers import Lease
from rnnlab.kernels.plan import Plan
from rnnlab.kernels.threads import work_together

# Below so many multiplications a second thread costs more than it saves.
_WORTH_A_THREAD = 400_000


class Recurrent(torch.autograd.Function):
    """`rnnlab.kernels.layer` with checked arguments."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight_ih: Tensor | None, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor,
        plan: Plan, cell: int, mode: int,
    ) -> Any:  # fmt: skip
        runs, width, hidden = weight_hh.shape
        batch, time = inputs.shape[1:3]
        features = 0 if weight_ih is None else weight_ih.shape[2]
        outputs, last = torch.empty(runs, batch, time, hidden), torch.empty(runs, batch, hidden)
        kept = Lease(
            (plan.rows, width), (plan.rows, hidden), (plan.rows if width > hidden else 0, hidden),
            (plan.rows if mode == jobs.FEATURES else 0, features),
        )  # fmt: skip
        ctx.sizes = (cell, mode, runs, batch, time, hidden, width, plan.starts.shape[1], plan.rows, features, len(inputs))
        ctx.plan, ctx.kept = plan, kept
        ctx.save_for_backward(weight_ih, weight_hh, inputs if mode == jobs.SYMBOLS else None)
        ctx.set_materialize_grads(False)
        given = [inputs.contiguous(), _dense(weight_ih), weight_hh.contiguous(), bias_ih.contiguous(), bias_hh.contiguous()]
        _launch(steps.forward(), plan, ctx.sizes, False, [*given, *kept.parts], [outputs, last])
        return outputs, last

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> Any:
        weight_ih, weight_hh, symbols = ctx.saved_tensors
        cell, mode, runs, batch, time, hidden, width, shards, rows, features, _ = ctx.sizes
        d_outputs = torch.zeros(runs, batch, time, hidden) if d_outputs is None else d_outputs.contiguous()
        d_last = torch.zeros(runs, batch, hidden) if d_last is None else d_last.contiguous()
        wanted = mode == jobs.FEATURES and ctx.needs_input_grad[0]
        d_inputs = None
        if wanted or mode == jobs.PROJECTED:
            d_inputs = torch.empty(runs, batch, time, features if wanted else width)
        work = Lease((rows, width), (rows if cell == jobs.GRU else 0, hidden), (rows if wanted else 0, features))
        shapes = [(runs, shards, width, features), (runs, shards, width, hidden), (runs, shards, width), (runs, shards, width)]
        # With one shard its share is the gradient itself, which must not return to the shelf.
        several = Lease(*shapes) if shards > 1 else None
        shares = several.parts if several else [torch.empty(shape) for shape in shapes]
        given = [symbols, weight_ih, weight_hh, None, None]
        _launch(
            steps.backward(), ctx.plan, ctx.sizes, wanted,
            [*(_dense(tensor) for tensor in given), *ctx.kept.parts],
            [None, None, d_outputs, d_last, *work.parts, d_inputs, *shares],
        )  # fmt: skip
        d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh = (_add_up(share) for share in shares)
        return d_inputs, d_weight_ih if features else None, d_weight_hh, d_bias_ih, d_bias_hh, None, None, None


def _dense(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _launch(
    driver: int, plan: Plan, sizes: tuple[int, ...], wanted: bool, shared: list[Tensor | None], own: list[Tensor | None]
) -> None:
    """Run ``driver`` in as many threads as torch would use, as far as the tasks and the work are worth them.

    Args:
        sizes: from ``cell`` to ``input_runs``, in the order of `jobs`.
        wanted: whether the inputs' gradient is.
        shared: contiguous tensors, those of both passes, in the order of `jobs`; None where the mode has none.
        own: the forward pass's, then the backward pass's.
    """
    addresses = [0 if tensor is None else tensor.data_ptr() for tensor in (*shared, *own)]
    numbers = [0, 0, sgemm_address(), *sizes, int(wanted), *plan.addresses, *addresses]
    job = np.array(numbers + [0] * (jobs.LENGTH - len(numbers)), dtype=np.int64)
    threads = torch.get_num_threads()
    work = plan.rows * int(job[jobs.WIDTH]) * int(job[jobs.HIDDEN] + job[jobs.FEATURES_SIZE])
    parallel = threads > 1 and plan.tasks > 1 and work > _WORTH_A_THREAD
    with one_blas_thread():
        work_together(driver, job.ctypes.data, threads if parallel else 1)
    if job[jobs.DONE] != plan.tasks:
        raise MemoryError("the kernels ran out of memory; use a smaller batch, or fewer runs at once")


def _add_up(shares: Tensor) -> Tensor:
    """Return the sum of ``shares (runs, shards, ...)`` over the shards, in their order: the same bits every time."""
    total = shares[:, 0]
    for shard in range(1, shares.shape[1]):
        total = total + shares[:, shard]
    return total
