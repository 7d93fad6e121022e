"""What the tests of the service and of the page share."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.web.browser import browser, page_over
from tests.web.runs import CLAIMS, SWEEP, bits, quick_run
from tests.web.sample import write_runs

from rnnlab.data import library


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind; not to be changed."""
    return write_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser."""
    with browser() as found:
        yield found


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the page can show: runs, a sweep, claims."""
    found = tmp_path_factory.mktemp("served")
    quick_run(found / "names", "names", hidden_size=16, embedding_size=16, max_steps=60, evaluate_every=10)
    quick_run(found / "sales-a", "sales", hidden_size=4, max_steps=40, evaluate_every=5)
    quick_run(found / "sales-b", "sales", hidden_size=8, cell="lstm", max_steps=40, evaluate_every=5)
    quick_run(found / "sweep" / "runs" / "best", "sales", hidden_size=8, lr=0.1, cell="gru", max_steps=2)
    quick_run(
        found / "bits",
        bits(found / "bits.csv"),
        steps="b*",
        target="number",
        kind="regress",
        hidden_size=8,
        max_steps=20,
    )
    quick_run(found / "eight-bits", library.binary(), hidden_size=8, max_steps=20)
    (found / "sweep" / "sweep.json").write_text(json.dumps(SWEEP))
    (found / "claims.json").write_text(json.dumps(CLAIMS))
    return found


@pytest.fixture(scope="session")
def page(page_folder: Path, chromium: Any) -> Iterator[str]:
    """The address of the page over ``page_folder``."""
    with page_over(page_folder) as found:
        yield found
