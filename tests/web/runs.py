"""Runs for the browser tests: trained for a moment, saved as `rnnlab train` saves them, without its baselines."""

from dataclasses import replace
from pathlib import Path

from rnnlab.data import Source
from rnnlab.runs import save
from rnnlab.training.fit import Plan, plan
from rnnlab.training.intervals import with_interval
from rnnlab.training.loop import Training

SWEEP = {
    "task": "names", "metric": "accuracy", "higher_is_better": True,
    "map": [{"cell": "gru", "hidden_size": size, "lr": rate, "score": 0.5, "diverged": 0.0, "runs": 2} for size in (8, 16) for rate in (0.01, 0.1)],
    "rows": [
        {"setting": {"cell": "gru", "hidden_size": size, "lr": rate}, "seed": seed, "status": "done", "metrics": {"validation": {"accuracy": 0.5}}}
        for size in (8, 16) for rate in (0.009, 0.011, 0.1) for seed in (0, 1)
    ],
}  # fmt: skip
CLAIM = {
    "id": "names.a", "study": "names", "claim": "It <b>learns</b>.", "reported": 0.5, "measured": 0.25, "spread": None,
    "seeds": [0], "verdict": "corrected", "evidence": "Because.",
}  # fmt: skip
CLAIMS = [CLAIM, {**CLAIM, "id": "names.b", "verdict": "reproduced", "claim": "It holds."}]


def quick_run(folder: Path, data: str | Source, **options: object) -> Path:
    """Train on ``data`` for a few updates and save the run in ``folder``."""
    planned: Plan = plan(data, options)
    training = Training(planned.task, planned.model, [planned.training], name=folder.name)
    for _ in training:
        pass
    run = training.runs()[0]
    about = {**run.data, **planned.source, "baselines": []}
    return save(with_interval(planned.task, replace(run, data=about)), folder)


def bits(path: Path) -> str:
    """Write all numbers of four bits as wide rows; return the path."""
    rows = [[*f"{number:04b}", str(number)] for number in range(16)] * 4
    path.write_text("\n".join([",".join(row) for row in [["b1", "b2", "b3", "b4", "number"], *rows]]) + "\n")
    return str(path)
