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
        _next_times(given.index, 1)
        return Past(_values(given), _season(given.index), given.index, given.name)
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


def _next_times(index: Any, horizon: int) -> Any:
    """Return the ``horizon`` labels that follow a pandas index."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex) and len(index):
        _must_be_even(bool((np.diff(index.asi8) == 1).all()), index)
        return pd.period_range(index[-1] + 1, periods=horizon)
    if isinstance(index, pd.DatetimeIndex):
        step = _frequency(index)
        _must_be_even(step is not None, index)
        return pd.date_range(index[-1], periods=horizon + 1, freq=step, name=index.name)[1:]
    if pd.api.types.is_integer_dtype(index.dtype) and len(index):
        step = int(index[1] - index[0]) if len(index) > 1 else 1
        _must_be_even(step > 0 and bool((np.diff(index) == step).all()), index)
        return pd.RangeIndex(index[-1] + step, index[-1] + step * (horizon + 1), step, name=index.name)
    raise DataError(f"index of the series must be times or whole numbers, got {index.dtype}; pass series.to_numpy()")


def _frequency(index: Any) -> Any:
    """Return the step of a DatetimeIndex as pandas names it, None where it has none."""
    import pandas as pd

    if index.freq is not None or len(index) < 3 or not index.is_monotonic_increasing:
        return index.freq
    return pd.infer_freq(index)


def _must_be_even(even: bool, index: Any) -> None:
    if not even:
        raise DataError(
            f"times of the series must rise in equal steps, got {len(index)} from {index.min()} to {index.max()} that do not; "
            "sort them and fill the gaps, e.g. series.asfreq('D').interpolate()"
        )


def _season(index: Any) -> int:
    """Return the usual season of the steps of an evenly spaced index (7 for days); 1 where it has none."""
    import pandas as pd

    try:
        periods = index if isinstance(index, pd.PeriodIndex) else index.to_period(_frequency(index))
        times = periods.to_timestamp().to_numpy()
        return regular_calendar(times, "series", "business" if periods.freqstr == "B" else None).season
    except (AttributeError, ValueError):  # numbers, or a step that is no period
        return 1
