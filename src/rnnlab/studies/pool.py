"""The lab's jobs on the engine: what a study's job needs, what is saved of it, and what it brings back."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rnnlab import engine
from rnnlab.runs import save
from rnnlab.studies.jobs import Job, LabData, Outcome
from rnnlab.studies.journal import LIVE, journal


@dataclass(frozen=True)
class Event:
    """What happened to a job: ``spent`` is the share of it that is done, 1 with its ``outcome``."""

    job: Job
    spent: float
    outcome: Outcome | None = None


@dataclass(frozen=True)
class _Work:
    """A study's job where it is done: its first run is saved there, so that weights need not travel twice."""

    job: Job
    out: Path | None

    def __call__(self, data: LabData, tell: engine.Tell) -> Outcome:
        began = time.perf_counter()
        with journal(self.out, self.job.study, self.job.name):
            outcome = self.job.work(data, lambda spent: tell(spent, ""))
        if self.out is not None and outcome.runs:
            save(outcome.runs[0], self.out / self.job.study / "runs" / self.job.name)
        return replace(outcome, seconds=time.perf_counter() - began)


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
    by_name = {f"{job.study} {job.name}": job for job in jobs}
    work = [engine.Job(name, job.title, _Work(job, out)) for name, job in by_name.items()]
    try:
        with closing(engine.Processes(data, workers, preload=["rnnlab.studies.lab"])) as crew:
            for event in crew.run(work):
                yield Event(by_name[event.job.name], event.progress.spent, event.outcome)
    finally:
        if out is not None:
            for study in {job.study for job in jobs}:
                shutil.rmtree(out / study / LIVE, ignore_errors=True)
