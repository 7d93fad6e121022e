"""The site builds without a warning, holds what it should, and loads nothing from another place."""

import os
import re
import subprocess
import sys
from pathlib import Path

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
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return folder


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
