"""The table of runs: sorting, filtering, and what it says of broken ones; results of labs and sweeps, damaged ones too."""

import json
from pathlib import Path

import pytest

pytest.importorskip("nicegui", reason='needs pip install "rnnlab[web]"')

from rnnlab.runs.catalogue import find_runs
from rnnlab.web.page import results
from rnnlab.web.page.run_table import as_html, chosen, in_order, row_of
from rnnlab.web.store import RunStore

from .runs import SWEEP, quick_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("runs")
    for name, cell, steps in (("a", "gru", 2), ("b", "lstm", 9)):
        quick_run(found / name, "sales", cell=cell, hidden_size=4, max_steps=steps)
    (found / "broken").mkdir()
    (found / "broken" / "run.json").write_text('{"schema_version": 1, "name": "<b>x</b>"')
    return found


def rows(folder: Path) -> list[dict]:
    return [row_of(one) for one in RunStore([folder]).list()]


def test_sorts_by_any_column_and_puts_nothing_last(folder: Path) -> None:
    found = rows(folder)
    mae = {entry.folder.name: (entry.metrics or {}).get("mae") for entry in find_runs(folder)}
    best = sorted((name for name in mae if mae[name]), key=lambda name: mae[name])
    assert [row["run"] for row in in_order(found, "mae", falling=False)] == [*best, "broken"]
    assert [row["run"] for row in in_order(found, "mae", falling=True)] == [*best[::-1], "broken"]


def test_filters_by_words(folder: Path) -> None:
    found = rows(folder)
    assert [row["run"] for row in chosen(found, ["lstm"])] == ["b"]
    assert [row["run"] for row in chosen(found, ["sales", "gru"])] == ["a"]
    assert chosen(found, [], "classify") == []


def test_a_broken_run_says_why_and_cannot_be_ticked(folder: Path) -> None:
    drawn = as_html(["run", "status"], rows(folder), ["a"], 0, falling=False)
    assert drawn.count("checkbox") == 2
    assert drawn.count(" checked") == 1
    assert "broken: " in drawn
    assert "<b>x" not in drawn


def test_reads_sweeps_and_claims_and_passes_over_what_is_damaged(folder: Path) -> None:
    claim = {
        "id": "a.b",
        "study": "a",
        "claim": "c",
        "reported": 1,
        "measured": 2.5,
        "spread": None,
        "seeds": [0],
        "verdict": "corrected",
        "evidence": "e",
    }
    for name, content in {
        "lab": json.dumps([claim]),
        "half": '[{"id":',
        "other": '{"a": 1}',
        "deep": "[" * 100_000,
    }.items():
        (folder / name).mkdir()
        (folder / name / "claims.json").write_text(content)
    (folder / "sweep").mkdir()
    (folder / "sweep" / "sweep.json").write_text(json.dumps(SWEEP))
    (folder / "half" / "sweep.json").write_text(json.dumps({**SWEEP, "map": [{"cell": 3}]}))
    [found] = results.claims(folder, [])
    assert [one.claim for one in found.content] == ["c"]
    [swept] = results.sweeps(folder, [])
    assert swept.folder.name == "sweep"
    sweep = swept.content
    counts = [len(results.rows_at(sweep, place, sweep.map)) for place in sweep.map]
    assert counts == [4, 2, 4, 2]
