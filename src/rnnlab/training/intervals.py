"""Intervals of a forecast, calibrated on the validation part, and how much of the test part they hold.

*Split conformal prediction* (Lei and others, 2018) takes the ``level`` quantile of the absolute errors on the validation part; of
quantile forecasts, of how far a value lies outside the outermost two (*conformalised quantile regression*: Romano, Patterson and
Candès, 2019). Errors are measured where the network answers, after scaling, so that series of different level share them.

Both promise their level for data like those of the validation part. Sales drift: there the promise is not kept. *Adaptive conformal
inference* (Gibbs and Candès, 2021) widens after a miss and narrows after a hit, value by value; what it has arrived at when the
data end is what a forecast of the time after them gets. Both coverages are measured on the test part and told.
"""

from collections import deque
from typing import Any, cast

import numpy as np
import torch

from rnnlab.runs import Run, model_outputs
from rnnlab.tasks import SeriesCodec, Task

COVERAGE = 0.9
RATE = 0.02
LARGEST_POOL = 20_000


def interval(task: Task, run: Run, level: float = COVERAGE) -> dict[str, Any]:
    """Return what the intervals of a forecast are made of, as ``{"interval": ...}``: see `rnnlab.runs.record.IntervalRecord`.

    Empty for other tasks, without a validation part large enough for the level, and for a run that diverged.

    Args:
        task: what was learnt.
        run: the network.
        level: of the intervals; that of the outermost quantiles where quantiles are forecast.
    """
    chosen, judged = task.part("validation"), task.part("test")
    if task.kind != "forecast" or run.status == "diverged":
        return {}
    codec = cast(SeriesCodec, task.codec)
    level = round(codec.quantiles[-1] - codec.quantiles[0], 9) if len(codec.quantiles) > 1 else level
    rank = int(np.ceil((len(chosen) + 1) * level))
    if not len(chosen) or rank > len(chosen):
        return {}
    scores = misses(task, run, chosen)
    widths = np.sort(scores, axis=0)[rank - 1]
    # In the data's own units where that is one factor for all.
    scaled = codec.scaling == "window" or codec.log or bool(codec.quantiles)
    unit = 1.0 if scaled else codec.scale
    found: dict[str, Any] = {"level": level, "half_width": (unit * widths).tolist(), "scaled": scaled}
    if len(judged):
        seen = misses(task, run, judged)
        assert task.timeline is not None
        adapted, coverage = adapt(scores, seen, task.timeline.clock(judged.numpy()), level)
        found["coverage"] = float((seen <= widths).mean())
        found["adaptive"] = {"half_width": (unit * adapted).tolist(), "coverage": coverage, "rate": RATE}
    return {"interval": found}


def misses(task: Task, run: Run, index: torch.Tensor) -> np.ndarray:
    """Return how far each value lies from the forecast, or outside the outermost quantiles, ``(examples, horizon)``, in the
    network's units; below 0 inside.
    """
    codec = cast(SeriesCodec, task.codec)
    steps = codec.by_step(model_outputs(run.model, task.inputs, index)[0])
    truth = task.targets.numpy()[index.numpy()].astype(np.float64)
    return np.asarray(np.maximum(steps[..., 0] - truth, truth - steps[..., -1]))


def adapt(
    calibration: np.ndarray, scores: np.ndarray, clock: np.ndarray, level: float, rate: float = RATE
) -> tuple[np.ndarray, float]:
    """Return the widths that adaptive conformal inference has arrived at, ``(horizon,)``, and the share of values it held.

    Each step ahead adapts by itself. A forecast h steps ahead is known to have hit or missed h moments later, and not before.

    Args:
        calibration: ``(examples, horizon)``, scores of the validation part; the newest as many are kept.
        scores: ``(examples, horizon)`` of what comes after.
        clock: ``(examples,)``, the moment of each one's first value, whole numbers; equal for series at the same time.
        level: wanted share of values within.
        rate: how fast it adapts, gamma of Gibbs and Candès.

    Example:
        >>> drifting = np.linspace(1, 2, 400)[:, None]
        >>> width, coverage = adapt(drifting[:100], drifting[100:], np.arange(300), 0.9)
        >>> float((drifting[100:] <= np.quantile(drifting[:100], 0.9)).mean()), coverage > 0.8
        (0.0, True)
    """
    order = np.argsort(clock, kind="stable")
    moments, starts = np.unique(clock[order], return_index=True)
    groups = np.split(order, starts[1:])
    widths, held = np.zeros(scores.shape[1]), 0.0
    for ahead in range(scores.shape[1]):
        widths[ahead], inside = _adapt_one(calibration[:, ahead], scores[:, ahead], moments, groups, level, rate, ahead)
        held += inside
    return widths, held / scores.size


def _adapt_one(
    calibration: np.ndarray,
    scores: np.ndarray,
    moments: np.ndarray,
    groups: list[np.ndarray],
    level: float,
    rate: float,
    ahead: int,
) -> tuple[float, int]:
    """Return the last width of one step ahead, and how many values were held."""
    pool = deque(calibration[-LARGEST_POOL:].tolist(), maxlen=min(len(calibration), LARGEST_POOL))
    alpha, held, known = 1 - level, 0, 0
    waiting: list[tuple[np.ndarray, float]] = []
    width = _width(np.array(pool), alpha)
    for moment, group in zip(moments, groups, strict=True):
        changed = False
        while known < len(waiting) and moments[known] + ahead < moment:
            found, used = waiting[known]
            alpha += rate * (1 - level - float((found > used).mean()))
            pool.extend(found.tolist())
            known, changed = known + 1, True
        if changed:
            width = _width(np.array(pool), alpha)
        waiting.append((scores[group], width))
        held += int((scores[group] <= width).sum())
    for found, used in waiting[known:]:
        alpha += rate * (1 - level - float((found > used).mean()))
        pool.extend(found.tolist())
    return _width(np.array(pool), alpha), held


def _width(pool: np.ndarray, alpha: float) -> float:
    """Return the width that missed a share ``alpha`` of ``pool``; the largest where nothing may be missed."""
    return float(np.quantile(pool, min(1.0, max(0.0, 1 - alpha)), method="higher"))
