"""Checks of the loss against the outputs and targets: shapes, ranges, and whether the two fit each other."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlab.doctor.bounds import bounded, out_of_reach
from rnnlab.doctor.examination import Examination
from rnnlab.doctor.reachable import reachable
from rnnlab.doctor.registry import check, found
from rnnlab.findings import Finding

LINEAR = "self.head = nn.Linear(hidden_size, output_size)  # as the last layer, without tanh, sigmoid or ReLU after it"


@dataclass(frozen=True)
class Family:
    """What a loss is, told from how it behaves.

    Args:
        name: ``cross_entropy`` (takes logits), ``nll`` (takes log probabilities), ``bce_logits``, ``bce``, ``other``.
        class_axis: of the outputs, for the first two.
    """

    name: str
    class_axis: int = -1


def family(examination: Examination) -> Family:
    """Return what the subject's loss is."""
    if "_family" not in examination.__dict__:
        examination.__dict__["_family"] = _family(examination)
    known: Family = examination.__dict__["_family"]
    return known


def _family(examination: Examination) -> Family:
    outputs, targets = examination.outputs, examination.batch.targets
    calm = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(outputs.dtype)
    if not targets.is_floating_point() and outputs.ndim >= 2:
        moved = float(examination.loss_at(calm + 1.0)) - float(examination.loss_at(calm))
        axis = _class_axis(outputs, targets)
        if abs(moved) < 1e-3:
            return Family("cross_entropy", axis)
        return Family("nll", axis) if abs(moved + 1) < 1e-3 else Family("other", axis)
    zeros_and_ones = bool(((targets == 0) | (targets == 1)).all())
    if not zeros_and_ones:
        return Family("other")
    far = float(examination.loss_at(torch.full_like(outputs, 20.0)))
    if abs(float(examination.loss_at(torch.zeros_like(outputs))) - math.log(2)) < 1e-4 and far > 0:
        return Family("bce_logits")
    try:
        middle = float(examination.loss_at(torch.full_like(outputs, 0.5)))
    except (RuntimeError, ValueError):
        return Family("other")
    return Family("bce") if abs(middle - math.log(2)) < 1e-4 else Family("other")


def _class_axis(outputs: Tensor, targets: Tensor) -> int:
    for axis in (outputs.ndim - 1, 1):
        if axis < outputs.ndim and outputs.shape[:axis] + outputs.shape[axis + 1 :] == targets.shape:
            return axis
    return outputs.ndim - 1


def chance(examination: Examination) -> float | None:
    """Return the loss of the best constant answer, which knows the targets but not the inputs; None where unknown."""
    kind, outputs, targets = family(examination), examination.outputs, examination.batch.targets
    if kind.name in ("cross_entropy", "nll"):
        classes = outputs.shape[kind.class_axis]
        valid = targets[(targets >= 0) & (targets < classes)].long()
        shares = torch.bincount(valid.flatten(), minlength=classes).double() + 1e-3
        shape = [1] * outputs.ndim
        shape[kind.class_axis] = classes
        constant = (shares / shares.sum()).log().view(shape).expand(outputs.shape)
        return float(examination.loss_at(constant.to(outputs.dtype)))
    if kind.name != "other":
        share = float(targets.double().mean().clamp(1e-3, 1 - 1e-3))
        value = math.log(share / (1 - share)) if kind.name == "bce_logits" else share
        return float(examination.loss_at(torch.full_like(outputs, value)))
    if not targets.is_floating_point() or targets.numel() == 0 or not bool(torch.isfinite(targets).all()):
        return None
    return float(examination.loss_at(torch.full_like(outputs, float(targets.double().mean()))))


@check("loss_broadcasts")
def loss_broadcasts(examination: Examination) -> Finding | None:
    """Outputs and targets have different shapes, and the loss compares every sample with every other, as MSE of
    (5, 1, 1) against (5, 1) does. Give both the same shape: outputs.squeeze(-1), or targets.unsqueeze(-1)."""
    outputs, targets = examination.outputs, examination.batch.targets
    if not targets.is_floating_point() or outputs.shape == targets.shape or examination.batch.layout.samples < 2:
        return None
    try:
        shape = torch.broadcast_shapes(outputs.shape, targets.shape)  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None
    if math.prod(shape) <= max(outputs.numel(), targets.numel()) and outputs.numel() == targets.numel():
        return None
    if not _samples_meet(examination):
        return None
    return found(
        "loss_broadcasts",
        "error",
        f"outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)} broadcast to {tuple(shape)}: every output is "
        "compared with every sample's target",
        f"targets = targets.reshape({tuple(outputs.shape)})  # or outputs.squeeze(-1): the same shape on both sides",
        outputs=list(outputs.shape),
        targets=list(targets.shape),
        broadcast=list(shape),
    )


def _samples_meet(examination: Examination) -> bool:
    """Return whether another target of one sample moves the gradient at the outputs of all others."""
    targets = examination.batch.targets
    far = 10 * float(targets.abs().max() + examination.outputs.abs().max()) + 1
    gradients = []
    for value in (far, -far):  # on either side of every output, since an absolute error's gradient is only a sign
        chosen = targets.clone()
        chosen.movedim(examination.batch.layout.target_axis or 0, 0)[0] = value
        answer = examination.outputs.clone().requires_grad_()
        gradients.append(torch.autograd.grad(examination.loss_at(answer, chosen), answer)[0])
    difference = examination.rows(gradients[1]) - examination.rows(gradients[0])
    moved = difference.reshape(len(difference), -1).abs().amax(1)
    return bool((moved[1:] > 1e-9).any())


@check("softmax_twice")
def softmax_twice(examination: Examination) -> Finding | None:
    """The model ends in softmax (or sigmoid) and the loss applies it again, which flattens the gradient: the loss
    cannot reach 0. Return logits: cross_entropy and BCEWithLogitsLoss do it themselves."""
    kind, outputs = family(examination), examination.outputs
    if kind.name == "cross_entropy":
        if outputs.shape[kind.class_axis] < 2 or not _sums_to_one(outputs, kind.class_axis):
            return None
        classes = outputs.shape[kind.class_axis]
        floor = math.log(1 + (classes - 1) / math.e)
        return found(
            "softmax_twice",
            "error",
            f"the outputs are probabilities and the loss applies softmax to them again: it cannot fall below {floor:.3g}",
            "return self.linear(states)  # logits; CrossEntropyLoss holds the softmax",
            lowest_loss=floor,
            classes=classes,
        )
    if kind.name != "bce_logits" or not _probabilities(examination):
        return None
    return found(
        "softmax_twice",
        "error",
        "the outputs are between 0 and 1, and BCEWithLogitsLoss applies the sigmoid to them again",
        "return self.linear(states)  # without sigmoid; or use BCELoss",
        lowest=float(outputs.min()),
        largest=float(outputs.max()),
    )


def _probabilities(examination: Examination) -> bool:
    """Return whether every output is between 0 and 1, whatever the weights."""
    low, high = reachable(examination)
    return low >= -1e-6 and high <= 1 + 1e-6


def _sums_to_one(outputs: Tensor, axis: int) -> bool:
    total = outputs.double().sum(axis)
    return bool((outputs >= 0).all()) and bool(((total - 1).abs() < 1e-4).all())


@check("logits_into_nll")
def logits_into_nll(examination: Examination) -> Finding | None:
    """NLLLoss gets outputs that are not log probabilities (logits, or probabilities): the loss falls without end and
    means nothing. Use CrossEntropyLoss on logits, or end the model in log_softmax."""
    kind, outputs = family(examination), examination.outputs
    if kind.name != "nll" or outputs.shape[kind.class_axis] < 2:
        return None
    total = outputs.double().logsumexp(kind.class_axis)
    if float(total.abs().max()) < 1e-3:
        return None
    probabilities = _sums_to_one(outputs, kind.class_axis)
    return found(
        "logits_into_nll",
        "error",
        f"NLLLoss gets {'probabilities' if probabilities else 'logits'}, not log probabilities: it can fall below 0 without end",
        "loss = nn.CrossEntropyLoss()  # on logits; or return F.log_softmax(logits, dim=-1)",
        largest_log_total=float(total.abs().max()),
        loss=examination.backward.loss,
    )


@check("bounded_output", silenced_by=("softmax_twice", "logits_into_nll", "constant_inputs", "not_finite"))
def bounded_output(examination: Examination) -> Finding | None:
    """The outputs cannot reach the targets: they end in tanh, sigmoid, ReLU or a recurrent layer (at most 1), and
    the targets lie beyond. End in a linear layer, or scale the targets."""
    kind, outputs, targets = family(examination), examination.outputs, examination.batch.targets
    if not outputs.is_floating_point() or kind.name in ("nll", "bce", "bce_logits"):
        return None
    low, high = reachable(examination)
    if kind.name == "cross_entropy":
        if high > 1.01 or low < -1.01 or outputs.shape[kind.class_axis] < 2:
            return None
        floor = math.log(1 + (outputs.shape[kind.class_axis] - 1) * math.exp(low - high))
        return bounded(low, high, f"as logits they keep the loss above {floor:.3g}", LINEAR, lowest_loss=floor)
    return out_of_reach(low, high, targets, LINEAR) if targets.is_floating_point() else None


@check(
    "loss_starts_far",
    silenced_by=("softmax_twice", "logits_into_nll", "loss_broadcasts", "bounded_output", "not_finite"),
)
def loss_starts_far(examination: Examination) -> Finding | None:
    """The first loss is far above that of a constant answer: the last layer starts too large, or targets are not
    scaled. Start the last layer small; standardise the targets with the training part's mean and deviation."""
    reference = chance(examination)
    value = examination.backward.loss
    if reference is None or not math.isfinite(value) or reference <= 0:
        return None
    classes = family(examination).name in ("cross_entropy", "nll", "bce", "bce_logits")
    limit, hint = (4.0, 2.0) if classes else (100.0, 10.0)
    if classes:  # of a few samples a constant answer may know everything; equal outputs know nothing
        reference = max(reference, math.log(2), _equal_outputs(examination))
    if value < hint * reference:
        return None
    return found(
        "loss_starts_far",
        "warning" if value > limit * reference else "hint",
        f"the first loss is {value:.4g}, {value / reference:.3g} times that of a constant answer ({reference:.4g})",
        "targets = (targets - train_mean) / train_std  # and a last layer of PyTorch's own first weights",
        loss=value,
        constant_answer=reference,
    )


def _equal_outputs(examination: Examination) -> float:
    """Return the loss of a classifier that finds all classes equally likely."""
    kind, outputs = family(examination), examination.outputs
    if kind.name in ("bce", "bce_logits"):
        return math.log(2)
    return math.log(max(outputs.shape[kind.class_axis], 2))
