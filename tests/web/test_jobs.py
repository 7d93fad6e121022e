"""Trainings in processes of their own: seen while they go, stopped, gone on with; a crash is words."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from tests.web.sample import write_names

from rnnlab.cli.options import given
from rnnlab.errors import ConfigError
from rnnlab.runs import load
from rnnlab.runs.folder import read_record
from rnnlab.web.page.jobs import OVER, History, Job, Jobs, flags

ENDLESS = {"epochs": 100_000, "evaluate_every": 1, "hidden_size": 4}


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return write_names(tmp_path / "names.csv", "text,label")


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def wait(job: Job, until: Callable[[], object], seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, job.look()
        time.sleep(0.1)


def start(jobs: Jobs, names: Path, **options: object) -> Job:
    folder = names.parent / "run"
    return jobs.start("run", ["train", str(names), f"--out={folder}", "--json", *flags(options)], folder)


def test_a_training_is_seen_through_to_its_end(jobs: Jobs, names: Path) -> None:
    job = start(
        jobs, names, text="text", target="label", cell="lstm", hidden_size=4, bidirectional=False, epochs=3, lr="1e-2"
    )
    assert job.state == "running"
    wait(job, lambda: job.state in OVER)
    look = job.look()
    assert (look.state, look.share, look.words) == ("done", 1.0, "Done.")
    run = load(job.folder)
    assert not run.model_config.bidirectional
    assert [entry["step"] for entry in look.curves["run"]] == [entry["step"] for entry in run.history]
    assert look.record is not None
    assert look.record.model.cell == "lstm"


@pytest.mark.slow
def test_stopped_and_gone_on_with(jobs: Jobs, names: Path) -> None:
    job = start(jobs, names, **ENDLESS)
    wait(job, lambda: len(job.look().curves.get("run", ())) > 3)
    look = job.look()
    assert look.state == "running"
    assert look.share is not None
    assert 0 <= look.share < 0.1
    assert "epoch" in look.words
    with pytest.raises(ConfigError, match="one training runs at a time"):
        jobs.start("other", ["data"], names.parent)
    job.stop()
    assert job.look().state in ("stopping", "stopped")
    wait(job, lambda: job.state in OVER)
    assert job.look().words == "Stopped; it can be gone on with."
    before = read_record(job.folder)
    assert before.status == "interrupted"
    seen = len(job.look().curves["run"])
    again = jobs.start("run", ["train", f"--resume={job.folder}", "--json"], job.folder)
    wait(again, lambda: len(again.look().curves.get("run", ())) > seen + 3)
    again.stop()
    wait(again, lambda: again.state in OVER)
    steps = [entry["step"] for entry in again.look().curves["run"]]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.slow
def test_a_crash_is_told_in_words(jobs: Jobs, names: Path) -> None:
    job = start(jobs, names, **ENDLESS)
    wait(job, lambda: (job.folder / "checkpoint.safetensors").exists())
    os.kill(job.process.pid, signal.SIGKILL)
    wait(job, lambda: job.state in OVER)
    look = job.look()
    assert look.state == "failed"
    assert "SIGKILL" in look.words
    assert "memory" in look.words
    assert "gone on with" in look.words


@pytest.mark.slow
def test_what_the_command_line_refuses_is_said_as_there(jobs: Jobs, names: Path) -> None:
    job = start(jobs, names, text="nothing")
    wait(job, lambda: job.state in OVER)
    look = job.look()
    assert look.state == "failed"
    assert look.words.startswith(f"{names} must have the column 'nothing'")


@pytest.mark.slow
def test_the_lab_is_seen_too(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.start(
        "lab", ["lab", "memorise", "--size=smoke", f"--out={tmp_path / 'lab'}"], tmp_path / "lab", lab=True
    )
    words = set()
    wait(job, lambda: words.add(job.look().words) or job.state in OVER, 200)
    look = job.look()
    assert look.state == "done"
    assert any("memorise" in said for said in words)
    assert look.curves
    saved = {path.parent.name for path in job.folder.glob("memorise/runs/*/run.json")}
    assert saved == set(look.finished)
    assert any(record.findings for record in look.finished.values())


def test_a_half_written_line_waits(tmp_path: Path) -> None:
    path, history = tmp_path / "history.jsonl", History(tmp_path / "history.jsonl")
    assert history.read() == []
    path.write_text('{"step": 1}\n{"st')
    assert history.read() == [{"step": 1}]
    with path.open("a") as file:
        file.write('ep": 2}\n')
    assert history.read() == [{"step": 1}, {"step": 2}]
    path.write_text(json.dumps({"step": 9}) + "\n")
    assert history.read() == [{"step": 9}]


@hypothesis.given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, unique=True)
)
def test_columns_reach_the_command_line_whatever_their_names(names: list[str]) -> None:
    columns = tuple(name for name in names if name.strip()) or ("a, b",)
    (flag,) = flags({"features": columns})
    assert given({"features": [flag.removeprefix("--features=")]}) == {"features": columns}
    assert flags({"where": ("store=1", "a=b,c")}) == ["--where=store=1", "--where=a=b,c"]
