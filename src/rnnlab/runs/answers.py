"""What a run answers, in the one format of the command line's ``--json`` and the service.

This module knows runs; it reads no input, and does not know who asks.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnlab.runs.run import Run
from rnnlab.tasks import Prediction


def prepare(run: Run) -> Run:
    """Return ``run`` with its network on the road that answers soonest.

    Torch's own layers need no compiled kernels to be loaded, which takes longer than ten thousand answers.
    """
    run.model.engine = "equations" if run.model_config.cell == "combined" else "torch"
    return run


def answers(
    run: Run, found: Sequence[Prediction], *, ids: Sequence[str] = (), times: Sequence[np.ndarray | None] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the answers of ``run``, in their order: one an input, or for a series one a step ahead.

    Args:
        run: that was asked.
        found: what `Run.predict` gave.
        ids: a name for each input, which its answers repeat.
        times: ``(horizon,)`` times of the steps ahead an input, of series; steps are numbered from 1 where there are none.

    Returns:
        ``{"prediction", "probabilities"}`` of a classifier, ``{"prediction"}`` of a number, and
        ``{"time", "prediction", "lower", "upper"}`` of a step ahead, where the bounds are None without an interval.
    """
    if run.codec.kind == "series":
        for row, answer in enumerate(found):
            name = {"id": ids[row]} if ids else {}
            yield from (name | step for step in _steps(answer, times[row] if times else None))
    elif ids:
        yield from ({"id": name, **answer} for name, answer in zip(ids, found, strict=True))
    else:
        yield from found


def _steps(answer: Prediction, times: np.ndarray | None) -> Iterator[dict[str, Any]]:
    """Yield an answer for each step ahead; its time is the step's number where the input had no times."""
    columns = [answer["prediction"], answer.get("lower"), answer.get("upper")]
    steps = zip(*(one if isinstance(one, list) else [one] * _length(columns[0]) for one in columns))
    for ahead, (value, lower, upper) in enumerate(steps):
        time = str(times[ahead]) if times is not None else ahead + 1
        yield {"time": time, "prediction": value, "lower": lower, "upper": upper}


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 1
