"""The past of a series as a forecaster is given it: numbers, and, for a pandas Series, an index that goes on.

pandas is not a dependency: it is only used where the user passed one of its objects.
"""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from rnnlab.data import Series
from rnnlab.data.calendar import regular_calendar
from rnnlab.errors import DataError

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Past:
    """What is known of a series.

    Args:
        values: ``(time,)`` float64.
        season: steps after which the pattern repeats, as the times tell; 1 where they tell nothing.
        index: the pandas index of the values, or None.
        name: of the series.
    """

    values: np.ndarray
    season: int = 1
    index: Any = None
    name: Any = None

    def forecast(self, values: np.ndarray) -> Any:
        """Return ``values (horizon,)``, what comes next: a pandas Series with the next times, where there is an index."""
        if self.index is None:
            return values
        import pandas as pd

        return pd.Series(values, index=_next_times(self.index, len(values)), name=self.name)


def read_past(given: Any) -> Past:
    """Return the past in ``given``: numbers ``(time,)``, a pandas or polars series, or an `rnnlab.data.Series`.

    Raises:
        DataError: anything else; values that are missing, infinite or no numbers; times that are not evenly spaced.
    """
    if isinstance(given, Series):
        return Past(_values(given.values), given.season, name=given.name)
    if nw.dependencies.is_into_dataframe(given):
        given = _only_column(given)
    if nw.dependencies.is_pandas_series(given):
        index = _with_step(given.index)
        return Past(_values(given), _season(index), index, given.name)
    return Past(_values(given))


def _only_column(given: Any) -> Any:
    columns = nw.from_native(given, eager_only=True).columns
    if len(columns) != 1:
        raise DataError(
            f"series must be one column, got {len(columns)} ({', '.join(columns[:5])}); pass frame['value']"
        )
    return given[columns[0]]


def _values(given: Any) -> np.ndarray:
    """Return ``given`` as ``(time,)`` float64, all finite."""
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"series must be numbers, got {str(given)[:40]!r}; pass one number a time") from None
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1:
        raise DataError(f"series must have shape (time,), got {values.shape}; fit one forecaster a series")
    wrong = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if len(wrong):
        raise DataError(f"series must be finite, got {values[wrong[0]]} at position {wrong[0]}; fill or drop it")
    return values


def _with_step(index: Any) -> Any:
    """Return a pandas index that knows its step: found from all its times, since a few would not tell."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex) and index.freq is None:
        known = pd.DatetimeIndex(index, freq="infer")
        _even(known.freq is not None, index)
        return known
    if isinstance(index, pd.DatetimeIndex):
        _even(index.is_monotonic_increasing, index)
        return index
    if isinstance(index, pd.PeriodIndex) and len(index):
        _even(bool((np.diff(index.asi8) == 1).all()), index)
        return index
    if pd.api.types.is_integer_dtype(index.dtype) and len(index):
        step = int(index[1] - index[0]) if len(index) > 1 else 1
        _even(step > 0 and bool((np.diff(index) == step).all()), index)
        return pd.RangeIndex(index[0], index[-1] + step, step, name=index.name)
    raise DataError(f"index of the series must be times or whole numbers, got {index.dtype}; pass series.to_numpy()")


def _next_times(index: Any, horizon: int) -> Any:
    """Return the ``horizon`` labels that follow an index of `_with_step`."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1] + 1, periods=horizon, name=index.name)
    if isinstance(index, pd.DatetimeIndex):
        return pd.date_range(index[-1], periods=horizon + 1, freq=index.freq, name=index.name)[1:]
    return pd.RangeIndex(index[-1] + index.step, index[-1] + index.step * (horizon + 1), index.step, name=index.name)


def _even(even: bool, index: Any) -> None:
    if not even:
        raise DataError(
            f"times of the series must rise in equal steps, got {len(index)} from {index.min()} to {index.max()} that do not; "
            "sort them and fill the gaps, e.g. series.asfreq('D').interpolate()"
        )


def _season(index: Any) -> int:
    """Return the usual season of the steps of an index of `_with_step` (7 for days); 1 where it has none."""
    import pandas as pd

    if isinstance(index, pd.RangeIndex) or len(index) < 2:
        return 1
    business = index.freqstr == "B"
    try:
        if not business:
            # Months end on different days: the calendar wants their beginnings.
            periods = index if isinstance(index, pd.PeriodIndex) else _clockless(index).to_period(index.freq)
            index = periods.to_timestamp()
        return regular_calendar(_clockless(index).to_numpy(), "series", "business" if business else None).season
    except ValueError:  # a step that is no period, or none of a calendar
        return 1


def _clockless(index: Any) -> Any:
    """Return times without a zone, evenly spaced as they were."""
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
