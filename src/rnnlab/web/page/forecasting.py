"""A series run, asked from any start and for any horizon: the forecast, its interval, and what came true.

Beyond the steps that a run forecasts at once, its own forecast stands in for the past, as far as it reads nothing else that is
not known by then. The run's own intervals hold as far as they go; beyond, a step's interval is as wide as the errors so many steps
ahead were in the validation part (split conformal prediction; Lei and others, 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from rnnlab.data import Series
from rnnlab.data.clock import future_times
from rnnlab.data.source import SeriesCollection
from rnnlab.errors import DataError
from rnnlab.runs import Run
from rnnlab.tasks import SeriesCodec
from rnnlab.training.intervals import COVERAGE
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
        lower: ``(steps,)``, the lower end of the interval; NaN where too few errors were seen to say.
        upper: ``(steps,)``.
        truth: ``(known,)``, the values that came, as far as the series goes.
    """

    times: np.ndarray
    values: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    truth: np.ndarray

    @property
    def error(self) -> float | None:
        """The mean absolute error over the steps whose truth is known."""
        known = len(self.truth)
        return float(np.abs(self.values[:known] - self.truth).mean()) if known else None

    @property
    def inside(self) -> int:
        """How many of the true values lie in the interval."""
        known = len(self.truth)
        return int(((self.lower[:known] <= self.truth) & (self.truth <= self.upper[:known])).sum())


def series_of(found: Behind) -> tuple[str, ...]:
    """Return the names of the series behind a run.

    Raises:
        DataError: there are none.
    """
    if isinstance(found.source, SeriesCollection):
        return found.source.names
    if isinstance(found.source, Series):
        return (found.source.name,)
    raise DataError("data must be a series, got others; choose another run")


def past_of(found: Behind, name: str | None = None) -> Past:
    """Return one of the series behind a run, the first where none is named, and where its parts begin.

    Raises:
        DataError: there is no such series.
    """
    names = series_of(found)
    if name is not None and name not in names:
        raise DataError(f"series must be one of the run's, got {name!r}; choose another")
    number = names.index(name) if name is not None else 0
    series = found.source.series[number] if isinstance(found.source, SeriesCollection) else cast(Series, found.source)
    codec, line = cast(SeriesCodec, found.task.codec), found.task.timeline
    assert line is not None
    targets = {
        part: line.targets[rows] - line.bounds[number]
        for part in ("train", "test")
        if len(rows := found.task.part(part).numpy()) and len(rows := rows[line.series[rows] == number])
    }
    held = int(targets["test"].min()) if "test" in targets else len(series)
    checked = int(targets["train"].max()) + codec.horizon if "train" in targets else held
    return Past(series, codec.past_length + codec.gap, min(checked, held), held)


def most_steps(run: Run, past: Past, start: int) -> int:
    """Return how many steps can be forecast from ``start``: what is read beside the values must be known by then."""
    codec = cast(SeriesCodec, run.codec)
    if codec.past:
        return codec.horizon
    if codec.known:
        blocks = (len(past.series) - start) // codec.horizon
        return min(MOST_STEPS, blocks * codec.horizon)
    return MOST_STEPS


def forecast(run: Run, past: Past, start: int, steps: int, half_width: np.ndarray | None = None) -> Forecast:
    """Return the forecast of ``steps`` values from position ``start`` of the series on.

    Args:
        run: a series run.
        past: its series.
        start: position of the first value to forecast, from ``past.first`` to the series' length.
        steps: 1 to `most_steps`.
        half_width: from `half_widths`; None has no interval beyond the run's own.

    Raises:
        DataError: a start or a number of steps outside of that.
    """
    length, most = len(past.series), most_steps(run, past, start)
    if not past.first <= start <= length:
        raise DataError(f"start must be {past.first} to {length}, got {start}; the network needs a past")
    if not 1 <= steps <= most:
        raise DataError(f"steps must be 1 to {most} from there, got {steps}; what is read beside the values ends")
    values, lower, upper = (rows[0] for rows in _ahead(run, past.series, [start], steps))
    if half_width is not None:
        unknown = np.isnan(lower)
        lower = np.where(unknown, values - half_width[:steps], lower)
        upper = np.where(unknown, values + half_width[:steps], upper)
    times = _times(past.series, start + steps)[start : start + steps]
    return Forecast(times, values, lower, upper, past.series.values[start : start + steps])


def half_widths(run: Run, past: Past, steps: int = MOST_STEPS) -> np.ndarray:
    """Return half the width of the 90% interval of each step ahead, ``(steps,)``, from the validation part's starts.

    NaN where too few of them have so much room behind them.
    """
    starts = np.arange(max(past.checked, past.first), past.held_out)
    found = np.full(steps, np.nan)
    reach = min((most_steps(run, past, int(start)) for start in starts), default=0)
    if not reach:
        return found
    ahead = _ahead(run, past.series, starts.tolist(), min(steps, reach))[0]
    for step in range(ahead.shape[1]):
        inside = starts + step < past.held_out
        errors = np.sort(np.abs(ahead[inside, step] - past.series.values[starts[inside] + step]))
        rank = int(np.ceil((len(errors) + 1) * COVERAGE))
        if 0 < rank <= len(errors):
            found[step] = errors[rank - 1]
    return found


def _ahead(run: Run, series: Series, starts: Sequence[int], steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return forecasts and the ends of the run's own intervals, ``(starts, steps)`` each; NaN where it has none."""
    codec = cast(SeriesCodec, run.codec)
    blocks = -(-steps // codec.horizon)
    times = _times(series, max(starts) + blocks * codec.horizon + codec.gap)
    known = [series.values[:start] for start in starts]
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for block in range(blocks):
        answers = run.predict([_cut(series, times, values, codec) for values in known])
        values, lower, upper = (_column(answers, name) for name in ("prediction", "lower", "upper"))
        if block:  # its intervals are those of a past that is known
            lower = upper = np.full_like(values, np.nan)
        known = [np.concatenate([before, ahead]) for before, ahead in zip(known, values, strict=True)]
        found.append((values, lower, upper))
    whole = [np.concatenate(parts, axis=1)[:, :steps] for parts in zip(*found, strict=True)]
    return whole[0], whole[1], whole[2]


def _cut(series: Series, times: np.ndarray, values: np.ndarray, codec: SeriesCodec) -> Series:
    """Return the end of the series that a forecast behind ``values`` is made from, with what is known in advance after it."""
    end = len(values) - codec.gap
    first, last = max(0, end - codec.past_length), end + codec.future_length
    future = np.full(last - end, np.nan)
    return replace(
        series,
        times=times[first:last],
        values=np.concatenate([values[first:end], future]),
        known={name: column[first:last] for name, column in series.known.items()} if codec.known else {},
        past={name: column[first:last] for name, column in series.past.items()} if codec.past else {},
    )


def _column(answers: Sequence[dict[str, object]], name: str) -> np.ndarray:
    values = np.array([answer.get(name, np.nan) for answer in answers], dtype=np.float64).reshape(len(answers), -1)
    wide = len(np.atleast_1d(cast(float, answers[0]["prediction"])))
    return np.broadcast_to(values, (len(answers), wide)).copy()


def _times(series: Series, length: int) -> np.ndarray:
    """Return the series' times, gone on with until there are ``length``."""
    missing = length - len(series)
    return series.times if missing <= 0 else np.concatenate([series.times, future_times(series.times, missing)])
