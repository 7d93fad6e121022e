"""What the README shows must run as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from rnnlab.cli import VERBS

README = Path(__file__).parents[1] / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="the README is not part of an installed package")


def test_python_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_command_lines_name_verbs_that_exist() -> None:
    lines = [
        line.split("#")[0] for line in README.read_text().splitlines() if "rnnlab " in line and line.startswith("    ")
    ]
    assert lines
    for line in lines:
        words = shlex.split(line)
        program = next(i for i, word in enumerate(words) if word.endswith("rnnlab"))
        assert words[program + 1] in VERBS, line


def test_every_verb_is_documented() -> None:
    text = README.read_text()
    for verb in VERBS:
        assert f"rnnlab {verb}" in text, verb
