"""`rnnlab data`: the list, a copy as CSV that reads back the same, bad names."""

import json
from pathlib import Path

import pytest

from rnnlab.cli import main
from rnnlab.data import library, read_names


def test_lists_what_is_built_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(found) == {"names", "sales", "binary", "memorise"}
    assert found["sales"]["fingerprint"] == library.sales().fingerprint
    assert "CC BY 4.0" in found["sales"]["provenance"]


def test_a_copy_reads_back_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "names.csv"
    assert main(["data", "names", "--out", str(path)]) == 0
    again = read_names(path, text="text", target="label")
    assert (again.texts, again.labels) == (library.names().texts, library.names().labels)
    for name in ("sales", "binary", "memorise"):
        assert main(["data", name, "--out", str(tmp_path / f"{name}.csv")]) == 0
    assert (tmp_path / "binary.csv").read_text().splitlines()[8 * 5 + 1 : 8 * 5 + 3] == ["5,0,0.0,5.0", "5,1,0.0,5.0"]
    assert "256 sequences" in capsys.readouterr().out


def test_bad_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sale"]) == 2
    assert "nearest: sales" in capsys.readouterr().err
    assert main(["data", "--out", "x.csv"]) == 2
