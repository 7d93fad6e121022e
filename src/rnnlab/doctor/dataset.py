"""Checks of the data: constants, classes out of balance, test examples that were trained on, scalers that saw the test."""

import math

import numpy as np
import torch
from torch import Tensor

from rnnlab.doctor.examination import Examination
from rnnlab.doctor.losses import family
from rnnlab.doctor.registry import check, found
from rnnlab.doctor.windows import Windows, windows_of
from rnnlab.findings import Finding


@check("not_finite")
def not_finite(examination: Examination) -> Finding | None:
    """Inputs, targets, outputs or the loss hold NaN or infinity, which spreads to every weight in one update. Find
    the rows; fill or drop them; look for log(0) and division by 0."""
    subject, counts = examination.subject, {}
    for name, value in (("inputs", subject.inputs), ("targets", subject.targets), ("outputs", examination.outputs)):
        counts[name] = int((~torch.isfinite(value)).sum()) if value.is_floating_point() else 0
    where = [name for name, count in counts.items() if count] or (
        [] if math.isfinite(examination.backward.loss) else ["the loss"]
    )
    if not where:
        return None
    return found(
        "not_finite",
        "error",
        f"{' and '.join(where)} hold values that are not finite",
        "assert torch.isfinite(inputs).all()  # fill or drop the rows; no log(0), no division by a deviation of 0",
        **counts,
    )


@check("constant_targets")
def constant_targets(examination: Examination) -> Finding | None:
    """All targets are the same: there is nothing to learn, and any accuracy is 100%. Look at how they were read."""
    targets = examination.subject.targets
    if targets.shape[0] < 2 or examination.layout.samples < 4 or bool((targets != targets.flatten()[0]).any()):
        return None
    value = targets.flatten()[0].item()
    return found(
        "constant_targets",
        "error",
        f"all {examination.layout.samples} targets are {value:g}",
        "print(targets.unique(return_counts=True))  # is it the right column, read as the right type?",
        value=value,
    )


@check("constant_inputs")
def constant_inputs(examination: Examination) -> Finding | None:
    """All samples have the same inputs, or a feature never changes: the network cannot tell samples apart. Look at
    how inputs were read, and drop features that are constant."""
    rows = examination.layout.input_rows(examination.subject.inputs)
    if rows.shape[0] < 4:
        return None
    if bool((rows == rows[:1]).all()):
        return found(
            "constant_inputs",
            "error",
            f"all {rows.shape[0]} samples have the same inputs",
            "print(inputs.std(0))  # is the right file read, and each row its own?",
            samples=rows.shape[0],
        )
    if rows.ndim < 3 or not rows.is_floating_point() or rows.shape[2] < 2:
        return None
    flat = rows.reshape(-1, rows.shape[-1])
    constant = [column for column in range(flat.shape[1]) if bool((flat[:, column] == flat[0, column]).all())]
    if not constant:
        return None
    onehot = bool(((flat == 0) | (flat == 1)).all())
    return found(
        "constant_inputs",
        "hint" if onehot or flat[0, constant[0]] == 1 else "warning",
        f"{len(constant)} of {flat.shape[1]} features never change",
        "inputs = inputs[..., inputs.flatten(0, 1).std(0) > 0]",
        features=constant[:20],
    )


@check("class_imbalance", silenced_by=("constant_targets",))
def class_imbalance(examination: Examination) -> Finding | None:
    """One class has so many of the examples that always naming it looks accurate, and the loss is not weighted. Weigh
    the classes, and report recall by class (macro) instead of accuracy."""
    targets = examination.subject.targets
    kind = family(examination)
    if kind.name not in ("cross_entropy", "nll", "bce", "bce_logits") or targets.numel() < 20:
        return None
    valid = (
        targets[targets >= 0].flatten().long() if kind.name in ("cross_entropy", "nll") else targets.flatten().long()
    )
    counts = torch.bincount(valid)
    share = float(counts.max() / counts.sum())
    if share < 0.85 or _weighted(examination):
        return None
    return found(
        "class_imbalance",
        "warning" if share >= 0.9 else "hint",
        f"{share:.1%} of the targets are class {int(counts.argmax())}: always naming it is {share:.1%} accurate",
        "nn.CrossEntropyLoss(weight=len(targets) / (classes * targets.bincount()))  # and report macro recall",
        majority=share,
        counts=counts.tolist()[:50],
    )


def _weighted(examination: Examination) -> bool:
    """Return whether the loss weighs rare classes more: its gradient at equal outputs differs by class."""
    kind, targets = family(examination), examination.batch.targets
    answer = torch.zeros_like(examination.outputs).requires_grad_()
    if kind.name == "bce":
        answer = torch.full_like(examination.outputs, 0.5).requires_grad_()
    gradient = torch.autograd.grad(examination.loss_at(answer), answer)[0].abs()
    if kind.name in ("cross_entropy", "nll"):
        gradient = gradient.amax(kind.class_axis)
    gradient, labels = gradient.flatten(), targets.flatten()
    by_class = [float(gradient[labels == label].mean()) for label in labels[labels >= 0].unique()]  # type: ignore[no-untyped-call]
    return len(by_class) > 1 and max(by_class) > 1.5 * min(by_class)


@check("test_examples_in_training", needs=("validation",))
def test_examples_in_training(examination: Examination) -> Finding | None:
    """Validation examples, or windows around them, are among the training examples: the score measures memory. Drop
    duplicates before the split, and split a series in time."""
    assert examination.subject.validation is not None
    held_inputs, _ = examination.subject.validation
    train = _keys(examination.layout.input_rows(examination.subject.inputs))
    held = _keys(examination.layout.input_rows(held_inputs))
    known = set(train)
    seen = sum(key in known for key in held) / len(held)
    within = 1 - len(known) / len(train)
    if seen > 0.02 and seen * len(held) >= 2:
        return found(
            "test_examples_in_training",
            "error" if seen > 0.2 else "warning",
            f"{seen:.1%} of the validation examples are training examples too",
            "rows = list(dict.fromkeys(rows))  # distinct rows first, then the split",
            share=seen,
            duplicates_within_training=within,
        )
    overlapping = _later_neighbours(examination, held_inputs)
    if overlapping < 0.5:
        return None
    return found(
        "test_examples_in_training",
        "error",
        f"{overlapping:.0%} of the validation windows have a training window that starts one step later and holds their target",
        "cut = int(0.8 * len(series))  # split in time, then cut the windows; never shuffle windows before the split",
        share=overlapping,
    )


# pytest collects functions that start with test_ from modules that import them; this one is none.
test_examples_in_training.__test__ = False  # type: ignore[attr-defined]


def _keys(rows: Tensor) -> list[bytes]:
    flat = rows.reshape(rows.shape[0], -1).contiguous().numpy()
    return [row.tobytes() for row in flat]


def _later_neighbours(examination: Examination, held: Tensor) -> float:
    """Return the share of validation windows that, a step on, are training windows: a series split at random."""
    train, rows = (examination.layout.input_rows(one) for one in (examination.subject.inputs, held))
    if train.ndim < 2 or train.shape[1] < 4 or not train.is_floating_point():
        return 0.0
    starts = set(_keys(train[:, :-1]))
    return sum(key in starts for key in _keys(rows[:, 1:])) / rows.shape[0]


@check("scaler_fitted_on_test", needs=("validation",))
def scaler_fitted_on_test(examination: Examination) -> Finding | None:
    """The inputs were scaled with the mean or the range of training and validation together: the validation part is
    known to the training. Fit the scaler on the training part alone."""
    assert examination.subject.validation is not None
    held, _ = examination.subject.validation
    train = examination.layout.input_rows(examination.subject.inputs)
    other = examination.layout.input_rows(held)
    if not train.is_floating_point() or train.ndim < 2 or train.shape[0] < 8 or other.shape[0] < 2:
        return None
    for column in range(train.shape[2] if train.ndim > 2 else 1):
        pair = (train[..., column], other[..., column]) if train.ndim > 2 else (train, other)
        own, both = _series(examination, *pair)
        how = _scaled_together(own, both)
        if how is not None:
            return found(
                "scaler_fitted_on_test",
                "error",
                f"the {how[0]} of training and validation together {how[1]}: the scaler was fitted on both",
                "scaler.fit(train); train, test = scaler.transform(train), scaler.transform(test)",
                feature=column,
                **how[2],
            )
    return None


def _series(examination: Examination, train: Tensor, held: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of training, and of both parts; of windows each value of the series once."""
    whole: Windows | None = windows_of(train.unsqueeze(-1).float(), None)
    own, other = train.double().numpy(), held.double().numpy()
    if whole is None and not _overlap(own):
        return own.ravel(), np.concatenate([own.ravel(), other.ravel()])
    targets = [examination.subject.targets, examination.subject.validation[1]] if examination.subject.validation else []
    ends = [one.double().numpy().ravel() if one.is_floating_point() else np.zeros(0) for one in targets]
    known, more = np.concatenate([own.ravel(), ends[0]]), np.concatenate([other.ravel(), ends[1]])
    return np.unique(known), np.unique(np.concatenate([known, more]))


def _overlap(values: np.ndarray) -> bool:
    """Return whether rows are windows of one series in any order: most values come in several rows."""
    return values.ndim == 2 and values.shape[1] > 3 and len(np.unique(values)) < 0.5 * values.size


def _scaled_together(own: np.ndarray, both: np.ndarray) -> tuple[str, str, dict[str, float]] | None:
    if len(own) == len(both) or len(np.unique(own)) < 8:
        return None
    mean, deviation = float(both.mean()), float(both.std())
    off = abs(float(own.mean())), abs(float(own.std()) - 1)
    exact = abs(mean) < 2e-4 and min(abs(deviation - 1), abs(float(both.std(ddof=1)) - 1)) < 2e-3
    if exact and off[0] > max(5e-3, 20 * abs(mean)):
        return "mean and deviation", f"are {mean:.2g} and {deviation:.4g}", {"training_mean": float(own.mean())}
    for low in (0.0, -1.0):
        fits = abs(both.min() - low) < 1e-6 and abs(both.max() - 1) < 1e-6
        if fits and (own.min() > low + 1e-3 or own.max() < 1 - 1e-3):
            evidence = {"training_least": float(own.min()), "training_largest": float(own.max())}
            return "range", f"is exactly {low:g} .. 1", evidence
    return None
