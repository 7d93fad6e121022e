"""The table of all checks, complete: importing it enters every module's checks, causes before what they explain."""

from graphlib import TopologicalSorter

from rnnlab.doctor import dataset, evaluation, gradients, learning, losses, sequences, wiring
from rnnlab.doctor.registry import CHECKS, Check

MODULES = (dataset, wiring, losses, sequences, evaluation, gradients, learning)


def in_order(checks: dict[str, Check]) -> list[Check]:
    """Return the checks so that each comes after those that silence it; one that trains comes late.

    Raises:
        graphlib.CycleError: checks silence each other in a circle.
    """
    graph = {name: [by for by in one.silenced_by if by in checks] for name, one in checks.items()}
    late = [
        name for name in TopologicalSorter(graph).static_order() if checks[name].run.__module__ == learning.__name__
    ]
    early = [name for name in TopologicalSorter(graph).static_order() if name not in late]
    return [checks[name] for name in (*early, *late)]


__all__ = ["CHECKS", "MODULES", "Check", "in_order"]
