"""What a time says of itself: which times come next, and hour, weekday and season of the year as numbers.

Numpy arrays in, numpy arrays out; it knows no series and no network.
"""

import numpy as np

from rnnlab.errors import ConfigError

FEATURES = {"hour": 4, "weekday": 7, "year": 2}
DAY = 86_400.0
DAYS_OF_STEP = ((0.9, 1.1, 365), (6.9, 7.1, 52), (28.0, 31.0, 12), (89.0, 92.0, 4))


def future_times(times: np.ndarray, horizon: int) -> np.ndarray:
    """Return the ``(horizon,)`` times after ``times (time,)``: by their step, their months, or their working days.

    Example:
        >>> future_times(np.array(["2024-01-31", "2024-02-29"], "datetime64[D]").astype("datetime64[M]"), 2).tolist()
        [datetime.date(2024, 3, 1), datetime.date(2024, 4, 1)]
    """
    ahead = np.arange(1, horizon + 1)
    steps = np.unique(np.diff(times))
    if len(steps) == 1:
        return np.asarray(times[-1] + ahead * steps[0])
    months = times.astype("datetime64[M]")
    steps_in_months = np.unique(np.diff(months))
    if len(steps_in_months) == 1 and steps_in_months[0].astype(int) > 0:
        within = times[-1] - months[-1].astype(times.dtype)
        return np.asarray((months[-1] + ahead * steps_in_months[0]).astype(times.dtype) + within)
    days = times.astype("datetime64[D]")
    if (days == times).all() and np.is_busday(days).all():
        return np.busday_offset(days[-1], ahead)
    return np.asarray(times[-1] + ahead * np.median(np.diff(times).astype(np.int64)).astype(np.diff(times).dtype))


def times_ahead(times: np.ndarray, steps: int) -> np.ndarray:
    """Return for each of ``times (time,)`` the time ``steps`` later, ``(time,)``.

    Example:
        >>> times_ahead(np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"), 1).tolist()
        [datetime.date(2024, 1, 2), datetime.date(2024, 1, 3)]
    """
    return np.concatenate([times, future_times(times, steps)])[steps:]


def year_lags(times: np.ndarray, season: int = 1) -> tuple[int, ...]:
    """Return how many steps a year has, the nearest multiple of the season first; none where the steps are no calendar's.

    Daily data with a week have two years: 364 days ago is the same weekday, 365 the same date.

    Example:
        >>> year_lags(np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]"), season=7)
        (364, 365)
    """
    if len(times) < 2 or not np.issubdtype(times.dtype, np.datetime64):
        return ()
    days = float(np.median(np.diff(times) / np.timedelta64(1, "s"))) / 86400
    steps = next((steps for low, high, steps in DAYS_OF_STEP if low <= days <= high), None)
    if steps is None:
        return ()
    whole = steps - steps % season
    return tuple(dict.fromkeys(lag for lag in (whole, steps) if lag > season or steps <= season))


def calendar_of(times: np.ndarray) -> tuple[str, ...]:
    """Return which calendar features tell times of this step apart, of `FEATURES`.

    Args:
        times: ``(time,)`` datetime64, rising; the median step decides.

    Raises:
        ConfigError: steps of a year or more, which have no calendar.

    Example:
        >>> calendar_of(np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]"))
        ('weekday', 'year')
    """
    days = float(np.median(np.diff(times) / np.timedelta64(1, "s"))) / DAY if len(times) > 1 else 1.0
    if days < 1:
        return ("hour", "weekday")
    if days < 5:
        return ("weekday", "year")
    if days < 300:
        return ("year",)
    raise ConfigError(f"calendar must be left out with steps of a year, got steps of {days:.0f} days; drop --calendar")


def calendar_features(times: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return ``(time, features)`` float64 in -1..1: the hour as two waves a day, the weekday as one of seven, the season as a
    wave a year.

    Args:
        times: ``(time,)`` datetime64.
        names: of `FEATURES`, in this order.

    Example:
        >>> calendar_features(np.array(["2024-01-01"], "datetime64[D]"), ("weekday",)).tolist()
        [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    days = times.astype("datetime64[D]")
    parts = [np.zeros((len(times), 0))]
    if "hour" in names:
        share = ((times - days) / np.timedelta64(1, "s")) / DAY
        parts += [_wave(share), _wave(2 * share)]
    if "weekday" in names:
        # 1970-01-01 was a Thursday; Monday is the first.
        parts.append(np.eye(7)[(days.astype(np.int64) + 3) % 7])
    if "year" in names:
        parts.append(_wave((days - days.astype("datetime64[Y]")).astype(np.float64) / 365.25))
    return np.concatenate(parts, axis=1)


def _wave(turns: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=1)
