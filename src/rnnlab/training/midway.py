"""When a run is examined while it trains: soon after it begins, and then so seldom that it costs a hundredth of the time.

It knows no doctor: who trains hands over the examination.
"""

import time

FIRST = 1.0
SHARE = 0.01


class Turns:
    """Whether it is an examination's turn, by what the ones before it have cost.

    Args:
        first: seconds before the first one.
        share: of the time that they may take, 0..1.
    """

    def __init__(self, first: float = FIRST, share: float = SHARE) -> None:
        self.share = share
        self._due = time.perf_counter() + first

    def come(self) -> bool:
        """Return whether one may be made now."""
        return time.perf_counter() >= self._due

    def cost(self, seconds: float) -> None:
        """Wait, from now, until the training has gone on for so long that ``seconds`` are its share."""
        self._due = time.perf_counter() + seconds / self.share
