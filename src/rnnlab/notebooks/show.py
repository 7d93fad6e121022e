"""Pictures of what a student measured; where nothing is measured yet, a gentle line instead."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.notebooks.checking import OPEN, Outcome, is_open
from rnnlab.results import Figure, Value

Shown = Figure | Outcome


def curves(
    series: Mapping[str, Sequence[float]], title: str = "Loss while training", *, x: str = "epoch", y: str = "loss",
    log_y: bool = False,
) -> Shown:  # fmt: skip
    """Return lines over each other, a name and its values each, from 1 on."""
    if is_open(series):
        return _nothing(title)
    points: list[dict[str, Value]] = [
        {"x": number, "y": float(value), "series": name}
        for name, values in series.items()
        for number, value in enumerate(values, start=1)
    ]
    log_y = log_y and all(float(point["y"] or 0) > 0 for point in points)
    return Figure("curves", "curves", title, "", x, y, tuple(points), log_y=log_y)


def bars(values: Mapping[str, float], title: str, *, y: str, baselines: Sequence[str] = ()) -> Shown:
    """Return a bar a name; those among ``baselines`` are drawn as such."""
    if is_open(values):
        return _nothing(title)
    found: list[dict[str, Value]] = [
        {"label": name, "value": float(value), "reference": name in baselines} for name, value in values.items()
    ]
    return Figure("bars", "bars", title, "", "", y, tuple(found))


def confusion(truth: Any, guess: Any, labels: Sequence[str], title: str = "Truth and guess") -> Shown:
    """Return how often each label (a row) was taken for each other, as a share of the row.

    Args:
        truth: ``(examples,)`` numbers of labels.
        guess: ``(examples,)`` likewise.
        labels: names, in the order of their numbers.
        title: of the picture.
    """
    if is_open(truth) or is_open(guess):
        return _nothing(title)
    table = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(table, (np.asarray(truth), np.asarray(guess)), 1)
    cells: list[dict[str, Value]] = [
        {"truth": row, "guess": column, "count": int(table[i, j]), "share": float(table[i, j] / max(1, table[i].sum()))}
        for i, row in enumerate(labels)
        for j, column in enumerate(labels)
    ]
    return Figure("confusion", "confusion", title, "", "guess", "truth", tuple(cells))


def series(times: Any, values: Any, forecasts: Mapping[str, Any], title: str, *, y: str) -> Shown:
    """Return a series and what was forecast of its last part.

    Args:
        times: ``(time,)`` dates.
        values: ``(time,)`` the truth.
        forecasts: name to ``(last part,)`` values, for the end of the series.
        title: of the picture.
        y: what the values are.
    """
    if is_open(forecasts):
        return _nothing(title)
    days = [str(day) for day in np.asarray(times).astype("datetime64[D]")]
    first = len(days) - min((len(np.ravel(one)) for one in forecasts.values()), default=0)
    points: list[dict[str, Value]] = [
        {"time": day, "value": float(value), "series": "data", "held_out": number >= first}
        for number, (day, value) in enumerate(zip(days, np.ravel(values), strict=True))
    ]
    for name, found in forecasts.items():
        flat = np.ravel(found)
        ends = zip(days[len(days) - len(flat) :], flat, strict=True)
        points += [{"time": day, "value": float(value), "series": name, "held_out": True} for day, value in ends]
    return Figure("forecast", "forecast", title, "", "", y, tuple(points))


def _nothing(title: str) -> Outcome:
    return Outcome(title, "open", OPEN.replace("not answered yet", "nothing to show yet"))
