"""Intervals of a forecast, calibrated on the validation part, and how much of the test part they hold.

*Split conformal prediction* (Lei and others, 2018) takes the ``level`` quantile of the absolute errors on the validation part; of
quantile forecasts, of how far a value lies outside the outermost two (*conformalised quantile regression*: Romano, Patterson and
Candès, 2019). Errors are measured where the network answers, after scaling, so that series of different level share them.

Both promise their level for data like those of the validation part. Sales drift: there the promise is not kept. *Adaptive conformal
inference* (`rnnlab.runs.adapting`) widens after a miss and narrows after a hit, value by value; what it has arrived at when the
data end is what a forecast of the time after them gets, and goes on from. Both coverages are measured on the test part and told.
"""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch

from rnnlab.data.calendar import show_time
from rnnlab.runs import Run, model_outputs
from rnnlab.runs.adapting import RATE, State, adapt
from rnnlab.runs.run import as_errors
from rnnlab.tasks import SeriesCodec, Task
from rnnlab.tasks.timeline import Timeline

COVERAGE = 0.9


def with_interval(task: Task, run: Run, level: float = COVERAGE) -> Run:
    """Return ``run`` with what the intervals of its forecasts are made of, in ``data["interval"]`` and ``newest_errors``.

    As it is for other tasks, without a validation part large enough for the level, and where it diverged.

    Args:
        task: what was learnt.
        run: the network.
        level: of the intervals; that of the outermost quantiles where quantiles are forecast.
    """
    chosen, judged = task.part("validation"), task.part("test")
    if task.kind != "forecast" or run.status == "diverged":
        return run
    codec = cast(SeriesCodec, task.codec)
    level = round(codec.quantiles[-1] - codec.quantiles[0], 9) if len(codec.quantiles) > 1 else level
    rank = int(np.ceil((len(chosen) + 1) * level))
    if not len(chosen) or rank > len(chosen):
        return run
    errors = misses(task, run, chosen)
    widths = np.sort(errors, axis=0)[rank - 1]
    # In the data's own units where that is one factor for all.
    scaled = codec.scaling == "window" or codec.log or bool(codec.quantiles)
    unit = 1.0 if scaled else codec.scale
    found: dict[str, Any] = {"level": level, "half_width": (unit * widths).tolist(), "scaled": scaled}
    if not len(judged):
        return replace(run, data=run.data | {"interval": found})
    seen = misses(task, run, judged)
    found["coverage"] = float((seen <= widths).mean())
    found["adaptive"], state = _adaptive(task, errors, seen, level)
    found["adaptive"]["half_width"] = (unit * state.widths).tolist()
    return replace(run, data=run.data | {"interval": found}, newest_errors=as_errors(state.errors))


def _adaptive(task: Task, errors: np.ndarray, seen: np.ndarray, level: float) -> tuple[dict[str, Any], State]:
    """Return the record of adapting over the test part, all but its widths, and the state that it arrived at."""
    timeline, codec = cast(Timeline, task.timeline), cast(SeriesCodec, task.codec)
    clock = timeline.clock(task.part("test").numpy())
    state, held = adapt(State.begin(errors, level), seen, clock, level)
    end = timeline.times[min(int(clock.max()) + codec.horizon, len(timeline.times)) - 1]
    return {
        "coverage": float(held.mean()), "rate": RATE, "alpha": state.alpha.tolist(), "end": show_time(end),
    }, state  # fmt: skip


def misses(task: Task, run: Run, index: torch.Tensor) -> np.ndarray:
    """Return how far each value lies from the forecast, or outside the outermost quantiles, ``(examples, horizon)``, in the
    network's units; below 0 inside.
    """
    codec = cast(SeriesCodec, task.codec)
    steps = codec.by_step(model_outputs(run.model, task.inputs, index)[0])
    truth = task.targets.numpy()[index.numpy()].astype(np.float64)
    return np.asarray(np.maximum(steps[..., 0] - truth, truth - steps[..., -1]))
