"""Forecasts from any start over any horizon, against a loop that does the same one value at a time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnlab.data import library
from rnnlab.errors import DataError, RunFolderError
from rnnlab.runs import Run, load
from rnnlab.web.page.behind import behind
from rnnlab.web.page.forecasting import Past, forecast, half_widths, most_steps, past_of, series_of

from .runs import quick_run


@pytest.fixture(scope="module", params=[1, 3])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Past]:
    folder = quick_run(
        tmp_path_factory.mktemp("runs") / "sales", "sales", horizon=request.param, hidden_size=4, max_steps=30
    )
    run = load(folder)
    return run, past_of(behind(run, folder))


def horizon(run: Run) -> int:
    return run.codec.horizon


def plainly(run: Run, values: np.ndarray, steps: int) -> list[float]:
    known = values.tolist()
    while len(known) < len(values) + steps:
        known += np.atleast_1d(run.predict([np.array(known)])[0]["prediction"]).tolist()
    return known[len(values) : len(values) + steps]


def test_the_past_is_the_series_and_its_parts(case: tuple[Run, Past]) -> None:
    run, past = case
    np.testing.assert_array_equal(past.series.values, library.sales().values)
    assert run.codec.past_length <= past.first < past.checked < past.held_out < len(past.series)
    assert past.held_out == round(0.8 * len(past.series))


@pytest.mark.parametrize("steps", [1, 5, 20])
def test_beyond_the_horizon_its_own_forecast_stands_in(case: tuple[Run, Past], steps: int) -> None:
    run, past = case
    for start in (past.first, past.held_out, len(past.series)):
        made = forecast(run, past, start, steps)
        np.testing.assert_allclose(made.values, plainly(run, past.series.values[:start], steps), rtol=1e-5)
        assert len(made.times) == steps
        assert (np.diff(made.times) == np.timedelta64(1, "D")).all()
        np.testing.assert_array_equal(made.truth, past.series.values[start : start + steps])


def test_the_interval_is_the_runs_own_and_then_as_wide_as_the_errors_were(case: tuple[Run, Past]) -> None:
    run, past = case
    widths = half_widths(run, past, 10)
    step = 9
    starts = range(past.checked, past.held_out - step)
    errors = [abs(plainly(run, past.series.values[:s], step + 1)[step] - past.series.values[s + step]) for s in starts]
    rank = int(np.ceil((len(errors) + 1) * 0.9))
    assert widths[step] == pytest.approx(sorted(errors)[rank - 1], rel=1e-4)
    made, own = forecast(run, past, past.held_out, 10, widths), horizon(run)
    answer = run.predict([past.series.values[: past.held_out]])[0]
    np.testing.assert_allclose(made.lower[:own], answer["lower"])
    np.testing.assert_allclose(made.upper[:own], answer["upper"])
    np.testing.assert_allclose(made.upper[own:] - made.values[own:], widths[own:10])
    assert made.inside == sum(low <= true <= high for low, true, high in zip(made.lower, made.truth, made.upper))


def test_too_few_errors_say_nothing(case: tuple[Run, Past]) -> None:
    run, past = case
    narrow = replace(past, checked=past.held_out - 8)
    assert np.isnan(half_widths(run, narrow, 12)).all()
    assert np.isnan(forecast(replace(run, data={}), past, past.held_out, 4).lower).all()


def test_many_series_share_a_run_and_covariates_set_the_end(tmp_path: Path) -> None:
    days = np.datetime64("2024-01-01") + np.arange(150)
    rows = [
        f"{day},{name},{level + i % 7},{int(i % 7 < 5)}"
        for name, level in (("a", 10), ("b", 500))
        for i, day in enumerate(days)
    ]
    path = tmp_path / "stores.csv"
    path.write_text("\n".join(["date,store,value,open", *rows]))
    options = {
        "time": "date",
        "value": "value",
        "id": "store",
        "known": "open",
        "horizon": 7,
        "hidden_size": 4,
        "max_steps": 5,
    }
    folder = quick_run(tmp_path / "stores", str(path), **options)
    run = load(folder)
    found = behind(run, folder)
    assert series_of(found) == ("a", "b")
    past = past_of(found, "b")
    assert past.series.values.min() == 500
    assert past.held_out == 120
    made = forecast(run, past, 120, 14)
    whole = past.series
    ahead = replace(
        whole, times=whole.times[:127], values=np.where(np.arange(127) < 120, whole.values[:127], np.nan),
        known={"open": whole.known["open"][:127]},
    )  # fmt: skip
    np.testing.assert_allclose(made.values[:7], run.predict([ahead])[0]["prediction"], rtol=1e-6)
    assert most_steps(run, past, 140) == 7
    with pytest.raises(DataError, match="1 to 7 from there"):
        forecast(run, past, 140, 8)
    with pytest.raises(DataError, match="one of the run's"):
        past_of(found, "c")


@pytest.mark.parametrize(("start", "steps"), [(0, 1), (10**6, 1), (None, 0), (None, 61)])
def test_refuses_what_has_no_past_or_no_end(case: tuple[Run, Past], start: int | None, steps: int) -> None:
    run, past = case
    with pytest.raises(DataError, match="must be"):
        forecast(run, past, past.first if start is None else start, steps)


def test_data_that_are_gone_or_others_are_named(tmp_path: Path) -> None:
    days = np.datetime64("2024-01-01") + np.arange(120)
    lines = [f"{day},{i % 7 + 0.01 * i}" for i, day in enumerate(days)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["date,value", *lines]))
    folder = quick_run(tmp_path / "mine", str(path), time="date", value="value", hidden_size=4, max_steps=3)
    run = load(folder)
    assert len(past_of(behind(run, folder)).series) == 120
    path.write_text("\n".join(["date,value", *lines[:-1]]))
    with pytest.raises(RunFolderError, match="got others"):
        behind(run, folder)
    path.unlink()
    with pytest.raises(RunFolderError, match="got nothing"):
        behind(run, folder)


def test_runs_of_the_lab_find_the_built_in_data(case: tuple[Run, Past]) -> None:
    run, past = case
    lab = replace(run, data={"fingerprint": run.data["fingerprint"], "kind": "forecast"})
    np.testing.assert_array_equal(past_of(behind(lab, Path("nowhere"))).series.values, past.series.values)
    with pytest.raises(RunFolderError, match="given in memory"):
        behind(replace(lab, data={"fingerprint": "another"}), Path("nowhere"))
