"""Outputs that cannot reach their targets, of a run as of a program: how many targets lie beyond, and the finding."""

import math

from torch import Tensor

from rnnlab.doctor.registry import found
from rnnlab.findings import Finding

LEAST_BEYOND = 0.02


def out_of_reach(low: float, high: float, targets: Tensor, remedy: str) -> Finding | None:
    """Return the finding where more than a fiftieth of ``targets`` lie clearly outside ``low .. high``."""
    slack = 1e-3 + 0.01 * float(targets.double().std(correction=0))
    beyond = float(((targets < low - slack) | (targets > high + slack)).double().mean())
    if beyond < LEAST_BEYOND:
        return None
    ends = [float(targets.min()), float(targets.max())]
    reach = f"{beyond:.0%} of the targets ({ends[0]:.4g} .. {ends[1]:.4g}) lie beyond"
    return bounded(low, high, reach, remedy, beyond=beyond, targets=ends)


def bounded(low: float, high: float, reach: str, remedy: str, **evidence: object) -> Finding:
    """Return the finding that outputs stay in ``low .. high``, and what they miss by it (``reach``)."""
    return found(
        "bounded_output",
        "error",
        f"the outputs stay {_range(low, high)} whatever the weights: {reach}",
        remedy,
        bounds=[end if math.isfinite(end) else None for end in (low, high)],
        **evidence,
    )


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:.4g}"
    return f"at most {high:.4g}" if math.isinf(low) else f"between {low:.4g} and {high:.4g}"
