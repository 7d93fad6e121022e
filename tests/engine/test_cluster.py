"""Stacks on a real Ray cluster of two nodes: the same numbers as here, also where a node is killed; what cannot be is said."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rnnlab import engine as engines
from rnnlab.cli import main
from rnnlab.engine import Job, Tell
from rnnlab.errors import ConfigError, DataError
from rnnlab.sweeps import prepare

pytest.importorskip("ray", reason="needs rnnlab[ray]")
GRID = {
    "cell": "rnn,gru", "hidden_size": [4, 6], "lr": [0.003, 0.03], "bidirectional": False, "seeds": 4, "epochs": 200, "batch_size": 16,
}  # fmt: skip


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    # The machines of a cluster have the modules that its jobs are from; here, this one.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield made
    finally:
        made.shutdown()


def where(shared: int, tell: Tell) -> tuple[int, str]:
    import ray

    tell(0.5, "half way")
    time.sleep(1.0)
    return 2 * shared, ray.get_runtime_context().get_node_id()


def refuse(shared: int, tell: Tell) -> None:
    raise DataError("x must be y, got z")


def test_an_address_where_nothing_answers_gets_one_line_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        assert main(["sweep", "binary", "--engine", "ray", "--address", address, "--epochs", "1"]) == 2
        assert time.monotonic() - began < 30
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"address must be of a Ray cluster that answers, got '{address}' (Connection refused)" in said
    for wrong in ("nowhere", "host:many", "host:0"):
        with pytest.raises(ConfigError, match="address must be HOST:PORT or auto"):
            engines.engine("ray", None, address=wrong)


@pytest.mark.slow
def test_jobs_run_on_both_nodes_and_errors_come_back_as_they_are(cluster: Any) -> None:
    cluster.add_node(num_cpus=1)
    with closing(engines.engine("ray", 21, address=cluster.address)) as engine:
        assert engine.workers == 2
        events = list(engine.run([Job(str(number), "", where) for number in range(6)]))
        outcomes = [event.outcome for event in events if event.done]
        assert [value for value, _ in outcomes] == [42] * 6
        assert len({node for _, node in outcomes}) == 2
        assert any(event.progress == engines.Progress("half way", 0.5) for event in events)
        with pytest.raises(DataError, match=r"^x must be y, got z$"):
            list(engine.run([Job("a", "", refuse)]))


@pytest.mark.slow
def test_a_node_killed_in_mid_sweep_loses_nothing_and_changes_no_number(cluster: Any, tmp_path: Path) -> None:
    here = prepare("binary", GRID)
    for _ in here:
        pass
    second = cluster.add_node(num_cpus=1)
    sweeping = prepare("binary", GRID, open_engine=partial(engines.engine, "ray", address=cluster.address))
    sweeping.keep_in(tmp_path / "out")
    assert sweeping.workers == 2
    assert len(sweeping.stacks) == 4
    killed = False
    for step in sweeping:
        if not killed and step.spent > 0.1:
            cluster.remove_node(second, allow_graceful=False)
            killed = True
    assert killed
    assert len(cluster.list_all_nodes()) == 1
    found = sweeping.result()
    assert found.complete
    assert [(row.setting, row.seed, row.metrics) for row in found.rows] == [
        (row.setting, row.seed, row.metrics) for row in here.result().rows
    ], "to the bit"
    sweeping.write()
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 8


@pytest.mark.slow
def test_a_machine_without_the_package_gets_one_line(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "rnnlab.py").write_text("raise ModuleNotFoundError(\"No module named 'rnnlab'\")\n")
    path = os.environ.get("PYTHONPATH", "")
    cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": f"{tmp_path}{os.pathsep}{path}"})
    with pytest.raises(ConfigError) as caught:
        engines.engine("ray", 1, address=cluster.address)
    assert "must have rnnlab" in str(caught.value)
    assert "got none; pip install" in str(caught.value)
    assert "\n" not in str(caught.value)
