"""Which values outputs can take at all: weights made huge, with random signs, and where the outputs still end."""

import math

import torch
from torch import nn

from rnnlab.doctor.examination import Examination, wake

GAINS = (30.0, 300.0)
DRAWS = 8
SLACK = 0.02


def reachable(examination: Examination) -> tuple[float, float]:
    """Return the lowest and highest output that any weights give; minus or plus infinity where there is no bound.

    An end counts as a bound where weights ten times as large do not move it.
    """
    if "_reachable" not in examination.__dict__:
        (low, high), (lower, higher) = (_range(examination, gain) for gain in GAINS)
        below = math.isfinite(lower) and lower >= low - SLACK * abs(low) - 1e-6
        above = math.isfinite(higher) and higher <= high + SLACK * abs(high) + 1e-6
        if min(low, lower) >= -1.0001 and max(high, higher) <= 1.0001:  # tanh, sigmoid, softmax, a bare recurrent layer
            low, high, lower, higher, below, above = 0.0 if min(low, lower) >= 0 else -1.0, 1.0, 0.0, 1.0, True, True
        bounds = min(low, lower) if below else -math.inf, max(high, higher) if above else math.inf
        examination.__dict__["_reachable"] = bounds
    known: tuple[float, float] = examination.__dict__["_reachable"]
    return known


def _range(examination: Examination, gain: float) -> tuple[float, float]:
    lowest, highest = float(examination.outputs.min()), float(examination.outputs.max())
    for draw in range(DRAWS):
        noise = torch.Generator().manual_seed(draw)

        def enlarge(model: nn.Module, noise: torch.Generator = noise) -> None:
            wake(model)
            for parameter in model.parameters():
                if parameter.is_floating_point():
                    parameter.mul_(gain * (torch.randint(0, 2, parameter.shape, generator=noise) * 2 - 1))

        values = examination.answer(examination.batch.inputs, change=enlarge).double()
        values = values[~values.isnan()]
        if values.numel():
            lowest, highest = min(lowest, float(values.min())), max(highest, float(values.max()))
    return lowest, highest
