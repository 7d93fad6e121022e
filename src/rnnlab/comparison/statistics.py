"""Paired differences: their mean, its interval, a test, and Holm's correction. Knows numbers alone, no networks.

The choices and their sources are argued in ``docs/statistics.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
ALPHA = 0.05
LEAST_SEEDS = 5
SAME = 1e-9


@dataclass(frozen=True)
class Paired:
    """What paired differences say.

    Args:
        mean: of the differences.
        low: lower end of the mean's 95% interval, of Student's t.
        high: its upper end.
        p: two-sided, of the paired t-test.
        p_ranks: of Wilcoxon's signed-rank test, which asks for no normal distribution; None with ties or zeros.
        count: differences.
    """

    mean: float
    low: float
    high: float
    p: float
    p_ranks: float | None
    count: int


def paired(differences: Sequence[float], level: float = LEVEL) -> Paired | None:
    """Return what ``differences`` say, or None where there are fewer than two.

    Args:
        differences: ``(pairs,)``, finite: one figure minus the other of the same seed.
        level: of the interval.

    Differences that are all the same have no spread for a t-test: they get the p-value of the sign test, 2 / 2^n, and 1
    where they are zero.

    Example:
        >>> found = paired([1.0, 2.0, 3.0, 4.0, 5.0])
        >>> found.mean, round(found.low, 3), round(found.high, 3), round(found.p, 4)
        (3.0, 1.037, 4.963, 0.0132)
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return None
    mean = float(values.mean())
    if float(np.ptp(values)) <= SAME * max(float(np.abs(values).max()), np.finfo(float).tiny):
        p = 1.0 if mean == 0 else float(2.0 ** (1 - len(values)))
        return Paired(mean, mean, mean, p, p, len(values))
    found = stats.ttest_1samp(values, 0.0)
    low, high = found.confidence_interval(level)
    return Paired(mean, float(low), float(high), float(found.pvalue), _ranks(values), len(values))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return ``p_values`` corrected for how many there are, in their order (Holm, 1979).

    The smallest is multiplied by their number, the next by one less, and so on; none falls below one before it, or rises
    above 1. Whoever calls those below 0.05 real is wrong about any of them in at most 5% of all families.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(np.asarray(p_values), kind="stable")
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(order.tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = largest
    return corrected


def _ranks(values: np.ndarray) -> float | None:
    """Return the p-value of Wilcoxon's test, exact up to 50 differences; None with ties or zeros, for which it is not exact."""
    size = np.abs(values)
    if len(np.unique(size)) < len(size) or not bool((size > 0).all()):
        return None
    return float(stats.wilcoxon(values, method="auto").pvalue)
