"""`rnnlab doctor module:factory` as a stranger meets it: findings, exit codes, and programs that misbehave."""

import json
import sys
from pathlib import Path

import pytest

import rnnlab
from rnnlab.cli import main
from rnnlab.cli.doctor import build
from rnnlab.errors import InputError

HEAD = """
import sys, time
from types import SimpleNamespace
import torch
from torch import nn

def lesson():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    x = torch.randn(16, 4, 1)
    return SimpleNamespace(model=model, optimizer=torch.optim.Adam(model.parameters(), lr=0.01), loss=nn.MSELoss(), inputs=x,
                           targets=x.sum(1))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine.py"


def test_a_sound_program_exits_with_0(program: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program.write_text(HEAD + "def factory():\n    print('hello')\n    return lesson()\n")
    assert main(["doctor", "mine:factory", "--strict", "--json", "--seconds", "5"]) == 0
    printed = capfd.readouterr()
    assert {finding["severity"] for finding in json.loads(printed.out)["findings"]} <= {"hint"}
    assert "hello" in printed.err


def test_findings_exit_with_3_when_strict(program: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program.write_text(
        HEAD
        + "def factory():\n    it = lesson()\n    it.optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)\n    return it\n"
    )
    assert main(["doctor", "mine:factory", "--seconds", "5"]) == 0
    said = capfd.readouterr().out
    assert said.startswith("error")
    assert "optimizer_misses_parameters" in said.splitlines()[0]
    assert "→" in said
    assert main(["doctor", "mine:factory", "--strict", "--json", "--seconds", "5"]) == 3
    found = json.loads(capfd.readouterr().out)["findings"][0]
    assert set(found) == {"check", "severity", "message", "evidence", "remedy"}


@pytest.mark.parametrize("target", ["mine", "../mine.py:factory", ":factory", "mine:"])
def test_targets_are_a_folder_or_a_factory(program: Path, capfd: pytest.CaptureFixture[str], target: str) -> None:
    assert main(["doctor", target]) == 2
    assert f"target must be a run folder or module:factory, got {target!r}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "target", "messages"),
    [
        ("", "absent:factory", ["module 'absent' must be in this folder or installed"]),
        ("import absent_library\n", "mine:factory", ["No module named 'absent_library'", "(mine.py, line 1)"]),
        ("def factory(:\n", "mine:factory", ["module 'mine' must import, got SyntaxError"]),
        ("1 / 0\n", "mine:factory", ["must import, got ZeroDivisionError: division by zero (mine.py, line 1)"]),
        ("def lessons(): pass\n", "mine:lesson", ["one of lessons (nearest: lessons), got 'lesson'"]),
        ("factory = 3\n", "mine:factory", ["must be a function, got int"]),
        ("def factory(size): pass\n", "mine:factory", ["must take no arguments, got factory(size)", "def factory()"]),
        (
            "def factory():\n    raise ValueError('no\\nfile')\n",
            "mine:factory",
            ["got ValueError: no file (mine.py, line 2)"],
        ),
        ("def factory():\n    raise SystemExit(4)\n", "mine:factory", ["got SystemExit: 4"]),
    ],
)
def test_bad_factories_are_refused_in_one_line(
    program: Path, monkeypatch: pytest.MonkeyPatch, code: str, target: str, messages: list[str]
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    program.write_text(code)
    try:
        with pytest.raises(InputError) as refused:
            build(target)
    finally:
        sys.modules.pop("mine", None)
    assert "\n" not in str(refused.value)
    for message in messages:
        assert message in str(refused.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os\ndef factory():\n    os._exit(7)\n", "ended with exit code 7"),
        ("def factory():\n    return 3\n", "model, optimizer, loss, inputs, targets"),
    ],
)
def test_programs_that_return_nothing_of_use_are_refused(
    program: Path, capfd: pytest.CaptureFixture[str], code: str, message: str
) -> None:
    program.write_text(code)
    assert main(["doctor", "mine:factory"]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert len(printed.err.strip().splitlines()) == 1
    assert message in printed.err


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("it.model = it.model.to('meta')", "must be on the CPU, got meta"),
        ("it.inputs = it.inputs.to('meta')", "inputs must be on the CPU, got meta"),
        ("it.loss = lambda outputs: outputs.sum()", "loss(outputs, targets) must run, got TypeError"),
        ("it.model = nn.Bilinear(4, 4, 1)", "missing 1 required positional argument: 'input2'"),
        ("it.model = nn.LazyLinear(1)", "parameter weight must have a shape, got that of a lazy layer"),
        ("it.forward = lambda model, inputs: model(inputs, inputs)", "forward(model, inputs)"),
    ],
)
def test_subjects_that_do_not_run_are_refused(
    program: Path, capfd: pytest.CaptureFixture[str], body: str, message: str
) -> None:
    program.write_text(f"{HEAD}def factory():\n    it = lesson()\n    {body}\n    return it\n")
    assert main(["doctor", "mine:factory"]) == 2
    printed = capfd.readouterr()
    assert len(printed.err.strip().splitlines()) == 1
    assert message in printed.err


@pytest.mark.parametrize(
    ("code", "timeout", "message"),
    [
        ("while True: pass\n", "1", "mine:factory must return within 1 s, got no end"),
        (
            HEAD + "def factory():\n    it = lesson()\n    it.forward = lambda *_: time.sleep(999)\n    return it\n",
            "60",
            "must come to an end",
        ),
    ],
)
def test_programs_without_an_end_are_refused(
    program: Path, capfd: pytest.CaptureFixture[str], code: str, timeout: str, message: str
) -> None:
    program.write_text(code)
    assert main(["doctor", "mine:factory", "--timeout", timeout, "--seconds", "0.5"]) == 2
    assert message in capfd.readouterr().err


def test_a_folder_without_a_run_is_refused(program: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (program.parent / "empty").mkdir()
    assert main(["doctor", "empty"]) == 2
    assert "run.json" in capfd.readouterr().err


def test_run_folders_are_examined_and_strict(program: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rnnlab.train("sales", out="run", hidden_size=4, lr=1e-7, epochs=4, doctor=False)
    assert main(["doctor", "run", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["findings"]
    assert found[0]["check"] == "learning_rate_too_small"
    assert found[0]["remedy"].startswith("--lr")
    assert main(["doctor", "run", "--strict"]) == 3
    said = capfd.readouterr().out
    assert said.startswith("warning learning_rate_too_small")
    assert "run: 1 warning" in said
    assert main(["doctor", "run", "--data", "nowhere.csv"]) == 2
    assert "nowhere.csv" in capfd.readouterr().err
    assert main(["doctor", "mine:factory", "--data", "names"]) == 2
    assert "--data must come with a run folder" in capfd.readouterr().err
