"""Every notebook runs, by nbmake: the answers check themselves as right, the questions as not answered yet, none with a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnnlab.cli import main
from rnnlab.notebooks.forms import FORMS, NAMES, ONE_FORM, file_names

pytest.importorskip("nbmake", reason="the extra dev is not installed")
pytest.importorskip("jupytext", reason="the extra notebooks is not installed")
HANDED_OUT = file_names(NAMES, FORMS)


def run(file: str, folder: Path) -> list[dict[str, Any]]:
    """Write the notebooks as people get them, run one of them in place, and return what its cells show."""
    name, form = HANDED_OUT[file]
    assert main(["notebooks", str(folder), name, "--form", form]) == 0
    # Where pytest finds no settings of ours, and takes the notebook's folder for its root.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbmake",
        "--overwrite",
        "--nbmake-timeout=280",
        "-p",
        "no:cacheprovider",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([*command, file], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout
    cells = json.loads((folder / file).read_text())["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


@pytest.mark.slow
@pytest.mark.parametrize("file", HANDED_OUT)
def test_it_runs(file: str, tmp_path: Path) -> None:
    name, form = HANDED_OUT[file]
    outputs = run(file, tmp_path)
    said = ["".join(output["data"]["text/plain"]) for output in outputs if "text/plain" in output.get("data", {})]
    marks = {mark: sum(text.startswith(mark) for text in said) for mark in "✓✗○"}
    assert marks["✗"] == 0, [text for text in said if text.startswith("✗")]
    if name in ONE_FORM:
        assert any("text/html" in output.get("data", {}) for output in outputs)
    elif form == "answer":
        assert marks["✓"] >= 4
        assert marks["○"] == 0
    else:
        assert marks["○"] >= 4
        assert marks["✓"] == 0
    noise = [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert noise == []
