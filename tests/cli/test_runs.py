"""`rnnlab runs`, `report` and `verify` as a stranger meets them."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from rnnlab.cli import main


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: two of strings and one of a series."""
    home = tmp_path_factory.mktemp("home")
    rows = "".join(f"{a}{b}{c},{a.upper()}\n" for a in "ab" for b in "xyz" for c in "12345")
    (home / "people.csv").write_text("name,origin\n" + rows)
    quick = ["--hidden-size", "4", "--max-steps", "12", "--json"]
    for cell in ("gru", "lstm"):
        assert (
            main(["train", str(home / "people.csv"), "--cell", cell, *quick, "--out", str(home / "runs" / cell)]) == 0
        )
    assert main(["train", "sales", *quick, "--out", str(home / "runs" / "sales")]) == 0
    return home


def test_runs_are_listed_and_broken_ones_named(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(home / "runs"), "--task", "classify", "--sort", "accuracy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert {Path(one["folder"]).name for one in found} == {"gru", "lstm"}
    accuracies = [one["metrics"]["accuracy"] for one in found]
    assert accuracies == sorted(accuracies, reverse=True)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{")
    assert main(["runs", str(tmp_path)]) == 0
    assert "bad/run.json must be JSON" in capsys.readouterr().out
    assert main(["runs", str(home / "runs")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["runs", str(home / "none")]) == 2
    assert "must be a folder of runs, got nothing" in capsys.readouterr().err


def test_a_run_verifies_to_the_bit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("gru", "sales"):
        assert main(["verify", str(home / "runs" / name), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"same": True, "differences": [], "causes": {}}


def test_a_figure_that_was_changed_is_found(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = home / "runs" / "gru"
    whole = {name: (run / name).read_bytes() for name in ("run.json", "model.safetensors", "history.jsonl")}
    record = json.loads(whole["run.json"])
    record["metrics"]["test"]["accuracy"] = 0.99999
    record["environment"]["torch"] = "1.0"
    (run / "run.json").write_text(json.dumps(record))
    assert main(["verify", str(run)]) == 3
    said = capsys.readouterr().out
    assert "test accuracy was 0.99999 and is" in said
    assert "torch was 1.0 and is" in said
    (run / "run.json").write_bytes(whole["run.json"])
    tensors = load_file(run / "model.safetensors")
    tensors["head_bias"] = torch.nextafter(tensors["head_bias"], torch.tensor(1e9))
    save_file(tensors, run / "model.safetensors")
    assert main(["verify", str(run), "--json"]) == 3
    assert "2 of " in json.loads(capsys.readouterr().out)["differences"][0]
    (run / "model.safetensors").write_bytes(whole["model.safetensors"])
    lines = whole["history.jsonl"].splitlines()
    entry = json.loads(lines[0])
    entry["loss"] += 1e-9
    (run / "history.jsonl").write_bytes(b"\n".join([json.dumps(entry).encode(), *lines[1:]]))
    assert main(["verify", str(run)]) == 3
    assert "the history differs from step" in capsys.readouterr().out
    (run / "history.jsonl").write_bytes(whole["history.jsonl"])


def test_what_cannot_be_verified_is_said(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = str(home / "people.csv")
    flags = ["--hidden-size", "4", "--max-seconds", "0.1", "--json"]
    assert main(["train", people, *flags, "--out", str(tmp_path / "timed")]) == 0
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "timed")]) == 2
    assert "a clock cannot be repeated" in capsys.readouterr().err
    (tmp_path / "people.csv").write_text("name,origin\n" + "a,A\nb,B\n" * 20)
    assert main(["verify", str(home / "runs" / "gru"), "--data", str(tmp_path / "people.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_report_lays_runs_over_each_other(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(home / "runs" / name) for name in ("gru", "lstm")]
    assert main(["report", *runs, "--out", str(tmp_path / "report")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report" / "report.html")
    page = (tmp_path / "report" / "report.html").read_text()
    for shown in ("gru", "lstm", "class prior (no network)", "character n-grams (no network)", "best test accuracy"):
        assert shown in page
    result = json.loads((tmp_path / "report" / "runs" / "results.json").read_text())
    figures = [part for section in result["sections"] for part in section["parts"] if "kind" in part]
    assert {point["series"] for figure in figures for point in figure["data"]} == {"gru", "lstm"}
    assert (tmp_path / "report" / "runs" / "figures" / "runs-loss.svg").exists()


def test_bad_reports_get_one_line(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(home / "runs" / "gru")
    for arguments, message in (
        ([run, run], "RUN must be different folders"),
        ([str(tmp_path / "none")], "must be a run folder, got nothing"),
    ):
        assert main(["report", *arguments, "--out", str(tmp_path / "report")]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    assert main(["report", str(home / "runs" / "gru"), "--out", str(tmp_path / "page.html")]) == 2
    assert "out must be a folder, for report.html and its pictures" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()
    assert not (tmp_path / "report").exists()
