"""A layer over time as one differentiable operation, computed by the compiled kernels.

It takes the input's part ``W_ih x + b_ih`` of every step, ready made, and hands its gradient back: whoever projects the input
(by a product, or by looking up a symbol) keeps its own gradient. float32 on the CPU.
"""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnlab.kernels import steps
from rnnlab.kernels.blas import one_blas_thread, sgemm_address
from rnnlab.kernels.plan import Plan, full_plan, ragged_plan
from rnnlab.kernels.threads import work_together

CellName = Literal["elman", "lstm", "gru"]
_GATES = {"elman": 1, "lstm": 4, "gru": 3}

# Below so many multiplications a helper thread costs more than it saves.
_WORTH_A_THREAD = 400_000


def recurrent(
    cell: CellName,
    projected: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
) -> tuple[Tensor, Tensor]:
    """Return the hidden state after every step and after the last one, from a zero state.

    Args:
        cell: ``elman``, ``lstm`` or ``gru``; gates in torch's order.
        projected: ``(runs, batch, time, gates * hidden)``, ``W_ih x + b_ih`` of every step.
        weight_hh: ``(runs, gates * hidden, hidden)``; any strides.
        bias_hh: ``(runs, gates * hidden)``; any strides.
        lengths: ``(runs or 1, batch)`` int64, 0..time; None where every sequence fills the batch.
        nonlinearity: ``tanh`` or ``relu``, of the elman cell.

    Returns:
        ``outputs (runs, batch, time, hidden)``, zero behind a sequence's end, and ``last (runs, batch, hidden)``.

    Raises:
        ValueError: a tensor is not float32 on the CPU, or its shape does not fit the others'.

    Example:
        >>> outputs, last = recurrent("gru", torch.zeros(1, 2, 3, 12), torch.zeros(1, 12, 4), torch.zeros(1, 12))
        >>> outputs.shape, last.shape
        (torch.Size([1, 2, 3, 4]), torch.Size([1, 2, 4]))
    """
    _check(cell, projected, weight_hh, bias_hh, lengths)
    runs, batch, time, _ = projected.shape
    hidden = weight_hh.shape[-1]
    if lengths is None:
        plan = full_plan(runs, batch, time, hidden)
    else:
        plan = ragged_plan(lengths.expand(runs, batch).numpy(), time, hidden)
    code = {"elman": steps.ELMAN, "lstm": steps.LSTM, "gru": steps.GRU}[cell]
    if cell == "elman" and nonlinearity == "relu":
        code = steps.ELMAN_RELU
    outputs, last = _Recurrent.apply(projected, weight_hh, bias_hh, plan, code)  # type: ignore[no-untyped-call]
    return outputs, last


def _check(cell: str, projected: Tensor, weight_hh: Tensor, bias_hh: Tensor, lengths: Tensor | None) -> None:
    for name, tensor in (("projected", projected), ("weight_hh", weight_hh), ("bias_hh", bias_hh)):
        if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
            raise ValueError(
                f"{name} must be float32 on the CPU, got {tensor.dtype} on {tensor.device}; "
                "use the equations in rnnlab.cells"
            )
    runs, batch, time, width = projected.shape
    hidden = weight_hh.shape[-1]
    if cell not in _GATES or width != _GATES[cell] * hidden:
        raise ValueError(f"projected must end in gates * hidden of a {cell} of {hidden}, got {tuple(projected.shape)}")
    if tuple(weight_hh.shape) != (runs, width, hidden) or tuple(bias_hh.shape) != (runs, width):
        raise ValueError(
            f"weight_hh and bias_hh must be ({runs}, {width}, {hidden}) and ({runs}, {width}), "
            f"got {tuple(weight_hh.shape)} and {tuple(bias_hh.shape)}"
        )
    if lengths is not None and lengths.numel() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= time:
        raise ValueError(f"lengths must be between 0 and time={time}, got {int(lengths.min())}..{int(lengths.max())}")


class _Recurrent(torch.autograd.Function):
    """The operation; tensors are turned into arrays here, and nowhere else."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, weight: Tensor, bias: Tensor, plan: Plan, cell: int) -> Any:
        runs, batch, time, width = projected.shape
        hidden = weight.shape[-1]
        outputs = torch.empty(runs, batch, time, hidden)
        last = torch.empty(runs, batch, hidden)
        saved = torch.empty(plan.rows, width)
        previous = torch.empty(plan.rows, hidden)
        extra = torch.empty(plan.rows if width > hidden else 0, hidden)
        arrays = [
            projected.contiguous(), weight.contiguous(), bias.contiguous(), outputs, last, saved, previous, extra,
        ]
        sizes = (runs, batch, time, hidden, width)
        _launch(steps.forward(), plan, cell, width * hidden, sizes, arrays)
        ctx.plan, ctx.cell, ctx.shape = plan, cell, projected.shape
        ctx.save_for_backward(weight, saved, previous, extra)
        ctx.set_materialize_grads(False)
        return outputs, last

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, from_output: Tensor | None, from_last: Tensor | None) -> Any:
        weight, saved, previous, extra = ctx.saved_tensors
        runs, batch, time, width = ctx.shape
        shards, hidden = ctx.plan.starts.shape[1], weight.shape[-1]
        if from_output is None:
            from_output = torch.zeros(runs, batch, time, hidden)
        if from_last is None:
            from_last = torch.zeros(runs, batch, hidden)
        d_projected = torch.empty(runs, batch, time, width)
        d_weight = torch.empty(runs, shards, width, hidden)
        d_bias = torch.empty(runs, shards, width)
        arrays = [
            weight.contiguous(), saved, previous, extra, from_output.contiguous(), from_last.contiguous(),
            torch.empty_like(saved), d_projected, d_weight, d_bias,
        ]  # fmt: skip
        sizes = (runs, batch, time, hidden, width)
        _launch(steps.backward(), ctx.plan, ctx.cell, 2 * width * hidden, sizes, arrays)
        return d_projected, _add_up(d_weight), _add_up(d_bias), None, None


def _launch(driver: int, plan: Plan, cell: int, work_a_row: int, sizes: tuple[int, ...], tensors: list[Tensor]) -> None:
    """Run ``driver`` in as many threads as torch would use, as far as the tasks and the work are worth them.

    Args:
        sizes: runs, batch, time, hidden, width.
        tensors: contiguous, in the order of `steps.FORWARD` or `steps.BACKWARD`.
    """
    addresses = [tensor.data_ptr() for tensor in tensors]
    job = np.array(
        [0, 0, sgemm_address(), cell, *sizes, plan.starts.shape[1], plan.rows, *plan.addresses, *addresses], dtype=np.int64
    )
    threads = torch.get_num_threads()
    parallel = threads > 1 and plan.tasks > 1 and plan.rows * work_a_row > _WORTH_A_THREAD
    with one_blas_thread():
        work_together(driver, job.ctypes.data, threads if parallel else 1)
    if job[1] != plan.tasks:
        raise MemoryError("the kernels ran out of memory; use a smaller batch, or fewer runs at once")


def _add_up(shares: Tensor) -> Tensor:
    """Return the sum of ``shares (runs, shards, ...)`` over the shards, in their order: the same bits every time."""
    total = shares[:, 0]
    for shard in range(1, shares.shape[1]):
        total = total + shares[:, shard]
    return total
