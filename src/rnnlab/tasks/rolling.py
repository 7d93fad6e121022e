"""Forecasts of what is known by now: the windows before each of a series' newest values, and what came after them.

So that errors on rows that are newer than the training can be measured. What a window holds is what `SeriesCodec.encode` makes of
it (a test), computed for all windows of a series at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnnlab.data.clock import times_ahead
from rnnlab.data.sequences import Sequences
from rnnlab.data.source import Series
from rnnlab.tasks.series_codec import SeriesCodec


@dataclass(frozen=True)
class Rolling:
    """Forecasts with a rolling origin.

    Args:
        inputs: a window each.
        truth: ``(origins, horizon)`` float64, what came, scaled as the network's outputs are; NaN where it is not known yet.
        times: ``(origins,)`` datetime64, the time of the first value that each forecasts.
    """

    inputs: Sequences
    truth: np.ndarray
    times: np.ndarray


def rolling(codec: SeriesCodec, series: Series, after: np.datetime64, most: int) -> Rolling:
    """Return the forecasts whose first value comes later than ``after`` and is known: the newest ``most`` of them.

    Args:
        codec: says what is read.
        series: its last values may be NaN: steps of the future. A window with another value missing gives NaN.
        after: only values that come later are forecast.
        most: so many at most.
    """
    there = np.flatnonzero(np.isfinite(series.values))
    end = int(there[-1]) + 1 if len(there) else 0
    later = np.flatnonzero(series.times[:end] > after)
    earliest = codec.past_length + codec.gap
    first = max(earliest, int(later[0]) if len(later) else end, end - most)
    targets = np.arange(first, max(first, end))
    if not len(targets):
        return Rolling(Sequences.windows(np.zeros((0, 1)), targets, 1), np.zeros((0, codec.horizon)), series.times[:0])
    low = first - earliest
    values = series.values[low:end]
    # What has no logarithm is not known, as far as errors go.
    changes = codec.changes(np.where(values > -1, values, np.nan) if codec.log else values)
    starts = targets - first
    windows = sliding_window_view(changes, codec.context_length)[starts]
    levels = codec.levels_of(windows, series.name)
    truth = (_ahead(changes, starts + codec.context_length + codec.gap, codec.horizon) - levels[:, :1]) / levels[:, 1:]
    return Rolling(_inputs(codec, series, (low, end), windows, levels), truth, series.times[targets])


def _ahead(changes: np.ndarray, first: np.ndarray, horizon: int) -> np.ndarray:
    """Return the ``horizon`` changes from each of ``first`` on, NaN behind the end, ``(origins, horizon)``."""
    known = np.concatenate([changes, np.full(horizon, np.nan)])
    return np.asarray(known[first[:, None] + np.arange(horizon)])


def _inputs(
    codec: SeriesCodec, series: Series, span: tuple[int, int], windows: np.ndarray, levels: np.ndarray
) -> Sequences:
    """Return ``windows (origins, context_length)`` scaled by their ``levels``, with what stands beside the values."""
    scaled = ((windows - levels[:, :1]) / levels[:, 1:])[:, :, None]
    if codec.layout == "features":
        return Sequences.pack(list(scaled.transpose(0, 2, 1)))
    if not codec.plain:
        low, end = span
        last = min(len(series), end + codec.future_length)
        ahead = times_ahead(series.times, codec.gap + 1)[low:last] if codec.calendar else series.times[:0]
        past, known = (
            _columns(given, names, low, last)
            for given, names in ((series.past, codec.past), (series.known, codec.known))
        )
        beside = codec.covariates(ahead, past, known)[codec.difference :]
        found = sliding_window_view(beside, codec.context_length, axis=0)[: len(windows)].transpose(0, 2, 1)
        scaled = np.concatenate([scaled, codec.scale_past(found, series.name)], axis=2)
    return Sequences.pack(list(scaled))


def _columns(given: Mapping[str, np.ndarray], names: tuple[str, ...], low: int, last: int) -> np.ndarray:
    return np.stack([given[name][low:last] for name in names], axis=1) if names else np.zeros((last - low, 0))
