"""The list of runs: filtered, sorted, and not stopped by a broken one."""

from pathlib import Path

import pytest

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.errors import ConfigError, RunFolderError
from rnnlab.models import Model
from rnnlab.runs import Run, save
from rnnlab.runs.catalogue import find_runs, select
from rnnlab.tasks import NumberCodec, TextCodec


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    text, number = (
        TextCodec(characters="ab", labels=("x", "y")),
        NumberCodec(offset=(0.0,), scale=(1.0,), target_offset=(0.0,), target_scale=(1.0,)),
    )
    for name, cell, codec, metrics in (
        ("one", "gru", text, {"accuracy": 0.7}),
        ("two", "lstm", text, {"accuracy": 0.9}),
        ("deep/three", "gru", number, {"rmse": 2.0}),
        ("four", "gru", number, {"rmse": float("nan")}),
    ):
        config = ModelConfig(cell=cell, hidden_size=2)
        weights = Model(config, codec.interface).flat[0].detach()
        kind = "classify" if codec is text else "regress"
        run = Run(
            name, config, TrainConfig(), codec, weights, metrics={"test": metrics}, data={"kind": kind, "name": "d"}
        )
        save(run, tmp_path / name)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "two-headless").mkdir()
    (tmp_path / "two-headless" / "run.json").write_bytes((tmp_path / "two" / "run.json").read_bytes())
    (tmp_path / "nothing").mkdir()
    (tmp_path / ".half" / "run").mkdir(parents=True)
    (tmp_path / ".half" / "run" / "run.json").write_text("{}")
    return tmp_path


def names(entries: list) -> list[str]:
    return [entry.folder.name for entry in entries]


def test_runs_are_found_and_broken_ones_named_last(runs: Path) -> None:
    found = select(find_runs(runs))
    assert names(found) == ["three", "four", "one", "two", "broken", "two-headless"]
    assert [bool(entry.problem) for entry in found] == [False] * 4 + [True] * 2
    assert "must be JSON" in found[4].problem
    assert "model.safetensors is missing" in found[5].problem


def test_filters_and_orders(runs: Path) -> None:
    entries = find_runs(runs)
    assert names(select(entries, task="classify", sort="accuracy")) == ["two", "one"]
    assert names(select(entries, task="regress", sort="rmse")) == ["three", "four"]
    assert names(select(entries, cell="lstm")) == ["two"]
    assert names(select(entries, status="broken")) == ["broken", "two-headless"]
    assert names(select(entries, task="classify", sort="cell")) == ["one", "two"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"task": "clasify"}, "task must be one of classify, regress .nearest: classify."),
        ({"cell": "combined"}, "cell must be one of gru, lstm"),
        ({"sort": "acuracy"}, "nearest: accuracy"),
    ],
)
def test_what_no_run_has_is_refused(runs: Path, asked: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        select(find_runs(runs), **asked)


def test_an_empty_folder_has_no_runs_and_no_folder_is_refused(tmp_path: Path) -> None:
    assert select(find_runs(tmp_path), task="classify", sort="accuracy") == []
    with pytest.raises(RunFolderError, match="must be a folder of runs, got nothing"):
        find_runs(tmp_path / "none")


def test_links_in_circles_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    assert find_runs(tmp_path) == []
