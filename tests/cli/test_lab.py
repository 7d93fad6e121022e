"""`rnnlab lab` as a stranger meets it: the report, the claims, bad input, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnlab.cli import main

VERDICTS = {"reproduced", "corrected", "contradicted", "untestable"}


def test_smoke_lab_leaves_a_report_claims_and_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--size", "smoke", "--out", str(tmp_path / "lab"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    claims = json.loads((tmp_path / "lab" / "claims.json").read_text())
    assert printed["claims"] == claims
    assert {claim["study"] for claim in claims} == {"binary", "memorise", "sales", "names"}
    assert {claim["verdict"] for claim in claims} <= VERDICTS
    assert all(claim["evidence"].endswith(".") for claim in claims)
    page = (tmp_path / "lab" / "report.html").read_text()
    for study in ("binary", "memorise", "sales", "names"):
        results = json.loads((tmp_path / "lab" / study / "results.json").read_text())
        assert results["title"] in page
        assert list((tmp_path / "lab" / study / "figures").glob("*.svg"))
    runs = list((tmp_path / "lab").glob("*/runs/*/run.json"))
    assert len(runs) > 10
    assert not list((tmp_path / "lab").rglob(".*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lab", "nmaes"], "study must be one of binary, memorise, names, sales (nearest: names), got 'nmaes'"),
        (["lab", "--data", "sales"], "--data must be NAME=VALUE, got 'sales'"),
        (["lab", "--data", "weather=x.csv"], "--data must name one of names, sales, got 'weather'"),
        (["lab", "--data", "names=/no/such/place"], "/no/such/place"),
        (["lab", "--where", "store=1"], "--where must come with --data sales=PATH"),
        (["lab", "--fill", "zero"], "--fill must come with --data sales=PATH"),
        (["lab", "--text", "name"], "--text must come with --data names=PATH"),
        (["lab", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["lab", "--workers", "0"], "workers must be at least 1, got 0"),
        (["lab", "--size", "huge"], "huge"),
        (["lab", "--no-such-option"], "--no-such-option"),
        (["no-such-verb"], "no-such-verb"),
    ],
)
def test_bad_requests_get_one_line_and_exit_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", "", "empty"),
        ("other.csv", "a,b\n1,2\n", "sales.csv"),
        ("text.csv", "date,sales\n2020-01-01,1\n2020-01-02,many\n", "must have a numeric column, got date, sales"),
        (
            "nan.csv",
            "date,sales\n2020-01-01,1\n2020-01-02,NaN\n2020-01-03,2\n",
            "line 3: sales must be a number, got 'NaN'",
        ),
        ("short.csv", "date,sales\n" + "".join(f"2020-01-{d:02},{d}\n" for d in range(1, 20)), "19"),
    ],
)
def test_bad_series_get_one_line(
    name: str, content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(content)
    assert main(["lab", "sales", "--size", "smoke", "--data", f"sales={path}", "--out", str(tmp_path / "lab")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "lab").exists()


def test_an_out_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lab").write_text("mine")
    assert main(["lab", "binary", "--size", "smoke", "--out", str(tmp_path / "lab")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "lab").read_text() == "mine"


def test_interrupt_keeps_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "lab"
    command = [sys.executable, "-m", "rnnlab", "lab", "memorise", "names", "--size", "full", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (out / "report.html").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "Interrupted" in (out / "report.html").read_text()
    assert json.loads((out / "claims.json").read_text()) == []


def test_help_does_not_import_torch() -> None:
    code = "import sys, rnnlab.cli as c; c.main(['--help']); print('torch' in sys.modules, file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "False"
    assert "lab" in found.stdout
