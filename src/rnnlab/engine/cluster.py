"""Jobs on a Ray cluster: a task a job, one core each; what a lost machine was doing is done again elsewhere.

What all jobs share is sent to the cluster once. Ray retries a task whose machine is gone; its outcome is the same, since
draws have keys and not state. It needs ``rnnlab[ray]`` here and rnnlab of the same version on every machine.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from rnnlab import __version__
from rnnlab.engine.jobs import Event, Job, Progress, finish
from rnnlab.engine.memory import SHARE_USED
from rnnlab.errors import ConfigError, MissingExtraError, RnnlabError

# Machines may go while a job runs; a job that takes its worker down itself must end some time.
MOST_RETRIES = 8
REACH_SECONDS, POLL_SECONDS, CHECK_SECONDS = 5.0, 0.5, 60.0


class Ray:
    """The engine that is a Ray cluster.

    Args:
        shared: what all jobs get.
        address: ``HOST:PORT``, or ``auto`` for the cluster that this machine is part of; None starts one of this machine alone.
        workers: cores, where one is started; all of them where None.
        memory: gigabytes that all jobs may take together; four fifths of what the machines have where None.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: the cluster cannot be reached, or a machine of it lacks rnnlab, or has another version.
    """

    def __init__(
        self, shared: Any, address: str | None = None, workers: int | None = None, memory: float | None = None
    ) -> None:
        self._ray = _ray()
        self._begin(address, workers)
        try:
            nodes = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
            if not nodes:
                raise ConfigError(
                    f"address must be of a cluster with cores to give, got none at {address}; start workers"
                )
            _check_machines(self._ray, nodes)
            self.workers = sum(int(node["Resources"]["CPU"]) for node in nodes)
            least = min(node["Resources"].get("memory", 2**31) / int(node["Resources"]["CPU"]) for node in nodes)
            self.room = int(SHARE_USED * least if memory is None else memory * 1e9 / self.workers)
            self._shared = self._ray.put(shared)
            self._board = _board(self._ray)
        except BaseException:
            self.close()
            raise

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Do ``jobs`` and yield what happens; leaving the iterator early cancels what is not done.

        Raises:
            RnnlabError: a job went down with its worker again and again. What a job itself raises comes as it is.
        """
        task = self._ray.remote(num_cpus=1, max_retries=MOST_RETRIES)(_work)
        pending = {task.remote(job, self._shared, self._board): job for job in jobs}
        by_name = {job.name: job for job in jobs}
        try:
            while pending:
                done, _ = self._ray.wait(list(pending), num_returns=1, timeout=POLL_SECONDS)
                for name, progress in self._news().items():
                    if by_name[name] in pending.values():
                        yield Event(by_name[name], progress)
                for reference in done:
                    job = pending[reference]
                    outcome = self._outcome(reference, job)
                    del pending[reference]
                    yield Event(job, Progress(job.title, 1.0), done=True, outcome=outcome)
        finally:
            for reference in pending:
                self._ray.cancel(reference, force=True)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._ray.shutdown()

    def _begin(self, address: str | None, workers: int | None) -> None:
        if address is not None:
            _reach(address)
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
        if address is not None:
            del quiet["include_dashboard"]
        else:
            quiet["num_cpus"] = workers or os.cpu_count() or 1
        try:
            self._ray.init(address=address, ignore_reinit_error=False, **quiet)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"address must be of a Ray cluster that answers, got {address!r} ({reason}); start one with ray start --head"
            ) from None

    def _news(self) -> dict[str, Progress]:
        try:
            found: dict[str, Progress] = self._ray.get(self._board.read.remote(), timeout=REACH_SECONDS)
        except self._ray.exceptions.RayError:
            return {}
        return found

    def _outcome(self, reference: Any, job: Job) -> Any:
        try:
            found = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            reason = str(error)
            if "No module named 'rnnlab'" in reason:
                raise _lacking("a machine of the cluster", "none") from None
            line = " ".join(reason.split())[:300]
            raise RnnlabError(f"{job.title!r} did not come back from the cluster: {line}") from None
        if isinstance(found, BaseException):
            raise found
        return found[0]


def _work(job: Job, shared: Any, board: Any) -> Any:
    """Do a job on a machine of the cluster, with one thread; an error is an outcome too, so that it comes back as it is."""
    import torch

    torch.set_num_threads(1)
    try:
        return (
            finish(job, shared, lambda spent, title: board.write.remote(job.name, Progress(title, min(spent, 0.999)))),
        )
    except Exception as error:
        return error


def _board(ray: Any) -> Any:
    """Return an actor beside the driver that holds how far each job is; it costs no core."""

    class Board:
        def __init__(self) -> None:
            self._latest: dict[str, Any] = {}

        def write(self, name: str, progress: Any) -> None:
            self._latest[name] = progress

        def read(self) -> dict[str, Any]:
            found, self._latest = self._latest, {}
            return found

    return (
        ray.remote(num_cpus=0)(Board)
        .options(scheduling_strategy=_on(ray, ray.get_runtime_context().get_node_id()))
        .remote()
    )


def _check_machines(ray: Any, nodes: Sequence[dict[str, Any]]) -> None:
    """Raise where a machine lacks rnnlab, or has another version."""

    # A function inside a function is sent as it is; one of a module would be looked up in the module that may be missing.
    def version() -> str:
        try:
            import rnnlab
        except ImportError:
            return "none"
        return str(rnnlab.__version__)

    ask = ray.remote(num_cpus=0, max_retries=0)(version)
    asked = [(node, ask.options(scheduling_strategy=_on(ray, node["NodeID"])).remote()) for node in nodes]
    for node, reference in asked:
        try:
            found = ray.get(reference, timeout=CHECK_SECONDS)
        except ray.exceptions.RayError as error:
            found = " ".join(str(error).split())[:100]
        if found != __version__:
            raise _lacking(str(node["NodeManagerAddress"]), found)


def _lacking(machine: str, found: str) -> ConfigError:
    return ConfigError(
        f'{machine} must have rnnlab {__version__}, got {found}; pip install "rnnlab[ray]=={__version__}" on every machine'
    )


def _on(ray: Any, node: str) -> Any:
    return ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)


def _reach(address: str) -> None:
    """Raise where nothing answers at ``address``: Ray itself would wait for minutes."""
    if address in ("auto", "local"):
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"address must be HOST:PORT or auto, got {address!r}; ray start --head prints it")
    try:
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise ConfigError(
            f"address must be of a Ray cluster that answers, got {address!r} ({reason}); start one with ray start --head"
        ) from None


def _ray() -> Any:
    # Ray would else send a note of every use to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise MissingExtraError('engine ray must have Ray, got none installed; pip install "rnnlab[ray]"') from None
    return ray
