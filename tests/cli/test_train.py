"""`rnnlab train` as a stranger meets it: a run folder, baselines beside it, bad requests in one line."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlab.cli import main
from rnnlab.runs import load

QUICK = ["--hidden-size", "4", "--max-steps", "3"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def strings(path: Path) -> None:
    rows = "".join(f"{a}{b}{c},{a.upper()}\n" for a in "ab" for b in "xyz" for c in "12345")
    path.write_text("name,origin\n" + rows)


def wide(path: Path) -> None:
    draw = np.random.default_rng(0)
    rows = "".join(f"{','.join(f'{x:.3f}' for x in row)},{row.sum():.3f}\n" for row in draw.normal(size=(40, 3)))
    path.write_text("t1,t2,t3,total\n" + rows)


def long(path: Path) -> None:
    draw = np.random.default_rng(0)
    rows = [
        f"p{i},{t},{draw.normal():.3f},{draw.normal():.3f},{'sick' if i % 2 else 'well'}\n"
        for i in range(30)
        for t in range(3 + i % 4)
    ]
    path.write_text("who,second,x,y,state\n" + "".join(rows))


def daily(path: Path) -> None:
    days = np.arange("2023-01-01", "2023-07-20", dtype="datetime64[D]")
    rows = "".join(f"{day},{50 + 10 * np.sin(i * 2 * np.pi / 7) + i % 3:.2f}\n" for i, day in enumerate(days))
    path.write_text("day,visits\n" + rows)


SHAPES: list[tuple[Any, list[str], str, set[str]]] = [
    (strings, [], "classify", {"prior", "ngrams"}),
    (wide, ["--steps", "t*", "--target", "total"], "regress", {"mean", "linear"}),
    (
        long,
        ["--id", "who", "--time", "second", "--features", "x,y", "--target", "state"],
        "classify",
        {"prior", "linear"},
    ),
    (daily, ["--time", "day", "--value", "visits", "--horizon", "2"], "forecast", {"last", "season", "ridge"}),
]


@pytest.mark.parametrize(("make", "columns", "kind", "baselines"), SHAPES)
def test_each_shape_of_data_leaves_a_run_with_baselines(
    make: Any, columns: list[str], kind: str, baselines: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    make(Path("data.csv"))
    assert main(["train", "data.csv", *columns, *QUICK, "--out", "run", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["kind"] == kind
    assert {one["name"] for one in printed["baselines"]} == baselines
    run = load("run")
    assert run.status == "done"
    assert printed["metrics"] == run.metrics
    assert run.history[-1]["step"] == 3
    errors = ["errors.safetensors"] if kind == "forecast" else []
    files = [*errors, "history.jsonl", "model.safetensors", "run.json"]
    assert sorted(path.name for path in Path("run").iterdir()) == files


def test_the_same_data_however_they_are_written_give_the_same_weights() -> None:
    strings(Path("data.csv"))
    rows = [line.split(",") for line in Path("data.csv").read_text().splitlines()]
    Path("data.tsv").write_text("\n".join("\t".join(row) for row in rows))
    Path("data.jsonl").write_text("\n".join(json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]))
    Path("data.csv.gz").write_bytes(gzip.compress(Path("data.csv").read_bytes()))
    for number, name in enumerate(["data.csv", "data.tsv", "data.jsonl", "data.csv.gz"]):
        assert main(["train", name, *QUICK, "--out", f"run{number}"]) == 0
        assert torch.equal(load("run0").weights, load(f"run{number}").weights)


def test_columns_with_commas_are_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[i, t, (i * t) % 5, (i + t) % 3, "up" if i % 2 else "down"] for i in range(40) for t in range(4)]
    heading = ["id", "t", '"left, mm"', '"5"" pipe"', "kind"]
    Path("long.csv").write_text("\n".join(",".join(map(str, row)) for row in [heading, *rows]) + "\n")
    asked = ["train", "long.csv", "--id", "id", "--time", "t", "--target", "kind", "--max-steps", "2", "--out", "run"]
    assert main([*asked, "--features", '"left, mm","5"" pipe"']) == 0
    assert load("run").data["config"]["features"] == ["left, mm", '5" pipe']
    capsys.readouterr()
    assert main([*asked, "--features", '"left, mm']) == 2
    assert "a quoted name must end with a quote" in capsys.readouterr().err
    assert main(["train", "long.csv", "--steps", '"left, mm","5"" pipe"', "--target", "kind", "--max-steps", "2"]) == 0


def test_folders_of_runs_get_names_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    strings(Path("people.csv"))
    for _ in range(2):
        assert main(["train", "people.csv", "--cell", "rnn", *QUICK]) == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == ["people-elman", "people-elman-2"]
    said = capsys.readouterr()
    assert "class prior" in said.out
    assert "character n-grams" in said.out
    assert "20 train, 4 validation, 6 test" in said.err.replace("\n", "")


def test_data_can_be_called_otherwise_than_their_file(capsys: pytest.CaptureFixture[str]) -> None:
    wide(Path("10c0bb6d.csv"))
    asked = [
        "train",
        "10c0bb6d.csv",
        "--steps",
        "t*",
        "--target",
        "total",
        "--max-steps",
        "2",
        "--name",
        "../My shops.csv",
    ]
    assert main(asked) == 0
    assert load("runs/My-shops-gru").data["name"] == "My-shops"
    capsys.readouterr()
    assert main(["train", "--resume", "runs/My-shops-gru", "--name", "other"]) == 2
    assert "--name must be left out with --resume" in capsys.readouterr().err


def test_a_flag_reaches_its_configuration() -> None:
    strings(Path("data.csv"))
    flags = ["--no-bidirectional", "--lr", "0.5", "--optimizer", "sgd", "--lowercase", "--test", "0.3", "--epochs", "1"]
    assert main(["train", "data.csv", "--hidden-size", "4", *flags, "--out", "run"]) == 0
    run = load("run")
    assert not run.model_config.bidirectional
    assert (run.train_config.lr, run.train_config.optimizer, run.train_config.epochs) == (0.5, "sgd", 1)
    assert run.data["task"]["test"] == 0.3
    assert run.codec.lowercase  # type: ignore[union-attr]


def test_a_diverged_run_is_told_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    wide(Path("data.csv"))
    arguments = [
        "train",
        "data.csv",
        "--steps",
        "t*",
        "--target",
        "total",
        "--optimizer",
        "sgd",
        "--lr",
        "1e9",
        "--clip",
        "0",
    ]
    assert main([*arguments, "--schedule", "constant", "--max-steps", "60", "--hidden-size", "4", "--out", "run"]) == 0
    assert load("run").status == "diverged"
    assert "--clip 1" in capsys.readouterr().out


def test_a_test_part_that_no_forecast_fits_into_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    daily(Path("data.csv"))
    arguments = ["train", "data.csv", "--time", "day", "--value", "visits", "--max-steps", "1", "--hidden-size", "2"]
    assert main([*arguments, "--horizon", "45", "--out", "run"]) == 0
    assert (
        "nothing is held out, so nothing will say how good it is: no forecast of 45 steps fits into the last times"
        in capsys.readouterr().err
    )
    assert main([*arguments, "--out", "other"]) == 0
    assert "nothing is held out" not in capsys.readouterr().err


BAD: list[tuple[list[str], str]] = [
    ([], "DATA must be a file or folder, got none"),
    (["none.csv"], "none.csv must be a file or folder, got nothing"),
    (["data.csv", "--cell", "lsmt"], "cell must be one of combined, elman, gru, lstm (nearest: lstm), got 'lsmt'"),
    (["data.csv", "--hidden-size", "0"], "hidden_size must"),
    (["data.csv", "--hidden-size", "many"], "hidden-size"),
    (["data.csv", "--lr", "-1"], "lr must"),
    (["data.csv", "--lr", "nan"], "lr must"),
    (["data.csv", "--no-such-flag", "1"], "--no-such-flag"),
    (["data.csv", "--text", "nmae"], "nearest: name"),
    (["data.csv", "--text", "name", "--value", "x"], "value must not go with text"),
    (
        ["data.csv", "--known", "a", "--value", "b"],
        "data.csv must have the column 'a', got name, origin; pass known with one of them",
    ),
    (["data.csv", "--where", "origin"], "where must be COLUMN=TEXT"),
    (["data.csv", "--test", "1.5"], "test must"),
    (["data.csv", "--test", "0.6", "--validation", "0.5"], "validation must"),
    (["data.csv", "--device", "warp"], "device must be available, got 'warp'"),
    (["data.csv", "--threads", "0"], "threads must be at least 1"),
    (["data.csv", "--checkpoint-every", "0"], "checkpoint-every must be above 0"),
    (["data.csv", "--head", "none", "--bidirectional"], "head none"),
    (["data.csv", "--out", "full"], "full must be a new or empty folder"),
    (["data.csv", "--out", "data.csv"], "data.csv must be a new or empty folder"),
    (["data.csv", "--out", "data.csv/run"], "cannot be made"),
    (["names", "--text", "x"], "text must be left out with the built-in 'names'"),
    (["--resume", "none"], "none must be a run folder, got nothing"),
    (["--resume", "full"], "full/run.json is missing"),
    (["--resume", "full", "--lr", "1"], "--lr must be left out with --resume"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_requests_get_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    strings(Path("data.csv"))
    Path("full").mkdir()
    Path("full/mine").write_text("mine")
    before = sorted(Path().rglob("*"))
    assert main(["train", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


FLAGS = {
    "--cell": ["gru", "lstm", "elman", "combined", "x", ""], "--hidden-size": ["1", "0", "1e9", "-3"],
    "--num-layers": ["1", "2", "0"], "--head": ["none", "relu", "linear"], "--readout": ["last", "max", "mean"],
    "--embedding-size": ["0", "3"], "--dropout": ["0.5", "1", "nan"], "--optimizer": ["sgd", "adam"],
    "--schedule": ["plateau", "one_cycle"], "--batching": ["balanced", "in_order", "by_length"], "--batch-size": ["1", "500"],
    "--patience": ["1"], "--evaluate-every": ["1", "7"], "--keep": ["last"], "--label-smoothing": ["0.2", "1"],
    "--prior-adjustment": ["1"], "--input-dropout": ["0.3"], "--validation": ["0", "0.2"], "--seed": ["1", "-1"],
    "--clip": ["0.1"], "--momentum": ["0.9"], "--lr": ["1e-2", "1e30"], "--horizon": ["1", "3", "0"],
    "--steps": ["t*", "name"], "--target": ["origin", "total"], "--where": ["origin=A", "x"], "--context-length": ["1", "9999"],
    "--difference": ["0", "3"], "--kind": ["classify", "regress", "forecast"], "--value": ["visits"], "--missing": ["drop"],
}  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flags_train_or_are_refused_in_one_line(data: st.DataObject, capsys: pytest.CaptureFixture[str]) -> None:
    make, columns, *_ = data.draw(st.sampled_from(SHAPES))
    make(Path("data.csv"))
    chosen = data.draw(st.lists(st.sampled_from(sorted(FLAGS)), max_size=6, unique=True))
    said = [part for flag in chosen for part in (flag, data.draw(st.sampled_from(FLAGS[flag])))]
    taken = data.draw(st.integers(0, len(columns) // 2))
    capsys.readouterr()
    code = main(["train", "data.csv", *columns[: 2 * taken], "--hidden-size", "3", *said, "--max-steps", "2", "--json"])
    out, err = capsys.readouterr()
    if code == 0:
        assert json.loads(out)["status"] in ("done", "diverged", "stopped")
    else:
        assert code == 2
        assert err.count("\n") == 1


def test_findings_are_printed_saved_and_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = ["train", "sales", "--hidden-size", "4", "--lr", "1e-7", "--epochs", "4"]
    assert main([*order, "--out", str(tmp_path / "one")]) == 0
    said = capsys.readouterr().out
    assert "warning learning_rate_too_small" in said
    assert "→ --lr" in said
    assert main([*order, "--out", str(tmp_path / "two"), "--strict", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)["findings"]
    saved = json.loads((tmp_path / "two" / "run.json").read_text())["findings"]
    assert [one["check"] for one in found] == [one["check"] for one in saved] == ["learning_rate_too_small"]
    assert main([*order, "--out", str(tmp_path / "three"), "--strict", "--json", "--no-doctor"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two", "three")]
    assert weights[0] == weights[1] == weights[2]
