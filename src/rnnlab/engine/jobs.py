"""A job, what is heard of it, and the one interface of all engines: this process, other processes, a cluster.

A job gets what all jobs share (the data, sent to a worker once) and a way to say how far it is. It knows neither which
process it runs in nor what the others do; an engine knows nothing of what a job computes.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rnnlab.engine.memory import usable

Tell = Callable[[float, str], None]
LEAST_NEWS = 0.005


@dataclass(frozen=True)
class Progress:
    """How far something is: what is being done, and the share done, 0..1."""

    title: str
    spent: float


@dataclass(frozen=True)
class Job:
    """Something to be done anywhere.

    Args:
        name: unique among the jobs of an engine.
        title: for the progress bar.
        work: takes what all jobs share and a function to say how far it is; returns the outcome, or a generator that yields
            `Progress` and returns it. A module's function or an instance of a module's class, so that it reaches other processes.
    """

    name: str
    title: str
    work: Callable[[Any, Tell], Any]


@dataclass(frozen=True)
class Event:
    """What happened to a job; the last one of a job is ``done`` and has its outcome."""

    job: Job
    progress: Progress
    done: bool = False
    outcome: Any = None


class Engine(Protocol):
    """Where jobs are done. Leaving `run` early gives up what is not done; `close` gives the workers back.

    ``workers`` is how many jobs are done at once, ``room`` the bytes of memory that each may take.
    """

    workers: int
    room: int

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Do ``jobs``, which start in this order; yield what happens."""
        ...

    def close(self) -> None:
        """Give the workers back."""
        ...


class Here:
    """The engine that is this process: one job after the other.

    Args:
        shared: what all jobs get.
        memory: gigabytes that may be taken; four fifths of what is free where None.

    Example:
        >>> [event.outcome for event in Here(20).run([Job("double", "", lambda shared, tell: 2 * shared)])]
        [40]
    """

    workers = 1

    def __init__(self, shared: Any, memory: float | None = None) -> None:
        self.room = usable(1, memory)
        self._shared = shared

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Do ``jobs``; yield what happens, as it happens where a job is a generator."""
        for job in jobs:
            found = job.work(self._shared, _unheard)
            if isinstance(found, Generator):
                found = yield from _followed(job, found)
            yield Event(job, Progress(job.title, 1.0), done=True, outcome=found)

    def close(self) -> None:
        """Nothing is held."""


def finish(job: Job, shared: Any, tell: Tell) -> Any:
    """Do a job to its end, say how far it is at every half per cent, and return the outcome."""
    shown = -1.0

    def seldom(spent: float, title: str = "") -> None:
        nonlocal shown
        if spent >= shown + LEAST_NEWS:
            shown = spent
            tell(float(spent), title or job.title)

    found = job.work(shared, seldom)
    if not isinstance(found, Generator):
        return found
    while True:
        try:
            progress = next(found)
        except StopIteration as end:
            return end.value
        seldom(progress.spent, progress.title)


def _followed(job: Job, steps: Generator[Progress, None, Any]) -> Generator[Event, None, Any]:
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return end.value
        yield Event(job, progress)


def _unheard(spent: float, title: str = "") -> None:
    """Say nothing: in this process a job that is no generator is heard of when it is done."""
