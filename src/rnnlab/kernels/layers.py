"""A recurrent layer over time as one differentiable operation, computed by the compiled kernels.

`layer` does all of it, input weights included; `Recurrence` does it without autograd, and is the fast one. `recurrent` takes the
input's part ``W_ih x + b_ih`` of every step ready made and hands its gradient back, for whoever projects the input in another
way. float32 on the CPU.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from rnnlab.kernels import jobs
from rnnlab.kernels.operation import Recurrent
from rnnlab.kernels.passes import Passes
from rnnlab.kernels.places import Places
from rnnlab.kernels.plan import Plan, full_plan, ragged_plan

CellName = Literal["elman", "lstm", "gru"]
Readout = Literal["last", "mean", "max"]
_GATES = {"elman": 1, "lstm": 4, "gru": 3}
_CODES = {"elman": jobs.ELMAN, "lstm": jobs.LSTM, "gru": jobs.GRU}
_READOUTS = {"last": jobs.LAST_STATE, "mean": jobs.MEAN, "max": jobs.LARGEST}


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
    _check(cell, weight_hh, weight_ih=weight_ih, bias_ih=bias_ih, bias_hh=bias_hh)
    runs, _, features = weight_ih.shape
    mode = jobs.SYMBOLS if inputs.ndim == 3 else jobs.FEATURES
    _check_inputs(inputs, mode, features, runs)
    if inputs.requires_grad and inputs.shape[0] != runs:
        inputs = inputs.expand(runs, -1, -1, -1)
    _, batch, time = inputs.shape[:3]
    plan, code = _plan(lengths, runs, batch, time, weight_hh.shape[2]), _code(cell, nonlinearity)
    outputs, last = Recurrent.apply(inputs, weight_ih, weight_hh, bias_ih, bias_hh, plan, code, mode, every_step)  # type: ignore[no-untyped-call]
    return outputs, last


class Recurrence:
    """A layer in one direction or both, over batches of one shape, with its gradients and without autograd.

    A small step takes about half the time that way. Where the layer serves several steps, what does not change from one to
    the next is worked out once.

    Args:
        cell: as of `layer`; so are ``lengths`` and ``nonlinearity``.
        directions: the weights ``weight_ih, weight_hh, bias_ih, bias_hh`` of one that reads forwards and, where there are two, of one
            that reads from the end.
        inputs: the first batch; `forward` is given others of its shape and kind, full ones if it was.
        lengths: of the first batch, and of all others.
        readout: what is read off the states of a sequence: its ``last``, their ``mean``, or the largest of each unit, ``max``.
        every_step: whether the states after every step are wanted.
        wants_inputs: whether the gradient of the inputs, which must be numbers then, is wanted.
        lasting: whether it keeps its memory between two steps.

    Raises:
        ValueError: as `layer`.

    Example:
        >>> weights = torch.ones(1, 1, 1), torch.ones(1, 1, 1), torch.zeros(1, 1), torch.zeros(1, 1)
        >>> inputs = torch.zeros(1, 2, 3, 1)
        >>> recurrence = Recurrence("elman", [weights], inputs)
        >>> _, read = recurrence.forward(inputs)
        >>> places = tuple(torch.empty_like(weight) for weight in weights)
        >>> recurrence.backward(None, torch.ones_like(read), [places])
        >>> places[2]
        tensor([[6.]])
    """

    def __init__(
        self,
        cell: CellName,
        directions: Sequence[Places],
        inputs: Tensor,
        lengths: Tensor | None = None,
        *,
        nonlinearity: str = "tanh",
        readout: Readout = "last",
        every_step: bool = False,
        wants_inputs: bool = False,
        lasting: bool = False,
    ) -> None:
        for weight_ih, weight_hh, bias_ih, bias_hh in directions:
            _check(cell, weight_hh, weight_ih=weight_ih, bias_ih=bias_ih, bias_hh=bias_hh)
        runs, _, self._features = directions[0][0].shape
        hidden = directions[0][1].shape[2]
        sets, batch, time = inputs.shape[:3]
        self._mode = jobs.SYMBOLS if inputs.ndim == 3 else jobs.FEATURES
        self._sets, self._shape = runs if wants_inputs else sets, (runs, batch, time, hidden * len(directions))
        self._every_step, self._wants_inputs = every_step, wants_inputs
        plan, code = _plan(lengths, runs, batch, time, hidden), _code(cell, nonlinearity)
        self._passes = [
            Passes(
                plan, code, self._mode, self._sets, time, weights,
                reverse=number > 0, readout=_READOUTS[readout], lasting=lasting,
            )
            for number, weights in enumerate(directions)
        ]  # fmt: skip
        self._hidden = hidden

    def forward(self, inputs: Tensor) -> tuple[Tensor | None, Tensor]:
        """Return the states after every step, ``(runs, batch, time, directions * hidden)``, or None; and what is read off them.

        That is ``(runs, batch, directions * hidden)``.
        """
        runs, batch, time, row = self._shape
        _check_inputs(inputs, self._mode, self._features, runs)
        if inputs.shape[1:3] != (batch, time):
            raise ValueError(f"inputs must be {batch} sequences of {time} steps, got {tuple(inputs.shape[1:3])}")
        if inputs.shape[0] != self._sets:
            inputs = inputs.expand(self._sets, *inputs.shape[1:])
        outputs = torch.empty(runs, batch, time, row) if self._every_step else None
        read = torch.empty(runs, batch, row)
        for number, passes in enumerate(self._passes):
            passes.forward(inputs, outputs, read, number * self._hidden)
        return outputs, read

    def backward(self, d_outputs: Tensor | None, d_read: Tensor | None, places: Sequence[Places]) -> Tensor | None:
        """Write the gradients of the weights to ``places``, a direction's each, and return that of the inputs, where it is wanted.

        Once a forward pass; ``d_outputs`` and ``d_read`` are None where nothing came.
        """
        runs, batch, _, row = self._shape
        for name, given, shape in (("d_outputs", d_outputs, self._shape), ("d_read", d_read, (runs, batch, row))):
            if given is not None and (given.shape != shape or given.dtype is not torch.float32 or not given.is_cpu):
                raise ValueError(f"{name} must be {shape} float32 on the CPU, got {tuple(given.shape)} {given.dtype}")
        found: Tensor | None = None
        for number, (passes, own) in enumerate(zip(self._passes, places, strict=True)):
            d_inputs, _ = passes.backward(d_outputs, d_read, own, self._wants_inputs, number * self._hidden)
            found = d_inputs if found is None or d_inputs is None else found.add_(d_inputs)
        return found


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
    nothing = torch.zeros(runs, width)
    code = _code(cell, nonlinearity)
    outputs, last = Recurrent.apply(projected, None, weight_hh, nothing, bias_hh, plan, code, jobs.PROJECTED, True)  # type: ignore[no-untyped-call]
    return outputs, last


def _check_inputs(inputs: Tensor, mode: int, features: int, runs: int) -> None:
    if mode == jobs.SYMBOLS:
        if inputs.dtype is not torch.int64 or not inputs.is_cpu:
            raise ValueError(f"symbols must be int64 on the CPU, got {inputs.dtype} on {inputs.device}")
        low, high = _range(inputs)
        if not 0 <= low <= high < features:
            raise ValueError(f"symbols must be below {features}, got {low}..{high}")
    else:
        _check_numbers("inputs", inputs)
        if inputs.shape[-1] != features:
            raise ValueError(f"inputs must have {features} features as weight_ih has, got {inputs.shape[-1]}")
    if inputs.shape[0] not in (1, runs):
        raise ValueError(f"inputs must be of 1 or {runs} runs, got {inputs.shape[0]}")


def _code(cell: str, nonlinearity: str) -> int:
    return jobs.ELMAN_RELU if cell == "elman" and nonlinearity == "relu" else _CODES[cell]


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
