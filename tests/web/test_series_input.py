"""Series with times and covariates over HTTP: the answers of the command line for the same table, and words for what is wrong."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='needs pip install "rnnlab[web]"')

from fastapi import FastAPI
from tests.web.asking import ask

from rnnlab.cli import main
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
def given(place: Path) -> dict[str, Any]:
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
    app: FastAPI, place: Path, given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["predict", str(place / "runs" / "shop"), "--file", str(place / "ask.csv"), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)["predictions"]
    assert [one["time"] for one in expected] == given["times"][30:33]
    found = predict(app, given)
    assert [one["time"] for one in found] == [one["time"] for one in expected]
    for got, wanted in zip(found, expected, strict=True):
        assert list(got) == ["time", "prediction", "lower", "upper"]
        for name in ("prediction", "lower", "upper"):
            assert got[name] == pytest.approx(wanted[name], rel=1e-5), name
    short = {
        **given,
        "values": given["values"][:30],
        "columns": {**given["columns"], "visitors": given["columns"]["visitors"][:30]},
    }
    assert predict(app, short) == found
    both = predict(app, given, short)
    assert [one["id"] for one in both] == ["0"] * 3 + ["1"] * 3
    other = {**given, "columns": {**given["columns"], "promo": [2 - one for one in given["columns"]["promo"]]}}
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
def test_what_is_wrong_is_said(app: FastAPI, given: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    answer = ask(app, "POST", "/api/predict", content=json.dumps({"input": {**given, **changes}}))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(words)
    assert len(answer.json()["error"]) < 400


def test_bare_values_are_not_enough(app: FastAPI) -> None:
    assert "must be a" in predict(app, [1.0] * 40)
