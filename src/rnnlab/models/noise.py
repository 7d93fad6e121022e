"""Dropout for a stack: each run draws its own masks, from its seed and the step alone.

A unit is dropped for a whole sequence (Gal and Ghahramani, 2016), so a mask has no time axis and does not
depend on how far a batch is padded; symbols are hidden a step each, drawn time first for the same reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlab.randomness import generator


@dataclass(frozen=True)
class Noise:
    """The noise of one update: the seeds of the runs, and the step's number."""

    seeds: Sequence[int]
    step: int

    def units(self, place: int | str, batch: int, width: int, share: float, like: Tensor) -> Tensor:
        """Return a mask ``(runs, batch, 1, width)``, 0 or ``1 / (1 - share)``."""
        drawn = [
            torch.rand(batch, width, generator=generator(seed, "dropout", place, self.step)) for seed in self.seeds
        ]
        return ((torch.stack(drawn) >= share) / (1 - share)).unsqueeze(2).to(like)

    def hidden_steps(self, place: str, batch: int, time: int, share: float) -> Tensor:
        """Return which steps are hidden, ``(runs, batch, time)`` bool."""
        drawn = [torch.rand(time, batch, generator=generator(seed, place, self.step)).T for seed in self.seeds]
        return torch.stack(drawn) < share
