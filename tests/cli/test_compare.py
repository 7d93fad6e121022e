"""`rnnlab compare` as a stranger meets it: the verdict last, what lands on disk, bad input, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnlab import cli
from rnnlab.runs import load

CALL = "import sys, rnnlab.cli as c; c.VERBS['compare'] = ('Compare.', 'rnnlab compare names/'); sys.exit(c.main(sys.argv[1:]))"
SMALL = ["--workers", "1", "--hidden-size", "6", "--embedding-size", "4", "--rates", "0.01,0.03"]


@pytest.fixture(autouse=True)
def _verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.VERBS, "compare", ("Compare cells.", "rnnlab compare names/"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"{a}{b}{c},{a.upper()}" for a in "abc" for b in "uvwxyz" for c in "123456"]
    path = tmp_path / "words.csv"
    path.write_text("word,label\n" + "\n".join(rows) + "\n")
    return path


def test_the_last_lines_are_the_verdict(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    asked = ["compare", str(table), "--text", "word", "--target", "label", "--cells", "rnn,gru", "--seeds", "5"]
    assert cli.main([*asked, "--max-steps", "25", *SMALL, "--out", str(out)]) == 0
    printed, said = capsys.readouterr()
    found = json.loads((out / "comparison.json").read_text())
    assert found["complete"]
    assert printed.splitlines()[-len(found["verdicts"]) :] == found["verdicts"]
    assert found["verdicts"][-1].endswith("the n-gram baseline.") or "(Holm)" in found["verdicts"][-1]
    assert "character n-grams" in printed
    assert "RNN: 5 seeds at learning rate" in said
    trainings = 2 * (5 + (len(found["settings"]["rates"]) if len(found["settings"]["rates"]) > 1 else 0))
    assert f"{trainings} runs of 25 updates: " in said.splitlines()[1]
    assert "5 seeds of each cell; fewer with --seeds" in said.splitlines()[1]
    page = (out / "report.html").read_text()
    assert "words" in page
    assert all(verdict in page for verdict in found["verdicts"])
    assert "rnnlab compare words.csv --cells rnn,gru --seeds 5" in page
    for cell in ("elman", "gru"):
        run = load(out / "runs" / cell)
        assert run.metrics["test"] == pytest.approx(
            next(c for c in found["cells"] if c["cell"] == cell)["seeds"][0]["metrics"]
        )
        assert (out / "runs" / cell / run.data["path"]).resolve() == table.resolve()
        assert run.data["stack"] == [0, 1, 2, 3, 4]
        assert run.predict(["au1"])[0]["prediction"] in "ABC"
    assert not list(out.rglob(".*"))


def test_saved_runs_are_examined(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", str(table), "--text", "word", "--target", "label", "--cells", "gru", "--seeds", "2", *SMALL]
    asked[-1] = "0.000001,0.000002"
    assert cli.main([*asked, "--epochs", "60", "--out", str(tmp_path / "out")]) == 0
    (finding,) = load(tmp_path / "out" / "runs" / "gru").findings
    assert finding.check == "learning_rate_too_small"
    assert finding.message in (tmp_path / "out" / "report.html").read_text()


def test_json_is_all_of_stdout(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", str(table), "--text", "word", "--target", "label", "--cells", "gru", "--seeds", "2", "--json"]
    assert cli.main([*asked, "--max-steps", "4", *SMALL, "--out", str(tmp_path / "out")]) == 0
    printed, said = capsys.readouterr()
    found = json.loads(printed)
    assert found["verdicts"] == ["No claim: 2 seeds are too few, at least 5 are needed."]
    assert [one["name"] for one in found["baselines"]] == ["prior", "ngrams"]
    assert Path(found["report"]).is_file()
    assert said == ""


def test_a_series_gets_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"2024-{1 + day // 28:02}-{1 + day % 28:02},{100 + 10 * (day % 7)}" for day in range(28 * 6)]
    (tmp_path / "visits.csv").write_text("day,visits\n" + "\n".join(rows) + "\n")
    asked = ["compare", "visits.csv", "--time", "day", "--value", "visits", "--fill", "linear", "--cells", "gru"]
    for folder in ("visits", "visits-2"):
        assert (
            cli.main(
                [*asked, "--seeds", "5", "--max-steps", "4", "--hidden-size", "4", "--rates", "0.01", "--workers", "1"]
            )
            == 0
        )
        assert (tmp_path / "compare" / folder / "report.html").is_file()
    assert "No network beats" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["names", "--cells", "lstn"], "cells must be one of combined, elman, gru, lstm (nearest: lstm), got 'lstn'"),
        (["names", "--seeds", "0"], "seeds must be greater than or equal to 1, got 0"),
        (["names", "--rates", "fast"], "'fast'"),
        (["names", "--lr", "0.1"], "--lr"),
        (["names", "--head", "none"], "head must be linear or relu in a comparison"),
        (["names", "--workers", "0"], "workers must be at least 1, got 0"),
        (["no-such.csv"], "no-such.csv"),
        ([], "DATA"),
        (["names", "--device", "quantum"], "quantum"),
        (["names", "--validation", "0"], "validation must hold examples, got none"),
    ],
)
def test_bad_requests_get_one_line_and_exit_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_out_that_is_a_file_is_refused(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", str(table), "--text", "word", "--target", "label", "--out", str(table)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert table.read_text().startswith("word,label")


def test_interrupt_keeps_what_is_done(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["compare", str(table), "--text", "word", "--target", "label", "--cells", "gru,lstm,rnn", "--seeds", "5"]
    command = [sys.executable, "-c", CALL, *asked, "--max-steps", "600", *SMALL, "--out", str(out)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    kept = out / "comparison.json"
    deadline = time.monotonic() + 240
    while (
        time.monotonic() < deadline
        and process.poll() is None
        and not (kept.exists() and json.loads(kept.read_text())["cells"])
    ):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "rnnlab: interrupted; the report holds the cells that were done"
    found = json.loads(kept.read_text())
    assert not found["complete"]
    assert 1 <= len(found["cells"]) < 3
    assert "Interrupted: not done are" in (out / "report.html").read_text()
    assert printed.splitlines()[-1] == found["verdicts"][-1]


def test_help_does_not_import_torch() -> None:
    code = "import sys, rnnlab.cli.compare; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
