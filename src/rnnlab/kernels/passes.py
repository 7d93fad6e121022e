"""A layer's two passes, without autograd: tensors become addresses here, and nowhere else."""

from array import array

import torch
from torch import Tensor

from rnnlab.kernels import jobs, steps
from rnnlab.kernels.blas import one_blas_thread, sgemm_address
from rnnlab.kernels.buffers import Lease
from rnnlab.kernels.places import Places
from rnnlab.kernels.plan import Plan
from rnnlab.kernels.threads import work_together

# Below so many multiplications a second thread costs more than it saves.
_WORTH_A_THREAD = 400_000


class Kept:
    """What a forward pass leaves for its backward pass.

    A backward pass that is told where to write the gradients also works in this memory, and leaves none: it was the last.
    """

    __slots__ = ("lease", "plan", "sizes")

    def __init__(self, plan: Plan, sizes: tuple[int, ...], lease: Lease) -> None:
        self.plan, self.sizes = plan, sizes
        self.lease: Lease | None = lease


def forward_pass(
    inputs: Tensor, weight_ih: Tensor | None, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor,
    plan: Plan, cell: int, mode: int, every_step: bool,
) -> tuple[Tensor, Tensor, Kept]:  # fmt: skip
    """Return ``outputs``, ``last`` and what `backward_pass` needs; arguments as checked by `rnnlab.kernels.layers`."""
    runs, width, hidden = weight_hh.shape
    sets, batch, time = inputs.shape[:3]
    rows, features = plan.rows, 0 if weight_ih is None else weight_ih.shape[2]
    outputs = torch.empty(runs, batch, time if every_step else 0, hidden)
    last = torch.empty(runs, batch, hidden)
    lease = Lease(
        rows * width,
        rows * hidden,
        rows * hidden if width > hidden else 0,
        rows * features if mode == jobs.FEATURES else 0,
    )
    sizes = (cell, mode, runs, batch, time, hidden, width, plan.shards, rows, features, sets)
    given = [_dense(inputs), _dense(weight_ih), weight_hh.contiguous(), bias_ih.contiguous(), bias_hh.contiguous()]
    _launch(
        steps.forward(), plan, (*sizes, 0, 0),
        [*_addresses(given), *lease.addresses, outputs.data_ptr() if every_step else 0, last.data_ptr()],
    )  # fmt: skip
    return outputs, last, Kept(plan, sizes, lease)


def backward_pass(
    kept: Kept, symbols: Tensor | None, weight_ih: Tensor | None, weight_hh: Tensor, d_outputs: Tensor | None,
    d_last: Tensor | None, places: Places | None, wants_inputs: bool,
) -> tuple[Tensor | None, Places]:  # fmt: skip
    """Return the gradients of the inputs, where they are wanted or are all there is, and of the four weights.

    Args:
        kept: of the forward pass.
        symbols: its inputs, where they were symbols.
        weight_ih: as in the forward pass; so is ``weight_hh``.
        d_outputs: None where nothing came; so is ``d_last``.
        places: where to write the gradients of the weights, as `rnnlab.kernels.gradients_into` describes them; None for new ones.
        wants_inputs: whether the gradient of inputs that are numbers is wanted.

    Raises:
        RuntimeError: an earlier backward pass has worked in the memory of ``kept``.
    """
    if kept.lease is None:
        raise RuntimeError("the graph was used up by gradients_into; compute the outputs again")
    cell, mode, runs, batch, time, hidden, width, shards, rows, features, _ = kept.sizes
    d_last = torch.zeros(runs, batch, hidden) if d_last is None else d_last.contiguous()
    d_outputs = _dense(d_outputs)
    wanted = wants_inputs and mode == jobs.FEATURES
    d_inputs = None
    if wanted or mode == jobs.PROJECTED:
        d_inputs = torch.empty(runs, batch, time, features if wanted else width)
    claimed = places is not None
    gradients = places or _fresh(runs, width, features, hidden)
    before = kept.lease.addresses
    scratch = Lease(
        0 if claimed else rows * width, rows * hidden if cell == jobs.GRU and not claimed else 0,
        rows * features if wanted else 0, runs * shards * width * (features + hidden + 2) if shards > 1 else 0,
    )  # fmt: skip
    work = scratch.addresses
    if claimed:
        # Nobody needs the gates any more once their gradients are there: these take their place, and half the memory.
        work = [before[0], before[2], *work[2:]]
    finished = array("q", bytes(8 * runs))
    given = [_dense(symbols), _dense(weight_ih), weight_hh.contiguous(), None, None]  # held until the driver is done
    _launch(
        steps.backward(), kept.plan, (*kept.sizes, int(wanted), gradients[1].stride(0)),
        [
            *_addresses(given), *before, 0, 0,
            *_addresses([d_outputs, d_last]), *work, *_addresses([d_inputs, *gradients]), finished.buffer_info()[0],
        ],
    )  # fmt: skip
    if claimed:
        kept.lease = None
    return d_inputs, gradients


def _fresh(runs: int, width: int, features: int, hidden: int) -> Places:
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
    if threads > 1:
        work = plan.rows * job[jobs.WIDTH] * (job[jobs.HIDDEN] + job[jobs.FEATURES_SIZE])
        if plan.tasks == 1 or work <= _WORTH_A_THREAD:
            threads = 1
    with one_blas_thread():
        work_together(driver, job.buffer_info()[0], threads)
    if job[jobs.DONE] != plan.tasks:
        raise MemoryError("the kernels ran out of memory; use a smaller batch, or fewer runs at once")
