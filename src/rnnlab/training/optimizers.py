"""SGD, Adam and AdamW on a stack of runs, each run with its own learning rate, momentum and decay.

The update rules are torch's (`torch.optim.SGD`, `Adam`, `AdamW`); they work on one flat buffer ``(runs, size)``, so that an
update is one pass over it on the CPU (`rnnlab.kernels.updates`), and a handful of operations elsewhere, however many layers
and runs there are.
"""

from array import array
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from rnnlab import kernels
from rnnlab.config import TrainConfig

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Optimizer:
    """One update rule for all runs of a stack.

    Args:
        configs: one a run; all name the same optimizer.
        flat: ``(runs, size)`` weights, to take shape, dtype and device from.
    """

    def __init__(self, configs: Sequence[TrainConfig], flat: Tensor) -> None:
        self.rule = configs[0].optimizer
        self.momentum = _column([config.momentum for config in configs], flat)
        self.weight_decay = _column([config.weight_decay for config in configs], flat)
        self.clip = _column([config.clip or float("inf") for config in configs], flat)
        self.clips = any(config.clip for config in configs)
        self.decays = any(config.weight_decay for config in configs)
        self.updates = 0
        self.state = [torch.zeros_like(flat) for _ in range(self._tensors(configs))]
        self.whole = torch.ones_like(self.clip)
        self.fused = kernels.supported("elman", flat.device, flat.dtype)

    def _tensors(self, configs: Sequence[TrainConfig]) -> int:
        if self.rule == "sgd":
            return int(any(config.momentum for config in configs))
        return 2

    def update(self, flat: Tensor, gradient: Tensor, rates: Tensor) -> Tensor:
        """Change ``flat`` in place and return the gradient's norm of each run, ``(runs,)``, before clipping.

        Args:
            flat: ``(runs, size)`` weights.
            gradient: ``(runs, size)``; changed in place.
            rates: ``(runs, 1)`` learning rates of this step.
        """
        self.updates += 1
        if self.fused:
            return self._in_one_pass(flat, gradient, rates)
        norm = torch.linalg.vector_norm(gradient, dim=1)
        if self.clips:
            gradient.mul_((self.clip / (norm.unsqueeze(1) + 1e-6)).clamp_(max=1.0))
        if self.decays:
            if self.rule == "adamw":
                flat.mul_(1 - rates * self.weight_decay)
            else:
                gradient.addcmul_(flat, self.weight_decay)
        if self.rule == "sgd":
            self._sgd(flat, gradient, rates)
        else:
            self._adam(flat, gradient, rates)
        return cast(Tensor, norm)

    def _in_one_pass(self, flat: Tensor, gradient: Tensor, rates: Tensor) -> Tensor:
        from rnnlab.kernels import update

        corrections = 1 / (1 - BETA_1**self.updates), (1 - BETA_2**self.updates) ** -0.5
        constants = array("f", (1 - BETA_1, BETA_2, 1 - BETA_2, EPSILON, *corrections))
        rest = self.state, rates, self.momentum, self.weight_decay
        if not self.clips:
            return update(self.rule, flat, gradient, *rest, self.whole, constants)
        norm = update("none", flat, gradient, *rest, self.whole, constants)
        shrink = (self.clip / (norm.unsqueeze(1) + 1e-6)).clamp_(max=1.0)
        update(self.rule, flat, gradient, *rest, shrink, constants)
        return norm

    def _sgd(self, flat: Tensor, gradient: Tensor, rates: Tensor) -> None:
        if self.state:
            gradient = self.state[0].mul_(self.momentum).add_(gradient)
        flat.addcmul_(gradient, rates, value=-1.0)

    def _adam(self, flat: Tensor, gradient: Tensor, rates: Tensor) -> None:
        mean, square = self.state
        mean.lerp_(gradient, 1 - BETA_1)
        square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        correction = (1 - BETA_2**self.updates) ** 0.5
        scale = (square.sqrt() / correction).add_(EPSILON)
        flat.addcmul_(mean.div(scale), rates, value=-1 / (1 - BETA_1**self.updates))

    def select(self, rows: Tensor) -> None:
        """Keep the runs at ``rows`` alone."""
        self.momentum, self.weight_decay, self.clip, self.whole = (
            column[rows] for column in (self.momentum, self.weight_decay, self.clip, self.whole)
        )
        self.state = [tensor[rows].clone() for tensor in self.state]


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).unsqueeze(1)
