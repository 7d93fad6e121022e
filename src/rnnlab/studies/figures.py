"""From runs to figures: medians and spreads over seeds, claims, curves. No study's own sentences are here."""

from collections.abc import Iterable, Sequence

import numpy as np

from rnnlab.results import Claim, Value, Verdict
from rnnlab.runs import Run

CURVE_POINTS = 120


def median(values: Iterable[float]) -> float | None:
    """Return the median of the finite ``values``, or None where there is none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.median(finite)) if finite else None


def spread(values: Iterable[float]) -> tuple[float, float] | None:
    """Return the lowest and the highest finite value, or None where there is none."""
    finite = [float(value) for value in values if np.isfinite(value)]
    return (min(finite), max(finite)) if finite else None


def show(value: float | None, digits: int = 4) -> str:
    """Return ``value`` with ``digits`` significant digits and thousands separated, for a sentence.

    Example:
        >>> show(21463.5), show(0.00083499), show(None)
        ('21,464', '0.000835', 'none')
    """
    if value is None or not np.isfinite(value):
        return "none"
    if abs(value) >= 1000:
        return f"{value:,.{max(0, digits - len(str(int(abs(value)))))}f}"
    return f"{value:.{digits}g}"


def claim(
    name: str,
    text: str,
    *,
    reported: Value,
    verdict: Verdict,
    evidence: str,
    values: Sequence[float] = (),
    measured: Value = None,
    seeds: Sequence[int] = (),
) -> Claim:
    """Return a claim; ``values`` over the seeds give the median and the spread where ``measured`` is None."""
    if measured is None and len(values):
        measured = median(values)
    return Claim(
        name,
        name.split(".")[0],
        text,
        reported,
        measured,
        spread(values) if len(values) else None,
        tuple(seeds),
        verdict,
        evidence,
    )


def curves(
    runs: Sequence[Run], series: str, *, x: str = "epoch", y: str = "loss", skip: int = 0
) -> list[dict[str, Value]]:
    """Return the records of a ``curves`` figure: the median of ``y`` over the runs, and its lowest and highest.

    A run that ended early counts for as long as it lasted.
    """
    by_x: dict[float, list[float]] = {}
    for run in runs:
        for entry in run.history[skip:]:
            if y in entry and np.isfinite(entry[y]):
                by_x.setdefault(entry[x], []).append(entry[y])
    points = sorted(by_x)
    chosen = points if len(points) <= CURVE_POINTS else [points[i] for i in spaced(len(points))]
    return [
        {
            "x": point,
            "y": float(np.median(by_x[point])),
            "low": min(by_x[point]),
            "high": max(by_x[point]),
            "series": series,
        }
        for point in chosen
    ]


def spaced(count: int, most: int = CURVE_POINTS) -> list[int]:
    """Return at most ``most`` positions among ``count``, dense at the beginning, with the last one."""
    where = np.unique(np.geomspace(1, count, most).astype(int) - 1)
    return [int(i) for i in where]


def record(**values: Value) -> dict[str, Value]:
    """Return a record of a figure."""
    return values
