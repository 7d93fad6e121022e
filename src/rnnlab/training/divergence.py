"""When a run has left the ground: a loss that is no number, or one far above where it began."""

import math

from rnnlab.config import TrainConfig
from rnnlab.findings import Finding

RISE = 2.0


def not_finite(config: TrainConfig, step: int, norm: float) -> Finding:
    """Return the finding of a loss that became NaN or infinite at ``step``; ``norm`` is the largest gradient norm before."""
    shown = f"{norm:.3g}" if math.isfinite(norm) else "not finite"
    return Finding(
        "diverged",
        "error",
        f"The loss stopped being a number at step {step}; the largest gradient norm before was {shown}.",
        {"step": step, "lr": config.lr, "largest_gradient_norm": norm if math.isfinite(norm) else None},
        _remedy(config),
    )


def exploded(config: TrainConfig, step: int, loss: float, first: float, norm: float) -> Finding:
    """Return the finding of a mean loss that rose to more than twice the one it began with."""
    return Finding(
        "exploded",
        "error",
        f"By step {step} the mean loss had risen to {loss:.3g}, more than {RISE:g} times the {first:.3g} it began with.",
        {"step": step, "lr": config.lr, "loss": loss, "first_loss": first, "largest_gradient_norm": norm},
        _remedy(config),
    )


def _remedy(config: TrainConfig) -> str:
    if config.clip:
        return f"Lower the learning rate: --lr {config.lr / 10:.2g}."
    return f"Clip the gradient (--clip 1) or lower the learning rate (--lr {config.lr / 10:.2g})."
