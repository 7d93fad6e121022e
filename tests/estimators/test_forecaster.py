"""The forecaster: against the seasonal naive forecast, indices that go on, recursion, and what is refused."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from rnnlab.data import library
from rnnlab.errors import InputError
from rnnlab.estimators import RecurrentForecaster

FAST: dict[str, Any] = {"hidden_size": 16, "lr": 0.01, "epochs": 20, "random_state": 0}


def noisy_wave(count: int = 400, season: int = 12) -> np.ndarray:
    """A wave of amplitude 10 around 50, with noise."""
    noise = np.random.default_rng(0).normal(0, 2, count)
    return 50 + 10 * np.sin(2 * np.pi * np.arange(count) / season) + noise


@pytest.mark.parametrize("horizon", [None, 1, 24], ids=["a season at once", "step by step", "two seasons at once"])
def test_beats_the_seasonal_naive_forecast(horizon: int | None) -> None:
    # Knowing the wave itself, noise aside, would give 0.70 of the naive error.
    wave, origins = noisy_wave(500), range(400, 476, 4)
    model = RecurrentForecaster(horizon, season=12, **FAST).fit(wave[:400])
    errors = [np.abs(model.predict(24, past=wave[:now]) - wave[now : now + 24]) for now in origins]
    naive = [np.abs(np.tile(wave[now - 12 : now], 2) - wave[now : now + 24]) for now in origins]
    assert np.mean(errors) < 0.85 * np.mean(naive)


def test_end_of_a_long_series_chooses_the_weights() -> None:
    quick: dict[str, Any] = {**FAST, "epochs": 1}
    assert set(RecurrentForecaster(**quick).fit(noisy_wave(300)).run_.metrics) == {"train", "validation"}
    assert set(RecurrentForecaster(**quick).fit(noisy_wave(150)).run_.metrics) == {"train"}
    assert set(RecurrentForecaster(**quick, validation_fraction=0).fit(noisy_wave(300)).run_.metrics) == {"train"}


def test_longer_forecasts_continue_shorter_ones() -> None:
    model = RecurrentForecaster(4, season=12, **FAST).fit(noisy_wave(150))
    long = model.predict(11)
    np.testing.assert_array_equal(long[:4], model.predict())
    again = model.predict(7, past=np.concatenate([noisy_wave(150), long[:4]]))
    np.testing.assert_allclose(long[4:], again, rtol=1e-12)


def test_forecast_scales_and_shifts_with_the_series() -> None:
    wave = noisy_wave(150)
    small = RecurrentForecaster(season=12, **FAST).fit(wave).predict(12)
    large = RecurrentForecaster(season=12, **FAST).fit(1000 * wave + 7).predict(12)
    np.testing.assert_allclose(large, 1000 * small + 7, rtol=1e-2)


def test_past_can_be_another_series() -> None:
    wave = noisy_wave()
    model = RecurrentForecaster(season=12, **FAST).fit(wave)
    np.testing.assert_array_equal(model.predict(5), model.predict(5, past=wave))
    shifted = model.predict(12, past=wave[:-6])
    truth = 50 + 10 * np.sin(2 * np.pi * np.arange(394, 406) / 12)
    assert np.corrcoef(shifted, truth)[0, 1] > 0.9


INDICES = {
    "days": (pd.date_range("2024-01-01", periods=90, freq="D"), 7),
    "days without a step": (pd.DatetimeIndex(list(pd.date_range("2024-01-01", periods=90, freq="D"))), 7),
    "business days": (pd.DatetimeIndex(list(pd.date_range("2024-01-03", periods=90, freq="B"))), 5),
    "month ends": (pd.date_range("2015-01-31", periods=90, freq="ME"), 12),
    "hours over the clock change": (pd.date_range("2024-03-29", periods=90, freq="h", tz="Europe/Berlin"), 24),
    "periods": (pd.period_range("2015-01", periods=90, freq="M"), 12),
    "fortnights": (pd.date_range("2015-01-06", periods=90, freq="2W-TUE"), 1),
    "numbers": (pd.RangeIndex(90), 1),
    "every second number": (pd.Index(range(5, 185, 2)), 1),
}


@pytest.mark.parametrize("name", INDICES)
def test_index_of_a_pandas_series_goes_on(name: str) -> None:
    index, season = INDICES[name]
    whole = pd.Series(noisy_wave(90), index=index, name="visits")
    model = RecurrentForecaster(hidden_size=4, epochs=1, random_state=0).fit(whole.iloc[:80])
    assert model.season_ == season
    forecast = model.predict(10)
    assert forecast.name == "visits"
    assert forecast.index.tolist() == index[80:].tolist()
    plain = RecurrentForecaster(season=season, hidden_size=4, epochs=1, random_state=0).fit(whole.to_numpy()[:80])
    np.testing.assert_array_equal(forecast.to_numpy(), plain.predict(10))


def test_all_ways_to_pass_a_series_forecast_the_same() -> None:
    wave = noisy_wave(80)
    wanted = RecurrentForecaster(hidden_size=4, epochs=1, random_state=0).fit(wave).predict(3)
    for given in (wave.tolist(), wave[:, None], pl.Series(wave), pd.DataFrame({"v": wave}), pl.DataFrame({"v": wave})):
        forecast = RecurrentForecaster(hidden_size=4, epochs=1, random_state=0).fit(given).predict(3)
        np.testing.assert_array_equal(np.asarray(forecast), wanted)


def test_built_in_sales_are_forecast_with_their_season() -> None:
    sales = library.sales()
    model = RecurrentForecaster(difference=7, hidden_size=8, epochs=2, random_state=0).fit(sales)
    assert (model.season_, model.horizon_) == (7, 7)
    assert np.isfinite(model.predict(14)).all()


def test_score_is_minus_the_scaled_error_by_hand() -> None:
    wave = noisy_wave(100)
    model = RecurrentForecaster(season=12, **{**FAST, "epochs": 3}).fit(wave[:88])
    error = np.abs(model.predict(12) - wave[88:]).mean()
    naive = np.abs(wave[12:88] - wave[:76]).mean()
    assert model.score(wave[88:]) == pytest.approx(-error / naive)


def test_log_and_difference_follow_growth() -> None:
    steps = np.arange(160)
    growing = np.exp(0.02 * steps) * (10 + np.sin(2 * np.pi * steps / 8))
    model = RecurrentForecaster(season=8, difference=8, log=True, **FAST).fit(growing[:-16])
    error = np.abs(model.predict(16) / growing[-16:] - 1).mean()
    assert error < 0.05


def test_repeats_clones_and_survives_pickling() -> None:
    series = pd.Series(noisy_wave(100), index=pd.date_range("2024-01-01", periods=100, freq="D"))
    model = RecurrentForecaster(**{**FAST, "epochs": 2}).fit(series)
    pd.testing.assert_series_equal(clone(model).fit(series).predict(9), model.predict(9))
    pickled = pickle.dumps(model)
    assert b"torch._" not in pickled
    pd.testing.assert_series_equal(pickle.loads(pickled).predict(9), model.predict(9))
    with pytest.raises(NotFittedError):
        clone(model).predict(1)


WRONG_SERIES: dict[str, tuple[Any, str]] = {
    "short": (
        [1.0, 2.0, 3.0],
        r"series must have at least 9 values for context_length=1, horizon=1 and difference=0, got 3",
    ),
    "text": (["a", "b"], "series must be numbers, got"),
    "missing": ([1.0, np.nan] * 30, "series must be finite, got nan at position 1"),
    "many": (np.zeros((30, 2)), r"series must have shape \(time,\), got \(30, 2\); fit one forecaster a series"),
    "frame": (pd.DataFrame({"a": [1.0], "b": [2.0]}), r"series must be one column, got 2 \(a, b\); pass frame"),
    "gaps": (
        pd.Series(np.zeros(49), index=pd.date_range("2024-01-01", periods=50).delete(20)),
        "times of the series must rise in equal steps, got 49 from 2024-01-01",
    ),
    "falling": (
        pd.Series(np.zeros(50), index=pd.date_range("2024-01-01", periods=50)[::-1]),
        "times of the series must rise in equal steps",
    ),
    "names": (pd.Series([1.0, 2.0], index=["a", "b"]), "index of the series must be times or whole numbers, got"),
}


@pytest.mark.parametrize("name", WRONG_SERIES)
def test_wrong_series_is_refused_in_one_line(name: str) -> None:
    given, message = WRONG_SERIES[name]
    with pytest.raises(InputError, match=message) as caught:
        RecurrentForecaster(epochs=1).fit(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"horizon": 0}, "horizon must be a whole number of at least 1, got 0"),
        ({"season": 2.5}, "season must be a whole number of at least 1, got 2.5"),
        (
            {"context_length": 90, "horizon": 10},
            "series must have at least 107 values for context_length=90, horizon=10",
        ),
        ({"difference": 3, "horizon": 4}, "difference must be 0 or at least horizon=4, got 3; raise it"),
        ({"cell": "gruu"}, "cell must be one of"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RecurrentForecaster(epochs=1, **parameters).fit(noisy_wave(100))


def test_wrong_requests_are_refused() -> None:
    model = RecurrentForecaster(season=12, hidden_size=4, epochs=1).fit(noisy_wave(100))
    with pytest.raises(InputError, match="horizon must be a whole number of at least 1, got 0"):
        model.predict(0)
    with pytest.raises(InputError, match="must have at least 24 values, got 5"):
        model.predict(3, past=np.zeros(5))
    with pytest.raises(InputError, match="y must have at least one value, got none"):
        model.score([])


def test_constant_series_stays_constant() -> None:
    model = RecurrentForecaster(**{**FAST, "epochs": 3}).fit(np.full(100, 7.0))
    np.testing.assert_allclose(model.predict(5), 7.0, atol=0.5)
