"""Baselines of a forecast: hand-computed values, what may be known when, and the figures of real data."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeCV

from rnnlab.data import LabelledStrings, Series, SeriesCollection
from rnnlab.data.clock import year_lags
from rnnlab.errors import ConfigError, DataError
from rnnlab.tasks import classify_strings, forecast_many, forecast_series
from rnnlab.tasks.forecast_baselines import baselines, ridge, score_values, values_back, year_with_growth

SHARED = Path(os.environ.get("RNNLAB_SHARED", Path(__file__).parents[3] / "shared"))


def days(values: np.ndarray, season: int = 7) -> Series:
    times = np.datetime64("2020-01-01") + np.arange(len(values))
    return Series(times, np.asarray(values, dtype=np.float64), "visits", season)


def test_last_value_and_season_by_hand():
    values = np.arange(30.0) ** 2
    task = forecast_series(days(values), context_length=4)
    assert task.splits.test[-1] == 25
    assert values_back(task, 1)[:, 0].tolist() == values[23:29].tolist()
    assert values_back(task, 7)[:, 0].tolist() == values[17:23].tolist()
    errors = values[24:] - values[23:29]
    scores = score_values(task, values_back(task, 1))
    train = values[:21]
    assert scores["mae"] == pytest.approx(errors.mean())
    assert scores["rmse"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert scores["mase"] == pytest.approx(errors.mean() / (train[7:] - train[:-7]).mean())


def test_a_gap_hides_the_newest_values():
    values = np.arange(30.0)
    task = forecast_series(days(values), context_length=4, gap=1)
    assert values_back(task, 1)[0, 0] == values[22]


def test_a_horizon_longer_than_the_season_takes_the_newest_known():
    values = np.arange(40.0)
    task = forecast_series(days(values, season=2), context_length=4, horizon=3)
    first = task.target_position(int(task.splits.test[0]))
    assert values_back(task, 2)[0].tolist() == [first - 2, first - 1, first - 2]


def test_growth_by_hand():
    values = np.concatenate([np.full(40, 2.0), np.full(40, 3.0)])
    task = forecast_series(days(values), context_length=4)
    assert year_with_growth(task, 35, recent=5)[0, 0] == pytest.approx(2.0 * 3 / 2)
    assert year_with_growth(forecast_series(days(np.zeros(80)), context_length=4), 35, recent=5)[0, 0] == 0.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2), st.integers(1, 3), st.integers(0, 1000))
def test_nothing_after_the_window_is_used(gap, horizon, seed):
    """Change everything that is not known yet: the forecast stays, whatever the baseline."""
    values = np.random.default_rng(seed).normal(10, 1, 90)
    task = forecast_series(days(values), context_length=6, gap=gap, horizon=horizon)
    first = task.target_position(int(task.splits.test[0]))
    ways = {
        first - gap: (lambda t: values_back(t, 1), lambda t: values_back(t, 7), lambda t: year_with_growth(t, 30)),
        first: (ridge,),
    }
    for unknown, forecasts in ways.items():
        changed = np.where(np.arange(90) < unknown, values, values + 100)
        other = forecast_series(days(changed), context_length=6, gap=gap, horizon=horizon)
        for forecast in forecasts:
            np.testing.assert_allclose(forecast(task)[0], forecast(other)[0], rtol=1e-5)


def test_ridge_is_scikit_learns():
    values = np.sin(np.arange(120) / 3) * 3 + np.random.default_rng(0).normal(20, 1, 120)
    task = forecast_series(days(values), context_length=8)
    lags = np.lib.stride_tricks.sliding_window_view(values, 8)[:-1]
    known = len(values) - len(task.splits.test) - 8
    mean, deviation = lags[:known].mean(axis=0), lags[:known].std(axis=0)
    reference = RidgeCV(np.logspace(-3, 4, 15)).fit((lags[:known] - mean) / deviation, values[8 : 8 + known])
    expected = reference.predict((lags[known:] - mean) / deviation)
    np.testing.assert_allclose(ridge(task)[:, 0], expected, rtol=1e-3)


def test_ridge_on_changes_answers_in_the_datas_units():
    values = np.exp(np.arange(120) / 40) * (2 + np.sin(np.arange(120) * 2 * np.pi / 7))
    task = forecast_series(days(values), context_length=8, log=True, difference=7)
    assert score_values(task, ridge(task))["mae"] < 0.2 * score_values(task, values_back(task, 7))["mae"]


def test_a_short_series_has_no_season_and_no_year():
    task = forecast_series(days(np.arange(40.0), season=60), context_length=4)
    assert [one.name for one in baselines(task)] == ["last", "ridge"]


def test_a_year_back_is_there_where_the_series_is_long_enough():
    values = np.arange(700.0)
    found = {one.name: one for one in baselines(forecast_series(days(values), context_length=8))}
    assert found["year"].title == "364 steps back"
    np.testing.assert_allclose(found["year"].predictions[:, 0], np.arange(560.0, 700) - 364)
    assert "year" not in {one.name for one in baselines(forecast_series(days(values[:480]), context_length=8))}


def test_of_several_series_half_must_be_a_year_long():
    """A young one repeats its last value, and does not grow by what lies in its neighbour."""
    long = [Series(days(np.arange(700.0)).times, np.arange(700.0) + level, f"s{level}", 7) for level in (10, 20)]
    short = Series(long[0].times[500:], np.full(200, 5.0), "young", 7)
    task = forecast_many(SeriesCollection((long[0], short, long[1])), context_length=8, scaling="window")
    found = {one.name: one for one in baselines(task)}
    of = task.timeline.series[task.splits.test]
    np.testing.assert_allclose(found["year"].predictions[of == 0][:, 0], np.arange(560.0, 700) + 10 - 364)
    np.testing.assert_allclose(found["year"].predictions[of == 1], 5.0)
    np.testing.assert_allclose(found["year_growth"].predictions[of == 1], 5.0)
    alone = {one.name: one for one in baselines(forecast_series(long[1], context_length=8))}
    np.testing.assert_allclose(found["year_growth"].predictions[of == 2], alone["year_growth"].predictions)
    mostly_young = SeriesCollection((long[0], short, Series(short.times, short.values, "other", 7)))
    assert "year" not in {one.name for one in baselines(forecast_many(mostly_young, context_length=8))}


def test_years_of_calendars():
    def every(step: str, unit: str) -> np.ndarray:
        return np.arange(np.datetime64("2020-01", unit), np.datetime64("2020-01", unit) + 30 * int(step), int(step))

    assert year_lags(every("1", "D"), 7) == (364, 365)
    assert year_lags(every("1", "D")) == (365,)
    assert year_lags(every("7", "D")) == (52,)
    assert year_lags(every("1", "M").astype("datetime64[D]"), 12) == (12,)
    assert year_lags(every("1", "h"), 24) == ()


def test_labels_have_no_past():
    task = classify_strings(LabelledStrings(tuple("abcdefgh"), tuple("xxxxyyyy")))
    with pytest.raises(ConfigError, match="forecast"):
        baselines(task)


def test_differences_must_be_known_and_logs_exist():
    with pytest.raises(ConfigError, match="difference must be"):
        forecast_series(days(np.arange(60.0)), context_length=4, horizon=3, difference=2)
    with pytest.raises(DataError, match="above -1"):
        forecast_series(days(np.arange(60.0) - 10), context_length=4, log=True)
    with pytest.raises(DataError, match="context_length"):
        forecast_series(days(np.arange(60.0)), context_length=4, difference=50)


def test_targets_come_back_in_units():
    values = 5 + np.random.default_rng(0).gamma(2, 3, 90)
    for log, difference in ((False, 0), (True, 0), (False, 7), (True, 7)):
        task = forecast_series(days(values), context_length=5, horizon=2, log=log, difference=difference)
        index = np.arange(len(task.inputs))
        truth = values[task.target_position(index)[:, None] + np.arange(2)]
        np.testing.assert_allclose(task.to_units(task.targets.numpy(), index), truth, rtol=1e-5)
        ends = [values[: task.target_position(int(i))] for i in index]
        assert task.codec.past_length == 5 + difference
        windows, _ = task.inputs.gather(task.part("test"))
        again, _ = task.codec.encode([ends[i] for i in task.splits.test]).gather(
            task.part("test") - int(task.part("test")[0])
        )
        np.testing.assert_allclose(windows, again, rtol=1e-4, atol=1e-5)
        decoded = [answer["prediction"] for answer in task.codec.decode(task.targets.numpy(), ends)]
        np.testing.assert_allclose(decoded, truth, rtol=1e-5)


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the real sales files are not on this machine")
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "mean_sales_daily",
            {"last": (6.75, 9.90), "season": (1.80, 3.73), "year_growth": (0.73, 1.53), "ridge": (1.03, 1.79)},
        ),
        (
            "store1_item1_daily",
            {"last": (6.30, 7.73), "season": (5.24, 6.61), "year_growth": (5.34, 6.69), "ridge": (4.20, 5.24)},
        ),
    ],
)
def test_figures_of_real_sales(file, expected):
    with (SHARED / "data" / "store_item_demand" / f"{file}.csv").open() as text:
        values = np.array([float(row["sales"]) for row in csv.DictReader(text)])
    task = forecast_series(days(values), context_length=32)
    found = {one.name: one.metrics for one in baselines(task)}
    for name, (mae, rmse) in expected.items():
        assert found[name]["mae"] == pytest.approx(mae, abs=0.011 if name != "ridge" else 0.05), name
        assert found[name]["rmse"] == pytest.approx(rmse, abs=0.011 if name != "ridge" else 0.05), name
