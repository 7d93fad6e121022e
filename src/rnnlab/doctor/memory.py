"""How far back an answer looks: the gradient's norm by step, and which steps change the answer at all.

Steps are counted backwards from the last valid one (distance 0), so that sequences of any length line up. For a model
that answers at every step, the answer is the one at the last valid step.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rnnlab.doctor.layout import Batch, Layout
from rnnlab.doctor.mixing import disturbed, first_outputs, moved

if TYPE_CHECKING:
    from rnnlab.doctor.examination import Examination

REACH = 0.01
"""A step whose gradient is below this share of the largest is beyond the effective memory."""


@dataclass(frozen=True)
class Memory:
    """The gradient of the last answer with respect to the input, by distance.

    Args:
        norms: mean norm over samples at distance 0, 1, ... from the last valid step.
    """

    norms: tuple[float, ...]

    @property
    def effective_length(self) -> int:
        """Steps until the gradient has fallen below `REACH` of its largest value for good."""
        top = max(self.norms)
        return 1 + max((d for d, norm in enumerate(self.norms) if norm > REACH * top), default=-1)

    @property
    def decay(self) -> float:
        """Factor by which the norm changes a step backwards, from a straight line through its logarithm; 0 if it ends."""
        positive = [(d, math.log(norm)) for d, norm in enumerate(self.norms) if norm > 0 and math.isfinite(norm)]
        if len(positive) < 2:
            return 0.0
        centre = sum(d for d, _ in positive) / len(positive)
        top = sum((d - centre) * value for d, value in positive)
        return math.exp(min(50.0, top / sum((d - centre) ** 2 for d, _ in positive)))


def memory(examination: "Examination") -> Memory | None:
    """Return how the gradient of the last answer falls over time; None where inputs have no time axis or no gradient."""
    layout = examination.layout
    if layout is None or layout.steps < 2:
        return None
    batch = examination.batch
    first = layout.batch_first(batch.inputs)
    model, _, _ = examination.fresh()
    model.eval()
    torch.manual_seed(0)
    kept: list[Tensor] = []
    batch, hooks = _watched(model, layout, batch, kept)
    try:
        outputs = examination.call(model, batch)
        answers = layout.outputs_first(outputs, len(first), layout.steps)
        if answers is None or not outputs.requires_grad:
            return None
        noise = torch.Generator().manual_seed(3)
        last = last_answers(layout, answers, batch)
        (last * torch.randn(last.shape, generator=noise)).sum().backward()
    except Exception:
        return None
    finally:
        for hook in hooks:
            hook.remove()
    norms = _by_step(layout, kept, len(first))
    return None if norms is None else Memory(_by_distance(norms, ends(layout, batch)))


def ends(layout: Layout, batch: Batch) -> Tensor:
    """Return the index of each sequence's last valid step: (batch,)."""
    size = layout.batch_first(batch.inputs).shape[0]
    return torch.full((size,), layout.steps - 1) if batch.lengths is None else batch.lengths.long().reshape(-1) - 1


def last_answers(layout: Layout, answers: Tensor, batch: Batch) -> Tensor:
    """Return the answer at each sequence's last valid step, or the only one: (batch, ...)."""
    if not (layout.stepwise or layout.flat):
        return answers
    where = ends(layout, batch)
    rows = torch.arange(len(answers))
    if answers.shape[1] == layout.steps:
        return answers[rows, where]
    return answers[rows, :, where] if answers.ndim > 2 and answers.shape[2] == layout.steps else answers


def reach(examination: "Examination", distances: list[int]) -> dict[int, float] | None:
    """Return, for each distance from the last valid step, the largest relative change of the last answer.

    Exactly 0 says that the answer cannot depend on that step.
    """
    layout = examination.layout
    if layout is None or layout.steps < 2:
        return None
    batch = examination.some(12)
    first = layout.batch_first(batch.inputs)
    where, rows = ends(layout, batch), torch.arange(len(first))
    answers = first_outputs(examination, layout, batch)
    if answers is None:
        return None
    before = last_answers(layout, answers, batch)
    changes: dict[int, float] = {}
    for distance in distances:
        there = where - distance
        chosen = rows[there >= 0]
        if not len(chosen):
            continue
        other = first.clone()
        other[chosen, there[chosen]] = disturbed(other[chosen, there[chosen]], first)
        after = first_outputs(examination, layout, Batch(layout.users_order(other), batch.targets, batch.lengths))
        if after is None or after.shape != answers.shape:
            return None
        changes[distance] = float(moved(before, last_answers(layout, after, batch)).max())
    return changes


def _watched(model: nn.Module, layout: Layout, batch: Batch, kept: list[Tensor]) -> tuple[Batch, list[Any]]:
    """Make the gradient visible at the inputs, or at the embeddings of symbols."""
    if batch.inputs.is_floating_point():
        inputs = batch.inputs.clone().requires_grad_(True)
        kept.append(inputs)
        return Batch(inputs, batch.targets, batch.lengths), []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            output.retain_grad()
            kept.append(output)

    return batch, [module.register_forward_hook(keep) for module in model.modules() if isinstance(module, nn.Embedding)]


def _by_step(layout: Layout, kept: list[Tensor], size: int) -> Tensor | None:
    """Return the gradient's norm for each sample and step: (batch, time)."""
    grads = [tensor.grad for tensor in kept if tensor.grad is not None]
    if len(grads) == layout.steps and all(grad.shape[0] == size and grad.ndim == 2 for grad in grads):
        return torch.stack([grad.norm(dim=-1) for grad in grads], 1)
    shape = (size, layout.steps) if layout.axis == 0 else (layout.steps, size)
    for grad in grads:
        if tuple(grad.shape[:2]) == shape:
            flat = grad.reshape(*shape, -1).norm(dim=-1)
            return flat.movedim(layout.axis, 0)
    return None


def _by_distance(norms: Tensor, where: Tensor) -> tuple[float, ...]:
    steps = norms.shape[1]
    sums: list[float] = []
    for distance in range(steps):
        there = where - distance
        rows = torch.arange(len(norms))[there >= 0]
        if not len(rows):
            break
        sums.append(float(norms[rows, there[rows]].mean()))
    return tuple(sums)
