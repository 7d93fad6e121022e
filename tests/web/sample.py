"""Small runs of each kind, as training leaves them, and a service over them."""

from pathlib import Path

import numpy as np

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, NumberSequences, names, sales
from rnnlab.runs import save
from rnnlab.tasks import Task, classify_strings, forecast_series, from_numbers
from rnnlab.training import train
from rnnlab.training.intervals import with_interval


def tasks() -> dict[str, Task]:
    """A task of each kind."""
    texts = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "1234")
    draw = np.random.default_rng(0)
    values = tuple(draw.normal(size=(5, 2)).astype(np.float32) for _ in range(20))
    return {
        "strings": classify_strings(LabelledStrings(texts, tuple(text[0].upper() for text in texts))),
        "numbers": from_numbers(NumberSequences(values, np.array([one.sum() for one in values], dtype=np.float32))),
        "series": forecast_series(sales(), context_length=8, horizon=3),
    }


def write_names(path: Path, heading: str) -> Path:
    """Write a ninetieth of the built-in names as a CSV with the columns of ``heading``."""
    source = names()
    lines = [f"{text},{label}" for text, label in zip(source.texts[::90], source.labels[::90])]
    path.write_text("\n".join([heading, *lines]) + "\n")
    return path


def write_run(kind: str, folder: Path, *, seed: int = 0, hidden_size: int = 4) -> Path:
    """Train a few steps and save the run in ``folder``."""
    task = tasks()[kind]
    run = train(task, ModelConfig(hidden_size=hidden_size), TrainConfig(max_steps=5, seed=seed), name=kind)[0]
    return save(with_interval(task, run), folder)


def write_runs(folder: Path) -> Path:
    """Leave a run of each kind below ``folder``."""
    for kind in ("strings", "numbers", "series"):
        write_run(kind, folder / kind)
    return folder
