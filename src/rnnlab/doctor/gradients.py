"""Checks of the gradient over time, and of gates: what a step still feels of steps long before it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnlab.doctor.examination import RECURRENT, Examination, wake
from rnnlab.doctor.layout import first_tensor
from rnnlab.doctor.registry import check, found
from rnnlab.doctor.relations import correlations
from rnnlab.findings import Finding

BINS = 12
_MEMORY = 0.01  # a step counts as remembered while its gradient is at least this share of the largest


@dataclass(frozen=True)
class StepGradients:
    """How the last answer depends on the input of each step.

    Args:
        norms: of the gradient of the last answer at each step's input, first step first, relative to the largest.
        memory: effective memory length: steps back from the last until the norm stays below 1% of the largest.
        largest: the largest norm itself.
    """

    norms: list[float]
    memory: int
    largest: float


def step_gradients(examination: Examination) -> StepGradients | None:
    """Return the gradient of the last answer by step, at the first recurrent layer's input; None where there is none."""
    if "_step_gradients" not in examination.__dict__:
        examination.__dict__["_step_gradients"] = _step_gradients(examination)
    known: StepGradients | None = examination.__dict__["_step_gradients"]
    return known


def _step_gradients(examination: Examination) -> StepGradients | None:
    steps = examination.batch.layout.steps
    if steps < 3:
        return None
    model, _ = examination.fresh()
    wake(model)
    inputs: list[Tensor] = []
    first = next((module for module in model.modules() if isinstance(module, RECURRENT)), None)
    if first is None:
        return None
    first.register_forward_pre_hook(lambda module, arguments: _follow(arguments, inputs))
    answer = first_tensor(examination.run(model, examination.batch, train=False))
    by_step = examination.batch.layout.by_step(answer)
    lengths = examination.batch.lengths
    if by_step is not None:
        index = (
            torch.full((by_step.shape[0],), steps - 1) if lengths is None else lengths.flatten().clamp(max=steps) - 1
        )
        answer = by_step[torch.arange(by_step.shape[0]), index]
    direction = torch.randn(answer.shape, generator=torch.Generator().manual_seed(0)).to(answer.dtype)
    gradients = torch.autograd.grad((answer * direction).sum(), inputs, allow_unused=True)
    return _curve(first, gradients, steps)


def _follow(arguments: tuple[object, ...], inputs: list[Tensor]) -> tuple[object, ...]:
    values = arguments[0]
    if isinstance(values, nn.utils.rnn.PackedSequence):
        data = values.data.detach().requires_grad_()
        inputs.append(data)
        return (nn.utils.rnn.PackedSequence(data, *values[1:]), *arguments[1:])
    assert isinstance(values, Tensor)
    followed = values.detach().requires_grad_()
    inputs.append(followed)
    return (followed, *arguments[1:])


def _curve(first: nn.Module, gradients: tuple[Tensor | None, ...], steps: int) -> StepGradients | None:
    known = [torch.zeros(1) if one is None else one.double() for one in gradients]
    if len(known) >= steps:  # a cell, called once a step
        norms = torch.stack([one.norm() for one in known[:steps]])
    elif len(known) == 1 and known[0].ndim == 3:
        axis = 1 if getattr(first, "batch_first", False) else 0
        norms = known[0].transpose(0, axis).flatten(1).norm(dim=1)
    else:
        return None
    return curve_of(norms) if len(norms) >= 3 else None


def curve_of(norms: Tensor) -> StepGradients:
    """Return the curve of the gradient's norms by step, ``(time,)``, first step first."""
    largest = float(norms.max())
    if not largest > 0:
        return StepGradients(norms.tolist(), 0, largest)
    relative = norms / norms.max()
    early = int((relative >= _MEMORY).nonzero()[0])
    return StepGradients(relative.tolist(), len(norms) - early, largest)


@check(
    "vanishing_gradients",
    silenced_by=(
        "state_reset",
        "one_step_sequence",
        "samples_influence_each_other",
        "saturated_gates",
        "dead_relu",
        "gradient_cut",
        "steps_ignored",
    ),
)
def vanishing_gradients(examination: Examination) -> Finding | None:
    """The gradient dies within a step or two on its way back: the network cannot learn what lies further back. Start
    the recurrent weights orthogonal (the forget gate's bias at 1), or use a gated cell."""
    curve = step_gradients(examination)
    if curve is None or len(curve.norms) < 8 or curve.memory == 0 or curve.memory > len(curve.norms) / 3:
        return None
    near, far = correlations(examination, 2 * curve.memory)
    needed = far > 0.5 and near < 0.35 and 6 * curve.memory <= len(curve.norms)
    beyond = f", and the target goes with single inputs beyond it (correlation {far:.2f})" if needed else ""
    return found(
        "vanishing_gradients",
        "warning" if needed or curve.memory <= 2 else "hint",
        f"the gradient falls below 1% within {curve.memory} of {len(curve.norms)} steps: the effective memory is that long{beyond}",
        "nn.init.orthogonal_(rnn.weight_hh_l0)  # and a forget bias of 1 in an LSTM, or shorter sequences",
        correlation_within=near,
        correlation_beyond=far,
        norms_by_step=curve.norms,
        memory_length=curve.memory,
        steps=len(curve.norms),
    )


@check(
    "gradient_cut",
    silenced_by=(
        "state_reset",
        "one_step_sequence",
        "samples_influence_each_other",
        "dead_relu",
        "outputs_ignore_inputs",
        "steps_ignored",
        "saturated_gates",
    ),
)
def gradient_cut(examination: Examination) -> Finding | None:
    """Earlier steps change the answer, but no gradient reaches them: the state is detached between steps. Detach it
    between batches of a long sequence only."""
    curve = step_gradients(examination)
    if curve is None or not curve.largest > 0:
        return None
    silent = sum(norm == 0 for norm in curve.norms[:-1])
    if silent < len(curve.norms) - 1 and not (curve.norms[-2] == 0 and silent > len(curve.norms) / 2):
        return None
    return found(
        "gradient_cut",
        "error",
        f"no gradient reaches {silent} of {len(curve.norms)} steps, to the last bit: the state is detached on the way",
        "h = self.cell(x, h)  # without .detach() or .data between the steps of one sequence",
        norms_by_step=curve.norms,
    )


@check("exploding_gradients", silenced_by=("samples_influence_each_other", "not_finite"))
def exploding_gradients(examination: Examination) -> Finding | None:
    """The gradient grows with every step back: a few early steps drown all others, and training jumps. Clip the
    gradient's norm, and start the recurrent weights smaller or orthogonal."""
    curve = step_gradients(examination)
    if curve is None or not curve.largest > 0 or curve.norms[-1] <= 0:
        return None
    growth = max(curve.norms[: max(1, len(curve.norms) // 2)]) / curve.norms[-1]
    if growth < 100:
        return None
    return found(
        "exploding_gradients",
        "warning",
        f"the gradient at early steps is {growth:.3g} times that at the last one",
        "nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # and nn.init.orthogonal_(rnn.weight_hh_l0)",
        norms_by_step=curve.norms,
        growth=growth,
    )


@check("saturated_gates", silenced_by=("not_finite",))
def saturated_gates(examination: Examination) -> Finding | None:
    """Most gates (tanh units in a plain RNN) are at their ends, where they have no gradient: inputs or weights are
    too large. Standardise the inputs with the training part's mean and deviation."""
    seen = [call for call in (_into_gates(*call) for call in _layer_calls(examination)) if call is not None]
    shares = [float((total.abs() > (4.6 if gated else 2.65)).double().mean()) for total, gated in seen]
    if not shares or max(shares) < 0.7:
        return None
    total, gated = seen[shares.index(max(shares))]
    low = 0.0 if gated else -1.0
    counts = torch.histc((total.sigmoid() if gated else total.tanh()).float(), BINS, low, 1.0)
    largest = float(examination.batch.inputs.double().abs().max())
    return found(
        "saturated_gates",
        "warning",
        f"{max(shares):.0%} of the gates are saturated at the first update; inputs are as large as {largest:.4g}",
        "inputs = (inputs - train_mean) / train_std",
        share=max(shares),
        largest_input=largest,
        range=[low, 1.0],
        histograms={"gates" if gated else "units": (counts / counts.sum()).tolist()},
    )


def _layer_calls(examination: Examination) -> list[tuple[nn.Module, Tensor]]:
    model, _ = examination.fresh()
    calls: list[tuple[nn.Module, Tensor]] = []

    def note(module: nn.Module, arguments: tuple[object, ...]) -> None:
        values = arguments[0]
        values = values.data if isinstance(values, nn.utils.rnn.PackedSequence) else values
        if isinstance(values, Tensor) and len(calls) < 12:
            calls.append((module, values.detach().reshape(-1, values.shape[-1])))

    for module in model.modules():
        if isinstance(module, RECURRENT):
            module.register_forward_pre_hook(note)
    with torch.no_grad():
        examination.run(model, examination.batch, train=False)
    return calls


def _into_gates(module: nn.Module, values: Tensor) -> tuple[Tensor, bool] | None:
    """Return what a layer's inputs alone put into its units, from a state of zeros, and whether those are gates (or tanh units)."""
    named = dict(module.named_parameters())
    weight = named.get("weight_ih_l0", named.get("weight_ih"))
    if weight is None or getattr(module, "nonlinearity", "") == "relu" or getattr(module, "mode", "") == "RNN_RELU":
        return None
    total = values.to(weight.dtype) @ weight.T
    for name in ("bias_ih_l0", "bias_hh_l0", "bias_ih", "bias_hh"):
        if name in named:
            total = total + named[name]
    return total.detach(), weight.shape[0] != getattr(module, "hidden_size", weight.shape[0])
