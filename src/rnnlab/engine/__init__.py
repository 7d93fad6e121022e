"""The engine: jobs, most of them stacks of runs, done in this process, over the cores, or on a cluster.

Comparison, studies and sweeps make jobs and read outcomes; where they are done is decided here.
"""

from collections.abc import Sequence
from typing import Any

from rnnlab.engine.jobs import Engine, Event, Here, Job, Progress, Tell
from rnnlab.engine.processes import Processes
from rnnlab.errors import ConfigError, suggest

__all__ = ["Engine", "Event", "Here", "Job", "Processes", "Progress", "Tell", "engine"]
NAMES = ("here", "local", "ray")


def engine(
    name: str,
    shared: Any,
    *,
    address: str | None = None,
    workers: int | None = None,
    memory: float | None = None,
    preload: Sequence[str] = (),
) -> Engine:
    """Return an engine by name: ``here`` (this process), ``local`` (processes) or ``ray`` (a cluster).

    Args:
        name: of the engine.
        shared: what all jobs get.
        address: of the cluster.
        workers: processes; one a core where None.
        memory: gigabytes that all jobs may take together.
        preload: modules that the jobs of ``local`` need.

    Raises:
        InputError: an unknown engine, a cluster that cannot be reached, Ray that is not installed.

    Example:
        >>> engine("here", None).workers
        1
    """
    if name == "here":
        return Here(shared, memory)
    if name == "local":
        return Processes(shared, workers, memory, preload)
    if name != "ray":
        raise ConfigError(f"engine must be {suggest(name, NAMES)}, got {name!r}")
    from rnnlab.engine.cluster import Ray

    return Ray(shared, address, workers, memory)
