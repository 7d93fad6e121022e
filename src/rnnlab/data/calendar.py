"""The calendar of a series: its step, its gaps, and what fills them. Numpy arrays in, numpy arrays out."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from rnnlab.errors import DataError

Frequency = Literal["minute", "hour", "day", "business", "week", "month", "quarter", "year"]
Fill = Literal["zero", "previous", "linear"]
FREQUENCIES: tuple[str, ...] = get_args(Frequency)
SEASONS = {"minute": 60, "hour": 24, "day": 7, "business": 5, "week": 52, "month": 12, "quarter": 4, "year": 1}
_UNITS = {"minute": "m", "hour": "h", "day": "D", "week": "D", "month": "M", "quarter": "M", "year": "Y"}
_STEPS = {"week": 7, "quarter": 3}


@dataclass(frozen=True)
class Calendar:
    """The regular times of a series.

    Args:
        times: ``(time,)`` datetime64[us], without gaps.
        index: ``(rows,)`` int64, the place of each given time in ``times``.
        season: the usual season of its step; 1 where there is none.
        frequency: the name of its step, or the step itself (``15 minutes``).
    """

    times: np.ndarray
    index: np.ndarray
    season: int
    frequency: str

    @property
    def gaps(self) -> np.ndarray:
        """Positions in ``times`` that no given time fills: ``(gaps,)`` int64."""
        return np.setdiff1d(np.arange(len(self.times)), self.index)


def regular_calendar(times: np.ndarray, where: str, frequency: str | None = None) -> Calendar:
    """Return the calendar of rising ``times (rows,)`` datetime64; gaps in it are times that were not given.

    Args:
        times: rising, without repeats.
        where: what the messages name.
        frequency: one of `FREQUENCIES`; None finds it from the commonest step.

    Raises:
        DataError: fewer than two times, or times that lie on no regular grid.
    """
    if len(times) < 2:
        raise DataError(f"{where} must have at least 2 times, got {len(times)}; give a longer series")
    stamps = times.astype("datetime64[us]")
    name = frequency or _guess(stamps)
    if name is None:
        return _by_step(stamps, where)
    if name == "business":
        return _business(stamps, where)
    unit, step = _UNITS[name], _STEPS.get(name, 1)
    origin = stamps[0] - stamps[0].astype(f"datetime64[{unit}]").astype("datetime64[us]")
    counted = (stamps - origin).astype(f"datetime64[{unit}]").astype(np.int64)
    exact = counted.astype(f"datetime64[{unit}]").astype("datetime64[us]") + origin
    _on_grid(exact == stamps, stamps, where, name)
    _on_grid((counted - counted[0]) % step == 0, stamps, where, name)
    index = (counted - counted[0]) // step
    grid = (counted[0] + step * np.arange(index[-1] + 1)).astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return Calendar(grid + origin, index, SEASONS[name], name)


def fill_gaps(values: np.ndarray, calendar: Calendar, fill: Fill) -> np.ndarray:
    """Return ``values (rows,)`` on the whole calendar ``(time,)``; NaN among them counts as a gap.

    Args:
        values: one a given time.
        calendar: theirs.
        fill: ``zero``, ``previous`` (the value before) or ``linear`` (the line between the neighbours).
    """
    whole = np.full(len(calendar.times), np.nan)
    whole[calendar.index] = values
    there = np.flatnonzero(~np.isnan(whole))
    if fill == "zero" or len(there) == 0:
        return np.where(np.isnan(whole), 0.0, whole)
    everywhere = np.arange(len(whole))
    if fill == "linear":
        return np.asarray(np.interp(everywhere, there, whole[there]))
    before = np.searchsorted(there, everywhere, side="right") - 1
    return np.asarray(whole[there[np.maximum(before, 0)]])


def _guess(stamps: np.ndarray) -> str | None:
    """Return the name of the commonest step, None where it has none."""
    steps, counts = np.unique(np.diff(stamps).astype(np.int64), return_counts=True)
    step = int(steps[np.argmax(counts)])
    day = 86_400_000_000
    if step in (day // 1440, day // 24, day, 7 * day):
        return {day // 1440: "minute", day // 24: "hour", day: "day", 7 * day: "week"}[step]
    months = np.diff(stamps.astype("datetime64[M]").astype(np.int64))
    into = stamps - stamps.astype("datetime64[M]").astype("datetime64[us]")
    if step >= 28 * day and (into == into[0]).all():
        return {1: "month", 3: "quarter", 12: "year"}.get(int(np.min(months)))
    return None


def _by_step(stamps: np.ndarray, where: str) -> Calendar:
    """Return the calendar of a step without a name, such as 15 minutes."""
    moments = stamps.astype(np.int64)
    steps, counts = np.unique(np.diff(moments), return_counts=True)
    step = int(steps[np.argmax(counts)])
    _on_grid((moments - moments[0]) % step == 0, stamps, where, None)
    index = (moments - moments[0]) // step
    if index[-1] > 100 * len(stamps):
        _on_grid(index == np.arange(len(stamps)), stamps, where, None)
    grid = (moments[0] + step * np.arange(index[-1] + 1)).astype("datetime64[us]")
    minutes = step / 60_000_000
    season = round(1440 / minutes) if 1440 % minutes == 0 and minutes < 1440 else 1
    return Calendar(grid, index, season, f"{minutes / 1440:g} days" if minutes >= 1440 else f"{minutes:g} minutes")


def _business(stamps: np.ndarray, where: str) -> Calendar:
    days = stamps.astype("datetime64[D]")
    _on_grid((days.astype("datetime64[us]") == stamps) & np.is_busday(days), stamps, where, "business day")
    index = np.busday_count(days[0], days).astype(np.int64)
    grid = np.busday_offset(days[0], np.arange(index[-1] + 1))
    return Calendar(grid.astype("datetime64[us]"), index, SEASONS["business"], "business")


def _on_grid(fits: np.ndarray, stamps: np.ndarray, where: str, name: str | None) -> None:
    if fits.all():
        return
    odd = show_time(stamps[int(np.argmin(fits))])
    rule = f"one time a {name}" if name else "equal steps"
    raise DataError(
        f"{where} must have {rule}, got {odd} off the grid; pass --frequency day --aggregate mean, or another period"
    )


def show_time(moment: np.datetime64) -> str:
    """Return a time as text, without a clock that is all zeros."""
    text = str(moment.astype("datetime64[s]"))
    return text.removesuffix("T00:00:00")
