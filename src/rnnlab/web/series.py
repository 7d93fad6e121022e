"""A series with its times and covariates, as a client sends it in JSON: ``{"values": [...], "times": [...], "columns": {...}}``.

Bare lists of values are the codec's own business; this is for what a list cannot say.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnlab.data import Series
from rnnlab.errors import DataError
from rnnlab.tasks import Codec, SeriesCodec

FIELDS = ("values", "times", "columns", "name")
TIME = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?)?")


def length_of(given: Any) -> int:
    """Return how many steps an input has: characters, values, or rows of the longest column."""
    if isinstance(given, dict):
        columns = given.get("columns")
        parts = [given.get("values"), given.get("times"), *(columns.values() if isinstance(columns, dict) else [])]
        return max(len(part) if isinstance(part, list | str) else 1 for part in parts)
    return len(given) if isinstance(given, str | list | np.ndarray) else 1


def read_inputs(codec: Codec, raw: Sequence[Any]) -> list[Any]:
    """Return ``raw`` with each object as the series that it tells of; other inputs, and other codecs', stay as they are."""
    if not isinstance(codec, SeriesCodec):
        return list(raw)
    return [read_series(codec, one, row) if isinstance(one, dict) else one for row, one in enumerate(raw)]


def answer_times(codec: Codec, raw: Sequence[Any], timed: Sequence[bool]) -> list[np.ndarray | None]:
    """Return the times of the steps ahead of each series in ``raw`` whose own times were told; None for the others."""
    if not isinstance(codec, SeriesCodec):
        return []
    # Imported late: it brings the readers of tables along, which nothing else here needs.
    from rnnlab.runs.reading import times_after

    return [times_after(codec, one) if told else None for one, told in zip(raw, timed, strict=True)]


def read_series(codec: SeriesCodec, given: dict[str, Any], row: int) -> Series:
    """Return what a client sent as a series; the steps after its last value are those to forecast.

    Args:
        codec: says which columns are read, and whether times are.
        given: ``values`` (null for steps to forecast, or left out), ``times`` and ``columns``, one entry a step; and the ``name`` of the
            series in training, where many were.
        row: of the request, for messages.

    Raises:
        DataError: fields, times or columns that are not what they must be.
    """
    place = f"series {row}"
    other = sorted(set(given) - set(FIELDS))
    if other or "values" not in given:
        got = f"the field {other[0][:40]!r}" if other else "no values"
        raise DataError(f"{place} must have values, and may have times, columns and name, got {got}; see /docs")
    name, columns = given.get("name") or "", given.get("columns") or {}
    if not isinstance(name, str):
        raise DataError(f"{place}: name must be text, got {str(name)[:40]!r}; send the series' name in training")
    if not isinstance(columns, dict):
        raise DataError(
            f"{place}: columns must be an object of lists, got {str(columns)[:40]!r}; send one list a column"
        )
    read = {one: _column(column, f"{place}, column {one[:40]!r}") for one, column in columns.items()}
    values = _column(given["values"], f"{place}, values")
    steps = max(len(values), *(len(column) for column in read.values())) if read else len(values)
    times = _times(given.get("times"), steps, place, needed=bool(codec.calendar))
    whole = {one: _padded(column, len(times)) for one, column in read.items()}
    known, past = ({one: whole[one] for one in names if one in whole} for names in (codec.known, codec.past))
    return Series(times, _padded(values, len(times)), name, known=known, past=past)


def _column(given: Any, place: str) -> np.ndarray:
    if not isinstance(given, list) or not all(
        one is None or (isinstance(one, int | float) and not isinstance(one, bool)) for one in given
    ):
        raise DataError(f"{place} must be a list of numbers, got {str(given)[:40]!r}; send null where there is none")
    try:
        found = np.array([np.nan if one is None else float(one) for one in given], dtype=np.float64)
    except OverflowError:
        raise DataError(f"{place} must be finite, got a number that is too large; correct it") from None
    if np.isinf(found).any():
        raise DataError(f"{place} must be finite, got infinity; correct it")
    return found


def _times(given: Any, steps: int, place: str, *, needed: bool) -> np.ndarray:
    """Return ``(time,)`` datetime64; days from 1970 on where there are none and none are needed."""
    if given is None:
        if needed:
            raise DataError(
                f"{place} must have times, which the network reads, got none; send one a step, as 2024-01-31"
            )
        return np.arange(steps).astype("datetime64[D]")
    if not isinstance(given, list) or len(given) < steps:
        got = f"{len(given)}" if isinstance(given, list) else repr(given)[:40]
        raise DataError(f"{place} must have a time for each of its {steps} steps, got {got}; send a list")
    if len(given) < 2:
        raise DataError(f"{place} must have at least 2 times to tell their step, got {len(given)}; send more of it")
    for one in given:
        if not isinstance(one, str) or not TIME.fullmatch(one):
            raise DataError(
                f"{place}: times must be as 2024-01-31 or 2024-01-31T12:00, got {str(one)[:40]!r}; write them so"
            )
    try:
        found = np.array(given, dtype="datetime64")
    except ValueError:
        raise DataError(f"{place}: times must be days and hours that there are, got others; correct them") from None
    if not (np.diff(found) > np.timedelta64(0)).all():
        raise DataError(f"{place}: times must rise, got one that does not; sort them")
    return found


def _padded(column: np.ndarray, steps: int) -> np.ndarray:
    return np.concatenate([column, np.full(steps - len(column), np.nan)])
