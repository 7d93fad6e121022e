"""Checks of evaluation and repetition: dropout that stays on, and numbers that differ from one call to the next."""

import os

import torch
from torch import nn

from rnnlab.doctor.examination import Examination
from rnnlab.doctor.guard import seed_everything
from rnnlab.doctor.layout import first_tensor
from rnnlab.doctor.registry import check, found
from rnnlab.findings import Finding

_NOISY = ("Dropout", "BatchNorm")


@check("nondeterminism")
def nondeterminism(examination: Examination) -> Finding | None:
    """The same weights, inputs and seeds give other numbers: something draws from a generator that no seed reaches.
    Draw from torch's generator, or hand the seed down."""
    outputs = []
    for _ in range(2):
        with torch.no_grad():
            outputs.append(first_tensor(examination.run(examination.fresh()[0], examination.batch)).double())
    moved = float((outputs[0] - outputs[1]).abs().max()) if outputs[0].shape == outputs[1].shape else float("inf")
    if moved == 0 or moved != moved:
        return None
    return found(
        "nondeterminism",
        "warning",
        f"with the same seeds of torch, NumPy and Python two passes differ by {moved:.3g}",
        "generator = torch.Generator().manual_seed(seed)  # for every random number, and no other source",
        difference=moved,
        hash_seed=os.environ.get("PYTHONHASHSEED", "random"),
    )


@check("dropout_in_evaluation", silenced_by=("nondeterminism", "state_carried"))
def dropout_in_evaluation(examination: Examination) -> Finding | None:
    """Dropout is on while the model is evaluated: F.dropout without training=self.training, or no model.eval(). Say
    model.eval() before evaluating, model.train() before training."""
    outputs = []
    for seed in (0, 1):
        with torch.no_grad():
            model, _ = examination.fresh()
            outputs.append(first_tensor(examination.run(model, examination.batch, train=False, seed=seed)).double())
    moved = float((outputs[0] - outputs[1]).abs().max())
    if moved > examination.tolerance:
        return _finding(f"after model.eval() two passes differ by {moved:.3g}", moved)
    noisy = _evaluated_in_training_mode(examination)
    if not noisy:
        return None
    return _finding(f"evaluate() runs the model in training mode, with {noisy[0]} active", 0.0)


def _finding(how: str, moved: float) -> Finding:
    return found(
        "dropout_in_evaluation",
        "error",
        f"dropout is on in evaluation: {how}",
        "model.eval() before evaluating; F.dropout(x, 0.5, training=self.training), or an nn.Dropout layer",
        difference=moved,
    )


def _evaluated_in_training_mode(examination: Examination) -> list[str]:
    evaluate = examination.subject.evaluate
    if evaluate is None:
        return []
    model, _ = examination.fresh()
    active: list[str] = []

    def note(module: nn.Module, *_: object) -> None:
        rate = getattr(module, "p", getattr(module, "dropout", 0.0))
        noisy = type(module).__name__.startswith(_NOISY) or isinstance(module, nn.RNNBase)
        if module.training and noisy and (rate > 0 or type(module).__name__.startswith("BatchNorm")):
            active.append(type(module).__name__)

    for module in model.modules():
        module.register_forward_pre_hook(note)
    model.train()
    seed_everything()
    evaluate(model, examination.batch.inputs.clone(), examination.batch.targets.clone())
    return active
