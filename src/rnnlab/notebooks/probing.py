"""What several checks ask of an answer: its shape, and what the doctor says of a training that is made of it."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

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


def need_layers(model: Any, layer: type[nn.Module], cell: str, name: str = "") -> None:
    """Pass a module that holds a recurrent layer of PyTorch; ``name`` is what made it, `Network` of the cell where empty.

    Raises:
        Wrong: it is no module, or holds another layer.
    """
    if not isinstance(model, nn.Module):
        raise Wrong(f"{name or 'Network'} must be an nn.Module.")
    if not any(type(module) is layer for module in model.modules()):
        held = {type(module).__name__ for module in model.modules() if isinstance(module, nn.RNNBase)}
        listed = ", ".join(f"nn.{name}" for name in sorted(held)) or "no recurrent layer of PyTorch"
        made = name or f"Network({cell!r})"
        raise Wrong(f"{made} must hold an nn.{layer.__name__}; it holds {listed}.")


def sound(subject: Subject, checks: Iterable[str]) -> None:
    """Pass a training that the doctor has nothing to say about.

    Raises:
        Wrong: the worst finding, with its remedy; or what kept the doctor from looking, unless it was time.
    """
    for finding in diagnose(subject, checks=checks):
        broken = [reason for reason in finding.evidence.values() if "Error" in str(reason)]
        if finding.check == "not_examined" and broken:
            raise Wrong(f"The doctor calls it with other batches of the same data, and it raises {broken[0]}.")
        if finding.severity != "hint":
            raise Wrong(f"The doctor finds {finding.check}: {finding.message}. Do: {finding.remedy}.")


def recurrent(subject: Subject, checks: Iterable[str]) -> None:
    """Pass a sound training whose recurrent weights receive a gradient.

    Raises:
        Wrong: as of `sound`, or the recurrent layer sees a single step.
    """
    sound(subject, checks)
    weights = [one for name, one in subject.model.named_parameters() if "weight_hh" in name]
    loss = subject.loss(subject.model(subject.inputs), subject.targets)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    if not any(one is not None and bool(one.any()) for one in found):
        raise Wrong(
            "The recurrent weights never receive a gradient, so nothing is recurrent: the layer sees one step. Give it the "
            "values as steps, (batch, time, 1), not as the features of one."
        )
    sound(subject, ("parameters_without_gradient",))
