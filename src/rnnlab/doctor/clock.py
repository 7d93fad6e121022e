"""The time that an examination may take, of a run as of a program."""

import time

from rnnlab.doctor.registry import OutOfTime


class Timed:
    """What is examined within ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            OutOfTime: none are.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return left
