"""Short trainings on copies: how the loss goes with the subject's optimizer at several learning rates, and by heart.

A trial is a list of losses, one an update. It knows nothing of checks.
"""

import inspect
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rnnlab.doctor.examination import Batch, Examination
from rnnlab.doctor.registry import OutOfTime

STEPS, FEWEST = 40, 12


def trial(examination: Examination, factor: float, *, samples: int = 16) -> list[float]:
    """Return the losses of a short training on a few samples, at ``factor`` times the subject's learning rates.

    Raises:
        OutOfTime: there is no time for enough updates.
    """
    key = ("trial", factor, samples)
    if key not in _kept(examination):
        model, optimizer = examination.fresh()
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * factor
        batch = examination.take(samples)
        _kept(examination)[key] = _train(
            examination, model, batch, _update(examination, model, optimizer, batch), STEPS
        )
    losses: list[float] = _kept(examination)[key]
    return losses


def by_heart(examination: Examination, rate: float, *, samples: int = 8, steps: int = 150) -> list[float]:
    """Return the losses of learning a few samples by heart with Adam, at the subject's weight decay and dropout."""
    model, optimizer = examination.fresh()
    decay = max((float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups), default=0.0)
    wanting = [one for one in model.parameters() if one.requires_grad]
    kind = torch.optim.AdamW if isinstance(optimizer, torch.optim.AdamW) else torch.optim.Adam
    adam = kind(wanting, lr=rate, weight_decay=decay)
    batch = examination.take(samples)

    def update(step: int) -> None:
        adam.zero_grad()
        examination.loss(examination.run(model, batch, seed=step), batch).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()

    return _train(examination, model, batch, update, steps, share=0.5)


def update_sizes(examination: Examination, samples: int = 16) -> list[float]:
    """Return, for each weight matrix, the norm of one update relative to the matrix's own, after a few updates."""
    model, optimizer = examination.fresh()
    update = _update(examination, model, optimizer, examination.take(samples))
    for step in range(2):
        update(step)
    before = [one.detach().clone() for one in model.parameters()]
    update(2)
    pairs = [(old, new.detach()) for old, new in zip(before, model.parameters(), strict=True) if old.ndim > 1]
    return [float((new - old).norm() / (old.norm() + 1e-12)) for old, new in pairs]


def trained_answers(examination: Examination) -> Tensor:
    """Return the outputs of the probe's batch, evaluation mode, after a short training at the subject's learning rate."""
    model, optimizer = examination.fresh()
    update = _update(examination, model, optimizer, examination.batch)
    _train(examination, model, examination.batch, update, STEPS)
    with torch.no_grad():
        outputs = examination.run(model, examination.batch, train=False)
    while isinstance(outputs, tuple):
        outputs = outputs[0]
    answers: Tensor = outputs
    return answers


def call_train_step(examination: Examination, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> None:
    """Do one update as the subject does it, with ``lengths`` where its ``train_step`` takes them."""
    function: Callable[..., Any] = examination.subject.train_step  # type: ignore[assignment]
    arguments: list[Any] = [model, optimizer, batch.inputs.clone(), batch.targets.clone()]
    if batch.lengths is not None and len(inspect.signature(function).parameters) > 4:
        arguments.append(batch.lengths.clone())
    model.train()
    function(*arguments)


def _update(
    examination: Examination, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch
) -> Callable[[int], None]:
    """Return one update as a function of its number, which seeds dropout."""

    def own(step: int) -> None:
        optimizer.zero_grad()
        examination.loss(examination.run(model, batch, seed=step), batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    if examination.subject.train_step is None:
        return own
    return lambda _step: call_train_step(examination, model, optimizer, batch)


def _train(
    examination: Examination,
    model: nn.Module,
    batch: Batch,
    update: Callable[[int], None],
    steps: int,
    share: float = 0.3,
) -> list[float]:
    limit = time.monotonic() + share * examination.left()
    losses: list[float] = []
    for step in range(steps + 1):
        if time.monotonic() > limit:
            if step <= FEWEST:
                raise OutOfTime
            break
        with torch.no_grad():
            losses.append(float(examination.loss(examination.run(model, batch, seed=1000 + step), batch)))
        if not math.isfinite(losses[-1]):
            break
        update(step)
    return losses


def _kept(examination: Examination) -> dict[Any, Any]:
    kept: dict[Any, Any] = examination.__dict__.setdefault("_trials", {})
    return kept


def tail(losses: list[float]) -> float:
    """Return the typical loss of the last quarter; infinite where one is not finite."""
    last = sorted(losses[-max(1, len(losses) // 4) :])
    return last[len(last) // 2] if all(math.isfinite(one) for one in losses) else math.inf
