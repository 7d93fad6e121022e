"""Rows of numbers in compiled code: copied and added, and which step of a sequence one belongs to."""

from typing import Any

from rnnlab.kernels.compiling import inlined


@inlined
def place_of(step: Any, length: Any, reverse: Any) -> Any:
    """Return where in a sequence of ``length`` the ``step`` is that is taken."""
    return length - 1 - step if reverse else step


@inlined
def copy(source: Any, target: Any) -> None:
    """Write ``source`` to the beginning of ``target``."""
    for j in range(source.size):
        target[j] = source[j]


@inlined
def add(source: Any, target: Any) -> None:
    """Add the beginning of ``source`` to ``target``."""
    for j in range(target.size):
        target[j] += source[j]
