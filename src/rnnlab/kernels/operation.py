"""The autograd operation around the drivers: tensors become addresses here, and nowhere else."""

from array import array
from typing import Any

import torch
from torch import Tensor

from rnnlab.kernels import jobs, places, steps
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
        plan: Plan, cell: int, mode: int, every_step: bool,
    ) -> Any:  # fmt: skip
        runs, width, hidden = weight_hh.shape
        batch, time = inputs.shape[1:3]
        rows, features = plan.rows, 0 if weight_ih is None else weight_ih.shape[2]
        outputs = torch.empty(runs, batch, time if every_step else 0, hidden)
        last = torch.empty(runs, batch, hidden)
        kept = Lease(
            rows * width, rows * hidden, rows * hidden if width > hidden else 0,
            rows * features if mode == jobs.FEATURES else 0,
        )  # fmt: skip
        ctx.sizes = (cell, mode, runs, batch, time, hidden, width, plan.shards, rows, features, len(inputs), 0, 0)
        ctx.plan, ctx.kept = plan, kept
        ctx.save_for_backward(weight_ih, weight_hh, inputs if mode == jobs.SYMBOLS else None)
        ctx.set_materialize_grads(False)
        given = [_dense(tensor) for tensor in (inputs, weight_ih, weight_hh, bias_ih, bias_hh)]
        addresses = [*_addresses(given), *kept.addresses, outputs.data_ptr() if every_step else 0, last.data_ptr()]
        _launch(steps.forward(), plan, ctx.sizes, addresses)
        return outputs, last

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor | None, d_last: Tensor | None) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("the kernels' gradients have none of their own; use the equations in rnnlab.cells")
        weight_ih, weight_hh, symbols = ctx.saved_tensors
        cell, mode, runs, batch, time, hidden, width, shards, rows, features, _, _, _ = ctx.sizes
        d_outputs = _dense(d_outputs)
        d_last = torch.zeros(runs, batch, hidden) if d_last is None else d_last.contiguous()
        wanted = mode == jobs.FEATURES and ctx.needs_input_grad[0]
        d_inputs = None
        if wanted or mode == jobs.PROJECTED:
            d_inputs = torch.empty(runs, batch, time, features if wanted else width)
        if ctx.kept is None:
            raise RuntimeError("the graph was used up by gradients_into; compute the outputs again")
        claimed = places.claim(weight_ih)
        gradients = claimed or _fresh(runs, width, features, hidden)
        size = width * (features + hidden + 2)
        work = Lease(
            0 if claimed else rows * width, rows * hidden if cell == jobs.GRU and not claimed else 0,
            rows * features if wanted else 0, runs * shards * size if shards > 1 else 0,
        )  # fmt: skip
        kept, scratch = ctx.kept.addresses, work.addresses
        if claimed:
            # Nobody needs the gates any more once their gradients are there: these take their place, and half the memory.
            scratch = [kept[0], kept[2], *scratch[2:]]
        finished = array("q", bytes(8 * runs))
        given = [_dense(tensor) for tensor in (symbols, weight_ih, weight_hh, None, None)]
        addresses = [
            *_addresses(given), *kept, 0, 0, *_addresses([d_outputs, d_last]), *scratch,
            *_addresses([d_inputs, *gradients]), finished.buffer_info()[0],
        ]  # fmt: skip
        _launch(steps.backward(), ctx.plan, (*ctx.sizes[:-2], int(wanted), gradients[1].stride(0)), addresses)
        if claimed:
            ctx.kept = None
        d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh = gradients
        return d_inputs, d_weight_ih if features else None, d_weight_hh, d_bias_ih, d_bias_hh, None, None, None, None


def _fresh(runs: int, width: int, features: int, hidden: int) -> tuple[Tensor, ...]:
    """Return new places for the gradients of the four weights, in one block."""
    block = torch.empty(runs, width * (features + hidden + 2))
    stride, last = block.shape[1], (features + hidden) * width
    return (
        block.as_strided((runs, width, features), (stride, features, 1)),
        block.as_strided((runs, width, hidden), (stride, hidden, 1), width * features),
        block[:, last : last + width], block[:, last + width :],
    )  # fmt: skip


def _dense(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _addresses(tensors: list[Tensor | None]) -> list[int]:
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


def _launch(driver: int, plan: Plan, sizes: tuple[int, ...], addresses: list[int]) -> None:
    """Run ``driver`` in as many threads as torch would use, as far as the tasks and the work are worth them.

    Args:
        sizes: from ``CELL`` to ``STRIDE``, in the order of `jobs`.
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
