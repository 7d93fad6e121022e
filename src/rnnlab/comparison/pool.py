"""Cells over the cores: one process a core, one thread each, so that figures do not depend on how many there are.

It knows jobs and says how far they are; what they train is not its business.
"""

import contextlib
import multiprocessing
import queue
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from rnnlab.comparison.tuning import CellJob, Progress, Trained

POLL_SECONDS = 0.1
_reports: Any = None


@dataclass(frozen=True)
class Event:
    """How far a cell is; with ``trained`` where it is done."""

    cell: str
    progress: Progress
    trained: Trained | None = None


def run_jobs(jobs: Mapping[str, CellJob], workers: int) -> Iterator[Event]:
    """Do ``jobs``, by cell, in ``workers`` processes, or in this one where that is 1; yield what happens.

    Leaving the iterator early ends the other processes.
    """
    workers = min(workers, len(jobs))
    yield from (_beside(jobs, workers) if workers > 1 else _in_turn(jobs))


def _in_turn(jobs: Mapping[str, CellJob]) -> Iterator[Event]:
    for cell, job in jobs.items():
        work, latest = job.work(), Progress("", 0.0)
        while True:
            try:
                latest = next(work)
            except StopIteration as end:
                yield Event(cell, Progress(latest.title, 1.0), end.value)
                break
            yield Event(cell, latest)


def _beside(jobs: Mapping[str, CellJob], workers: int) -> Iterator[Event]:
    ways = multiprocessing.get_context("spawn")
    reports = ways.Queue()
    pool = ProcessPoolExecutor(workers, mp_context=ways, initializer=_start, initargs=(reports,))
    latest, finished = {cell: Progress("", 0.0) for cell in jobs}, False
    try:
        pending = {pool.submit(_work, cell, job): cell for cell, job in jobs.items()}
        while pending:
            done, _ = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for cell, progress in _heard(reports):
                latest[cell] = progress
                yield Event(cell, progress)
            for future in done:
                cell = pending.pop(future)
                yield Event(cell, Progress(latest[cell].title, 1.0), future.result())
        finished = True
    finally:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=finished, cancel_futures=True)
        if not finished:
            for process in processes:
                process.terminate()


def _heard(reports: Any) -> Iterator[tuple[str, Progress]]:
    latest: dict[str, Progress] = {}
    with contextlib.suppress(queue.Empty):
        while True:
            cell, progress = reports.get_nowait()
            latest[cell] = progress
    yield from latest.items()


def _start(reports: Any) -> None:
    """Set a worker up: no Ctrl-C (the parent decides)."""
    global _reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reports = reports


def _work(cell: str, job: CellJob) -> Trained:
    work, shown = job.work(), 0.0
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            trained: Trained = end.value
            return trained
        if progress.spent >= shown + 0.005:
            shown = progress.spent
            _reports.put((cell, progress))
