"""How a network of many series does on each of them, beside its baselines: a mean may hide the series that it spoils."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnlab.runs import Run, model_outputs
from rnnlab.tasks import Task
from rnnlab.tasks.baselines import Reference
from rnnlab.tasks.forecast_scores import by_series


def each_series(task: Task, run: Run, baselines: Sequence[Reference]) -> dict[str, Any]:
    """Return ``{"series": [{"name", "network", BASELINE: ...}, ...]}``, the MASE on the test part; empty for other tasks.

    A series without a test part, or that never changes in training, is left out.
    """
    timeline, index = task.timeline, task.part("test")
    if timeline is None or not timeline.several or not len(index) or run.status == "diverged":
        return {}
    rows = index.numpy()
    truth = task.to_units(task.targets.numpy()[rows], rows)
    outputs = task.to_units(model_outputs(run.model, task.inputs, index)[0], rows)
    answers = {"network": outputs, **{one.name: one.answers for one in baselines}}
    found = {name: by_series(task, guess - truth, timeline.series[rows])["mase"] for name, guess in answers.items()}
    there = np.flatnonzero(np.isfinite(found["network"]))
    return {
        "series": [
            {"name": timeline.names[row], **{name: float(values[row]) for name, values in found.items()}}
            for row in there
        ]
    }


def wins(series: Sequence[dict[str, Any]], titles: dict[str, str]) -> str:
    """Return the sentence: on how many series the network has a smaller error than each one's best baseline.

    Example:
        >>> wins([{"name": "a", "network": 0.8, "last": 1.2}, {"name": "b", "network": 1.0, "last": 0.9}], {"last": "last value"})
        'On 1 of 2 series the network has a smaller MASE than the best baseline of each; it is furthest behind on b.'
    """
    gaps = [one["network"] - min(one[name] for name in titles) for one in series]
    won = sum(gap < 0 for gap in gaps)
    said = f"On {won} of {len(series)} series the network has a smaller MASE than the best baseline of each"
    return (
        f"{said}."
        if won == len(series)
        else f"{said}; it is furthest behind on {series[int(np.argmax(gaps))]['name']}."
    )
