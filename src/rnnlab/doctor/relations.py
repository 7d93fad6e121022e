"""What the data say without any model: how strongly the target goes with single inputs, near the end and far from it."""

import numpy as np

from rnnlab.doctor.examination import Examination

ROWS, CLASSES, SYMBOLS = 2000, 100, 64


def correlations(examination: Examination, border: int) -> tuple[float, float]:
    """Return the largest correlation of the target with a single input in the last ``border`` steps, and before them.

    Classes and symbols count as indicators, one each. (0, 0) where there are fewer than 40 samples, lengths, or a target
    for every step.
    """
    layout, subject = examination.layout, examination.subject
    if layout.targets_by_step or layout.samples < 40 or layout.steps < 2 or subject.lengths is not None:
        return 0.0, 0.0
    inputs, targets = layout.input_rows(subject.inputs)[:ROWS], layout.target_rows(subject.targets)[:ROWS]
    answers = targets.reshape(len(targets), -1)[:, 0]
    columns = answers.double().numpy()[:, None]
    if not answers.is_floating_point() and int(answers.min()) >= 0 and int(answers.max()) < CLASSES:
        columns = np.eye(int(answers.max()) + 1)[answers.numpy()]
    if not inputs.is_floating_point() and inputs.ndim == 2:
        inputs = (inputs[..., None] == inputs.flatten().unique(return_counts=False)[:SYMBOLS]).double()  # type: ignore[no-untyped-call]
    values = inputs.reshape(len(inputs), layout.steps, -1).double().numpy()
    values, columns = values - values.mean(0), columns - columns.mean(0)
    scale = np.sqrt((values**2).sum(0))[..., None] * np.sqrt((columns**2).sum(0)) + 1e-9
    strength = np.abs(np.einsum("ntf,nc->tfc", values, columns) / scale).max(axis=(1, 2))[::-1]
    return float(strength[:border].max(initial=0.0)), float(strength[border:].max(initial=0.0))
