"""A window: the end of a series that one forecast is made from, cut out of what was given and checked.

Values, and where the network reads them: what is known beside them, up to now or in advance, and the times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlab.data.clock import times_ahead
from rnnlab.data.source import Series
from rnnlab.errors import DataError

if TYPE_CHECKING:
    from rnnlab.tasks.series_codec import SeriesCodec


@dataclass(frozen=True)
class Window:
    """The end of a series.

    Args:
        name: of the series; empty where numbers alone were given.
        values: ``(past_length,)`` float64.
        ahead: ``(steps,)`` datetime64, of each step the time of the first value forecast from it; ``steps`` are those of the past and,
            with known covariates, of the future.
        past: ``(steps, past)``; NaN behind the past.
        known: ``(steps, known)``.
    """

    name: str
    values: np.ndarray
    ahead: np.ndarray
    past: np.ndarray
    known: np.ndarray


def window_of(codec: "SeriesCodec", raw: Any, place: str) -> Window:
    """Return the window at the end of ``raw``.

    Args:
        codec: says what is read.
        raw: ``(time,)`` numbers, or a `Series`; its last values may be NaN: they are to be forecast.
        place: what messages call it.

    Raises:
        DataError: too few values, values that are not finite, or covariates that are not there.
    """
    if isinstance(raw, Series):
        return _of_series(codec, raw, place)
    if not codec.plain:
        names = ", ".join([*codec.known, *codec.past, *(["the calendar"] if codec.calendar else [])])
        raise DataError(
            f"{place} must be a rnnlab.data.Series with its times and {names}, got numbers alone; pass one, or a --file"
        )
    values = numbers_of(raw, place, "(time,)").reshape(-1)[-codec.past_length :]
    _check(codec, values, place)
    nothing = np.zeros((len(values), 0))
    return Window("", values, np.zeros(0, "datetime64[D]"), nothing, nothing)


def numbers_of(values: Any, place: str, shape: str) -> np.ndarray:
    """Return ``values`` as float64.

    Args:
        values: numbers, in lists or not.
        place: what messages call them.
        shape: what they are to be, for messages.

    Raises:
        DataError: they are no numbers.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{place} must be numbers, got {str(values)[:40]!r}; pass {shape}") from None


def _of_series(codec: "SeriesCodec", raw: Series, place: str) -> Window:
    place = f"series {raw.name!r}" if raw.name else place
    there = np.flatnonzero(~np.isnan(raw.values))
    end = int(there[-1]) + 1 if len(there) else 0
    first, last = max(0, end - codec.past_length), end + codec.future_length
    _check(codec, raw.values[first:end], place)
    parts = [("past", codec.past, raw.past, end), ("known", codec.known, raw.known, last)]
    columns = [
        _column(codec, given, name, kind, (first, stop, last), place)
        for kind, names, given, stop in parts
        for name in names
    ]
    beside = np.stack(columns, axis=1) if columns else np.zeros((last - first, 0))
    ahead = raw.times[:0]
    if codec.calendar:
        if len(raw.times) < 2:
            raise DataError(
                f"{place} must have at least 2 times to tell their step, got {len(raw.times)}; pass more of it"
            )
        ahead = times_ahead(raw.times, codec.gap + 1)[first:last]
    return Window(raw.name, raw.values[first:end], ahead, beside[:, : len(codec.past)], beside[:, len(codec.past) :])


def _column(
    codec: "SeriesCodec", given: Mapping[str, np.ndarray], name: str, kind: str, span: tuple[int, int, int], place: str
) -> np.ndarray:
    """Return a covariate from row ``first`` to ``stop``, NaN up to ``last``."""
    first, stop, last = span
    if name not in given:
        raise DataError(f"{place} must have {name!r}, which the network reads ({kind}), got none; pass it")
    found = given[name][first:stop]
    if len(found) < stop - first or not np.isfinite(found).all():
        whole = int(np.isfinite(found).sum())
        steps, way = f"its last {codec.past_length} values", "fill it"
        if kind == "known":
            steps += f" and the {codec.future_length} steps after them"
            way = "add rows with it, and without a value, for the steps to forecast"
        raise DataError(f"{place} must have {name!r} for {steps}, got it for {whole}; {way}")
    column = np.full(last - first, np.nan)
    column[: len(found)] = found
    return column


def _check(codec: "SeriesCodec", values: np.ndarray, place: str) -> None:
    if len(values) < codec.past_length:
        raise DataError(f"{place} must have at least {codec.past_length} values, got {len(values)}; pass more of it")
    if not np.isfinite(values).all():
        raise DataError(f"{place} must be finite, got NaN or infinity; fill or drop it")
