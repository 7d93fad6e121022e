"""The sales study end to end at its smallest, and its figures against what can be computed by hand."""

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from rnnlab.data import LabelledStrings, Series, library
from rnnlab.errors import DataError
from rnnlab.results import StudyResult
from rnnlab.studies.jobs import LabData, Outcome
from rnnlab.studies.sales import Recipe, Sales, _starts, fitting_windows, published_task, recipes

NAMES = LabelledStrings(("a", "b"), ("x", "y"))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the lab: a job has one thread. Several only wait for each other at these sizes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def waves(length: int, season: int = 1) -> Series:
    times = np.datetime64("2020-01-01") + np.arange(length)
    return Series(times, 10 + np.sin(np.arange(length) / 2) + np.arange(length) % 3, "waves", season)


def answered(series: Series) -> tuple[StudyResult, dict[str, Outcome]]:
    study, data = Sales(), LabData(NAMES, series)
    outcomes = {}
    for job in study.jobs("smoke", data):
        shares: list[float] = []
        outcomes[job.name] = pickle.loads(pickle.dumps(job)).work(data, shares.append)
        assert all(0 <= share <= 1 for share in shares)
    return study.conclude("smoke", data, dict(reversed(outcomes.items()))), outcomes


@pytest.fixture(scope="module")
def builtin() -> tuple[StudyResult, dict[str, Outcome]]:
    return answered(library.sales())


def test_the_study_is_whole_json(builtin):
    result, _ = builtin
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["study"] == "sales"
    assert 2 <= len(result.answer) <= 4
    assert len({claim.id for claim in result.claims}) == len(result.claims) == 9
    assert {claim.study for claim in result.claims} == {"sales"}


def test_tables_are_rectangular_and_kinds_present(builtin):
    result, _ = builtin
    parts = [part for section in result.sections for part in section.parts]
    for table in (part for part in parts if hasattr(part, "rows")):
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.id
    assert {part.kind for part in parts if hasattr(part, "kind")} == {"series", "curves", "bars", "forecast"}


def test_forecast_figure_marks_the_held_out_part(builtin):
    result, _ = builtin
    figure = next(part for section in result.sections for part in section.parts if part.id == "forecast")
    truth = [one for one in figure.data if one["series"] == "data"]
    values = library.sales().values
    held = [one["value"] for one in truth if one["held_out"]]
    assert held == values[-148:].tolist()
    assert [one["time"] for one in truth][-1] == "2011-12-08"
    others = {one["series"] for one in figure.data} - {"data"}
    assert others == {"networks together", "ridge on 32 lags"}
    assert all(sum(one["series"] == name for one in figure.data) == 148 for name in others)


def test_figures_are_of_the_forecasts_that_are_shown(builtin):
    result, _ = builtin
    parts = {part.id: part for section in result.sections for part in section.parts}
    bars = {bar["label"]: bar for bar in parts["mae"].data}
    truth = library.sales().values[-148:]
    for name in ("networks together", "ridge on 32 lags"):
        shown = [one["value"] for one in parts["forecast"].data if one["series"] == name]
        assert bars[name]["value"] == pytest.approx(np.abs(np.array(shown) - truth).mean())
    assert bars["last value"]["reference"]
    assert not bars["networks together"]["reference"]


def test_networks_of_a_job_are_scored_in_units(builtin):
    _, outcomes = builtin
    values = library.sales().values
    for name in ("steps-gru", "recipe-change364"):
        run, seen = outcomes[name].runs[0], outcomes[name].measured
        ends = [values[:end] for end in range(len(values) - 148, len(values))]
        answers = np.array([answer["prediction"] for answer in run.predict(ends)])
        assert np.abs(answers - values[-148:]).mean() == pytest.approx(seen["runs"][0]["mae"], rel=1e-4)


def test_published_target_skips_a_value():
    series = waves(80)
    task = published_task(series, 8)
    assert task.targets[0, 0] * task.codec.scale + task.codec.offset == pytest.approx(series.values[9], rel=1e-5)
    assert task.inputs.values.shape[1] == 8
    assert len(task.splits.validation) == 0


def test_weights_that_learn_match_torch():
    """The published LSTM, written in torch: 26,369 of its 297,217 weights get a gradient, none of them recurrent."""
    scale = {"starts": 1, "hidden": 256}
    rows = _starts((32,), scale, LabData(NAMES, library.sales()), lambda spent: None).measured["rows"]
    ours = next(row for row in rows if row["cell"] == "lstm")
    lstm, head = torch.nn.LSTM(32, 256, batch_first=True), torch.nn.Linear(256, 1)
    ((head(lstm(torch.rand(50, 1, 32))[0]) - 1) ** 2).mean().backward()
    weights = [*lstm.parameters(), *head.parameters()]
    assert ours["parameters"] == sum(weight.numel() for weight in weights) == 297_217
    assert ours["learning"] == sum(int((weight.grad != 0).sum()) for weight in weights) == 26_369
    assert ours["recurrent_gradient"] == float(lstm.weight_hh_l0.grad.abs().max()) == 0.0


def test_the_share_of_dead_starts_is_that_of_the_report():
    scale = {"starts": 100, "hidden": 256}
    rows = _starts((8,), scale, LabData(NAMES, library.sales()), lambda spent: None).measured["rows"]
    assert 0.3 < next(row for row in rows if row["cell"] == "lstm")["dead"] < 0.6


@pytest.mark.parametrize(("length", "season"), [(60, 7), (24, 1)])
def test_a_short_series_is_answered(length, season):
    result, outcomes = answered(waves(length, season))
    json.dumps(result.to_dict(), allow_nan=False)
    assert not any("change364" in name for name in outcomes)


def test_a_series_too_short_says_what_it_needs():
    with pytest.raises(DataError, match="at least 20 values"):
        Sales().jobs("smoke", LabData(NAMES, waves(19)))
    assert fitting_windows(waves(20)) == (8,)


def test_negative_and_constant_series_are_answered():
    series = waves(90, 7)
    for values in (series.values - 12, np.full(90, 3.0)):
        result, _ = answered(replace(series, values=values))
        json.dumps(result.to_dict(), allow_nan=False)


def test_recipes_follow_the_series():
    assert recipes(library.sales(), 32) == [Recipe(False, 364), Recipe(False, 365)]
    assert recipes(waves(300, 7), 32) == [Recipe(True, 0), Recipe(True, 7)]
    assert recipes(waves(1000, 7), 32) == [Recipe(True, 0), Recipe(True, 364), Recipe(True, 365)]


@pytest.mark.slow
def test_recurrent_networks_beat_ridge_on_the_built_in_sales():
    study, data = Sales(), LabData(NAMES, library.sales())
    outcomes = {job.name: job.work(data, lambda spent: None) for job in study.jobs("quick", data)}
    result = study.conclude("quick", data, outcomes)
    bars = next(part for section in result.sections for part in section.parts if part.id == "mae").data
    error = {bar["label"]: bar["value"] for bar in bars}
    assert error["networks together"] < error["ridge on 32 lags"]
