"""`rnnlab predict` as a stranger meets it: arguments, files, pipes; as text and as JSON; streaming."""

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnnlab.cli import main
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, NumberSequences, sales
from rnnlab.runs import load, save
from rnnlab.tasks import classify_strings, forecast_series, from_numbers
from rnnlab.training import train
from rnnlab.training.intervals import with_interval

NAMES = ["ax1", "", "b'y", "Ünknown", "ax1"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small run of each kind, as train leaves them."""
    folder = tmp_path_factory.mktemp("runs")
    texts = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "1234")
    strings = classify_strings(LabelledStrings(texts, tuple(text[0].upper() for text in texts)))
    draw = np.random.default_rng(0)
    values = tuple(draw.normal(size=(5, 2)).astype(np.float32) for _ in range(20))
    numbers = from_numbers(NumberSequences(values, np.array([one.sum() for one in values], dtype=np.float32)))
    series = forecast_series(sales(), context_length=8, horizon=3)
    for name, task in (("strings", strings), ("numbers", numbers), ("series", series)):
        run = train(task, ModelConfig(hidden_size=4), TrainConfig(max_steps=5), name=name)[0]
        save(with_interval(task, run), folder / name)
    return folder


def pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_arguments_files_and_pipes_give_the_same_answers(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = [answer["prediction"] for answer in load(runs / "strings").predict(NAMES)]
    lines = "".join(f"{name}\n" for name in NAMES).encode()
    (tmp_path / "names.txt").write_bytes(lines)
    assert main(["predict", str(runs / "strings"), *NAMES]) == 0
    assert capsys.readouterr().out.splitlines() == expected
    assert main(["predict", str(runs / "strings"), "--file", str(tmp_path / "names.txt")]) == 0
    assert capsys.readouterr().out.splitlines() == expected
    pipe(monkeypatch, lines)
    assert main(["predict", str(runs / "strings")]) == 0
    assert capsys.readouterr().out.splitlines() == expected


def test_json_holds_the_probabilities_in_the_order_of_the_input(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(runs / "strings"), *NAMES, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["predictions"]
    expected = load(runs / "strings").predict(NAMES)
    assert len(found["predictions"]) == len(NAMES)
    for got, wanted in zip(found["predictions"], expected, strict=True):
        assert got["prediction"] == wanted["prediction"]
        assert list(got["probabilities"]) == ["A", "B"]
        assert sum(got["probabilities"].values()) == pytest.approx(1)
        assert got["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)


def test_numbers_are_answered_in_their_own_units(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(runs / "numbers"), "[[1, 2], [3, 4]]", "[[0, 0]]", "--json"]) == 0
    found = [one["prediction"] for one in json.loads(capsys.readouterr().out)["predictions"]]
    expected = load(runs / "numbers").predict([np.array([[1, 2], [3, 4]]), np.array([[0, 0]])])
    assert found == pytest.approx([one["prediction"] for one in expected], rel=1e-4)


def test_a_series_gets_an_interval_for_each_step_ahead(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = [str(value) for value in sales().values[-10:]]
    assert main(["predict", str(runs / "series"), *values, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    assert [list(one) for one in found] == [["time", "prediction", "lower", "upper"]] * 3
    assert [one["time"] for one in found] == [1, 2, 3]
    assert all(one["lower"] < one["prediction"] < one["upper"] for one in found)


def test_a_series_from_a_file_gets_times(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sales", "--out", str(tmp_path / "sales.csv")]) == 0
    content = (tmp_path / "sales.csv").read_text().splitlines()
    (tmp_path / "two.csv").write_text("\n".join(",".join(line.split(",")[:2]) for line in content))
    capsys.readouterr()
    assert main(["predict", str(runs / "series"), "--file", str(tmp_path / "two.csv")]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == [
        "2011-12-09",
        "2011-12-10",
        "2011-12-11",
    ]


def test_out_is_written_whole_or_not_at_all(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.txt").write_bytes(b"ok\n" * 10_000 + b"\xff\n")
    out = tmp_path / "deep" / "answers.txt"
    assert main(["predict", str(runs / "strings"), "--file", str(tmp_path / "bad.txt"), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "bad.txt line 10001 must be UTF-8 text" in said
    assert said.count("\n") == 1
    assert not list(out.parent.glob("*"))
    assert main(["predict", str(runs / "strings"), "ab", "--out", str(out)]) == 0
    assert out.read_text() in ("A\n", "B\n")
    assert [path.name for path in out.parent.iterdir()] == ["answers.txt"]


def test_answers_come_before_the_input_has_ended(runs: Path) -> None:
    """What is larger than memory passes through: the first answers are out while the input is still open."""
    command = [sys.executable, "-m", "rnnlab", "predict", str(runs / "strings")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = threading.Thread(target=feed, args=(process.stdin, 3000 * 4096), daemon=True)
    feeder.start()
    first = process.stdout.readline()
    process.stdout.close()
    process.kill()
    process.wait()
    feeder.join(10)
    assert first in (b"A\n", b"B\n")


def feed(stream: Any, lines: int) -> None:
    try:
        for _ in range(lines // 4096):
            stream.write(b"axel\n" * 4096)
    except OSError:
        pass  # the reader was killed
    stream.close()


def test_a_reader_that_leaves_is_no_error(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("ax1\n" * 100_000)
    command = f"{sys.executable} -m rnnlab predict {runs / 'strings'} --file {tmp_path / 'names.txt'} | head -1"
    found = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout in ("A\n", "B\n")
    assert found.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "x"], "none must be a run folder, got nothing"),
        (["RUN/strings", "x", "--file", "y"], "--file must come without inputs"),
        (["RUN/strings", "--file", "none.csv"], "none.csv must be a file or folder, got nothing"),
        (["RUN/strings", "--text", "name", "x"], "--text must come with --file"),
        (["RUN/strings", "--sort", "x"], "--sort must come with --file"),
        (
            ["RUN/strings", "--file", "x.csv", "--where", "a=b"],
            "where must go with a run on a series, got a run on other",
        ),
        (
            ["RUN/series", "--file", "x.csv", "--text", "a"],
            "text must go with a run on strings, got a run on other data",
        ),
        (["RUN/numbers", "1 2 3"], "inputs line 1 must be a sequence of 2 features"),
        (["RUN/numbers", "[[1, 2]]", "x"], "inputs line 2 must be numbers, got 'x'"),
        (["RUN/series", "1", "2"], "inputs must have at least the last 8 values, got 2"),
        (["RUN/strings", "x", "--out", "RUN"], "cannot be written"),
    ],
)
def test_bad_requests_get_one_line_and_exit_2(
    runs: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *(argument.replace("RUN", str(runs)) for argument in arguments)]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_an_interval_that_was_edited_is_refused(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = load(runs / "series")
    save(run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["data"]["interval"]["half_width"] = ["wide"]
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    assert main(["predict", str(tmp_path / "run"), *["1"] * 9]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_predicting_imports_no_scikit_learn(runs: Path) -> None:
    code = (
        "import sys; from rnnlab.cli import main; "
        f"main(['predict', {str(runs / 'strings')!r}, 'a']); print([m for m in ('sklearn', 'scipy', 'altair') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert found.stdout.splitlines()[-1] == "[]"
    assert torch.get_num_threads() == 1
