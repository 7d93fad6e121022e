"""The lab's jobs on the engine: outcomes by job, the first run saved, seconds measured."""

import json
import os
from functools import partial
from pathlib import Path

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import library, names, sales
from rnnlab.runs import load
from rnnlab.studies.jobs import Job, LabData, Outcome, Progress, train_watched
from rnnlab.studies.journal import LIVE
from rnnlab.studies.pool import run_jobs
from rnnlab.tasks import everything_trains, from_numbers
from rnnlab.training import train

DATA = LabData(names(), sales(), seed=5)


def seeds(data: LabData, progress: Progress) -> Outcome:
    progress(0.5)
    task = from_numbers(library.memorise(), splits=everything_trains(3))
    runs = train(task, ModelConfig(hidden_size=2), [TrainConfig(max_steps=1, seed=seed) for seed in data.seeds(2)])
    return Outcome(tuple(runs), {"seeds": data.seeds(2), "process": os.getpid()})


def test_every_job_comes_back_from_another_process_with_its_run_saved(tmp_path: Path) -> None:
    jobs = [Job("study", str(number), f"job {number}", seeds) for number in range(3)]
    events = list(run_jobs(jobs, DATA, tmp_path, workers=2))
    outcomes = {event.job.name: event.outcome for event in events if event.outcome}
    assert sorted(outcomes) == ["0", "1", "2"]
    assert all(outcome.measured["seeds"] == (5, 6) for outcome in outcomes.values())
    assert all(outcome.seconds > 0 for outcome in outcomes.values())
    assert os.getpid() not in {outcome.measured["process"] for outcome in outcomes.values()}
    assert any(event.spent == 0.5 for event in events)
    assert load(tmp_path / "study" / "runs" / "1").train_config.seed == 5


def watched(out: Path, data: LabData, progress: Progress) -> Outcome:
    task = from_numbers(library.memorise(), splits=everything_trains(3))
    configs = tuple(TrainConfig(max_steps=6, evaluate_every=2, seed=seed) for seed in (3, 4))
    runs = train_watched(task, ModelConfig(hidden_size=2), configs, progress, name="first")
    train_watched(task, ModelConfig(hidden_size=2), configs[:1], progress, name="second")
    written = (out / "study" / LIVE / "live" / "history.jsonl").read_text().splitlines()
    return Outcome(runs, {"written": [json.loads(line) for line in written]})


def test_the_first_training_of_a_job_can_be_watched_while_it_goes(tmp_path: Path) -> None:
    jobs = [Job("study", "live", "watched", partial(watched, tmp_path))]
    [outcome] = [event.outcome for event in run_jobs(jobs, DATA, tmp_path, workers=1) if event.outcome]
    assert [entry["step"] for entry in outcome.measured["written"]] == [2, 4, 6]
    assert [entry["loss"] for entry in outcome.measured["written"]] == [
        entry["loss"] for entry in outcome.runs[0].history
    ]
    assert not (tmp_path / "study" / LIVE).exists()
