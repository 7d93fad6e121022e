"""Every notebook runs: the answers check themselves as right, the questions as not answered yet, neither with a traceback."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from rnnlab.notebooks.forms import FORMS, NAMES, ONE_FORM, notebook

nbclient = pytest.importorskip("nbclient", reason="the extra docs is not installed")
pytest.importorskip("jupytext", reason="the extra notebooks is not installed")
HANDED_OUT = [(name, form) for name in NAMES for form in FORMS if name not in ONE_FORM or form == "answer"]


def run(name: str, form: str, folder: Path) -> list[dict[str, Any]]:
    """Return what every cell shows."""
    made = notebook(name, form)
    made.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    client = nbclient.NotebookClient(made, timeout=280, resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"})
    return [output for cell in made.cells for output in cell.get("outputs", [])]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), HANDED_OUT)
def test_it_runs(name: str, form: str, tmp_path: Path) -> None:
    outputs = run(name, form, tmp_path)
    said = [output["data"]["text/plain"] for output in outputs if "text/plain" in output.get("data", {})]
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
