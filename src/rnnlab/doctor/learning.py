"""Checks of learning: rates that are too small or too large, batches that cannot be memorised, targets off by a step,
forecasts that are yesterday's value, and curves that part."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rnnlab.doctor.examination import Batch, Examination
from rnnlab.doctor.losses import chance, family
from rnnlab.doctor.registry import check, found, thin
from rnnlab.doctor.sequences import targets_ahead
from rnnlab.doctor.trials import STEPS, by_heart, tail, trained_answers, trial, update_sizes
from rnnlab.doctor.windows import target_offset, windows_of
from rnnlab.findings import Finding

_BROKEN = (
    "optimizer_misses_parameters",
    "loss_without_gradient",
    "parameters_do_not_move",
    "dead_relu",
    "not_finite",
    "outputs_ignore_inputs",
    "constant_targets",
    "constant_inputs",
    "logits_into_nll",
    "loss_broadcasts",
)


@check("target_misaligned", silenced_by=("samples_influence_each_other",))
def target_misaligned(examination: Examination) -> Finding | None:
    """Targets are off by a step: one is skipped, or the target is the last input itself. With windows of ``width``
    the next value of window i is series[i + width]; declare ``horizon`` where a longer one is meant."""
    horizon = examination.subject.horizon
    offset, where = _offset(examination)
    if offset is None or offset == (1 if horizon is None else horizon) or offset < where:
        return None
    if horizon is None and offset > 2:
        return None
    said = {0: "the last input of its own sequence", 2: "two steps after the last input: one step is skipped"}
    what = said.get(
        offset,
        f"{offset} steps after the last input" if offset > 0 else f"inside the window, {-offset} steps before its end",
    )
    return found(
        "target_misaligned",
        "warning" if offset > 1 and horizon is None else "error",
        f"the target is {what}; expected was {1 if horizon is None else horizon} after it",
        "inputs, target = series[i : i + width], series[i + width]  # horizon=2 on the subject where two is meant",
        offset=offset,
        expected=1 if horizon is None else horizon,
    )


def _offset(examination: Examination) -> tuple[int | None, int]:
    """Return how many steps after the input a target lies, and the least offset that is a fault."""
    layout = examination.layout
    windows = windows_of(layout.input_rows(examination.subject.inputs))
    if windows is not None and not layout.targets_by_step and examination.subject.targets.is_floating_point():
        known = target_offset(windows, layout.target_rows(examination.subject.targets))
        return (None, 0) if known is None else (known[0], -windows.width)
    ahead = targets_ahead(examination)
    if ahead is not None:
        return ahead, 0
    return None, 0


@check("forecast_is_last_value", silenced_by=(*_BROKEN, "target_misaligned", "samples_influence_each_other"))
def forecast_is_last_value(examination: Examination) -> Finding | None:
    """The forecast is the last value seen: it follows the data with a delay and knows nothing. Compare with the last
    value as a baseline; forecast the difference to it."""
    windows = windows_of(examination.layout.input_rows(examination.subject.inputs))
    if windows is None or not examination.subject.targets.is_floating_point():
        return None
    known = target_offset(windows, examination.layout.target_rows(examination.subject.targets))
    if known is None or known[0] < 1:
        return None
    rows = examination.batch.layout.input_rows(examination.batch.inputs)
    last = (
        rows[:, 0, -1] if rows.ndim == 3 and rows.shape[1] == 1 else rows.reshape(*rows.shape[:2], -1)[:, -1, known[1]]
    ).double()
    wanted = examination.batch.layout.target_rows(examination.batch.targets).reshape(len(last), -1)[:, 0].double()
    step = float((wanted - last).abs().mean())
    near = _distance(examination.outputs, last), _distance(trained_answers(examination), last)
    if not (step > 0 and near[0] < 0.2 * step and near[1] < 0.4 * step):
        return None
    return found(
        "forecast_is_last_value",
        "warning",
        "the forecast is the last value seen: it is nearer to that than a tenth of a day's change, and training keeps it there",
        "targets = targets - inputs[:, -1]  # forecast the change, and report the error of the last value beside your own",
        distance_to_last=near[0],
        change_a_step=step,
    )


def _distance(outputs: Tensor, last: Tensor) -> float:
    """Return the mean distance of forecasts to the last value seen."""
    return float((outputs.double().reshape(len(last), -1)[:, 0] - last).abs().mean())


@check("learning_rate_too_large", silenced_by=_BROKEN)
def learning_rate_too_large(examination: Examination) -> Finding | None:
    """A short training does not lower the loss, and one at a smaller rate does. Divide the rate by 10."""
    losses = trial(examination, 1.0)
    reference = _start(examination, losses)
    ends = {1.0: tail(losses)}
    if ends[1.0] < 0.95 * reference and max(losses[len(losses) // 2 :]) < 1.5 * reference:
        return None
    for factor in (0.1, 0.01, 0.001):
        ends[factor] = tail(trial(examination, factor))
        if ends[factor] < 0.9 * reference and ends[factor] < 0.8 * ends[1.0]:
            break
    best = min(ends, key=lambda factor: ends[factor])
    if best == 1.0 or ends[best] > 0.9 * reference or ends[best] > 0.8 * ends[1.0]:
        return None
    return found(
        "learning_rate_too_large",
        "error" if not math.isfinite(ends[1.0]) else "warning",
        f"in {STEPS} updates the loss goes from {losses[0]:.4g} to {ends[1.0]:.4g}; at {best:g} of the learning rate to {ends[best]:.4g}",
        f"lr={_rate(examination) * best:g}",
        learning_rate=_rate(examination),
        losses=losses,
        rates_tried=[_rate(examination) * factor for factor in ends],
        ends=list(ends.values()),
    )


@check("learning_rate_too_small", silenced_by=(*_BROKEN, "learning_rate_too_large"))
def learning_rate_too_small(examination: Examination) -> Finding | None:
    """A short training hardly moves the loss, and one at a rate that moves the weights by a hundredth of their size lowers it.
    Multiply the rate by 10 or 100."""
    losses = trial(examination, 1.0)
    fall = 1 - tail(losses) / losses[0] if losses[0] > 0 else 1.0
    if not abs(fall) < 0.004 * len(losses) / STEPS:
        return None
    size = _update_size(examination)
    if not 0 < size < 3e-4:
        return None
    factors = [factor for factor in (1e-3 / size, 7e-3 / size, 3e-2 / size) if factor >= 20]
    more = {factor: 1 - tail(trial(examination, factor)) / losses[0] for factor in factors}
    enough = [factor for factor in factors if more[factor] > 0.1 and more[factor] > 10 * max(fall, 0.0)]
    if not enough:
        return None
    factor = max(enough, key=lambda one: more[one])
    return found(
        "learning_rate_too_small",
        "warning",
        f"in {STEPS} updates the loss falls by {fall:.2%}; at {factor:.2g} times the learning rate by {more[factor]:.0%}",
        f"lr={_rate(examination) * factor:.1g}  # or between; the loss should fall by more than 1% in {STEPS} updates",
        learning_rate=_rate(examination),
        relative_update=size,
        fall=fall,
        factor=factor,
        fall_at_factor=more[factor],
    )


def _update_size(examination: Examination) -> float:
    """Return by how much of its norm an update changes the typical weight matrix."""
    changes = sorted(update_sizes(examination))
    return changes[len(changes) // 2] if changes else 0.0


def _start(examination: Examination, losses: list[float]) -> float:
    reference = chance(examination)
    usable = reference is not None and math.isfinite(reference) and reference > 0
    return min(losses[0], reference) if usable and reference is not None else losses[0]


def _rate(examination: Examination) -> float:
    return max((float(group.get("lr", 0.0)) for group in examination.subject.optimizer.param_groups), default=0.0)


@check(
    "batch_not_memorised",
    silenced_by=(
        *_BROKEN,
        "softmax_twice",
        "bounded_output",
        "state_carried",
        "samples_influence_each_other",
        "state_reset",
        "gradient_cut",
        "vanishing_gradients",
        "one_step_sequence",
        "saturated_gates",
        "loss_starts_far",
        "exploding_gradients",
        "steps_ignored",
        "learning_rate_too_small",
    ),
)
def batch_not_memorised(examination: Examination) -> Finding | None:
    """Eight samples cannot be learned by heart: weight decay or dropout is far too strong, the same inputs have
    different targets, or outputs and targets do not belong together. Make one batch fit first."""
    best = math.inf
    batch = examination.take(8)
    first = chance_of(examination, batch)
    for rate in (1e-2, 3e-3):
        losses = by_heart(examination, rate)
        start = min(losses[0], first) if first is not None else losses[0]
        best = min(best, tail(losses) / start if start > 0 else 0.0)
        if best < 0.8 or (best > 1.05 and _still_falls(losses)):  # unscaled numbers are not there yet
            return None
    return found(
        "batch_not_memorised",
        "warning",
        f"{batch.layout.samples} samples cannot be learned by heart: the loss stays at {best:.0%} of a constant answer's",
        "weight_decay=0 and dropout=0 until one batch fits; then print inputs and targets side by side",
        share_left=best,
        samples=batch.layout.samples,
    )


def _still_falls(losses: list[float]) -> bool:
    """Return whether the last quarter of a training lies clearly below the quarter before it."""
    quarter = max(1, len(losses) // 4)
    return sum(losses[-quarter:]) < 0.95 * sum(losses[-2 * quarter : -quarter])


def chance_of(examination: Examination, batch: Batch) -> float | None:
    """Return the loss of the best constant answer to a few samples; None where it is not known."""
    kind, targets = family(examination), batch.targets
    if kind.name in ("cross_entropy", "nll"):
        shares = torch.bincount(targets[targets >= 0].flatten().long()).double()
        shares = shares[shares > 0] / shares.sum()
        return max(float(-(shares * shares.log()).sum()), 0.05)
    if kind.name != "other" or not targets.is_floating_point() or targets.ndim != examination.outputs.ndim:
        return None
    return float(examination.loss(targets.mean(0, keepdim=True).expand_as(targets), batch)) or None


@check("curves", needs=("history",))
def curves_of_history(examination: Examination) -> Finding | None:
    """The curves say overfitting (the validation's loss rises while the training's falls) or underfitting (neither
    falls). Stop at the best epoch and regularise; or train longer, with more units or another rate."""
    history = examination.subject.history or {}
    train = history.get("train", history.get("loss", []))
    held = history.get("validation", history.get("val_loss", []))
    return curves([float(one) for one in train], [float(one) for one in held])


def curves(train: Sequence[float], validation: Sequence[float] = ()) -> Finding | None:
    """Return what two loss curves say: ``overfitting``, ``underfitting``, or nothing.

    Args:
        train: losses of the training part, an epoch each.
        validation: losses of the held-out part at the same epochs; may be empty.

    Example:
        >>> curves([1.0, 0.5, 0.2, 0.1, 0.05, 0.02], [1.0, 0.7, 0.6, 0.7, 0.9, 1.1]).check
        'overfitting'
    """
    if len(train) < 5 or not all(map(math.isfinite, [*train, *validation])):
        return None
    end = float(np.median(train[-max(1, len(train) // 5) :]))
    if len(validation) >= 5:
        best = int(np.argmin(validation))
        after = float(np.median(validation[-max(1, len(validation) // 5) :]))
        rose = (after - validation[best]) / max(abs(validation[best]), 1e-12)
        if rose > 0.15 and best < 0.8 * (len(validation) - 1) and end < 0.9 * train[min(best, len(train) - 1)]:
            return found(
                "overfitting",
                "warning",
                f"the validation's loss is best in epoch {best} and {rose:.0%} higher at the end, while the training's still falls",
                f"stop at epoch {best} (early stopping), or add dropout, weight decay or data",
                best_epoch=best,
                rise=rose,
                train_end=end,
                train_losses=thin(train),
                validation_losses=thin(validation),
                marked_step=1 + best * len(thin(validation)) // len(validation),
            )
    fall = 1 - end / train[0] if train[0] > 0 else 1.0
    if abs(fall) > 0.05 or min(train) < 0.9 * train[0]:
        return None
    return found(
        "underfitting",
        "warning",
        f"after {len(train)} epochs the training's loss has fallen by {fall:.1%}: the network has learned nothing",
        "a learning rate 10 times larger or smaller, more units, or longer training; see the other findings first",
        fall=fall,
        first=train[0],
        last=end,
        train_losses=thin(train),
    )
