"""How good forecasts are, in the data's own units and free of units: MAE, RMSE, MASE, RMSSE, sMAPE, pinball loss.

One function for networks and baselines alike, so that their figures stand side by side.
"""

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from rnnlab.tasks.series_codec import SeriesCodec
    from rnnlab.tasks.task import Task
    from rnnlab.tasks.timeline import Timeline


def score_forecast(task: "Task", steps: np.ndarray, index: np.ndarray) -> dict[str, float]:
    """Return the metrics of forecasts on the examples ``index``.

    ``mae``, ``rmse``, ``max_error`` over all values; ``mase`` (Hyndman and Koehler, 2006) and ``rmsse``, the errors in units of the
    seasonal naive forecast's on the training part, the mean of the series; ``smape`` in percent, 0..200; with quantiles ``pinball``,
    the mean over them in the data's own units.

    Args:
        task: a forecast.
        steps: ``(examples, horizon, quantiles or 1)`` in the data's own units.
        index: ``(examples,)``.
    """
    codec, timeline = cast("SeriesCodec", task.codec), cast("Timeline", task.timeline)
    truth = task.to_units(task.targets.numpy()[index], index)
    guess = codec.point(steps) if steps.shape[2] > 1 else steps[..., 0]
    error = guess - truth
    size = np.abs(guess) + np.abs(truth)
    unlike = np.divide(2 * np.abs(error), size, out=np.zeros_like(size), where=size > 0)
    found = {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "max_error": float(np.abs(error).max()),
        **relative(task, error, timeline.series[index]),
        "smape": 100 * float(unlike.mean()),
    }
    if steps.shape[2] > 1:
        over = truth[..., None] - steps
        shares = np.array(codec.quantiles)
        found["pinball"] = float(np.maximum(shares * over, (shares - 1) * over).mean())
    return found


def relative(task: "Task", error: np.ndarray, series: np.ndarray) -> dict[str, float]:
    """Return MASE and RMSSE of ``error (examples, horizon)``: the mean over the series that have a unit (`Task.seasonal_errors`)."""
    if not cast("Timeline", task.timeline).several:
        unit = task.seasonal_errors[0]
        unit = np.where(np.isfinite(unit), unit, 1.0)
        absolute, squared = np.abs(error).mean(), np.sqrt((error**2).mean())
        return {"mase": float(absolute) / float(unit[0]), "rmsse": float(squared) / float(unit[1])}
    each = by_series(task, error, series)
    with np.errstate(invalid="ignore"):
        return {name: float(np.nanmean(values)) if np.isfinite(values).any() else 1.0 for name, values in each.items()}


def by_series(task: "Task", error: np.ndarray, series: np.ndarray) -> dict[str, np.ndarray]:
    """Return ``mase`` and ``rmsse`` of each series, ``(series,)`` each; NaN where it has no example or no unit."""
    count = len(cast("Timeline", task.timeline).names)
    examples = np.bincount(series, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        absolute = np.bincount(series, np.abs(error).mean(axis=1), count) / examples
        squared = np.sqrt(np.bincount(series, (error**2).mean(axis=1), count) / examples)
        unit = task.seasonal_errors
        return {"mase": absolute / unit[:, 0], "rmsse": squared / unit[:, 1]}
