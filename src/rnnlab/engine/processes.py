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
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

from rnnlab.engine.jobs import Event, Job, Progress, finish
from rnnlab.engine.memory import usable
from rnnlab.errors import RnnlabError
from rnnlab.kernels import buffers

MOST_BEFORE_DONE = 0.999


class Processes:
    """Workers on this machine, hired when there are jobs for them.

    Args:
        shared: what all jobs get; sent to each worker once.
        workers: processes; one a core where None.
        memory: gigabytes that all may take together; four fifths of what is free where None.
        preload: modules that the jobs need, imported once for all workers where the system bears a fork.
    """

    def __init__(
        self, shared: Any, workers: int | None = None, memory: float | None = None, preload: Sequence[str] = ()
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._ways = _ways(preload)
        self.room = usable(self.workers, memory)
        self._shared = shared
        self._crew: dict[Connection, BaseProcess] = {}

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Do ``jobs`` and yield what happens; leaving the iterator early ends the workers that are busy.

        Raises:
            RnnlabError: a worker ended in the middle of a job. What a job itself raises comes as it is.
        """
        waiting, busy = deque(jobs), dict[Connection, Job]()
        try:
            with _interrupts_held_back():
                while len(self._crew) < min(self.workers, len(jobs)):
                    connection, process = _hire(self._ways, self._shared)
                    self._crew[connection] = process
            for connection in self._crew:
                _hand_out(connection, waiting, busy)
            while busy:
                for ready in wait(list(busy)):
                    connection = cast(Connection, ready)
                    event = _hear(connection, busy[connection])
                    if event.done:
                        del busy[connection]
                        _hand_out(connection, waiting, busy)
                    yield event
        finally:
            self._dismiss(list(busy))

    def close(self) -> None:
        """End all workers."""
        self._dismiss(list(self._crew))

    def _dismiss(self, leaving: Sequence[Connection]) -> None:
        # Killed, busy or not: an idle worker holds nothing, and libraries that leave in order complain on the way out.
        processes = [self._crew.pop(connection) for connection in leaving]
        for connection, process in zip(leaving, processes, strict=True):
            process.kill()
            connection.close()
        for process in processes:
            process.join(timeout=10)


def _ways(preload: Sequence[str]) -> Any:
    """Return how workers are made: on Linux from one small server that has imported what they need, so that all share its memory.

    The server has no threads and has computed nothing when it forks. Elsewhere libraries of the system do not bear a fork.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    ways = multiprocessing.get_context("forkserver")
    ways.set_forkserver_preload([*preload, "rnnlab.engine.preload"])
    return ways


def _hire(ways: Any, shared: Any) -> tuple[Connection, BaseProcess]:
    mine, theirs = ways.Pipe()
    process = ways.Process(target=_serve, args=(theirs, shared), daemon=True)
    process.start()
    theirs.close()
    return mine, process


def _hand_out(connection: Connection, waiting: deque[Job], busy: dict[Connection, Job]) -> None:
    if waiting:
        busy[connection] = waiting.popleft()
        connection.send(busy[connection])


def _hear(connection: Connection, job: Job) -> Event:
    try:
        said = connection.recv()
    except (EOFError, ConnectionError):
        raise RnnlabError(f"the process of {job.name!r} ended before its job was done; is the memory full?") from None
    if isinstance(said, BaseException):
        raise said
    if isinstance(said, Progress):
        return Event(job, Progress(said.title, min(said.spent, MOST_BEFORE_DONE)))
    return Event(job, Progress(job.title, 1.0), done=True, outcome=said[0])


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


def _serve(connection: Connection, shared: Any) -> None:
    """Work on one job after the other until the parent closes the pipe: with one thread, and deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.send(_work(connection.recv(), connection, shared))
            give_memory_back()


def give_memory_back() -> None:
    """Return what a job has freed to the system, where the C library can: the next job's peak then starts from the ground."""
    buffers.clear()
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _work(job: Job, connection: Connection, shared: Any) -> Any:
    try:
        return (finish(job, shared, lambda spent, title: connection.send(Progress(title, spent))),)
    except Exception as error:
        if not isinstance(error, RnnlabError):
            error.add_note(f"in the process of {job.name!r}:\n{traceback.format_exc()}")
        return error
