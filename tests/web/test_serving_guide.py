"""What docs/serving.md shows must work as it stands."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason='needs pip install "rnnlab[web]"')

from tests.web.sample import write_run
from tests.web.serving import Served, serving

GUIDE = Path(__file__).parents[2] / "docs" / "serving.md"
pytestmark = [
    pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not part of an installed package"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("runs")
    write_run("strings", folder / "names-lstm")
    with serving(folder) as found:
        yield found


def test_curl_examples_work(served: Served) -> None:
    lines = re.findall(r"^curl .*$", GUIDE.read_text(), re.M)
    assert len(lines) >= 5
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line.replace("8080", str(served.port))], capture_output=True, text=True, check=True, timeout=30
        )
        found = json.loads(done.stdout)
        assert "error" not in found, line
        if "predict" in line:
            assert len(found["predictions"]) == (3 if "inputs" in line else 1)


def test_the_python_example_works(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    exec(compile(code.replace("8080", str(served.port)), str(GUIDE), "exec"), {})
    assert capsys.readouterr().out in ("A\n", "B\n")


def test_the_guide_names_every_status_that_the_service_gives() -> None:
    from rnnlab.web.replies import STATUS
    from rnnlab.web.server import create_app
    from rnnlab.web.store import RunStore

    text = GUIDE.read_text()
    paths = create_app(RunStore([]), page=False).openapi()["paths"].values()
    given = {code for path in paths for method in path.values() for code in method["responses"]} - {"200"}
    for code in {*given, *map(str, STATUS.values()), "401", "403", "421", "503", "431"}:
        assert re.search(rf"\b{code}\b", text), code


def test_the_guide_tells_the_limits_as_they_are() -> None:
    from rnnlab.web.limits import Limits

    text, limits = GUIDE.read_text(), Limits()
    for number in (limits.inputs, limits.length, limits.steps, limits.waiting, limits.connections):
        assert f"{number:,}" in text
    assert f"{limits.body // 2**20} MiB a request ({limits.upload // 2**20} MiB an upload)" in text
    assert f"{limits.silence:g} s of silence" in text
