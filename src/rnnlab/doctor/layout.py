"""Which axis is the batch and which is time, worked out from shapes; tensors seen sample by sample and step by step.

Inputs count as batch first unless the subject or the shapes say otherwise. Pure shape work: no model is run.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rnnlab.doctor.subject import Subject


@dataclass(frozen=True)
class Layout:
    """Where the axes of a batch are.

    Args:
        samples: sequences in the batch.
        steps: time steps of the inputs; 0 where they have no time axis.
        batch_axis: of the inputs, 0 or 1.
        target_axis: of the targets, 0 or 1; None where batch and time are folded together, ``(batch * time, ...)``.
        targets_by_step: whether there is a target for each step.
    """

    samples: int
    steps: int
    batch_axis: int = 0
    target_axis: int | None = 0
    targets_by_step: bool = False

    @staticmethod
    def take(tensor: Tensor, index: Tensor, axis: int) -> Tensor:
        """Return the samples ``index`` of a tensor whose batch is ``axis``."""
        return tensor.index_select(axis, index)

    def input_rows(self, inputs: Tensor) -> Tensor:
        """Return inputs as ``(batch, ...)``."""
        return inputs.transpose(0, 1) if self.batch_axis == 1 else inputs

    def target_rows(self, targets: Tensor) -> Tensor:
        """Return targets as ``(batch, ...)``, or ``(batch, time, ...)`` where there is one a step."""
        if self.target_axis is None:
            return self._unfold(targets)
        return targets.transpose(0, 1) if self.target_axis == 1 else targets

    def by_sample(self, outputs: Tensor) -> Tensor | None:
        """Return outputs as ``(batch, ...)``; None where no axis is of the samples."""
        stepwise = self.by_step(outputs) if self.targets_by_step else None
        if stepwise is not None:
            return stepwise
        if outputs.ndim == 0:
            return outputs.reshape(1) if self.samples == 1 else None
        if outputs.ndim >= 3 and self.batch_axis == 1 and outputs.shape[:2] == (self.steps, self.samples):
            return outputs.transpose(0, 1)
        if outputs.shape[0] == self.samples:
            return outputs
        if outputs.ndim >= 2 and outputs.shape[1] == self.samples:
            return outputs.transpose(0, 1)
        return None

    def by_step(self, outputs: Tensor) -> Tensor | None:
        """Return outputs as ``(batch, time, ...)``; None where there is none for each step."""
        if self.steps < 1 or outputs.ndim == 0:
            return None
        pair = (self.samples, self.steps) if self.batch_axis == 0 else (self.steps, self.samples)
        timed = outputs.ndim >= 3 or self.targets_by_step
        if outputs.ndim >= 2 and tuple(outputs.shape[:2]) == pair and timed:
            return outputs.transpose(0, 1) if self.batch_axis == 1 else outputs
        if outputs.ndim == 3 and self.batch_axis == 0 and (outputs.shape[0], outputs.shape[2]) == pair:
            return outputs.transpose(1, 2)
        if self.targets_by_step and self.steps > 1 and outputs.shape[0] == self.samples * self.steps:
            return self._unfold(outputs)
        return None

    def _unfold(self, folded: Tensor) -> Tensor:
        if self.batch_axis == 0:
            return folded.reshape(self.samples, self.steps, *folded.shape[1:])
        return folded.reshape(self.steps, self.samples, *folded.shape[1:]).transpose(0, 1)


def layout_of(subject: Subject) -> Layout:
    """Return the layout of a subject's inputs and targets.

    Time first is recognised where ``batch_first`` is False, or where the targets (or ``lengths``, or the validation part)
    have as many samples as axis 1 of the inputs and not as axis 0.
    """
    inputs, targets = subject.inputs, subject.targets
    timed = inputs.ndim > 2 or (inputs.ndim == 2 and not inputs.is_floating_point())
    if not timed:
        return Layout(inputs.shape[0], 0)
    axis = _batch_axis(subject)
    samples, steps = inputs.shape[axis], inputs.shape[1 - axis]
    if targets.ndim >= 2 and targets.shape[:2] == inputs.shape[:2] and steps > 1:
        return Layout(samples, steps, axis, axis, targets_by_step=True)
    if targets.ndim and targets.shape[0] == samples * steps and samples > 1 and steps > 1:
        return Layout(samples, steps, axis, None, targets_by_step=True)
    target_axis = 1 if targets.ndim >= 2 and targets.shape[0] != samples and targets.shape[1] == samples else 0
    return Layout(samples, steps, axis, target_axis)


def _batch_axis(subject: Subject) -> int:
    inputs, targets = subject.inputs, subject.targets
    if subject.batch_first is not None:
        return 0 if subject.batch_first else 1
    wide = tuple(inputs.shape[:2])
    if subject.lengths is not None and (len(subject.lengths) == wide[0]) != (len(subject.lengths) == wide[1]):
        return wide.index(len(subject.lengths))
    if targets.ndim and targets.shape[0] == wide[1] and targets.shape[0] != wide[0]:
        return 1
    if targets.ndim >= 2 and targets.shape[:2] == inputs.shape[:2] and subject.validation is not None:
        other = subject.validation[0].shape[:2]
        differ = [axis for axis in (0, 1) if len(other) == 2 and other[axis] != wide[axis]]
        if len(differ) == 1:
            return differ[0]
    return 0


def first_tensor(outputs: Any) -> Tensor:
    """Return the first tensor of what a model returned, itself or in tuples, lists or mappings.

    Raises:
        TypeError: there is none.
    """
    if isinstance(outputs, Tensor):
        return outputs
    parts = outputs.values() if isinstance(outputs, dict) else outputs if isinstance(outputs, (tuple, list)) else ()
    for part in parts:
        try:
            return first_tensor(part)
        except TypeError:
            continue
    raise TypeError(f"the model must return a tensor first, got {type(outputs).__name__}")
