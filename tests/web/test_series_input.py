"""Series with times and covariates over HTTP: the answers of the command line for the same table, and words for what is wrong."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='needs pip install "rnnlab[web]"')

from fastapi import FastAPI
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.web.asking import ask

from rnnlab.cli import main
from rnnlab.errors import DataError
from rnnlab.tasks import SeriesCodec
from rnnlab.web.series import answer_times, read_inputs
from rnnlab.web.server import create_app
from rnnlab.web.store import RunStore


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's sales with a promotion that is known in advance and visitors that are not, and a run that reads them."""
    place = tmp_path_factory.mktemp("shop")
    days = np.arange("2024-01-01", "2024-08-01", dtype="datetime64[D]").astype(str)
    rows = [(day, 10 + n % 7 + 5 * (n % 3), n % 3, 100 + n) for n, day in enumerate(days)]
    for name, part in (("train", rows), ("ask", [*rows[100:130], *((d, "", p, "") for d, _, p, _ in rows[130:134])])):
        text = "day,sales,promo,visitors\n" + "".join(",".join(map(str, row)) + "\n" for row in part)
        (place / f"{name}.csv").write_text(text)
    flags = [
        "--time",
        "day",
        "--value",
        "sales",
        "--horizon",
        "3",
        "--known",
        "promo",
        "--past",
        "visitors",
        "--calendar",
    ]
    flags += ["--hidden-size", "4", "--max-steps", "5", "--out", str(place / "runs" / "shop"), "--json"]
    assert main(["train", str(place / "train.csv"), *flags]) == 0
    return place


@pytest.fixture(scope="module")
def app(place: Path) -> FastAPI:
    return create_app(RunStore([place / "runs" / "shop"]), page=False)


@pytest.fixture
def table(place: Path) -> dict[str, Any]:
    """The table to ask about, as JSON."""
    with (place / "ask.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {
        name: [float(row[name]) if row[name] else None for row in rows] for name in ("sales", "promo", "visitors")
    }
    return {"times": [row["day"] for row in rows], "values": columns.pop("sales"), "columns": columns}


def predict(app: FastAPI, *inputs: Any) -> Any:
    answer = ask(app, "POST", "/api/predict", json={"inputs": inputs})
    assert answer.status_code in (200, 422)
    return answer.json().get("predictions") or answer.json()["error"]


def test_a_table_as_json_is_answered_as_the_file_is(
    app: FastAPI, place: Path, table: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["predict", str(place / "runs" / "shop"), "--file", str(place / "ask.csv"), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)["predictions"]
    assert [one["time"] for one in expected] == table["times"][30:33]
    found = predict(app, table)
    assert [one["time"] for one in found] == [one["time"] for one in expected]
    for got, wanted in zip(found, expected, strict=True):
        assert list(got) == ["time", "prediction", "lower", "upper"]
        for name in ("prediction", "lower", "upper"):
            assert got[name] == pytest.approx(wanted[name], rel=1e-5), name
    short = {
        **table,
        "values": table["values"][:30],
        "columns": {**table["columns"], "visitors": table["columns"]["visitors"][:30]},
    }
    assert predict(app, short) == found
    both = predict(app, table, short)
    assert [one["id"] for one in both] == ["0"] * 3 + ["1"] * 3
    gap = {**table, "values": [1.0, None, *table["values"][2:]]}  # before what the network reads
    assert [one["time"] for one in predict(app, gap)] == [one["time"] for one in expected]
    other = {**table, "columns": {**table["columns"], "promo": [2 - one for one in table["columns"]["promo"]]}}
    assert predict(app, other) != found


def test_what_the_run_reads_is_told(app: FastAPI) -> None:
    rule = ask(app, "GET", "/api/runs/shop").json()["input"]
    assert (rule["known"], rule["past"], rule["future"], rule["times"]) == (["promo"], ["visitors"], 3, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"values": None}, "series 0, values must be a list of numbers, got 'None'"),
        ({"values": ["1"] * 30}, "series 0, values must be a list of numbers"),
        ({"values": [True] * 30}, "series 0, values must be a list of numbers"),
        ({"values": [10**400] * 30}, "series 0, values must be finite"),
        ({"values": []}, "series 0 must have at least"),
        ({"times": None}, "series 0 must have times, which the network reads, got none"),
        ({"times": ["2024-01-01"]}, "series 0 must have a time for each of its 34 steps, got 1"),
        ({"times": "2024-01-01"}, "series 0 must have a time for each of its 34 steps, got '2024-01-01'"),
        ({"times": ["yesterday"] * 34}, "series 0: times must be as 2024-01-31 or 2024-01-31T12:00, got 'yesterday'"),
        ({"times": ["2024-01-01T00:00:00Z"] * 34}, "series 0: times must be as 2024-01-31"),
        ({"times": ["2024-02-31"] * 34}, "series 0: times must be days and hours that there are"),
        ({"times": ["2024-01-01"] * 34}, "series 0: times must rise"),
        ({"columns": {}}, "series 0 must have 'visitors', which the network reads (past), got none"),
        ({"columns": [1]}, "series 0: columns must be an object of lists"),
        ({"columns": {"promo": "x"}}, "series 0, column 'promo' must be a list of numbers"),
        ({"columns": {"p" * 10_000: 3}}, "series 0, column 'ppp"),
        ({"name": 3}, "series 0: name must be text, got '3'"),
        ({"path": "/etc/passwd"}, "series 0 must have values, and may have times, columns and name, got the field 'path'"),
        ({"columns": {"promo": [1] * 10_001}}, "input 0 must be at most 10,000 long, got 10,001"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(app: FastAPI, table: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    answer = ask(app, "POST", "/api/predict", content=json.dumps({"input": {**table, **changes}}))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(words)
    assert len(answer.json()["error"]) < 400


def test_bare_values_are_not_enough(app: FastAPI) -> None:
    assert "must be a" in predict(app, [1.0] * 40)


CODEC = SeriesCodec(
    context_length=1, offset=0.0, scale=1.0, horizon=2, known=("promo",), covariate_offset=(0,), covariate_scale=(1,)
)
LEAVES = st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=12)
TIMES = st.sampled_from(
    ["2024-01-01", "2024-01-02", "2024-02-30", "2024-01", "2024-01-03T10:00", "0000-01-01", "9999-12-31"]
)
LISTS = st.lists(LEAVES | TIMES | st.floats(0, 1), max_size=6)
DAYS = st.integers(0, 20_000).map(
    lambda first: np.arange(first, first + 8).astype("datetime64[D]").astype(str).tolist()
)
GOOD = st.fixed_dictionaries(
    {
        "values": st.lists(st.floats(0, 9), min_size=1, max_size=4),
        "columns": st.lists(st.floats(0, 1), min_size=7, max_size=8).map(lambda column: {"promo": column}),
    },
    optional={"times": DAYS, "name": st.text(max_size=4)},
)
BAD = {
    "values": LISTS,
    "times": LISTS | LEAVES,
    "columns": st.dictionaries(st.sampled_from(["promo", "other"]), LISTS) | LEAVES,
}
SPOILT = st.fixed_dictionaries({}, optional={**BAD, "name": LEAVES, "more": LEAVES})
OBJECTS = st.builds(lambda good, changes: {**good, **changes}, GOOD, st.just({}) | SPOILT)


@given(asked=OBJECTS)
@settings(max_examples=300, deadline=None)
def test_any_object_is_a_series_or_refused_in_words(asked: dict[str, Any]) -> None:
    words, times = "", None
    try:
        (series,) = read_inputs(CODEC, [asked])
        CODEC.encode([series])
        times = answer_times(CODEC, [series], [asked.get("times") is not None])[0]
    except DataError as error:
        words = str(error)
    assert "\n" not in words
    assert len(words) < 400
    assert times is None or len(times) == 2
    event("refused" if words else "a series with times" if times is not None else "a series")
