"""Backtests: folds in the order of time, nothing trained on that lies in or behind a fold, figures of a training by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnlab.cli import main
from rnnlab.config import ModelConfig
from rnnlab.data import LabelledStrings, Series, SeriesCollection
from rnnlab.errors import ConfigError
from rnnlab.runs import load
from rnnlab.tasks import forecast_series
from rnnlab.tasks.baselines import references
from rnnlab.training import train
from rnnlab.training.backtest import Backtesting

OPTIONS: dict[str, Any] = {
    "context_length": 7, "difference": 0, "horizon": 2, "hidden_size": 4, "max_steps": 6, "lr": 0.01, "epochs": 3,
}  # fmt: skip


TEXTS = tuple(f"{a}{b}" for a in "abcdef" for b in "uvwxyz")
STRINGS = LabelledStrings(TEXTS, tuple(text[0] for text in TEXTS))


def waves(length: int = 100, seed: int = 0, name: str = "visits") -> Series:
    days = np.datetime64("2024-01-01") + np.arange(length)
    noise = np.random.default_rng(seed).standard_normal(length)
    return Series(days, 100 + 20 * np.sin(np.arange(length) * 2 * np.pi / 7) + noise, name, 7)


def backtested(data: Any, **options: Any) -> Backtesting:
    kept = {name: options.pop(name) for name in ("folds", "again") if name in options}
    found = Backtesting(data, OPTIONS | options, **kept)
    for _ in found:
        pass
    return found


def test_again_is_a_training_by_hand_on_what_lay_before() -> None:
    series = waves()
    found = backtested(series, folds=2, again=True)
    assert [run.name for run in found.runs] == ["fold-1", "fold-2"]
    for number, fold in enumerate(found.result().folds):
        end = 90 + 10 * number
        cut = Series(series.times[:end], series.values[:end], "visits", 7)
        task = forecast_series(cut, context_length=7, horizon=2, test=10 / end, validation=10 / end)
        run = train(task, found.plan.model, found.plan.training)[0]
        assert fold.metrics["mae"] == pytest.approx(run.metrics["test"]["mae"], rel=1e-6)
        assert fold.metrics["mase"] == pytest.approx(run.metrics["test"]["mase"], rel=1e-6)
        for one in references(task):
            assert fold.baselines[one.name]["mae"] == pytest.approx(one.metrics["mae"], rel=1e-6)
        assert (fold.first, fold.last) == (str(series.times[end - 10]), str(series.times[end - 1]))


def test_once_is_one_network_over_all_folds() -> None:
    series = waves()
    found = backtested(series, folds=4)
    result = found.result()
    assert len(found.runs) == 1
    assert result.trained == "once"
    task = forecast_series(series, context_length=7, horizon=2)
    alone = train(task, ModelConfig(hidden_size=4), found.plan.training)[0]
    assert [fold.forecasts for fold in result.folds] == [4] * 4
    errors = []
    for fold in range(4):
        for end in range(80 + 5 * fold, 80 + 5 * fold + 4):
            answer = alone.predict([series.values[:end]])[0]["prediction"]
            errors.append(np.abs(np.array(answer) - series.values[end : end + 2]).mean())
    assert result.mean()["mae"] == pytest.approx(np.mean(errors), rel=1e-4)


def test_what_lies_in_a_fold_and_behind_it_is_not_trained_on() -> None:
    whole, other = waves(), waves()
    values = other.values.copy()
    values[85:] += 1000
    other = Series(other.times, values, "visits", 7)
    first, second = (backtested(one, folds=4, again=True) for one in (whole, other))
    assert first.runs[0].weights.tolist() == second.runs[0].weights.tolist()
    before, after = first.result().folds, second.result().folds
    assert before[0] == after[0]
    assert all(one.metrics != other.metrics for one, other in zip(before[1:], after[1:], strict=True))


def test_many_series_have_folds_of_the_same_days() -> None:
    source = SeriesCollection((waves(100, 0, "a"), waves(60, 1, "b"), waves(100, 2, "c")))
    result = backtested(source, folds=2, again=True).result()
    assert result.metric == "mase"
    assert {"network", "last", "season", "ridge"} == set(result.to_dict()["mean"])
    assert "in " in result.verdict
    assert "pinball" in result.mean()


def test_a_year_back_stands_beside_where_every_fold_reaches_so_far() -> None:
    long = waves(700)
    result = backtested(long, folds=2).result()
    assert result.titles["year"] == "364 steps back"
    for fold in result.folds:
        there = (long.times >= np.datetime64(fold.first)) & (long.times <= np.datetime64(fold.last))
        error = long.values[there] - long.values[np.flatnonzero(there) - 364]
        pairs = np.abs(np.stack([error[:-1], error[1:]]))
        assert fold.baselines["year"]["mae"] == pytest.approx(pairs.mean(), rel=1e-6)
    # The first fold begins 376 days after the series, the second 423: a year and the 28 days of its growth fit into one of them.
    assert "year" not in backtested(waves(470), folds=2).result().titles


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (waves(), {"folds": 0}, "folds must be between 1 and 1000, got 0"),
        (waves(), {"folds": 11}, "folds must be at most 10, got 11: the test part has 20 times for forecasts of 2"),
        (STRINGS, {"horizon": 1, "context_length": None}, "kind must be forecast in a backtest"),
        (waves(), {"fodls": 2}, "option 'fodls' is unknown"),
        (5, {}, "data must be a file, a folder"),
    ],
)  # fmt: skip
def test_bad_requests_are_named(data: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        backtested(data, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_line_tells_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    quick = ["--horizon", "2", "--hidden-size", "4", "--max-steps", "3"]
    assert main(["backtest", "sales", *quick, "--folds", "3", "--out", "kept"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[0] == "mae"
    assert [line.split()[0] for line in said[1:5]] == ["1", "2", "3", "mean"]
    assert said[5] == "trained once for all folds"
    assert "of 3 folds; mean" in said[6]
    kept = json.loads(Path("kept/backtest.json").read_text())
    assert len(kept["folds"]) == 3
    assert load("kept/fold-1").status == "done"
    assert main(["backtest", "sales", *quick, "--again", "--folds", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trained"] == "again"
    assert main(["backtest", "sales", *quick, "--out", "kept"]) == 2
    assert "kept must be a new or empty folder" in capsys.readouterr().err
    assert main(["backtest", "names", *quick[2:]]) == 2
    assert "kind must be forecast in a backtest, got classify" in capsys.readouterr().err
