"""The lab: the studies one after the other, their jobs over the cores, each answered as soon as its last job is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnlab.errors import ConfigError, suggest
from rnnlab.results import StudyResult
from rnnlab.studies.binary import Binary
from rnnlab.studies.jobs import Job, LabData, Outcome, SizeName, Study
from rnnlab.studies.memorise import Memorise
from rnnlab.studies.names import Names
from rnnlab.studies.pool import run_jobs
from rnnlab.studies.sales import Sales

STUDIES: dict[str, Study] = {study.name: study for study in (Binary(), Memorise(), Sales(), Names())}


@dataclass(frozen=True)
class LabStep:
    """How far the lab is.

    Args:
        job: the job that was heard of.
        spent: share of all the work that is done, 0..1, by the jobs' expected costs.
        result: a study's answer, where this was its last job.
    """

    job: Job
    spent: float
    result: StudyResult | None = None


def choose(names: Sequence[str]) -> list[Study]:
    """Return the studies by name, all of them where none is named.

    Raises:
        ConfigError: where there is no such study.
    """
    for name in names:
        if name not in STUDIES:
            raise ConfigError(f"study must be {suggest(name, STUDIES)}, got {name!r}")
    return [STUDIES[name] for name in dict.fromkeys(names)] or list(STUDIES.values())


def run_lab(
    studies: Sequence[Study], size: SizeName, data: LabData, out: Path | None = None, workers: int | None = None
) -> Iterator[LabStep]:
    """Run ``studies`` and yield how far they are, with each study's answer when it has one."""
    jobs = {study.name: sorted(study.jobs(size, data), key=lambda job: -job.cost) for study in studies}
    waiting = {name: len(found) for name, found in jobs.items()}
    outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in jobs}
    everything = [job for found in jobs.values() for job in found]
    total = sum(job.cost for job in everything)
    spent = {id(job): 0.0 for job in everything}
    for event in run_jobs(everything, data, out, workers):
        job = event.job
        spent[id(job)] = max(spent[id(job)], event.spent)
        share = sum(job.cost * spent[id(job)] for job in everything) / total
        result = None
        if event.outcome is not None:
            outcomes[job.study][job.name] = event.outcome
            waiting[job.study] -= 1
            if not waiting[job.study]:
                study = STUDIES[job.study]
                seconds = sum(outcome.seconds for outcome in outcomes[job.study].values())
                result = replace(study.conclude(size, data, outcomes[job.study]), seconds=seconds)
        yield LabStep(job, share, result)
