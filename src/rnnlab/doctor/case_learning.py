"""Checks of how a run learned, by its history and how far its weights moved: learning rates, over- and underfitting, updates."""

import math

import numpy as np

from rnnlab.doctor.case import LEAST_UPDATES, Case
from rnnlab.doctor.case_data import BROKEN, run_check
from rnnlab.doctor.learning import curves
from rnnlab.doctor.registry import found, thin
from rnnlab.findings import Finding

DIVERGED = ("diverged", "exploded")
MIDWAY_EVALUATIONS = 5


@run_check("learning_rate_too_large", needs=("task",), silenced_by=(*DIVERGED, *BROKEN))
def learning_rate_too_large(case: Case) -> Finding | None:
    """The training loss ends above where it has been, or above that of a constant answer: the updates jump over what they look
    for. Divide the learning rate by 10, or clip the gradient."""
    losses, chance = case.losses(), case.constant_loss
    if case.updates < LEAST_UPDATES or not losses:
        return None
    if case.midway and len(losses) < MIDWAY_EVALUATIONS:
        return None
    end, best = _end_midway(losses) if case.midway else _end(losses), min(losses)
    # A rate that rises and falls lets the loss rise and fall.
    rose = end > 1.5 * best + 0.05 * chance and not (case.midway and case.run.train_config.schedule == "one_cycle")
    above = end > 1.05 * chance and case.movement > 0.3
    if not rose and not above:
        return None
    training = case.run.train_config
    where = f"had been {best:.4g}" if rose else f"a constant answer has {chance:.4g}"
    return found(
        "learning_rate_too_large",
        "warning",
        f"the training loss {'stays' if case.midway else 'ends'} at {end:.4g}, and {where}: the learning rate {training.lr:g} is too large",
        f"--lr {training.lr / 10:.2g}{'' if training.clip else ', or --clip 1'}",
        learning_rate=training.lr,
        end=end,
        best=best,
        constant_answer=chance,
        largest_gradient_norm=max(case.losses("grad_norm"), default=math.nan),
        **_curve(case, int(np.argmin(losses))),
    )


@run_check(
    "learning_rate_too_small",
    needs=("task", "network"),
    silenced_by=(*DIVERGED, *BROKEN, "learning_rate_too_large"),
    at_the_end=True,
)
def learning_rate_too_small(case: Case) -> Finding | None:
    """The weights have hardly moved and the loss is still that of a constant answer. Multiply the learning rate by 10 or 100."""
    losses, chance = case.losses(), case.constant_loss
    if case.updates < LEAST_UPDATES or not losses or chance <= 0 or _end(losses) < 0.9 * min(chance, losses[0]):
        return None
    if not case.movement < 0.02:
        return None
    training = case.run.train_config
    factor = 10.0 ** min(
        5, max(1, round(-math.log10(max(case.movement, 1e-6))))
    )  # sound trainings move weights by their size
    return found(
        "learning_rate_too_small",
        "warning",
        f"in {case.updates} updates the weights have moved by {case.movement:.2%} of their size, and the training loss is still "
        f"{_end(losses):.4g} (a constant answer has {chance:.4g})",
        f"--lr {training.lr * factor:.1g}",
        learning_rate=training.lr,
        movement=case.movement,
        updates=case.updates,
        end=_end(losses),
        constant_answer=chance,
        **_curve(case),
    )


@run_check(
    "underfitting",
    needs=("task",),
    silenced_by=(*DIVERGED, *BROKEN, "learning_rate_too_large", "learning_rate_too_small"),
    at_the_end=True,
)
def underfitting(case: Case) -> Finding | None:
    """After all its updates the network knows no more of the training part than a constant answer does. Train longer, with
    more units or another learning rate; else the inputs do not tell the target."""
    losses, chance = case.losses(), case.constant_loss
    if case.updates < LEAST_UPDATES or not losses or chance <= 0:
        return None
    end = _end(losses)
    if end < 0.97 * chance:
        return None
    return found(
        "underfitting",
        "warning",
        f"after {case.updates} updates the training loss is {end:.4g}, and a constant answer has {chance:.4g}: nothing was learned",
        "--lr 3 times larger or smaller, --epochs, --hidden-size; if none helps, the inputs do not tell the target",
        end=end,
        constant_answer=chance,
        updates=case.updates,
        movement=case.movement if not case.missing("network") else math.nan,
        **_curve(case),
    )


@run_check("overfitting", silenced_by=(*DIVERGED, "learning_rate_too_large"), at_the_end=True)
def overfitting(case: Case) -> Finding | None:
    """The validation's loss is best early and rises from then on, while the training's falls: the network learns its examples
    by heart. Stop earlier, or regularise."""
    train, held = case.losses(), case.losses("validation_loss")
    seen = curves(train, held)
    if seen is None or seen.check != "overfitting":
        return None
    training, best = case.run.train_config, seen.evidence["best_epoch"]
    kept = training.keep == "best"
    accuracy = case.losses("validation_accuracy")
    unharmed = kept or (bool(accuracy) and max(accuracy) - accuracy[-1] < 0.01)
    which = (
        "the weights kept are those of the best evaluation"
        if kept
        else "the accuracy has not fallen with it"
        if unharmed
        else "the last weights were kept"
    )
    return found(
        "overfitting",
        "hint" if unharmed else "warning",
        f"the validation's loss is best at evaluation {best + 1} of {len(held)} and {seen.evidence['rise']:.0%} higher at the end, "
        f"while the training's still falls; {which}",
        ("--patience 5 saves the rest of the time" if kept else f"--keep best, or --epochs {best + 1}")
        + f"; --dropout {min(0.7, case.run.model_config.dropout + 0.2):.1g}, --weight-decay or more data against it",
        rise=seen.evidence["rise"],
        evaluations=len(held),
        **_curve(case, best),
    )


@run_check("updates_on_single_examples", needs=("task",))
def updates_on_single_examples(case: Case) -> Finding | None:
    """Every example makes an update of its own: each follows one example's gradient, and many small products are slow. Use
    batches."""
    training, examples = case.run.train_config, len(case.task.part("train"))
    if training.batch_size > 1 or examples < 64:
        return None
    return found(
        "updates_on_single_examples",
        "hint",
        f"every one of {examples:,} training examples makes an update of its own: each follows a single example's gradient, and "
        "many small products are slow",
        "--batch-size 32",
        batch_size=training.batch_size,
        updates_an_epoch=examples,
    )


def _end(losses: list[float]) -> float:
    """Return the typical loss of the last fifth."""
    return float(np.median(losses[-max(1, len(losses) // 5) :]))


def _end_midway(losses: list[float]) -> float:
    """Return what the loss stayed above for a third of the evaluations, five at least: a training that goes on may yet recover."""
    return min(losses[-max(MIDWAY_EVALUATIONS, len(losses) // 3) :])


def _curve(case: Case, mark: int | None = None) -> dict[str, object]:
    """Return the losses by update as evidence, thinned for a picture, with the evaluation ``mark`` pointed out."""
    steps = [int(entry["step"]) for entry in case.run.history]
    found: dict[str, object] = {"steps": thin(steps), "train_losses": thin(case.losses())}
    if case.losses("validation_loss"):
        found["validation_losses"] = thin(case.losses("validation_loss"))
    return found if mark is None else found | {"marked_step": steps[mark]}
