"""How a stack does on a part of the data, while it trains and when it is done."""

import torch
from torch import Tensor

from rnnlab.models import Model
from rnnlab.runs import model_outputs
from rnnlab.tasks import Task


def validate(task: Task, model: Model, index: Tensor) -> list[dict[str, float]]:
    """Return loss and main metric of every run on the examples ``index``: what choices are made by."""
    outputs = torch.from_numpy(model_outputs(model, task.inputs, index))
    losses = task.loss(outputs, index.unsqueeze(0)).tolist()
    if task.kind == "classify":
        shares = (outputs.argmax(dim=2) == task.targets[index]).double().mean(dim=1).tolist()
        return [{"loss": loss, "accuracy": share} for loss, share in zip(losses, shares, strict=True)]
    return [{"loss": loss} for loss in losses]


def better(task: Task, new: dict[str, float], old: dict[str, float] | None) -> bool:
    """Whether ``new`` beats ``old``: by accuracy for labels (by loss between equals), by loss for numbers."""
    if old is None:
        return True
    if task.kind == "classify" and new["accuracy"] != old["accuracy"]:
        return new["accuracy"] > old["accuracy"]
    return new["loss"] < old["loss"]


def score_parts(task: Task, model: Model) -> list[dict[str, dict[str, float]]]:
    """Return for every run the metrics of each part of the data that has examples."""
    found: list[dict[str, dict[str, float]]] = [{} for _ in range(model.runs)]
    for name in ("train", "validation", "test"):
        index = task.part(name)
        if len(index):
            for run, outputs in enumerate(model_outputs(model, task.inputs, index)):
                found[run][name] = task.score(outputs, index.numpy())
    return found
