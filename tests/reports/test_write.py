"""Files are whole or absent, JSON is strict, and a place that cannot be written is one line."""

import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnlab.errors import OutputError
from rnnlab.reports import write_report
from rnnlab.reports.write import strict_json, write_file

from . import sample


def refuse(text: str) -> Any:
    raise AssertionError(f"not strict JSON: {text}")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab") / "new" / "out"
    assert write_report(sample.results(), folder, size="quick") == folder / "report.html"
    return folder


def test_everything_is_there(out: Path) -> None:
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    for result in sample.results():
        figures = [part for section in result.sections for part in section.parts if hasattr(part, "kind")]
        folder = out / result.study / "figures"
        expected = {f"{figure.id}.{form}" for figure in figures for form in ("svg", "png")}
        assert {path.name for path in folder.iterdir()} == expected
        for figure in figures:
            assert (folder / f"{figure.id}.svg").read_text(encoding="utf-8").startswith("<svg xmlns=")
            assert (folder / f"{figure.id}.png").read_bytes().startswith(b"\x89PNG")
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_claims_are_listed_with_the_promised_fields(out: Path) -> None:
    claims = read(out / "claims.json")
    assert len(claims) == sum(len(result.claims) for result in sample.results())
    fields = ["id", "study", "claim", "reported", "measured", "spread", "seeds", "verdict", "evidence"]
    assert all(list(claim) == fields for claim in claims)
    assert claims[0]["spread"] == [244.9, 246.7123]
    assert claims[2]["measured"] == "NaN"


def test_results_are_strict_and_complete(out: Path) -> None:
    for result in sample.results():
        data = read(out / result.study / "results.json")
        assert list(data) == list(result.to_dict())
        assert data["sections"][0]["text"] == list(result.sections[0].text)


def test_written_again_it_is_the_same(out: Path, tmp_path: Path) -> None:
    write_report(sample.results(), tmp_path, size="quick")
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((out / name).read_bytes() == (tmp_path / name).read_bytes() for name in files)


def test_non_finite_numbers_become_readable_text() -> None:
    text = strict_json({"a": math.nan, "b": [math.inf, -math.inf], "c": np.float32("nan"), "d": (1, np.int64(2))})
    data = json.loads(text, parse_constant=refuse)
    assert data == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": "NaN", "d": [1, 2]}
    assert math.isnan(float(data["a"]))
    assert float(data["b"][1]) == -math.inf


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    result = sample.study("../../evil", (replace(sample.single_curve(), id="../../../up"),), "t", "q?")
    inside = tmp_path / "a" / "b" / "c"
    write_report([result], inside)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and inside not in path.parents]
    assert (inside / "evil" / "figures" / "up.svg").exists()


def test_figures_of_one_name_do_not_replace_each_other(tmp_path: Path) -> None:
    curve = sample.single_curve()
    write_report([sample.study("s", (curve, replace(curve, title="Another")), "t", "q?")], tmp_path)
    assert {p.stem for p in (tmp_path / "s" / "figures").iterdir()} == {"lr-curve", "lr-curve-2"}


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_failure_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = write_file(tmp_path / "claims.json", "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        write_file(path, "new")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["claims.json"]


def test_interruption_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "report.html", "new")
    assert not os.listdir(tmp_path)


def test_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    blocked = write_file(tmp_path / "out", "a file")
    with pytest.raises(OutputError) as caught:
        write_report(sample.results()[:1], blocked)
    assert "\n" not in str(caught.value)
    assert blocked.read_text(encoding="utf-8") == "a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write_report(sample.results()[:1], tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x", encoding="utf-8")
    assert write_file(tmp_path / "ours", "x").stat().st_mode == (tmp_path / "plain").stat().st_mode
