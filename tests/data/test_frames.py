"""Data frames go the road of files: the same sources, the same runs, the same messages."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pytest

import rnnlab
from rnnlab.data import DataConfig, Series, SeriesCollection, read
from rnnlab.data.frames import is_frame
from rnnlab.data.readers import read_frame
from rnnlab.errors import ConfigError, DataError, RunFolderError

KINDS = {
    "pandas": lambda columns: pandas.DataFrame(columns),
    "polars": lambda columns: polars.DataFrame(columns),
    "lazy": lambda columns: polars.LazyFrame(columns),
    "pyarrow": lambda columns: pyarrow.table(columns),
}
KIND = pytest.mark.parametrize("kind", KINDS)
SERIES = {"id": "shop", "time": "day", "value": "sales", "known": "promo", "past": "visits"}


def shops(days: int = 60, future: int = 0) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    count = 2 * (days + future)
    times = np.tile(np.datetime64("2024-01-01", "us") + np.arange(days + future).astype("timedelta64[D]"), 2)
    sales = np.round(draw.random(count) * np.repeat([1, 100], days + future), 3)
    sales[np.tile(np.arange(days + future) >= days, 2)] = np.nan
    return {
        "shop": np.repeat(["a", "b"], days + future).astype(object),
        "day": times,
        "sales": sales,
        "promo": draw.random(count) < 0.3,
        "visits": draw.integers(0, 9, count),
    }


def names() -> dict[str, Any]:
    texts = [f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345"]
    return {
        "name": texts,
        "origin": [text[0].upper() for text in texts],
        "size": [float(len(text)) / 7 for text in texts],
    }


@KIND
def test_a_frame_is_what_its_file_is(kind: str, tmp_path: Path) -> None:
    columns = shops()
    pandas.DataFrame({**columns, "promo": columns["promo"].astype(int)}).to_csv(tmp_path / "shops.csv", index=False)
    frame = KINDS[kind](columns)
    assert is_frame(frame)
    found, filed = (
        read_frame(frame, DataConfig(data="x", **SERIES)),
        read(DataConfig(data=str(tmp_path / "shops.csv"), **SERIES)),
    )
    assert isinstance(found, SeriesCollection)
    assert found.fingerprint == filed.fingerprint
    assert found.names == ("a", "b")
    assert set(found.series[0].known["promo"]) == {0.0, 1.0}


@KIND
def test_a_frame_of_strings_trains_and_answers(kind: str) -> None:
    frame = KINDS[kind](names())
    run = rnnlab.train(frame, text="name", target="origin", hidden_size=4, max_steps=3)
    assert run.data["config"]["data"] == "data frame"
    assert run.data["name"] == "data-frame"
    answers = rnnlab.predict(run, frame)
    assert [one["prediction"] for one in answers] == [one["prediction"] for one in run.predict(names()["name"])]


def test_a_frame_of_series_is_forecast_with_names_and_times() -> None:
    run = rnnlab.train(pandas.DataFrame(shops()), **SERIES, horizon=2, hidden_size=4, max_steps=3)
    found = rnnlab.predict(run, polars.DataFrame(shops(50, 2)).with_columns(polars.col("sales").fill_nan(None)))
    assert [one["id"] for one in found] == ["a", "b"]
    assert [one["time"] for one in found] == [["2024-02-20", "2024-02-21"]] * 2
    assert all(len(one["lower"]) == len(one["prediction"]) == 2 for one in found)


def test_a_frame_is_compared() -> None:
    found = rnnlab.compare(
        polars.DataFrame(names()),
        "gru",
        text="name",
        target="origin",
        seeds=2,
        hidden_size=4,
        max_steps=2,
        rates="0.01",
    )
    assert found.task == "data-frame"
    assert [one.name for one in found.baselines] == ["prior", "ngrams"]


def test_a_run_of_a_frame_is_verified_with_its_frame_or_its_file(tmp_path: Path) -> None:
    frame = pandas.DataFrame(names())
    rnnlab.train(frame, text="name", target="origin", hidden_size=4, max_steps=3, out=tmp_path / "run")
    assert rnnlab.verify(tmp_path / "run", data=frame).same
    frame.to_csv(tmp_path / "names.csv", index=False)
    assert rnnlab.verify(tmp_path / "run", data=tmp_path / "names.csv").same
    with pytest.raises(RunFolderError, match="data frame must be where it was when"):
        rnnlab.verify(tmp_path / "run")
    with pytest.raises(RunFolderError, match="data frame must hold the data that"):
        rnnlab.verify(tmp_path / "run", data=frame.iloc[1:])


def test_a_named_index_and_a_time_zone_are_columns() -> None:
    days = pandas.date_range("2024-01-01", periods=40, tz="Europe/Berlin", name="when")
    frame = pandas.DataFrame({"visits": np.arange(40) % 7 + 0.5}, index=days)
    found = read_frame(frame, DataConfig(data="x", time="when", value="visits"))
    assert isinstance(found, Series)
    assert found.times[:2].astype(str).tolist() == ["2024-01-01", "2024-01-02"]
    assert found.season == 7


def test_wide_and_long_frames_are_read() -> None:
    draw = np.random.default_rng(0)
    wide = pandas.DataFrame({"t1": draw.random(12), "t2": draw.random(12), "sum": draw.random(12)})
    found = read_frame(wide, DataConfig(data="x", steps="t*", target="sum"))
    np.testing.assert_allclose([one[:, 0] for one in found.values], wide[["t1", "t2"]], rtol=1e-6)  # type: ignore[union-attr]
    long = polars.DataFrame({"who": ["p", "p", "q", "q"] * 3, "x": draw.random(12), "state": ["s", "s", "w", "w"] * 3})
    config = DataConfig(data="x", id="who", features="x", target="state")
    assert len(read_frame(long, config)) == 2


def bad(**changes: Any) -> pandas.DataFrame:
    return pandas.DataFrame({**shops(), **changes})


BAD: list[tuple[Any, dict[str, Any], str]] = [
    (bad(), SERIES | {"value": "slaes"}, "data frame must have the column 'slaes', got day, promo, sales"),
    (bad().assign(sales=[np.nan] + [1.0] * 119), SERIES, "data frame row 1: sales must be a number, got an empty cell"),
    (bad().assign(sales=["few"] + ["1"] * 119), SERIES, "data frame row 1: sales must be a number, got 'few'"),
    (bad().iloc[::-1], SERIES, "data frame row 2: day must rise"),
    (bad().rename(columns={"visits": 3}), SERIES, "data frame must have columns with names of text, got 3; rename it"),
    (pandas.DataFrame([[1, 2]], columns=["a", "a"]), {}, "data frame must have distinct columns, got"),
    (bad().iloc[:0], SERIES, "data frame must have rows, got none"),
]


@pytest.mark.parametrize(("frame", "columns", "message"), BAD)
def test_what_is_wrong_with_a_frame_is_said_in_one_line(frame: Any, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        rnnlab.train(frame, **columns)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [5, ["a", "b"], {"a": [1]}, np.zeros(3), None])
def test_what_is_no_data_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"data must be a file, a folder, built-in data, a data frame or a source"):
        rnnlab.train(given)
