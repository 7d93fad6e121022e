"""What is examined: a model, how it is trained, and the data; checked once, at the door.

`Subject.of` turns whatever a user's factory returned into a `Subject`, or raises one `InputError` that shows the
signature that was expected. This module runs nothing of the user's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnnlab.errors import InputError

EXPECTED = (
    "def factory() -> an object with model (nn.Module on the CPU), optimizer, loss(outputs, targets), inputs, targets"
    " [, lengths, forward(model, inputs[, lengths]), validation (inputs, targets), history, batch_first,"
    " train_step(model, optimizer, inputs, targets)]"
)
REQUIRED = ("model", "optimizer", "loss", "inputs", "targets")


@dataclass(frozen=True)
class Subject:
    """A training to examine.

    Args:
        model: the network, on the CPU.
        optimizer: a torch optimizer.
        loss: ``loss(outputs, targets)``, one number with a gradient.
        inputs: (batch, time, features) or (batch, time), or time first as torch's own default has it.
        targets: (batch, ...) or (batch, time, ...).
        lengths: (batch,) valid steps of each sequence.
        forward: ``forward(model, inputs)`` or ``forward(model, inputs, lengths)``; ``model(inputs)`` where None.
        validation: held-out ``(inputs, targets)``.
        history: ``{"train": [...], "validation": [...]}``, losses by epoch.
        batch_first: whether ``inputs`` are; worked out from the shapes where None.
        train_step: the user's own ``train_step(model, optimizer, inputs, targets)``.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[..., Any]
    inputs: Any
    targets: Any
    lengths: Tensor | None = None
    forward: Callable[..., Any] | None = None
    validation: tuple[Any, Any] | None = None
    history: dict[str, list[float]] | None = None
    batch_first: bool | None = None
    train_step: Callable[..., Any] | None = None

    @classmethod
    def of(cls, given: object) -> "Subject":
        """Return the subject that ``given`` describes: an object with these attributes, or a mapping of them."""
        if isinstance(given, cls):
            return given
        names = [*REQUIRED, "lengths", "forward", "validation", "history", "batch_first", "train_step"]
        values = {name: _part(given, name) for name in names}
        missing = [name for name in REQUIRED if values[name] is None]
        if missing:
            raise InputError(f"subject must have {', '.join(missing)}, got {_kind(given)}; expected {EXPECTED}")
        _check_model(values["model"], values["optimizer"])
        for name in ("loss", "forward", "train_step"):
            if values[name] is not None and not callable(values[name]):
                raise InputError(f"{name} must be callable, got {_kind(values[name])}; expected {EXPECTED}")
        values["inputs"], values["targets"] = _tensor(values["inputs"]), _tensor(values["targets"])
        _check_data(values["inputs"], values["targets"])
        values["lengths"] = None if values["lengths"] is None else torch.as_tensor(values["lengths"]).cpu()
        values["validation"] = _pair(values["validation"])
        values["history"] = _history(values["history"])
        return cls(**values)


def _part(given: object, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)


def _kind(value: object) -> str:
    return type(value).__name__


def _check_model(model: object, optimizer: object) -> None:
    if not isinstance(model, nn.Module):
        raise InputError(f"model must be an nn.Module, got {_kind(model)}; expected {EXPECTED}")
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(f"optimizer must be a torch.optim.Optimizer, got {_kind(optimizer)}; expected {EXPECTED}")
    elsewhere = next((p.device for p in [*model.parameters(), *model.buffers()] if p.device.type != "cpu"), None)
    if elsewhere is not None:
        raise InputError(f"model must be on the CPU, got one on {elsewhere}; return model.cpu(), inputs.cpu() and so on")


def _check_data(inputs: object, targets: object) -> None:
    for name, value in (("inputs", inputs), ("targets", targets)):
        if isinstance(value, Tensor):
            if value.device.type != "cpu":
                raise InputError(f"{name} must be on the CPU, got a tensor on {value.device}; return {name}.cpu()")
            if value.numel() == 0:
                raise InputError(f"{name} must hold at least one example, got shape {tuple(value.shape)}; pass a batch")


def _tensor(value: Any) -> Any:
    """Return arrays as tensors; whatever else there is, as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    return value


def _pair(value: Any) -> tuple[Any, Any] | None:
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) < 2:
        raise InputError(f"validation must be (inputs, targets), got {_kind(value)}; expected {EXPECTED}")
    return _tensor(value[0]), _tensor(value[1])


def _history(value: Any) -> dict[str, list[float]] | None:
    """Return ``{"train": losses, "validation": losses}`` of a mapping with the usual names, or of a plain list."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        value = {"train": value}
    names = {"train": ("train", "train_loss", "loss"), "validation": ("validation", "val", "val_loss", "valid")}
    try:
        return {
            ours: [float(loss) for loss in next((value[name] for name in theirs if name in value), [])]
            for ours, theirs in names.items()
        }
    except (TypeError, ValueError):
        raise InputError(f"history must be lists of losses, got {_kind(value)}; expected {EXPECTED}") from None
