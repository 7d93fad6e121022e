"""The tests of the service need the extra ``rnnlab[web]``."""

from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs rnnlab[web]")
pytest.importorskip("orjson", reason="needs rnnlab[web]")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind; not to be changed."""
    from tests.web.sample import write_runs

    return write_runs(tmp_path_factory.mktemp("runs"))
