"""What the tests of the service share."""

from pathlib import Path

import pytest
from tests.web.sample import write_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind; not to be changed."""
    return write_runs(tmp_path_factory.mktemp("runs"))
