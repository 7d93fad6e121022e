"""Jobs over the cores: one process a core, one thread each, results as they come.

One thread a process makes a job's figures independent of how many cores there are. What is done stays done when
the user interrupts. A worker and the parent share one pipe and nothing else, so that either can end at any moment
without the other hanging or complaining, which executors with queues and threads of their own do not promise.
"""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

from rnnlab.errors import RnnlabError
from rnnlab.studies.jobs import Job, LabData, Outcome


@dataclass(frozen=True)
class Event:
    """What happened to a job: ``spent`` is the share of it that is done, 1 with its ``outcome``."""

    job: Job
    spent: float
    outcome: Outcome | None = None


def run_jobs(jobs: Sequence[Job], data: LabData, out: Path | None, workers: int | None = None) -> Iterator[Event]:
    """Run ``jobs`` and yield events; leaving the iterator early ends the workers.

    Args:
        jobs: in the order in which they start.
        data: what they work on.
        out: the lab's folder; each job's first run is saved below it. None saves none.
        workers: processes; one a core where None.

    Raises:
        RnnlabError: a worker ended in the middle of a job. What a job itself raises comes as it is.
    """
    waiting = deque(jobs)
    crew: dict[Connection, BaseProcess] = {}
    busy: dict[Connection, Job] = {}
    try:
        with _interrupts_held_back():
            for _ in range(min(workers or os.cpu_count() or 1, len(jobs))):
                connection, process = _hire(data, out)
                crew[connection] = process
        for connection in crew:
            _hand_out(connection, waiting, busy)
        while busy:
            for ready in wait(list(busy)):
                connection = cast(Connection, ready)
                event = _hear(connection, busy[connection])
                if event.outcome is not None:
                    del busy[connection]
                    _hand_out(connection, waiting, busy)
                yield event
    finally:
        _dismiss(crew, busy)


def _hire(data: LabData, out: Path | None) -> tuple[Connection, BaseProcess]:
    ways = _ways()
    mine, theirs = ways.Pipe()
    process = ways.Process(target=_serve, args=(theirs, data, out), daemon=True)
    process.start()
    theirs.close()
    return mine, process


def _ways() -> Any:
    """Return how workers are made: on Linux from one small server that has imported the studies, so that all share its memory.

    The server has no threads and has computed nothing when it forks. Elsewhere libraries of the system do not bear a fork.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    ways = multiprocessing.get_context("forkserver")
    ways.set_forkserver_preload(["rnnlab.studies.lab", "rnnlab.studies.preload"])
    return ways


def _hand_out(connection: Connection, waiting: deque[Job], busy: dict[Connection, Job]) -> None:
    if waiting:
        busy[connection] = waiting.popleft()
        connection.send(busy[connection])


def _hear(connection: Connection, job: Job) -> Event:
    try:
        said = connection.recv()
    except (EOFError, ConnectionError):
        raise RnnlabError(
            f"the process of {job.study} {job.name!r} ended before its job was done; is the memory full?"
        ) from None
    if isinstance(said, BaseException):
        raise said
    return Event(job, min(said, 0.999)) if isinstance(said, float) else Event(job, 1.0, said)


def _dismiss(crew: dict[Connection, BaseProcess], busy: dict[Connection, Job]) -> None:
    for connection, process in crew.items():
        if connection in busy:
            process.kill()
        connection.close()
    for process in crew.values():
        process.join(timeout=10)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back while the workers start: a half-started one complains with a traceback.

    The mask is for the workers, who inherit it and never see Ctrl-C. The handler is for this process, where a library's
    thread may take the signal in spite of the mask.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


def _serve(connection: Connection, data: LabData, out: Path | None) -> None:
    """Work on one job after the other until the parent closes the pipe: with one thread, and deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.send(_work(connection.recv(), connection, data, out))
            _give_memory_back()


def _give_memory_back() -> None:
    """Return what a job has freed to the system, where the C library can: the next job's peak then starts from the ground."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _work(job: Job, connection: Connection, data: LabData, out: Path | None) -> Any:
    began = time.perf_counter()
    try:
        outcome = job.work(data, lambda spent: connection.send(float(spent)))
        if out is not None and outcome.runs:
            from rnnlab.runs import save

            save(outcome.runs[0], out / job.study / "runs" / job.name)
        return replace(outcome, seconds=time.perf_counter() - began)
    except Exception as error:
        if not isinstance(error, RnnlabError):
            error.add_note(f"in the process of {job.study} {job.name!r}:\n{traceback.format_exc()}")
        return error
