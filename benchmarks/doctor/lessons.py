"""Sound programs that faults are put into: one a task, in any cell, as a student's script would set them up."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.networks import Net
from benchmarks.doctor.programs import Lesson

TASKS = ("classify", "regress", "forecast")
SIZES = {"classify": (1, 3), "regress": (2, 1), "forecast": (1, 1)}  # features and outputs


def sound(cell: str, task: str, network: Callable[..., nn.Module] = Net, lr: float = 3e-3, **options: Any) -> Lesson:
    """Return a sound program; ``network(cell, features, outputs, **options)`` is its model."""
    inputs, targets, validation = data(task)
    model = network(cell, *SIZES[task], **options)
    loss = nn.CrossEntropyLoss() if task == "classify" else nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    return Lesson(model=model, optimizer=optimizer, loss=loss, inputs=inputs, targets=targets, validation=validation)


def data(task: str) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Return inputs, targets and a validation part that was never seen."""
    if task == "forecast":
        (inputs, targets), validation = problems.forecast()
        return inputs, targets, validation
    inputs, targets = problems.waves(120) if task == "classify" else problems.sums(120)
    return inputs[:96], targets[:96], (inputs[96:], targets[96:])


def step_of(clear: bool = True, step: bool = True, clip: float = 0.0, clear_after: bool = False) -> Callable[..., None]:
    """Return a ``train_step`` that may forget ``zero_grad`` or ``step``."""

    def train_step(model: nn.Module, optimizer: Any, inputs: Tensor, targets: Tensor) -> None:
        if clear:
            optimizer.zero_grad()
        outputs = model(inputs)
        loss = (
            nn.functional.mse_loss(outputs, targets)
            if targets.is_floating_point()
            else nn.functional.cross_entropy(outputs, targets)
        )
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        if step:
            optimizer.step()
        if clear_after:
            optimizer.zero_grad()

    return train_step
