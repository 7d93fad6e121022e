"""Jobs over processes: results, errors as they are, a worker that dies, leaving early."""

import os
import time

import pytest

from rnnlab.data import names, sales
from rnnlab.errors import DataError, RnnlabError
from rnnlab.studies.jobs import Job, LabData, Outcome, Progress
from rnnlab.studies.pool import run_jobs

DATA = LabData(names(), sales(), seed=5)


def seeds(data: LabData, progress: Progress) -> Outcome:
    progress(0.5)
    return Outcome((), {"seeds": data.seeds(2), "process": os.getpid()})


def refuse(data: LabData, progress: Progress) -> Outcome:
    raise DataError("x must be y, got z")


def fail(data: LabData, progress: Progress) -> Outcome:
    raise ZeroDivisionError("a bug")


def die(data: LabData, progress: Progress) -> Outcome:
    os._exit(3)


def linger(data: LabData, progress: Progress) -> Outcome:
    progress(0.1)
    time.sleep(600)
    return Outcome()


def job(work, name: str = "a") -> Job:
    return Job("study", name, name, work)


def test_every_job_comes_back_from_another_process() -> None:
    events = list(run_jobs([job(seeds, str(i)) for i in range(4)], DATA, None, workers=2))
    outcomes = {event.job.name: event.outcome for event in events if event.outcome}
    assert sorted(outcomes) == ["0", "1", "2", "3"]
    assert all(outcome.measured["seeds"] == (5, 6) for outcome in outcomes.values())
    assert os.getpid() not in {outcome.measured["process"] for outcome in outcomes.values()}
    assert any(event.spent == 0.5 for event in events)


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (refuse, DataError, "x must be y, got z"),
        (fail, ZeroDivisionError, "a bug"),
        (die, RnnlabError, "ended before its job was done"),
    ],
)
def test_what_goes_wrong_in_a_worker_is_raised_here(work, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        list(run_jobs([job(work)], DATA, None, workers=1))


def test_leaving_early_ends_the_workers() -> None:
    began = time.monotonic()
    events = run_jobs([job(linger), job(linger, "b")], DATA, None, workers=2)
    next(events)
    events.close()
    assert time.monotonic() - began < 60
