"""The losses of a stack of runs, each the mean of a run's batch; and the same with its gradient, without autograd.

The functions ``..._and_gradient`` return ``(losses (runs,), gradient)``, the gradient of the sum of the losses, shaped like the outputs.
"""

import torch
import torch.nn.functional as functional
from torch import Tensor


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of each run, ``(runs,)``, of ``outputs`` and ``targets (runs or 1, batch, outputs)``."""
    return (outputs - targets).square().mean(dim=(1, 2))


def squared_and_gradient(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return `squared` and its gradient.

    Example:
        >>> squared_and_gradient(torch.tensor([[[3.0, 1.0]]]), torch.tensor([[[1.0, 1.0]]]))
        (tensor([2.]), tensor([[[2., 0.]]]))
    """
    error = outputs - targets
    return error.square().mean(dim=(1, 2)), error * (2 / (error.shape[1] * error.shape[2]))


def pinball(outputs: Tensor, targets: Tensor, quantiles: tuple[float, ...]) -> Tensor:
    """Return the mean pinball loss of each run, ``(runs,)`` (Koenker and Bassett, 1978).

    Args:
        outputs: ``(runs, batch, horizon * quantiles)``.
        targets: ``(runs or 1, batch, horizon)``.
        quantiles: in 0..1.
    """
    over, shares = _over(outputs, targets, quantiles)
    return torch.maximum(shares * over, (shares - 1) * over).mean(dim=(1, 2, 3))


def pinball_and_gradient(outputs: Tensor, targets: Tensor, quantiles: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Return `pinball` and its gradient; where an output is met exactly, that lies midway, as in torch."""
    over, shares = _over(outputs, targets, quantiles)
    losses = torch.maximum(shares * over, (shares - 1) * over).mean(dim=(1, 2, 3))
    slope = 0.5 - shares - 0.5 * over.sign()
    return losses, slope.view(outputs.shape) / over[0].numel()


def _over(outputs: Tensor, targets: Tensor, quantiles: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Return by how much the targets lie over each quantile, ``(runs, batch, horizon, quantiles)``, and the quantiles."""
    steps = outputs.view(*outputs.shape[:2], -1, len(quantiles))
    return targets.unsqueeze(-1) - steps, torch.tensor(quantiles, dtype=outputs.dtype, device=outputs.device)


def cross_entropy(outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    """Return the mean cross entropy of each run, ``(runs,)``.

    Args:
        outputs: ``(runs, batch, classes)``.
        targets: ``(runs or 1, batch)`` int64.
        label_smoothing: share of a label spread over all classes.
    """
    runs, batch, classes = outputs.shape
    wanted = targets.expand(runs, batch).reshape(-1)
    each = functional.cross_entropy(
        outputs.reshape(runs * batch, classes), wanted, reduction="none", label_smoothing=label_smoothing
    )
    return each.view(runs, batch).mean(dim=1)


def cross_entropy_and_gradient(outputs: Tensor, targets: Tensor, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Return `cross_entropy` and its gradient: the softmax without the label, through the batch."""
    runs, batch, classes = outputs.shape
    wanted = targets.expand(runs, batch).unsqueeze(-1)
    chances = outputs.log_softmax(dim=-1)
    each = chances.gather(-1, wanted).squeeze(-1)
    if label_smoothing:
        each = (1 - label_smoothing) * each + label_smoothing * chances.mean(dim=-1)
    gradient = chances.exp_()
    if label_smoothing:
        gradient -= label_smoothing / classes
    whole = torch.full((1, 1, 1), label_smoothing - 1, dtype=outputs.dtype, device=outputs.device)
    return each.mean(dim=1).neg_(), gradient.scatter_add_(-1, wanted, whole.expand(runs, batch, 1)).div_(batch)
