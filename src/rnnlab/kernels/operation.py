"""The autograd operation around the drivers: tensors become addresses here, and nowhere else."""

from array import array
from typing import Any

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
        rows, features = plan.rows, 0 if weight_ih is None else weight_ih.shape[2]
        outputs, last = torch.empty(runs, batch, time, hidden), torch.empty(runs, batch, hidden)
        kept = Lease(
            rows * width, rows * hidden, rows * hidden if width > hidden else 0,
            rows * features if mode == jobs.FEATURES else 0,
        )  # fmt: skip
        ctx.sizes = (cell, mode, runs, batch, time, hidden, width, plan.shards, rows, features, len(inputs), 0)
        ctx.plan, ctx.kept = plan, kept
        ctx.save_for_backward(weight_ih, weight_hh, inputs if mode == jobs.SYMBOLS else None)
        ctx.set_materialize_grads(False)
        given = [_dense(tensor) for tensor in (inputs, weight_ih, weight_hh, bias_ih, bias_hh)]
        addresses = [*_addresses(given), *kept.addresses, outputs.data_ptr(), last.data_ptr()]
        _launch(steps.forward(), plan, ctx.sizes, addresses)
        return outputs, last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> Any:
        weight_ih, weight_hh, symbols = ctx.saved_tensors
        cell, mode, runs, batch, time, hidden, width, shards, rows, features, _, _ = ctx.sizes
        d_outputs = _dense(d_outputs)
        d_last = torch.zeros(runs, batch, hidden) if d_last is None else d_last.contiguous()
        wanted = mode == jobs.FEATURES and ctx.needs_input_grad[0]
        d_inputs = None
        if wanted or mode == jobs.PROJECTED:
            d_inputs = torch.empty(runs, batch, time, features if wanted else width)
        work = Lease(rows * width, rows * hidden if cell == jobs.GRU else 0, rows * features if wanted else 0)
        shapes = [
            (runs, shards, width, features),
            (runs, shards, width, hidden),
            (runs, shards, width),
            (runs, shards, width),
        ]
        shares = [torch.empty(shape) for shape in shapes]
        finished = array("q", bytes(8 * runs))
        given = [_dense(tensor) for tensor in (symbols, weight_ih, weight_hh, None, None)]
        addresses = [
            *_addresses(given), *ctx.kept.addresses, 0, 0, *_addresses([d_outputs, d_last]), *work.addresses,
            *_addresses([d_inputs, *shares]), finished.buffer_info()[0],
        ]  # fmt: skip
        _launch(steps.backward(), ctx.plan, (*ctx.sizes[:-1], int(wanted)), addresses)
        d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh = (share[:, 0] for share in shares)
        return d_inputs, d_weight_ih if features else None, d_weight_hh, d_bias_ih, d_bias_hh, None, None, None


def _dense(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _addresses(tensors: list[Tensor | None]) -> list[int]:
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


def _launch(driver: int, plan: Plan, sizes: tuple[int, ...], addresses: list[int]) -> None:
    """Run ``driver`` in as many threads as torch would use, as far as the tasks and the work are worth them.

    Args:
        sizes: from ``CELL`` to ``WANTS_D_INPUTS``, in the order of `jobs`.
        addresses: from ``INPUTS`` on, in the order of `jobs`; 0 where the mode or the pass has none.
    """
    job = array("q", (0, 0, sgemm_address(), *sizes, *plan.addresses, *addresses))
    job.extend([0] * (jobs.LENGTH - len(job)))
    threads = torch.get_num_threads()
    work = plan.rows * job[jobs.WIDTH] * (job[jobs.HIDDEN] + job[jobs.FEATURES_SIZE])
    parallel = threads > 1 and plan.tasks > 1 and work > _WORTH_A_THREAD
    with one_blas_thread():
        work_together(driver, job.buffer_info()[0], threads if parallel else 1)
    if job[jobs.DONE] != plan.tasks:
        raise MemoryError("the kernels ran out of memory; use a smaller batch, or fewer runs at once")
