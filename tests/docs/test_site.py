"""The site builds without a warning, holds what it should, and loads nothing from another place."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnnlab.cli import VERBS
from rnnlab.notebooks.forms import NAMES

ROOT = Path(__file__).parents[2]
pytest.importorskip("mkdocs", reason="the extra docs is not installed")
pytestmark = pytest.mark.skipif(
    not (ROOT / "mkdocs.yml").exists(), reason="the site is not part of an installed package"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_a_notebook_that_was_run_is_shown_with_its_outputs() -> None:
    path = ROOT / "scripts" / "docs_pages.py"
    found = importlib.util.spec_from_file_location("docs_pages", path)
    assert found is not None
    assert found.loader is not None
    pages = importlib.util.module_from_spec(found)
    found.loader.exec_module(pages)
    outputs = [
        SimpleNamespace(get={"data": {"text/html": "<table>\n\n<tr></tr></table>", "text/plain": "t"}}.get),
        SimpleNamespace(get={"name": "stdout", "text": "printed\n"}.get),
        SimpleNamespace(get={"name": "stderr", "text": "a warning"}.get),
    ]
    cells = [
        SimpleNamespace(cell_type="markdown", source="# Bits\n\nWhat is it?"),
        SimpleNamespace(cell_type="code", source="f(1)", get={"outputs": outputs}.get),
    ]
    page = pages.page(SimpleNamespace(cells=cells), ["bits.ipynb"])
    assert page.startswith("# Bits\n\nTo download: [bits.ipynb](bits.ipynb)")
    assert "```python\nf(1)\n```" in page
    assert '<table class="shown">  <tr></tr></table></div>\n' in page
    assert "```text\nprinted\n```" in page
    assert "a warning" not in page


def test_every_verb_is_in_the_reference(site: Path) -> None:
    page = (site / "cli.html").read_text()
    for verb in VERBS:
        assert f"rnnlab {verb}" in page


def test_every_notebook_is_shown_and_can_be_downloaded(site: Path) -> None:
    for name in NAMES:
        page = (site / "notebooks" / f"{name}.html").read_text()
        linked = re.findall(r'href="([\w-]+\.ipynb)"', page)
        assert linked
        assert all((site / "notebooks" / file).exists() for file in linked)


def test_nothing_is_loaded_from_another_place(site: Path) -> None:
    loads = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)""")
    for page in site.rglob("*.html"):
        found = [address for address in loads.findall(page.read_text()) if "canonical" not in address]
        assert found == [], page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", sheet.read_text()), sheet
