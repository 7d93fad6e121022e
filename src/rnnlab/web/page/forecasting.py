"""A series run, asked from any start and for any horizon: the forecast, its interval, and what came true.

Beyond the steps that a run forecasts at once, its own forecast stands in for the past. The interval of a step ahead is as wide as
the errors so many steps ahead were in the validation part (split conformal prediction; Lei and others, 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from rnnlab.data import Series
from rnnlab.errors import DataError
from rnnlab.runs import Run
from rnnlab.runs.reading import future_times
from rnnlab.tasks import SeriesCodec
from rnnlab.training.fit import COVERAGE
from rnnlab.web.page.behind import Behind

MOST_STEPS = 60


@dataclass(frozen=True)
class Past:
    """A series and where its parts begin.

    Args:
        series: times and values.
        first: the earliest start of a forecast: there is a window's past before it.
        checked: position of the first value of the validation part.
        held_out: position of the first value of the test part.
    """

    series: Series
    first: int
    checked: int
    held_out: int


@dataclass(frozen=True)
class Forecast:
    """A forecast of ``steps`` values.

    Args:
        times: ``(steps,)`` datetime64.
        values: ``(steps,)``.
        half_width: ``(steps,)`` of the 90% interval; NaN where too few errors were seen to say.
        truth: ``(known,)``, the values that came, as far as the series goes.
    """

    times: np.ndarray
    values: np.ndarray
    half_width: np.ndarray
    truth: np.ndarray

    @property
    def error(self) -> float | None:
        """The mean absolute error over the steps whose truth is known."""
        known = len(self.truth)
        return float(np.abs(self.values[:known] - self.truth).mean()) if known else None


def past_of(found: Behind) -> Past:
    """Return the series behind a run, and where its parts begin.

    Raises:
        DataError: several series, or none.
    """
    if not isinstance(found.source, Series):
        raise DataError("data must be one series, got others; choose another run")
    task, codec = found.task, cast(SeriesCodec, found.task.codec)
    ends = task.splits.train
    train = int(task.target_position(int(ends.max()))) + codec.horizon
    held = int(task.target_position(int(task.splits.test.min()))) if len(task.splits.test) else len(found.source)
    return Past(found.source, codec.past_length + codec.gap, min(train, held), held)


def forecast(run: Run, past: Past, start: int, steps: int, half_width: np.ndarray | None = None) -> Forecast:
    """Return the forecast of ``steps`` values from position ``start`` of the series on.

    Args:
        run: a series run.
        past: its series.
        start: position of the first value to forecast, from ``past.first`` to the series' length.
        steps: 1 to `MOST_STEPS`.
        half_width: from `half_widths`; None has no interval.

    Raises:
        DataError: a start or a number of steps outside of that.
    """
    length = len(past.series)
    if not past.first <= start <= length:
        raise DataError(f"start must be {past.first} to {length}, got {start}; the network needs a past")
    if not 1 <= steps <= MOST_STEPS:
        raise DataError(f"steps must be 1 to {MOST_STEPS}, got {steps}")
    values = _ahead(run, [past.series.values[:start]], steps)[0]
    widths = np.full(steps, np.nan) if half_width is None else half_width[:steps]
    times = past.series.times[start : start + steps]
    if len(times) < steps:
        known = past.series.times
        times = np.concatenate([times, future_times(known, steps - len(times))])
    return Forecast(times, values, widths, past.series.values[start : start + steps])


def half_widths(run: Run, past: Past, steps: int = MOST_STEPS) -> np.ndarray:
    """Return half the width of the 90% interval of each step ahead, ``(steps,)``: that of the run's own record as far as it goes.

    NaN where the validation part has too few starts with so much room behind them.
    """
    starts = np.arange(max(past.checked, past.first), past.held_out)
    found = np.full(steps, np.nan)
    if len(starts):
        ahead = _ahead(run, [past.series.values[:start] for start in starts], steps)
        for step in range(steps):
            inside = starts + step < past.held_out
            errors = np.sort(np.abs(ahead[inside, step] - past.series.values[starts[inside] + step]))
            rank = int(np.ceil((len(errors) + 1) * COVERAGE))
            if 0 < rank <= len(errors):
                found[step] = errors[rank - 1]
    own = (run.data.get("interval") or {}).get("half_width", [])[:steps]
    found[: len(own)] = own
    return found


def _ahead(run: Run, pasts: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """Return ``(pasts, steps)``: forecasts, whose own values stand in for the past beyond the horizon."""
    codec = cast(SeriesCodec, run.codec)
    need = codec.past_length + codec.gap
    known = np.stack([past[-need:] for past in pasts]).astype(np.float64)
    while known.shape[1] < need + steps:
        windows = known[:, -need : known.shape[1] - codec.gap]
        answers = [np.atleast_1d(one["prediction"]) for one in run.predict(list(windows))]
        known = np.concatenate([known, np.stack(answers)], axis=1)
    return known[:, need : need + steps]
