"""A layer's two passes in one direction, without autograd: tensors become addresses here, and nowhere else."""

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


class Passes:
    """The forward pass over batches of one shape, and the backward pass over what it left.

    A backward pass that is told where to write the gradients also works in that memory: it is the last, until the next forward
    pass.

    Args:
        plan: of the batch.
        cell: its code (`rnnlab.kernels.jobs`); so are ``mode`` and ``readout``.
        mode: of the inputs.
        sets: runs of the inputs, 1 or as many as the stack has.
        time: steps.
        weights: ``weight_ih, weight_hh, bias_ih, bias_hh``; the first is None where the mode has none.
        reverse: whether the sequences are read from their end.
        readout: what is read off the states.
        lasting: whether the memory is kept for the next forward pass.
    """

    def __init__(
        self, plan: Plan, cell: int, mode: int, sets: int, time: int, weights: tuple[Tensor | None, Tensor, Tensor, Tensor],
        *, reverse: bool = False, readout: int = jobs.LAST_STATE, lasting: bool = False,
    ) -> None:  # fmt: skip
        weight_ih = weights[0]
        runs, width, hidden = weights[1].shape
        batch, rows, features = plan.lengths.shape[1], plan.rows, 0 if weight_ih is None else weight_ih.shape[2]
        self._plan, self._lasting = plan, lasting  # its arrays are read by address
        self._weights = [None if weight is None else _rows_are_dense(weight) for weight in weights]
        self._sizes = runs, batch, time, hidden, width, features
        self._saves = (
            rows * width,
            rows * hidden,
            rows * hidden if width > hidden else 0,
            rows * features if mode == jobs.FEATURES else 0,
            runs * batch * hidden if readout == jobs.LARGEST else 0,
        )
        self._lease: Lease | None = None
        self._scratch: Lease | None = None
        self._inputs: Tensor | None = None
        self._left = False
        self._on_threads = plan.tasks > 1 and rows * width * (hidden + features) > _WORTH_A_THREAD
        strides = [0 if weight is None else weight.stride(0) for weight in self._weights]
        self._job = array("q", (
            0, 0, sgemm_address(), cell, mode, runs, batch, time, hidden, width, plan.shards, rows, features, sets,
            int(reverse), readout, hidden, 0, *plan.addresses, 0, 0, 0, 0, 0, *_addresses(self._weights), *strides,
        ))  # fmt: skip
        self._job.extend([0] * (jobs.LENGTH - len(self._job)))

    def forward(self, inputs: Tensor, outputs: Tensor | None, read: Tensor, first: int = 0) -> None:
        """Write the states of every step to ``outputs``, and what is read off them to ``read``.

        Args:
            inputs: as the mode says.
            outputs: ``(runs, batch, time, row)``, contiguous; None where not every step is wanted.
            read: ``(runs, batch, row)``, contiguous.
            first: where in a row the states begin.
        """
        job, inputs = self._job, inputs.contiguous()
        if self._lease is None:
            self._lease = Lease(*self._saves)
            job[jobs.GATES : jobs.WINNERS + 1] = array("q", self._lease.addresses)
        # The backward pass needs symbols again; numbers were copied into its memory.
        self._inputs = inputs if job[jobs.MODE] == jobs.SYMBOLS else None
        job[jobs.INPUTS] = inputs.data_ptr()
        job[jobs.OUTPUTS] = 0 if outputs is None else outputs.data_ptr() + 4 * first
        job[jobs.READ], job[jobs.ROW] = read.data_ptr() + 4 * first, read.shape[2]
        self._launch(steps.forward())
        self._left = True

    def backward(
        self, d_outputs: Tensor | None, d_read: Tensor | None, places: Places | None, wants_inputs: bool, first: int = 0
    ) -> tuple[Tensor | None, Places]:
        """Return the gradients of the inputs, where they are wanted or are all there is, and of the four weights.

        Args:
            d_outputs: None where nothing came; so is ``d_read``.
            d_read: as ``read`` of the forward pass.
            places: where to write the gradients of the weights, as `rnnlab.kernels.gradients_into` describes them; None for new ones.
            wants_inputs: whether the gradient of inputs that are numbers is wanted.
            first: as in the forward pass.

        Raises:
            RuntimeError: an earlier backward pass has worked in the memory of the forward pass.
        """
        if not self._left or self._lease is None:
            raise RuntimeError("the graph was used up by gradients_into; compute the outputs again")
        job, plan, (runs, batch, time, hidden, width, features) = self._job, self._plan, self._sizes
        wanted = wants_inputs and job[jobs.MODE] == jobs.FEATURES
        d_inputs = None
        if wanted or job[jobs.MODE] == jobs.PROJECTED:
            d_inputs = torch.empty(runs, batch, time, features if wanted else width)
        rows, own = plan.rows, places is None
        gradients = places or _fresh(runs, width, features, hidden)
        if self._scratch is None:
            self._scratch = Lease(
                rows * width if own else 0, rows * hidden if own and job[jobs.CELL] == jobs.GRU else 0,
                rows * features if wanted else 0, runs * plan.shards * width * (features + hidden + 2) if plan.shards > 1 else 0,
            )  # fmt: skip
        scratch = self._scratch.addresses
        if not own:
            # Nobody needs the gates any more once their gradients are there: these take their place, and half the memory.
            scratch = [self._lease.addresses[0], self._lease.addresses[2], *scratch[2:]]
        finished = array("q", bytes(8 * runs))
        d_outputs, d_read = _dense(d_outputs), _dense(d_read)  # held until the driver is done
        job[jobs.WANTS_D_INPUTS] = int(wanted)
        job[jobs.D_OUTPUTS :] = array("q", (
            0 if d_outputs is None else d_outputs.data_ptr() + 4 * first,
            0 if d_read is None else d_read.data_ptr() + 4 * first,
            *scratch, finished.buffer_info()[0], 0 if d_inputs is None else d_inputs.data_ptr(),
            *_addresses(gradients), *[gradient.stride(0) for gradient in gradients],
        ))  # fmt: skip
        if d_read is not None:
            job[jobs.ROW] = d_read.shape[2]
        elif d_outputs is not None:
            job[jobs.ROW] = d_outputs.shape[3]
        self._launch(steps.backward())
        self._left = own
        if not self._lasting:
            self._scratch = None
            if not own:
                self._lease = None
        return d_inputs, gradients

    def _launch(self, driver: int) -> None:
        """Run ``driver`` in as many threads as torch would use, as far as the tasks and the work are worth them."""
        job = self._job
        job[jobs.NEXT] = job[jobs.DONE] = 0
        with one_blas_thread():
            work_together(driver, job.buffer_info()[0], torch.get_num_threads() if self._on_threads else 1)
        if job[jobs.DONE] != self._plan.tasks:
            raise MemoryError("the kernels ran out of memory; use a smaller batch, or fewer runs at once")


def _fresh(runs: int, width: int, features: int, hidden: int) -> Places:
    """Return new places for the gradients of the four weights, in one block."""
    block = torch.empty(runs, width * (features + hidden + 2))
    stride, last = block.shape[1], (features + hidden) * width
    return (
        block.as_strided((runs, width, features), (stride, features, 1)),
        block.as_strided((runs, width, hidden), (stride, hidden, 1), width * features),
        block[:, last : last + width], block[:, last + width :],
    )  # fmt: skip


def _rows_are_dense(weight: Tensor) -> Tensor:
    """Return ``weight (runs, ...)`` with everything but the runs axis contiguous."""
    inside = weight.stride()[1:]
    dense = inside[-1] == 1 and (len(inside) == 1 or inside[0] == weight.shape[2])
    return weight if dense else weight.contiguous()


def _dense(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _addresses(tensors: "list[Tensor | None] | Places") -> list[int]:
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]
