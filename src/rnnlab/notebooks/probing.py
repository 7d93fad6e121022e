"""What several checks ask of an answer: its shape, and what the doctor says of a training that is made of it."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from rnnlab.doctor import Subject, diagnose
from rnnlab.notebooks.checking import Wrong


def shaped(value: Any, shape: tuple[int, ...], name: str, words: str) -> Tensor:
    """Return a tensor that has a shape, or say which it should have; ``words`` name its axes.

    Raises:
        Wrong: another type or shape.
    """
    if not isinstance(value, Tensor):
        raise Wrong(f"{name} must be a tensor {words}; you return {type(value).__name__}.")
    if tuple(value.shape) != shape:
        raise Wrong(f"{name} must have the shape {words}, here {shape}; yours is {tuple(value.shape)}.")
    return value


def sound(subject: Subject, checks: Iterable[str]) -> None:
    """Pass a training that the doctor has nothing to say about.

    Raises:
        Wrong: the worst finding, with its remedy.
    """
    for finding in diagnose(subject, checks=checks):
        if finding.severity != "hint":
            raise Wrong(f"The doctor finds {finding.check}: {finding.message}. Do: {finding.remedy}.")
