"""A recurrent layer over time as one differentiable operation, computed by the compiled kernels.

`layer` does all of it, input weights included; `layer_vjp` does it without autograd, and is the fast one. `recurrent` takes the
input's part ``W_ih x + b_ih`` of every step ready made and hands its gradient back, for whoever projects the input in another
way. float32 on the CPU.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from rnnlab.kernels import jobs
from rnnlab.kernels.operation import Recurrent
from rnnlab.kernels.passes import backward_pass, forward_pass
from rnnlab.kernels.places import Places
from rnnlab.kernels.plan import Plan, full_plan, ragged_plan

CellName = Literal["elman", "lstm", "gru"]
_GATES = {"elman": 1, "lstm": 4, "gru": 3}
_CODES = {"elman": jobs.ELMAN, "lstm": jobs.LSTM, "gru": jobs.GRU}


def layer(
    cell: CellName,
    inputs: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    every_step: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return the hidden state after every step and after the last one, from a zero state.

    Args:
        cell: ``elman``, ``lstm`` or ``gru``; gates in torch's order.
        inputs: ``(runs or 1, batch, time, features)``, or symbols ``(runs or 1, batch, time)`` int64, read as one-hot vectors.
            With 1, all runs read the same.
        weight_ih: ``(runs, gates * hidden, features)``; any strides, as the others.
        weight_hh: ``(runs, gates * hidden, hidden)``.
        bias_ih: ``(runs, gates * hidden)``.
        bias_hh: ``(runs, gates * hidden)``.
        lengths: ``(runs or 1, batch)`` int64, 0..time; None where every sequence fills the batch.
        nonlinearity: ``tanh`` or ``relu``, of the elman cell.
        every_step: whether the states after every step are wanted; otherwise ``outputs`` has no steps.

    Returns:
        ``outputs (runs, batch, time, hidden)``, zero behind a sequence's end, and ``last (runs, batch, hidden)``.

    Raises:
        ValueError: a tensor is not float32 on the CPU, its shape does not fit the others', or a length or symbol is
            out of range.

    Example:
        >>> weights = torch.zeros(2, 12, 5), torch.zeros(2, 12, 4), torch.zeros(2, 12), torch.zeros(2, 12)
        >>> outputs, last = layer("gru", torch.zeros(1, 3, 7, 5), *weights)
        >>> outputs.shape, last.shape
        (torch.Size([2, 3, 7, 4]), torch.Size([2, 3, 4]))
    """
    inputs, plan, code, mode = _checked(
        cell, inputs, weight_ih, weight_hh, bias_ih, bias_hh, lengths, nonlinearity, expand=inputs.requires_grad
    )
    outputs, last = Recurrent.apply(inputs, weight_ih, weight_hh, bias_ih, bias_hh, plan, code, mode, every_step)  # type: ignore[no-untyped-call]
    return outputs, last


Pull = Callable[[Tensor | None, Tensor | None, Places], Tensor | None]


def layer_vjp(
    cell: CellName,
    inputs: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    every_step: bool = True,
    wants_inputs: bool = False,
) -> tuple[Tensor, Tensor, Pull]:
    """Return what `layer` does, and its vector-Jacobian product, without autograd: a half to a third of a small step's time.

    Args:
        cell: this and the other arguments as of `layer`.
        wants_inputs: whether the gradient of ``inputs``, which must be numbers then, will be asked for.

    Returns:
        ``outputs``, ``last``, and a function to be called once, of ``d_outputs`` and ``d_last``, each None where nothing came, and of the
        places to write the weights' gradients to, as `gradients_into` describes them. It returns the gradient of ``inputs``,
        ``(runs, batch, time, features)``, where that is wanted, else None.

    Raises:
        ValueError: as `layer`.

    Example:
        >>> weights = torch.ones(1, 1, 1), torch.ones(1, 1, 1), torch.zeros(1, 1), torch.zeros(1, 1)
        >>> _, last, pull = layer_vjp("elman", torch.zeros(1, 2, 3, 1), *weights)
        >>> places = tuple(torch.empty_like(weight) for weight in weights)
        >>> pull(None, torch.ones_like(last), places)
        >>> places[2]
        tensor([[6.]])
    """
    inputs, plan, code, mode = _checked(
        cell, inputs, weight_ih, weight_hh, bias_ih, bias_hh, lengths, nonlinearity, expand=wants_inputs
    )
    outputs, last, kept = forward_pass(inputs, weight_ih, weight_hh, bias_ih, bias_hh, plan, code, mode, every_step)
    symbols = inputs if mode == jobs.SYMBOLS else None

    def pull(d_outputs: Tensor | None, d_last: Tensor | None, places: Places) -> Tensor | None:
        return backward_pass(kept, symbols, weight_ih, weight_hh, d_outputs, d_last, places, wants_inputs)[0]

    return outputs, last, pull


def recurrent(
    cell: CellName,
    projected: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
) -> tuple[Tensor, Tensor]:
    """Return what `layer` does, from ``projected (runs, batch, time, gates * hidden)``: ``W_ih x + b_ih`` of every step.

    Example:
        >>> outputs, last = recurrent("gru", torch.zeros(1, 2, 3, 12), torch.zeros(1, 12, 4), torch.zeros(1, 12))
        >>> outputs.shape, last.shape
        (torch.Size([1, 2, 3, 4]), torch.Size([1, 2, 4]))
    """
    _check(cell, weight_hh, bias_hh=bias_hh)
    _check_numbers("projected", projected)
    runs, width, hidden = weight_hh.shape
    if projected.ndim != 4 or projected.shape[0] != runs or projected.shape[3] != width:
        raise ValueError(f"projected must be ({runs}, batch, time, {width}), got {tuple(projected.shape)}")
    plan = _plan(lengths, runs, projected.shape[1], projected.shape[2], hidden)
    code = jobs.ELMAN_RELU if cell == "elman" and nonlinearity == "relu" else _CODES[cell]
    nothing = torch.zeros(runs, width)
    outputs, last = Recurrent.apply(projected, None, weight_hh, nothing, bias_hh, plan, code, jobs.PROJECTED, True)  # type: ignore[no-untyped-call]
    return outputs, last


def _checked(
    cell: str, inputs: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor,
    lengths: Tensor | None, nonlinearity: str, *, expand: bool,
) -> tuple[Tensor, Plan, int, int]:  # fmt: skip
    """Return the inputs, for every run where ``expand`` wants gradients of each, the plan, and the cell's and the mode's code."""
    _check(cell, weight_hh, weight_ih=weight_ih, bias_ih=bias_ih, bias_hh=bias_hh)
    runs, _, features = weight_ih.shape
    if inputs.ndim == 3:
        mode = jobs.SYMBOLS
        if inputs.dtype is not torch.int64 or not inputs.is_cpu:
            raise ValueError(f"symbols must be int64 on the CPU, got {inputs.dtype} on {inputs.device}")
        low, high = _range(inputs)
        if not 0 <= low <= high < features:
            raise ValueError(f"symbols must be below {features}, got {low}..{high}")
    else:
        mode = jobs.FEATURES
        _check_numbers("inputs", inputs)
        if inputs.shape[-1] != features:
            raise ValueError(f"inputs must have {features} features as weight_ih has, got {inputs.shape[-1]}")
        if expand and inputs.shape[0] != runs:
            inputs = inputs.expand(runs, -1, -1, -1)
    sets, batch, time = inputs.shape[:3]
    if sets not in (1, runs):
        raise ValueError(f"inputs must be of 1 or {runs} runs, got {sets}")
    code = jobs.ELMAN_RELU if cell == "elman" and nonlinearity == "relu" else _CODES[cell]
    return inputs, _plan(lengths, runs, batch, time, weight_hh.shape[-1]), code, mode


def _range(whole: Tensor) -> tuple[int, int]:
    """Return the least and the greatest of ``whole`` numbers, zeros where there are none."""
    if not whole.numel():
        return 0, 0
    low, high = torch.aminmax(whole)
    return int(low), int(high)


def _plan(lengths: Tensor | None, runs: int, batch: int, time: int, hidden: int) -> Plan:
    if lengths is None:
        return full_plan(runs, batch, time, hidden)
    if lengths.shape not in ((1, batch), (runs, batch)):
        raise ValueError(f"lengths must be ({runs} or 1, {batch}), got {tuple(lengths.shape)}")
    low, high = _range(lengths)
    if not 0 <= low <= high <= time:
        raise ValueError(f"lengths must be between 0 and time={time}, got {low}..{high}")
    return ragged_plan(lengths.expand(runs, batch).numpy(), time, hidden)


def _check(cell: str, weight_hh: Tensor, **others: Tensor) -> None:
    if cell not in _GATES:
        raise ValueError(f"cell must be one of {', '.join(_GATES)}, got {cell!r}; use the equations in rnnlab.cells")
    _check_numbers("weight_hh", weight_hh)
    runs, width, hidden = weight_hh.shape
    if width != _GATES[cell] * hidden:
        raise ValueError(
            f"weight_hh of a {cell} must be (runs, {_GATES[cell]} * hidden, hidden), got {tuple(weight_hh.shape)}"
        )
    for name, tensor in others.items():
        _check_numbers(name, tensor)
        if tuple(tensor.shape[:2]) != (runs, width):
            raise ValueError(f"{name} must begin with ({runs}, {width}) as weight_hh does, got {tuple(tensor.shape)}")


def _check_numbers(name: str, tensor: Tensor) -> None:
    if tensor.dtype is not torch.float32 or not tensor.is_cpu:
        raise ValueError(
            f"{name} must be float32 on the CPU, got {tensor.dtype} on {tensor.device}; use the equations in rnnlab.cells"
        )
