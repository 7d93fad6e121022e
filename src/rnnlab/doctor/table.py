"""The table of all checks of anybody's training, complete: importing it enters every module's checks."""

from rnnlab.doctor import dataset, evaluation, gradients, learning, losses, sequences, wiring
from rnnlab.doctor.registry import CHECKS, Check, in_order

MODULES = (dataset, wiring, losses, sequences, evaluation, gradients, learning)


def ordered(checks: dict[str, Check]) -> list[Check]:
    """Return the checks so that each comes after those that silence it; one that trains comes late."""
    return in_order(checks, late=lambda one: one.run.__module__ == learning.__name__)


__all__ = ["CHECKS", "MODULES", "Check", "ordered"]
