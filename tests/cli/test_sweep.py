"""`rnnlab sweep` as a stranger meets it: a map, what lands on disk, bad input, Ctrl-C and kill -9, and the same command again."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rnnlab
from rnnlab import cli
from rnnlab.runs import load

GRID = ["--lr", "0.003,0.03", "--hidden-size", "4,6", "--cell", "rnn,gru", "--seeds", "2", "--no-bidirectional"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_grid_leaves_a_table_a_map_and_the_best_runs(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["sweep", "binary", *GRID, "--epochs", "3", "--workers", "1"]
    assert cli.main(asked) == 0
    printed, said = capsys.readouterr()
    assert "16 runs; 4 stacks on 1 worker, at most" in said
    assert "lr 0.003" in printed
    assert "hidden 6" in printed
    out = Path("sweeps/binary")
    found = json.loads((out / "sweep.json").read_text())
    assert (found["done"], found["planned"], found["complete"]) == (16, 16, True)
    assert {(one["cell"], one["hidden_size"], one["lr"]) for one in found["map"]} == {
        (cell, size, rate) for cell in ("elman", "gru") for size in (4, 6) for rate in (0.003, 0.03)
    }
    with (out / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert {row["status"] for row in rows} == {"done"}
    run = load(out / "runs" / "gru-seed1")
    assert run.data["stack"] == [{"lr": lr, "seed": seed} for lr in (0.003, 0.03) for seed in (0, 1)]
    assert rnnlab.verify(out / "runs" / "gru-seed1").same, "trained again, with the stack that it was in"
    assert run.predict([[[0], [0], [0], [0], [0], [1], [0], [1]]])
    page = (out / "report.html").read_text()
    assert "rnnlab sweep binary --seeds 2 --cell rnn,gru" in page
    assert "Best on the validation part: cell" in page
    assert "http" not in page.split("</style>")[1].replace("http://www.w3.org", "")
    assert cli.main([*asked, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["reused"] == 16
    assert again["rows"] == found["rows"]
    assert [path.name for path in Path("sweeps").iterdir()] == ["binary"]
    assert (
        cli.main(
            ["sweep", "binary", "--lr", "0.01", "--hidden-size", "3", "--seeds", "1", "--epochs", "1", "--workers", "1"]
        )
        == 0
    )
    assert (Path("sweeps/binary-2") / "report.html").is_file(), "another sweep does not overwrite this one"


def test_a_run_that_halving_left_over_verifies() -> None:
    """It is trained again beside all others, to the end: who has left makes no difference to its bits."""
    grid = "--lr 0.003,0.01,0.03,0.1 --hidden-size 24 --cell rnn,lstm,combined --seeds 1"
    asked = ["sweep", "binary", *grid.split()]
    assert cli.main([*asked, "--epochs", "8", "--halving", "--workers", "1"]) == 0
    runs = sorted(Path("sweeps/binary/runs").iterdir())
    assert {path.name.split("-")[0] for path in runs} == {"elman", "lstm", "combined"}
    assert all(rnnlab.verify(path).same for path in runs)


def test_saved_runs_are_examined(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["--lr", "0.000001", "--hidden-size", "4", "--cell", "gru", "--seeds", "1"]
    assert cli.main(["sweep", "binary", *grid, "--epochs", "40", "--workers", "1"]) == 0
    found = [finding.check for finding in load(Path("sweeps/binary/runs/gru-seed0")).findings]
    assert "learning_rate_too_small" in found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["binary", "--lr", ","], "lr must name at least one value, got none"),
        (["binary", "--lr", "0.1,-1"], "lr must be greater than 0"),
        (["binary", "--hiden-size", "4"], "--hidden-size"),
        (["binary", "--cell", "rnn,lsmt"], "(nearest: lstm), got 'lsmt'"),
        (["binary", "--seed", "3"], "--seed"),
        (["binary", "--workers", "0"], "workers must be at least 1, got 0"),
        (["binary", "--engine", "cloud"], "engine"),
        (["binary", "--address", "auto"], "address must come with --engine ray"),
        (["binary", "--hidden-size", "50000", "--memory", "1", "--workers", "2"], "use --hidden-size "),
        (["binary", "--out", "full"], "full must be a new or empty folder or a sweep's"),
        (["no-such.csv"], "no-such.csv must be a file or folder, got nothing"),
        ([], "DATA"),
    ],
)
def test_bad_requests_get_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("full").mkdir()
    Path("full/mine").write_text("mine")
    before = sorted(Path().rglob("*"))
    assert cli.main(["sweep", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def begun(*more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rnnlab", "sweep", "binary", *GRID, "--epochs", "60", "--out", "out", *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for_a_stack(process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while not list(Path("out/stacks").glob("*.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.slow
def test_ctrl_c_and_kill_9_keep_what_is_done_and_the_same_command_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    process = begun("--workers", "2")
    wait_for_a_stack(process)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "what is done is kept, the same command goes on" in said.splitlines()[-1]
    found = json.loads(Path("out/sweep.json").read_text())
    assert 0 < found["done"] < 16
    assert "Interrupted: " in Path("out/report.html").read_text()
    kept = {path: path.stat().st_mtime_ns for path in Path("out/stacks").glob("*.json")}

    process = begun("--workers", "1")
    deadline = time.monotonic() + 240
    while len(list(Path("out/stacks").glob("*.json"))) == len(kept) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept |= {path: path.stat().st_mtime_ns for path in Path("out/stacks").glob("*.json")}
    assert 4 * len(kept) > found["done"]

    asked = ["sweep", "binary", *GRID, "--epochs", "60", "--workers", "1", "--json"]
    assert cli.main([*asked, "--out", "out"]) == 0
    rest = json.loads(capsys.readouterr().out)
    assert rest["reused"] >= 4 * len(kept) - 4
    assert rest["complete"]
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items()), "a finished stack was trained again"
    assert cli.main([*asked, "--out", "whole"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert [row["metrics"] for row in rest["rows"]] == [row["metrics"] for row in whole["rows"]]


def test_help_does_not_import_torch() -> None:
    code = "import sys, rnnlab.cli.sweep; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
