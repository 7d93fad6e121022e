"""Jobs over the cores: one process a core, one thread each, results as they come.

One thread a process makes a job's figures independent of how many cores there are. What is done stays done when
the user interrupts.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnlab.studies.jobs import Job, LabData, Outcome

POLL_SECONDS = 0.1
_context: dict[str, Any] = {}


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
    """
    workers = min(workers or os.cpu_count() or 1, len(jobs)) or 1
    ways = multiprocessing.get_context("spawn")
    reports = ways.Queue()
    by_name = {(job.study, job.name): job for job in jobs}
    pool = ProcessPoolExecutor(workers, mp_context=ways, initializer=_start, initargs=(data, out, reports))
    finished = False
    try:
        with _signals_held_back():
            pending = {pool.submit(_work, job): job for job in jobs}
        while pending:
            done, _ = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            yield from _heard(reports, by_name)
            for future in done:
                yield Event(pending.pop(future), 1.0, future.result())
        finished = True
    finally:
        _close(pool, finished)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Hold Ctrl-C back while the workers start: broken off half-way they would complain, each with a traceback.

    The workers inherit that and never see it at all; here it comes when the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _heard(reports: Any, jobs: dict[tuple[str, str], Job]) -> Iterator[Event]:
    latest: dict[tuple[str, str], float] = {}
    with contextlib.suppress(queue.Empty):
        while True:
            study, name, spent = reports.get_nowait()
            latest[(study, name)] = spent
    for key, spent in latest.items():
        yield Event(jobs[key], min(spent, 0.999))


def _close(pool: ProcessPoolExecutor, finished: bool) -> None:
    if not finished:
        # First the workers, then the pool: one that is still starting would miss the pool's queues, and complain.
        processes = list((pool._processes or {}).values())
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(timeout=5)
    pool.shutdown(wait=finished, cancel_futures=True)


def _start(data: LabData, out: Path | None, reports: Any) -> None:
    """Set a worker up: one thread, no Ctrl-C (the parent decides)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    _context.update(data=data, out=out, reports=reports)


def _work(job: Job) -> Outcome:
    began = time.perf_counter()
    outcome = job.work(_context["data"], lambda spent: _context["reports"].put((job.study, job.name, spent)))
    if _context["out"] is not None and outcome.runs:
        from rnnlab.runs import save

        save(outcome.runs[0], _context["out"] / job.study / "runs" / job.name)
    return replace(outcome, seconds=time.perf_counter() - began)
