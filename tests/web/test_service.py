"""The service's four questions, and what it says to questions that are none."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='needs pip install "rnnlab[web]"')

from fastapi import FastAPI
from tests.web.asking import ask, ask_all
from tests.web.sample import write_run

from rnnlab.cli import main
from rnnlab.data import sales
from rnnlab.runs import load
from rnnlab.web import batching
from rnnlab.web.limits import Limits
from rnnlab.web.server import create_app
from rnnlab.web.store import RunStore

NAMES = ["ax1", "", "b'y", "Ünknown", " ax1 "]
PAST = sales().values[-20:].tolist()
MATRIX = [[1.0, 2.0], [3.0, 4.5]]


@pytest.fixture(scope="module")
def app(runs: Path) -> FastAPI:
    return create_app(RunStore([runs]), page=False)


def said(app: FastAPI, **given: Any) -> str:
    """Return the error of a prediction that is refused, and hold that it is one line of JSON."""
    answer = ask(app, "POST", "/api/predict", **given)
    assert answer.status_code >= 400
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.json()["error"]
    assert len(answer.json()["error"]) < 500
    return f"{answer.status_code} {answer.json()['error']}"


@pytest.mark.parametrize(
    ("run", "inputs", "arguments"),
    [
        ("strings", NAMES, NAMES),
        ("numbers", [MATRIX, [[0, 0]]], [json.dumps(MATRIX), "[[0, 0]]"]),
        ("series", [PAST], [str(value) for value in PAST]),
    ],
)
def test_answers_are_those_of_the_command_line(
    app: FastAPI, runs: Path, run: str, inputs: list[Any], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(runs / run), *arguments, "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    answer = ask(app, "POST", "/api/predict", json={"run": run, "inputs": inputs})
    assert answer.status_code == 200
    assert answer.json() == expected


def test_one_input_and_many_are_the_same_question(app: FastAPI) -> None:
    one = ask(app, "POST", "/api/predict", json={"run": "strings", "input": "ax1"}).json()
    many = ask(app, "POST", "/api/predict", json={"run": "strings", "inputs": ["ax1"]}).json()
    assert one == many
    assert ask(app, "POST", "/api/predict", json={"run": "strings", "inputs": []}).json() == {"predictions": []}


def test_several_series_say_which_input_they_answer(app: FastAPI) -> None:
    answer = ask(app, "POST", "/api/predict", json={"run": "series", "inputs": [PAST, PAST[:-1]]}).json()["predictions"]
    assert [(one["id"], one["time"]) for one in answer] == [(i, t) for i in "01" for t in (1, 2, 3)]


def test_the_only_run_need_not_be_named(runs: Path) -> None:
    app = create_app(RunStore([runs / "strings"]), page=False)
    assert ask(app, "POST", "/api/predict", json={"input": "ax1"}).status_code == 200


def test_questions_at_the_same_time_share_passes_and_get_their_own_answers(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    outputs = batching.model_outputs

    def counted(model: Any, inputs: Any, index: Any) -> Any:
        sizes.append(len(index))
        return outputs(model, inputs, index)

    monkeypatch.setattr(batching, "model_outputs", counted)
    app, run = create_app(RunStore([runs]), page=False), load(runs / "strings")
    texts = [
        f"{a}{b}{c}"[: 1 + n % 3] for n, (a, b, c) in enumerate((a, b, c) for a in "ab" for b in "xyz" for c in "12345")
    ]
    questions = [{"run": "strings", "inputs": [text, text[::-1]]} for text in texts] + [{"run": "strings", "input": 3}]
    found = ask_all(app, [("POST", "/api/predict", {"json": question}) for question in questions])
    assert found[-1].status_code == 422
    for text, answer in zip(texts, found, strict=False):
        expected = run.predict([text, text[::-1]])
        for got, wanted in zip(answer.json()["predictions"], expected, strict=True):
            assert got["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-6)
    assert sum(sizes) == 2 * len(texts)
    assert len(sizes) <= len(texts) // 3, "the requests were answered one by one"


def test_a_large_question_does_not_hold_up_a_small_one(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "SHARE", 20)
    monkeypatch.setattr(batching, "PASS", 40)
    app, order = create_app(RunStore([runs]), page=False), []
    run, answers = load(runs / "strings"), batching.answers

    def noted(run: Any, found: Any, **given: Any) -> Any:
        order.append(len(found))
        return answers(run, found, **given)

    monkeypatch.setattr(batching, "answers", noted)
    large = [("ax12345" * 3)[: 1 + n % 17] for n in range(200)]
    questions = [{"run": "strings", "inputs": large}, *({"run": "strings", "input": "ax"} for _ in range(5))]
    found = ask_all(app, [("POST", "/api/predict", {"json": question}) for question in questions])
    assert order == [1, 1, 1, 1, 1, 200]
    got = [one["probabilities"]["A"] for one in found[0].json()["predictions"]]
    assert got == pytest.approx([one["probabilities"]["A"] for one in run.predict(large)], abs=1e-5)


def test_too_much_at_once_is_told_when_to_come_back(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    work = batching._work
    monkeypatch.setattr(batching, "_work", lambda *given: gate.wait(20) and work(*given))
    app = create_app(RunStore([runs]), page=False, limits=Limits(waiting=100))
    questions = [{"run": "strings", "input": "a" * 40}] * 3 + [{"run": "strings", "input": "a"}]
    threading.Timer(0.5, gate.set).start()
    found = ask_all(app, [("POST", "/api/predict", {"json": question}) for question in questions])
    assert [one.status_code for one in found] == [200, 200, 429, 200]
    assert "steps that wait must be at most 100, got 80 and 40 more" in found[2].json()["error"]
    assert int(found[2].headers["Retry-After"]) >= 1
    assert ask(app, "POST", "/api/predict", json=questions[0]).status_code == 200


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"content": b""}, "422 body must be JSON, got nothing"),
        ({"content": b"\x00\xff\xfe rubbish"}, "422 body must be JSON, got"),
        ({"content": b'{"inputs": ' + b"[" * 100_000}, "422 body must be JSON, got"),
        ({"content": b'{"run": "strings", "input": "\\ud800"}'}, "422 body must be JSON, got"),
        ({"content": b'{"run": "numbers", "input": [[1' + b"0" * 400 + b", 1]]}"}, "422 input 0 must be numbers"),
        ({"content": b'{"run": "numbers", "input": [[NaN, 1]]}'}, "422 input 0 must be finite"),
        ({"content": b"[]"}, "422 body must be a JSON object, got '[]'"),
        ({"json": {}}, "422 input or inputs must be there, got neither"),
        ({"json": {"input": "a", "inputs": ["a"]}}, "422 input or inputs must be there, got both"),
        ({"json": {"input": "a", "path": "/etc/passwd"}}, "422 body must have input or inputs, and run, got the field 'path'"),
        ({"json": {"inputs": "abc"}}, "422 inputs must be a list, got 'abc'"),
        ({"json": {"run": 3, "input": "a"}}, "422 run must be text, got '3'"),
        ({"json": {"input": "a"}}, "422 run must be one of numbers, series, strings, got none"),
        ({"json": {"run": "strnigs", "input": "a"}}, "404 run must be one of numbers, series, strings (nearest: strings), got 'strnigs'"),
        ({"json": {"run": "../strings", "input": "a"}}, "404 run must be one of"),
        ({"json": {"run": "x" * 100_000, "input": "a"}}, "404 run must be one of numbers, series, strings, got 'xxx"),
        ({"json": {"run": "strings", "inputs": ["a", 3]}}, "422 input 1 must be text, got int"),
        ({"json": {"run": "strings", "input": "a" * 100_000}}, "422 input 0 must be at most 10,000 long, got 100,000"),
        ({"json": {"run": "strings", "inputs": ["a"] * 1001}}, "422 inputs must be at most 1,000, got 1,001"),
        ({"json": {"run": "strings", "inputs": ["a" * 9000] * 12}}, "422 inputs must be at most 100,000 long together"),
        ({"json": {"run": "numbers", "input": "1 2 3"}}, "422 input 0 must be numbers, got '1 2 3'"),
        ({"json": {"run": "numbers", "input": [1, 2, 3]}}, "422 input 0 must have shape (time, 2), got (3,)"),
        ({"json": {"run": "numbers", "input": {"a": 1}}}, "422 input 0 must be numbers"),
        ({"json": {"run": "numbers", "input": None}}, "422 input 0 must have shape (time, 2)"),
        ({"json": {"run": "series", "inputs": [PAST, [1, 2]]}}, "422 series 1 must have at least 8 values, got 2"),
        ({"json": {"run": "series", "input": ["a"] * 20}}, "422 series 0 must be numbers"),
        ({"content": b"a,b", "headers": {"Content-Type": "text/csv"}}, "415 content-type must be application/json, got 'text/csv'"),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused_in_words(app: FastAPI, given: dict[str, Any], words: str) -> None:
    assert said(app, **given).startswith(words)


def test_a_body_that_is_too_large_is_refused(app: FastAPI) -> None:
    assert said(app, content=b" " * (2**20 + 1)).startswith("413 body must be at most 1,048,576 bytes, got 1,048,577")

    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 2**16

    assert said(app, content=endless()).startswith("413 body must be at most 1,048,576 bytes")


def test_a_crash_is_not_hidden_and_hits_one_client(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(RunStore([runs]), page=False)

    def broken(*given: Any) -> Any:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(batching, "_pass", broken)
        assert ask(app, "POST", "/api/predict", json={"run": "strings", "input": "a"}).status_code == 500
        patch.setattr(batching, "_work", broken)
        assert ask(app, "POST", "/api/predict", json={"run": "strings", "input": "a"}).status_code == 500
    assert ask(app, "POST", "/api/predict", json={"run": "strings", "input": "a"}).status_code == 200


def test_runs_are_listed_and_described_without_paths(app: FastAPI, runs: Path) -> None:
    listed = ask(app, "GET", "/api/runs").json()["runs"]
    assert [one["id"] for one in listed] == ["numbers", "series", "strings"]
    for one in listed:
        found = ask(app, "GET", f"/api/runs/{one['id']}")
        assert found.status_code == 200
        assert str(runs) not in found.text
        assert found.json()["metrics"]["test"] == pytest.approx(load(runs / one["id"]).metrics["test"])
    series = ask(app, "GET", "/api/runs/series").json()
    rule = {"kind": "series", "features": 1, "shortest": 8, "longest": 10_000}
    assert series["input"] == rule | {"known": [], "past": [], "future": 0, "times": False}
    assert series["horizon"] == len(series["interval"]["half_width"]) == 3
    assert ask(app, "GET", "/api/runs/strings").json()["labels"] == ["A", "B"]


def test_a_metric_that_is_no_number_is_null(tmp_path: Path) -> None:
    write_run("strings", tmp_path / "one")
    record = json.loads((tmp_path / "one" / "run.json").read_text())
    record["metrics"]["test"]["accuracy"] = None
    (tmp_path / "one" / "run.json").write_text(json.dumps(record))
    app = create_app(RunStore([tmp_path]), page=False)
    assert ask(app, "GET", "/api/runs/one").json()["metrics"]["test"]["accuracy"] is None
    assert np.isnan(RunStore([tmp_path]).get("one").metrics["test"]["accuracy"])


def test_a_run_that_is_deleted_or_broken_while_served_is_said_to_be(tmp_path: Path, runs: Path) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    app = create_app(RunStore([tmp_path / "runs"]), page=False)
    question = {"json": {"run": "strings", "input": "a"}}
    assert ask(app, "POST", "/api/predict", **question).status_code == 200
    (tmp_path / "runs" / "strings" / "model.safetensors").write_bytes(b"half of")
    assert said(app, **question).startswith("409 strings/model.safetensors must be a safetensors file")
    shutil.rmtree(tmp_path / "runs" / "strings")
    assert (
        said(app, **question) == "410 run 'strings' must be there, got a folder that was deleted; ask for another run"
    )
    assert ask(app, "GET", "/api/runs/strings").status_code == 410
    assert [one["id"] for one in ask(app, "GET", "/api/runs").json()["runs"]] == ["numbers", "series"]
    write_run("strings", tmp_path / "runs" / "strings", seed=3)
    assert ask(app, "POST", "/api/predict", **question).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/api/runs/../../etc/passwd", 404),
        ("GET", "/api/runs/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/docs/..%2f..%2fpyproject.toml", 404),
        ("GET", "/docs/consts.py", 404),
        ("GET", "/api/predict", 405),
        ("DELETE", "/api/runs/strings", 405),
        ("TRACE", "/healthz", 405),
        ("GET", "/healthz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 200),
        ("GET", "/docs/swagger-ui-bundle.js", 200),
        ("GET", "/", 307),
    ],
)
def test_paths_and_methods(app: FastAPI, method: str, path: str, status: int) -> None:
    answer = ask(app, method, path)
    assert answer.status_code == status
    if status >= 400:
        assert list(answer.json()) == ["error"]
    if status == 405:
        assert answer.headers["Allow"]


def test_the_documentation_loads_nothing_from_elsewhere(app: FastAPI) -> None:
    page = ask(app, "GET", "/docs").text + ask(app, "GET", "/docs/start.js").text
    assert "http" not in page.replace("http-equiv", "")
    assert "/docs/swagger-ui-bundle.js" in page
    schema = ask(app, "GET", "/openapi.json").json()
    assert sorted(schema["paths"]) == ["/api/predict", "/api/runs", "/api/runs/{id}", "/healthz"]
