"""Rolling origins: every window is what the codec makes of the series as it was then, and the truth is what came."""

from typing import Any

import numpy as np
import pytest
import torch

from rnnlab.data import Series, library
from rnnlab.data.source import SeriesCollection
from rnnlab.tasks import SeriesCodec, forecast_many, forecast_series
from rnnlab.tasks.rolling import rolling

DAYS = np.arange("2024-01-01", "2024-05-01", dtype="datetime64[D]")


def shop(name: str = "a", level: float = 1.0) -> Series:
    draw = np.random.default_rng(len(name))
    values = level * (5 + np.sin(np.arange(len(DAYS))) + draw.random(len(DAYS)))
    known, past = draw.random(len(DAYS)), level * draw.random(len(DAYS))
    return Series(DAYS, values, name, 7, known={"promo": known}, past={"visits": past})


CASES: list[dict[str, Any]] = [
    {"horizon": 1},
    {"horizon": 3, "scaling": "window", "log": True},
    {"horizon": 2, "difference": 7, "known": ["promo"]},
    {"horizon": 3, "scaling": "window", "known": ["promo"], "past": ["visits"], "calendar": True},
    {"horizon": 2, "past": ["visits"], "quantiles": (0.1, 0.5, 0.9)},
    {"horizon": 2, "past": ["visits"], "past_scaling": "window", "difference": 7},
    {"horizon": 2, "gap": 1, "known": ["promo"], "calendar": True},
    {"horizon": 2, "gap": 1, "layout": "features"},
]


@pytest.mark.parametrize("options", CASES)
def test_windows_are_those_that_the_codec_makes_of_what_was_known_then(options: dict[str, Any]) -> None:
    series = shop()
    codec = forecast_series(series, context_length=6, **options).codec
    assert isinstance(codec, SeriesCodec)
    after = DAYS[100]
    found = rolling(codec, series, after, 1000)
    assert found.times.tolist() == DAYS[101:].tolist()
    drawn = found.inputs.gather(torch.arange(len(found.times)))[0].numpy()
    for row, target in enumerate(range(101, len(DAYS))):
        origin = target - codec.gap
        # As it was then: later values are not there, what was known in advance goes on.
        values = series.values.copy()
        values[origin:] = np.nan
        if origin + codec.future_length > len(DAYS):
            continue
        then = Series(DAYS, values, "a", 7, known=series.known, past=series.past)
        expected = codec.encode([then]).gather(torch.arange(1))[0][0].numpy()
        np.testing.assert_allclose(drawn[row], expected, atol=1e-5)
        truth = found.truth[row]
        assert np.isfinite(truth).tolist() == [target + step < len(DAYS) for step in range(codec.horizon)]
        if np.isfinite(truth).all():
            plain = codec.replace(quantiles=())
            np.testing.assert_allclose(
                plain.ahead(truth[None], [then])[0, :, 0], series.values[target : target + codec.horizon]
            )


def test_the_newest_are_taken_and_none_before_the_time() -> None:
    series = library.sales()
    codec = forecast_series(series, context_length=14).codec
    assert isinstance(codec, SeriesCodec)
    assert rolling(codec, series, series.times[-11], 5).times.tolist() == series.times[-5:].tolist()
    assert not len(rolling(codec, series, series.times[-1], 5).times)
    assert len(rolling(codec, series, series.times[0], 10_000).times) == len(series) - 14


def test_a_missing_value_leaves_its_windows_unknown() -> None:
    one, other = shop(), shop("bb", 100.0)
    codec = forecast_many(SeriesCollection((one, other)), context_length=6).codec
    assert isinstance(codec, SeriesCodec)
    values = one.values.copy()
    values[110] = np.nan
    found = rolling(codec, Series(DAYS, values, "a", 7), DAYS[105], 1000)
    unknown = (
        np.isnan(found.truth[:, 0]) | torch.isnan(found.inputs.gather(torch.arange(15))[0]).any(dim=(1, 2)).numpy()
    )
    assert found.times[unknown].tolist() == DAYS[110:117].tolist()
