"""Runs for the browser tests: trained for a moment, saved as `rnnlab train` saves them, without its baselines."""

from dataclasses import replace
from pathlib import Path

from rnnlab.runs import save
from rnnlab.training.fit import Plan, interval, plan
from rnnlab.training.loop import Training


def quick_run(folder: Path, data: str, **options: object) -> Path:
    """Train on ``data`` for a few updates and save the run in ``folder``."""
    planned: Plan = plan(data, options)
    training = Training(planned.task, planned.model, [planned.training], name=folder.name)
    for _ in training:
        pass
    run = training.runs()[0]
    about = {**run.data, **planned.source, **interval(planned.task, run), "baselines": []}
    return save(replace(run, data=about), folder)
