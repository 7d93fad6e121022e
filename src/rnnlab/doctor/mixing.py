"""Perturbations: change one thing of the input, see which outputs move.

A sequence must not change another's answer, the future must not change the past's, padding must change nothing.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rnnlab.doctor.layout import Batch, Layout

if TYPE_CHECKING:
    from rnnlab.doctor.examination import Examination

MOVED = 1e-5
"""Relative change of an output that counts; below it lie rounding differences of the matrix products."""


def disturbed(values: Tensor, pool: Tensor) -> Tensor:
    """Return ``values`` with every entry changed: floats moved by two deviations of ``pool``, symbols replaced by others."""
    noise = torch.Generator().manual_seed(7)
    if values.is_floating_point():
        scale = float(pool.std()) if pool.numel() > 1 else 0.0
        scale = scale if scale > 0 else max(float(pool.abs().max()), 1.0)
        return values + 2.0 * scale * (torch.rand(values.shape, generator=noise, dtype=values.dtype) + 0.5)
    symbols = pool.unique()
    if len(symbols) < 2:
        return values
    place = torch.searchsorted(symbols, values.contiguous())
    step = torch.randint(1, len(symbols), values.shape, generator=noise)
    return symbols[(place + step) % len(symbols)]


def moved(before: Tensor, after: Tensor) -> Tensor:
    """Return, for each sample, the largest change of its outputs relative to their scale: (batch,)."""
    scale = float(before.abs().max()) + 1e-12
    change = (after - before).abs().nan_to_num(0.0) / scale
    return change.reshape(len(before), -1).amax(1)


def influence(examination: "Examination", layout: Layout) -> float:
    """Return the share of samples whose output moves when another sample's input changes; 0 is right."""
    batch = examination.cut(layout, 12)
    first = layout.batch_first(batch.inputs)
    size = len(first)
    before = first_outputs(examination, layout, batch)
    if size < 2 or before is None:
        return 0.0
    worst = 0.0
    for changed in (0, size - 1):
        other = first.clone()
        other[changed] = disturbed(other[changed], first)
        after = first_outputs(examination, layout, Batch(layout.users_order(other), batch.targets, batch.lengths))
        if after is None or after.shape != before.shape:
            return 0.0
        rows = torch.arange(size) != changed
        worst = max(worst, float((moved(before, after)[rows] > MOVED).float().mean()))
    return worst


def first_outputs(examination: "Examination", layout: Layout, batch: Batch) -> Tensor | None:
    """Return the outputs as (batch, ...) in evaluation mode; None where they are no floats or fit no layout."""
    outputs = examination.answer(batch)
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point():
        return None
    shape = layout.batch_first(batch.inputs).shape
    return layout.outputs_first(outputs, shape[0], shape[1] if layout.steps > 1 or len(shape) > 1 else 1)
