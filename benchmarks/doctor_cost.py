"""`doctor_cost`: what the examination that every run makes costs: the same training with and without it, in turns.

Trainings of names (about a minute), of daily sales and of 20,000 generated sequences, with the options of ``rnnlab train``; seconds
of processor time, so that a busy machine tells the same. The goal is 5% of a training of a minute.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnlab.data import NumberSequences
from rnnlab.data.source import Source
from rnnlab.doctor import examine
from rnnlab.training.fit import Fit, plan

TURNS = 3
GOAL = 0.05


def sequences(count: int = 20_000, steps: int = 40) -> NumberSequences:
    """Return random sequences whose mean is to be told."""
    values = np.random.default_rng(0).normal(size=(count, steps, 3)).astype(np.float32)
    return NumberSequences(tuple(values), np.tanh(values[:, :, 0].mean(axis=1) * 6) + values[:, -1, 1] ** 2)


TRAININGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "names": ("names", {"epochs": 26}),
    "sales": ("sales", {}),
    "20,000 sequences": (sequences, {"epochs": 6, "cell": "lstm"}),
}


def once(data: str | Source, options: dict[str, Any], *, doctor: bool) -> tuple[float, Any]:
    """Train once, figures and baselines included; return seconds of processor time, and the run."""
    planned = plan(data, options, ngrams=True)
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        fit = Fit(planned, Path(folder) / "run", examine=examine if doctor else None)
        for _ in fit:
            pass
        run = fit.finish()
        return time.process_time() - began, run


def run() -> dict[str, Any]:
    """Measure all and return figures."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {"goal": f"at most {GOAL:.0%} of a training of a minute"}
    for name, (data, options) in TRAININGS.items():
        source = data() if callable(data) else data
        once(source, options | {"epochs": 1}, doctor=True)  # compiles, and reads
        pairs = [[once(source, options, doctor=on) for on in (False, True)] for _ in range(TURNS)]
        without, beside = (statistics.median(pair[on][0] for pair in pairs) for on in (0, 1))
        run, task = pairs[0][0][1], plan(source, options, ngrams=True).task
        began = time.process_time()
        examine(run, task)
        alone = time.process_time() - began
        found[name] = {
            "seconds_without": without,
            "seconds_with": beside,
            "median_difference": statistics.median(pair[1][0] - pair[0][0] for pair in pairs),
            "examination_alone": alone,
            "examination_share": alone / without,
            "share": statistics.median(pair[1][0] / pair[0][0] for pair in pairs) - 1,
            "weights_are_the_same": all(torch.equal(pair[0][1].weights, pair[1][1].weights) for pair in pairs),
            "findings": [finding.check for finding in pairs[0][1][1].findings],
        }
    return found
