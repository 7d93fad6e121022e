"""Which axis is the batch and which is time: worked out from shapes, and batches cut accordingly.

Probes see every batch *batch first*, whatever the user's order; `Layout` translates. Pure shape work: no model is run.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rnnlab.doctor.subject import Subject


@dataclass(frozen=True)
class Batch:
    """Inputs in the user's order of axes, targets, and lengths where there are any."""

    inputs: Any
    targets: Any
    lengths: Tensor | None = None


@dataclass(frozen=True)
class Layout:
    """Where the axes are.

    Args:
        axis: the batch axis of the inputs, 0 or 1.
        size: sequences.
        steps: time steps; 1 where the inputs have no time axis.
        stepwise: targets have one entry for each time step.
        flat: targets are (batch * time, ...), batch and time folded together.
    """

    axis: int
    size: int
    steps: int
    stepwise: bool
    flat: bool = False

    def batch_first(self, inputs: Tensor) -> Tensor:
        """Return the inputs as (batch, time, ...)."""
        return inputs.movedim(self.axis, 0) if inputs.ndim > 1 else inputs

    def users_order(self, inputs: Tensor) -> Tensor:
        """Return (batch, time, ...) in the user's order of axes."""
        return inputs.movedim(0, self.axis) if inputs.ndim > 1 else inputs

    def targets_first(self, targets: Tensor) -> Tensor:
        """Return the targets as (batch, ...)."""
        if self.flat:
            return targets.reshape(self.size, self.steps, *targets.shape[1:])
        return targets.movedim(self.axis, 0) if self.stepwise else targets

    def outputs_first(self, outputs: Tensor, size: int, steps: int) -> Tensor | None:
        """Return the outputs as (batch, ...), or (batch, time, ...) where there is one for each step; None if unclear."""
        pair = (size, steps) if self.axis == 0 else (steps, size)
        if outputs.ndim >= 2 and tuple(outputs.shape[:2]) == pair and (self.stepwise or outputs.ndim > 2):
            return outputs.movedim(self.axis, 0)
        if outputs.ndim == 0:
            return outputs.reshape(1) if size == 1 else None
        if outputs.shape[0] == size:
            return outputs
        if outputs.ndim >= 2 and outputs.shape[1] == size:
            return outputs.movedim(1, 0)
        if outputs.shape[0] == size * steps and self.axis == 0:
            return outputs.reshape(size, steps, *outputs.shape[1:])
        return None

    def select(self, batch: Batch, rows: Tensor) -> Batch:
        """Return the sequences ``rows`` of a batch."""
        inputs = self.users_order(self.batch_first(batch.inputs)[rows])
        targets = self.targets_first(batch.targets)[rows]
        if self.flat:
            targets = targets.reshape(-1, *targets.shape[2:])
        elif self.stepwise:
            targets = targets.movedim(0, self.axis)
        return Batch(inputs, targets, None if batch.lengths is None else batch.lengths[rows])


def layouts(subject: Subject) -> list[Layout]:
    """Return the layouts that the shapes allow, likeliest first; none where inputs or targets are no tensors."""
    inputs, targets = subject.inputs, subject.targets
    if not isinstance(inputs, Tensor) or not isinstance(targets, Tensor) or targets.ndim == 0 or inputs.ndim == 0:
        return []
    allowed = [0, 1] if inputs.ndim > 1 else [0]
    if subject.batch_first is not None:
        allowed = [0 if subject.batch_first else 1]
    elif subject.lengths is not None and len(subject.lengths) in inputs.shape[:2]:
        allowed = [axis for axis in allowed if inputs.shape[axis] == len(subject.lengths)]
    elif subject.validation is not None:
        allowed = _by_validation(inputs, subject.validation[0]) or allowed
    found = [layout for axis in allowed if (layout := _layout(inputs, targets, axis)) is not None]
    return found or [layout for axis in (0, 1) if (layout := _layout(inputs, targets, axis)) is not None]


def _layout(inputs: Tensor, targets: Tensor, axis: int) -> Layout | None:
    """Return the layout with the batch on ``axis``, or None where the targets do not fit it."""
    if inputs.ndim <= axis:
        return None
    size = inputs.shape[axis]
    timed = inputs.ndim > 2 or (inputs.ndim == 2 and not inputs.is_floating_point())
    steps = inputs.shape[1 - axis] if timed else 1
    plain = Layout(axis, size, steps, stepwise=False)
    if timed and targets.ndim >= 2 and targets.shape[:2] == inputs.shape[:2]:
        return replace(plain, stepwise=True)
    if targets.shape[0] == size:
        return plain
    if timed and axis == 0 and steps > 1 and targets.shape[0] == size * steps:
        return replace(plain, flat=True)
    return None


def _by_validation(inputs: Tensor, other: Any) -> list[int]:
    """Return the axis on which training and validation inputs differ in size: that one is the batch."""
    if not isinstance(other, Tensor) or other.ndim != inputs.ndim or inputs.ndim < 2:
        return []
    differ = [axis for axis in (0, 1) if inputs.shape[axis] != other.shape[axis]]
    return differ if len(differ) == 1 else []


def spread_rows(size: int, wanted: int) -> Tensor:
    """Return ``wanted`` of ``size`` row numbers, evenly spaced and in order (packing wants sorted lengths kept)."""
    if size <= wanted:
        return torch.arange(size)
    return torch.linspace(0, size - 1, wanted).round().long().unique()
