"""The OpenAPI document against the service: schemathesis asks what the document allows, and what it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason='needs pip install "rnnlab[web]"')
pytest.importorskip("schemathesis", reason='needs pip install "rnnlab[dev]"')

import schemathesis
from hypothesis import HealthCheck, settings
from tests.web.serving import Served, serving

from rnnlab.web.server import create_app
from rnnlab.web.store import RunStore


@pytest.fixture(scope="module")
def served(runs: Path) -> Iterator[Served]:
    with serving(runs, '{"silence": 10, "connections": 200}') as found:
        yield found
        said = found.stop()
        assert "Traceback" not in said, said


schema = schemathesis.openapi.from_dict(create_app(RunStore([]), page=False).openapi())


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_document_says_what_the_service_does(case: Any, served: Served) -> None:
    # Whether an input fits depends on the run, which the document cannot say: a 422 in words is right there.
    case.call_and_validate(base_url=served.address, excluded_checks=[schemathesis.checks.positive_data_acceptance])


@schema.include(path="/api/predict", method="POST").parametrize()
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_runs_that_are_there_are_asked_anything(case: Any, served: Served) -> None:
    if isinstance(case.body, dict) and isinstance(case.body.get("run", ""), str):
        case.body["run"] = ("strings", "numbers", "series")[len(str(case.body)) % 3]
    case.call_and_validate(base_url=served.address, excluded_checks=[schemathesis.checks.positive_data_acceptance])
