"""The list of runs: filtered, sorted, and not stopped by a broken one."""

from pathlib import Path

import pytest

from rnnlab.cli import main
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.errors import ConfigError, RunFolderError
from rnnlab.models import Model
from rnnlab.runs import Run, save
from rnnlab.runs.catalogue import find_runs, select
from rnnlab.tasks import NumberCodec, SeriesCodec, TextCodec


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


def test_several_series_are_judged_without_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = SeriesCodec(context_length=4, offset=0.0, scale=1.0)
    several = one.replace(scaling="window", names=("a", "b"), floors=(1.0, 1.0))
    config = ModelConfig(cell="gru", hidden_size=2)
    for name, codec, mae, mase, series in (
        ("first", several, 9.0, 0.8, None), ("second", several, 3.0, 0.9, None), ("alone", one, 5.0, 0.7, None),
        ("standard", one, 1.0, 0.6, [{"name": "a"}, {"name": "b"}]),
    ):  # fmt: skip
        weights = Model(config, codec.interface).flat[0].detach()
        data = {"kind": "forecast", "name": "one" if name == "alone" else "shops"} | (
            {"series": series} if series else {}
        )
        metrics = {"test": {"mae": mae, "mase": mase}}
        save(Run(name, config, TrainConfig(), codec, weights, metrics=metrics, data=data), tmp_path / name)
    found = select(find_runs(tmp_path), sort="metric")
    assert [(entry.folder.name, entry.metric) for entry in found] == [
        ("alone", "mae"), ("standard", "mase"), ("first", "mase"), ("second", "mase"),
    ]  # fmt: skip
    assert main(["runs", str(tmp_path), "--sort", "metric"]) == 0
    rows = [line.split()[-2:] for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [["mae", "5"], ["mase", "0.6"], ["mase", "0.8"], ["mase", "0.9"]]
    assert main(["runs", str(tmp_path), "--sort", "mae"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[-2:] == ["mae", "1"]


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
