"""What is examined: somebody's model, optimizer, loss and data, read from any object that has them.

`read_subject` is the boundary: what it returns has the right types, runs once, and lives on the CPU. It knows nothing
of checks.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rnnlab.errors import InputError

EXPECTED = (
    "an object with model (nn.Module), optimizer (torch.optim), loss(outputs, targets), inputs and targets (tensors, batch "
    "first), and if it has them lengths, forward(model, inputs[, lengths]), validation (inputs, targets)"
)


@dataclass(frozen=True)
class Subject:
    """A training as PyTorch has it: what `diagnose` examines. Any object with these attributes will do.

    Args:
        model: on the CPU.
        optimizer: that updates the model.
        loss: ``loss(outputs, targets)``, a scalar tensor.
        inputs: ``(batch, time, features)`` or ``(batch, time)`` symbols; a batch, or all training examples in their order.
        targets: one row a sample.
        lengths: ``(batch,)`` steps before padding.
        forward: ``forward(model, inputs[, lengths])``, what the loss gets; ``model(inputs)`` where None.
        validation: ``(inputs, targets)`` that are held out.
        history: ``{"train": [...], "validation": [...]}``, losses by epoch.
        train_step: ``train_step(model, optimizer, inputs, targets[, lengths])``, one update as the training does it.
        evaluate: ``evaluate(model, inputs, targets)``, as the training evaluates.
        horizon: steps ahead that a forecast is meant to look.
        batch_first: False where axis 0 of ``inputs`` is time.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[..., Any]
    inputs: Any
    targets: Any
    lengths: Any = None
    forward: Callable[..., Any] | None = None
    validation: tuple[Any, Any] | None = None
    history: Mapping[str, Sequence[float]] | None = None
    train_step: Callable[..., Any] | None = None
    evaluate: Callable[..., Any] | None = None
    horizon: int | None = None
    batch_first: bool | None = None

    def run(self, model: nn.Module, inputs: Tensor, lengths: Tensor | None) -> Any:
        """Return what ``forward`` (or the model itself) makes of ``inputs``: a tensor, or a tuple that starts with one."""
        function = self.forward or _own_forward
        if lengths is None or not _takes_lengths(self.forward, model):
            return function(model, inputs)
        return function(model, inputs, lengths)


def _own_forward(model: nn.Module, *arguments: Tensor) -> Any:
    return model(*arguments)


def _takes_lengths(forward: Callable[..., Any] | None, model: nn.Module) -> bool:
    """Return whether lengths can be handed on: a third argument of ``forward``, or one of the model that is named so."""
    try:
        parameters = list(inspect.signature(forward or model.forward).parameters.values())
    except (TypeError, ValueError):
        return forward is not None
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if any(one.kind == one.VAR_POSITIONAL for one in parameters):
        return True
    if forward is not None:
        return len(positional) >= 3
    return len(positional) >= 2 and "len" in positional[1].name


def read_subject(given: Any) -> Subject:
    """Return ``given``, an object or a mapping of its attributes, as a checked `Subject`.

    Raises:
        InputError: something is missing, of another type, or not on the CPU.
    """
    if isinstance(given, Mapping):
        given = SimpleNamespace(**given)
    missing = [
        name for name in ("model", "optimizer", "loss", "inputs", "targets") if getattr(given, name, None) is None
    ]
    if missing:
        raise InputError(
            f"the subject must be {EXPECTED}, got {type(given).__name__} without {', '.join(missing)}; add it"
        )
    if not isinstance(given.model, nn.Module):
        raise InputError(f"model must be an nn.Module, got {type(given.model).__name__}; wrap it in one")
    if not isinstance(given.optimizer, torch.optim.Optimizer):
        raise InputError(
            f"optimizer must be a torch.optim.Optimizer, got {type(given.optimizer).__name__}; pass the one in use"
        )
    for name in ("loss", "forward", "train_step", "evaluate"):
        value = getattr(given, name, None)
        if value is not None and not callable(value):
            raise InputError(f"{name} must be callable, got {type(value).__name__}; pass the function, not its result")
    optional = ("forward", "train_step", "evaluate", "horizon", "batch_first")
    subject = Subject(
        given.model,
        given.optimizer,
        given.loss,
        _tensor("inputs", given.inputs),
        _tensor("targets", given.targets),
        lengths=_lengths(getattr(given, "lengths", None)),
        validation=_validation(getattr(given, "validation", None)),
        history=_history(getattr(given, "history", None)),
        **{name: getattr(given, name, None) for name in optional},
    )
    _check_devices(subject)
    if subject.lengths is not None and subject.lengths.numel() not in subject.inputs.shape[:2]:
        sizes, count = tuple(subject.inputs.shape), subject.lengths.numel()
        raise InputError(f"lengths must hold one number a sample of inputs {sizes}, got {count}; pass (batch,) steps")
    return subject


def _tensor(name: str, value: Any) -> Tensor:
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if not isinstance(value, Tensor):
        raise InputError(
            f"{name} must be a tensor or a NumPy array, got {type(value).__name__}; pad ragged ones, pass lengths"
        )
    if value.ndim == 0 or value.numel() == 0:
        raise InputError(f"{name} must hold at least one sample, got shape {tuple(value.shape)}; pass a batch")
    return value.detach()


def _lengths(value: Any) -> Tensor | None:
    try:
        return None if value is None else torch.as_tensor(value).detach().long()
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"lengths must be whole numbers, got {type(value).__name__}; pass (batch,) steps") from None


def _history(value: Any) -> dict[str, list[float]] | None:
    if value is None:
        return None
    try:
        return {str(name): [float(loss) for loss in losses] for name, losses in value.items()}
    except (AttributeError, TypeError, ValueError):
        raise InputError(
            f'history must be {{"train": [...], "validation": [...]}}, got {type(value).__name__}; pass losses by epoch'
        ) from None


def _validation(value: Any) -> tuple[Tensor, Tensor] | None:
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) < 2:
        raise InputError(f"validation must be (inputs, targets), got {type(value).__name__}; pass the pair")
    return _tensor("validation inputs", value[0]), _tensor("validation targets", value[1])


def _check_devices(subject: Subject) -> None:
    named: dict[str, Tensor] = {"inputs": subject.inputs, "targets": subject.targets}
    named |= {f"parameter {name}": value for name, value in subject.model.named_parameters()}
    for name, value in named.items():
        if is_lazy(value):
            raise InputError(
                f"{name} must have a shape, got that of a lazy layer; call model(inputs) once before the optimizer is built"
            )
        if value.device.type != "cpu":
            raise InputError(
                f"{name} must be on the CPU, got {value.device}; return model.cpu() and CPU tensors, optimizer after"
            )
    if not any(True for _ in subject.model.parameters()):
        raise InputError("model must have parameters, got none; assign its layers to attributes")
