"""Learning-rate schedules, as a factor of the learning rate.

``one_cycle`` is Smith's (2018) in torch's form (`torch.optim.lr_scheduler.OneCycleLR` with its defaults, without the
cycle in momentum); it follows the share of the budget that is spent, in steps or in seconds.
"""

import math
from dataclasses import dataclass

RISE, START, END = 0.3, 1 / 25, 1 / 25e4
PLATEAU_PATIENCE, PLATEAU_FACTOR = 5, 0.5


def one_cycle(spent: float) -> float:
    """Return the factor when a share ``spent`` (0..1) of the budget is spent.

    Example:
        >>> round(one_cycle(0.0), 3), one_cycle(0.3)
        (0.04, 1.0)
    """
    if spent < RISE:
        return _cosine(START, 1.0, spent / RISE)
    return _cosine(1.0, END, min(1.0, (spent - RISE) / (1 - RISE)))


def _cosine(begin: float, end: float, share: float) -> float:
    return end + (begin - end) * (1 + math.cos(math.pi * share)) / 2


@dataclass
class Plateau:
    """Halve the rate after five evaluations without a better one (torch's ``ReduceLROnPlateau``, factor 0.5, patience 5)."""

    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def see(self, loss: float) -> None:
        """Take note of an evaluation."""
        if loss < self.best * (1 - 1e-4):
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > PLATEAU_PATIENCE:
            self.factor, self.waited = self.factor * PLATEAU_FACTOR, 0
