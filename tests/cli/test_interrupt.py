"""A training that is broken off, by Ctrl-C or by kill -9 at any moment, goes on to the same bits."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnlab.cli import main
from rnnlab.runs import Run, load
from rnnlab.runs.folder import read_record

FLAGS = [
    "--hidden-size",
    "16",
    "--batch-size",
    "4",
    "--dropout",
    "0.3",
    "--input-dropout",
    "0.2",
    "--evaluate-every",
    "50",
]
FLAGS += ["--seed", "3", "--schedule", "one_cycle", "--ngram-size", "0"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = random.Random(0)
    names = {"".join(draw.choices("abcdefgh", k=draw.randint(2, 9))) for _ in range(300)}
    path = tmp_path_factory.mktemp("data") / "names.csv"
    path.write_text("name,origin\n" + "".join(f"{name},{'X' if 'a' in name else 'Y'}\n" for name in sorted(names)))
    return path


def start(*arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rnnlab", "train", *map(str, arguments), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def uninterrupted(data: Path, steps: int, out: Path) -> Run:
    assert main(["train", str(data), *FLAGS, "--max-steps", str(steps), "--out", str(out), "--json"]) == 0
    return load(out)


def assert_same(one: Run, other: Run) -> None:
    assert torch.equal(one.weights, other.weights)
    assert one.metrics == other.metrics
    histories = [[{k: v for k, v in entry.items() if k != "seconds"} for entry in run.history] for run in (one, other)]
    assert histories[0] == histories[1]


def test_ctrl_c_saves_the_state_and_resume_goes_on_to_the_same_bits(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, steps = tmp_path / "run", 1500
    process = start(data, *FLAGS, "--max-steps", steps, "--out", out)
    wait_for(lambda: (out / "history.jsonl").exists() and (out / "history.jsonl").read_text(), process)
    os.kill(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.count("\n") == 1
    assert f"rnnlab train --resume {out}" in said
    assert json.loads(printed)["status"] == "interrupted"
    half = load(out)
    assert half.status == "interrupted"
    assert half.predict(["abc"])[0]["prediction"] in "XY"
    assert 0 < half.history[-1]["step"] < steps
    assert main(["train", "--resume", str(out), "--json"]) == 0
    assert load(out).history[: len(half.history)] == half.history, "it began again instead of going on"
    assert_same(load(out), uninterrupted(data, steps, tmp_path / "whole"))
    capsys.readouterr()
    assert main(["train", "--resume", str(out), "--json"]) == 0
    assert "is done already" in capsys.readouterr().err


def kill_at_random_moments(data: Path, tmp_path: Path, moments: int, seed: int) -> None:
    """Kill a training again and again, until it has been killed so often, then let it end; nothing may differ."""
    draw, killed, number = random.Random(seed), 0, 0
    steps = 1200
    whole = uninterrupted(data, steps, tmp_path / "whole")
    while killed < moments:
        number += 1
        out = tmp_path / f"run{number}"
        while killed < moments:
            begun = ["--resume", out] if out.exists() else [data, *FLAGS, "--max-steps", steps, "--out", out]
            process = start(*begun, "--checkpoint-every", "0.05")
            if draw.random() < 0.8:
                # The start takes longest: most kills fall into the training itself.
                wait_for((out / "checkpoint.safetensors").exists, process)
            time.sleep(draw.random() * 0.7)
            process.kill()
            _, said = process.communicate()
            killed += 1
            assert "Traceback" not in said
            if process.returncode == 0:
                break
        if out.exists():
            assert main(["train", "--resume", str(out), "--json"]) == 0
            assert_same(load(out), whole)
            assert sorted(os.listdir(out)) == ["history.jsonl", "model.safetensors", "run.json"]


def test_kill_9_at_any_moment_leaves_a_run_that_goes_on(data: Path, tmp_path: Path) -> None:
    kill_at_random_moments(data, tmp_path, moments=3, seed=1)


def test_what_is_wrong_is_said_while_it_trains_also_after_a_kill(data: Path, tmp_path: Path) -> None:
    rare, out = tmp_path / "rare.csv", tmp_path / "run"
    heading, *rows = data.read_text().splitlines()
    texts = [row.partition(",")[0] for row in rows]
    rare.write_text("\n".join([heading, *(f"{text},{'XY'[at % 16 == 0]}" for at, text in enumerate(texts))]) + "\n")

    def found() -> list[str]:
        if not (out / "run.json").exists():
            return []
        record = read_record(out)
        assert record.status == "training"
        return [finding.check for finding in record.findings]

    process = start(rare, *FLAGS, "--max-steps", 100_000, "--out", out, "--checkpoint-every", "0.5")
    wait_for(lambda: "class_imbalance" in found() and (out / "checkpoint.safetensors").exists(), process)
    assert "class_imbalance" in found(), process.communicate()[1]
    process.kill()
    process.communicate()
    again = start("--resume", out)
    wait_for(lambda: len((out / "history.jsonl").read_text().splitlines()) > 40, again)
    os.kill(again.pid, signal.SIGINT)
    again.communicate()
    kept = load(out)
    assert "class_imbalance" in [finding.check for finding in kept.findings]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kill_9_at_fifty_moments(data: Path, tmp_path: Path) -> None:
    kill_at_random_moments(data, tmp_path, moments=50, seed=2)


def begun(data: Path, out: Path) -> None:
    """Leave a run that was interrupted after a few steps, in this process."""
    from rnnlab.training.fit import Fit, plan

    fit = Fit(plan(str(data), {"hidden_size": 4, "max_steps": 20, "batch_size": 8}), out)
    for step in fit:
        if step.step == 5:
            break
    fit.finish()


def test_resume_finds_data_that_moved_with_the_run_or_are_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "names.csv").write_bytes(data.read_bytes())
    begun(home / "names.csv", home / "runs" / "one")
    home.rename(tmp_path / "moved")
    run = tmp_path / "moved" / "runs" / "one"
    (tmp_path / "moved" / "names.csv").rename(tmp_path / "elsewhere.csv")
    assert main(["train", "--resume", str(run)]) == 2
    assert "name its place: train PATH --resume RUN" in capsys.readouterr().err
    assert main(["train", str(data.parent / "none.csv"), "--resume", str(run)]) == 2
    (tmp_path / "moved" / "names.csv").write_bytes(data.read_bytes() + b"zzz,X\n")
    assert main(["train", "--resume", str(run)]) == 2
    said = capsys.readouterr().err
    assert "must hold the data that" in said
    assert said.strip().count("\n") == 1
    assert main(["train", str(tmp_path / "elsewhere.csv"), "--resume", str(run)]) == 0
    assert load(run).status == "done"


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_damaged_checkpoint_is_refused_by_name(
    data: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(data, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(content)
    assert main(["train", "--resume", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "checkpoint.safetensors must be a checkpoint" in said
    assert said.count("\n") == 1


def test_a_checkpoint_of_another_run_is_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rnnlab.training.fit import Fit, plan

    begun(data, tmp_path / "run")
    other = Fit(plan(str(data), {"hidden_size": 5, "max_steps": 20}), tmp_path / "other")
    for _ in other:
        break
    other.finish()
    (tmp_path / "other" / "checkpoint.safetensors").replace(tmp_path / "run" / "checkpoint.safetensors")
    assert main(["train", "--resume", str(tmp_path / "run")]) == 2
    assert "model must be the same as when it was saved" in capsys.readouterr().err
