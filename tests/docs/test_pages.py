"""What the start and how-to pages show runs as it stands, in the order it stands, in one folder a page."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlab.cli import main

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the pages are not part of an installed package")
PAGES = [
    Path("start.md"),
    Path("sweeps.md"),
    *(path.relative_to(DOCS) for path in sorted((DOCS / "howto").glob("*.md"))),
]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.S | re.M)


def commands(text: str) -> list[str]:
    """Return the commands of a block, without comments."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


def in_shell(command: str, folder: Path) -> None:
    shim = folder / ".bin" / "rnnlab"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rnnlab "$@"\n')
    shim.chmod(0o755)
    path = os.pathsep.join([str(shim.parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_every_page_has_something_to_run() -> None:
    assert len(PAGES) >= 5
    for page in PAGES:
        kinds = {kind for kind, _ in BLOCK.findall((DOCS / page).read_text())}
        assert kinds == {"bash", "python"}, page


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_it_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, text in BLOCK.findall((DOCS / page).read_text()):
        if kind == "python":
            exec(compile(text, str(page), "exec"), {"__name__": "__main__"})
            continue
        for command in commands(text):
            words = shlex.split(command)
            if words[0] == "rnnlab" and not set(words) & {"|", ">", "<", "&", "&&", ";"}:
                # In this process: a new one imports torch again, for two seconds.
                status = main(words[1:])
                assert status == 0, f"{command}\n{capsys.readouterr().err}"
            else:
                in_shell(command, tmp_path)
    assert "Traceback" not in capsys.readouterr().err
