"""Jobs here and in other processes: outcomes, progress, errors as they are, a worker that dies, leaving early."""

import multiprocessing
import os
import time
from collections.abc import Generator
from contextlib import closing
from typing import Any

import pytest

from rnnlab.engine import Here, Job, Processes, Progress, Tell
from rnnlab.errors import DataError, RnnlabError


def double(shared: int, tell: Tell) -> dict[str, int]:
    tell(0.5, "half way")
    return {"value": 2 * shared, "process": os.getpid()}


def steps(shared: int, tell: Tell) -> Generator[Progress, None, int]:
    for number in range(1000):
        yield Progress(f"step {number}", number / 1000)
    return 3 * shared


def refuse(shared: int, tell: Tell) -> None:
    raise DataError("x must be y, got z")


def fail(shared: int, tell: Tell) -> None:
    raise ZeroDivisionError("a bug")


def die(shared: int, tell: Tell) -> None:
    os._exit(3)


def linger(shared: int, tell: Tell) -> None:
    tell(0.1, "")
    time.sleep(600)


def jobs(work: Any, count: int = 1) -> list[Job]:
    return [Job(str(number), f"job {number}", work) for number in range(count)]


def test_every_job_comes_back_and_workers_serve_again() -> None:
    with closing(Processes(7, workers=2)) as engine:
        first = [event for event in engine.run(jobs(double, 3)) if event.done]
        again = [event for event in engine.run(jobs(double, 2)) if event.done]
    assert sorted(event.job.name for event in first) == ["0", "1", "2"]
    assert {event.outcome["value"] for event in first} == {14}
    seen = {event.outcome["process"] for event in first}
    assert os.getpid() not in seen
    assert {event.outcome["process"] for event in again} <= seen, "new workers were hired for the second round"


@pytest.mark.parametrize("engine", [Here(5), Processes(5, workers=1)])
def test_a_generator_says_how_far_it_is_and_returns_its_outcome(engine: Here | Processes) -> None:
    with closing(engine):
        events = list(engine.run(jobs(steps)))
    spent = [event.progress.spent for event in events]
    assert spent == sorted(spent)
    assert spent[-1] == 1.0
    assert len(events) > 50
    assert events[100].progress.title.startswith("step ")
    assert [event.outcome for event in events if event.done] == [15]


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (refuse, DataError, "x must be y, got z"),
        (fail, ZeroDivisionError, "a bug"),
        (die, RnnlabError, "ended before its job was done"),
    ],
)
def test_what_goes_wrong_in_a_worker_is_raised_here(work: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message), closing(Processes(1, workers=1)) as engine:
        list(engine.run(jobs(work)))
    assert not multiprocessing.active_children()


def test_leaving_early_ends_the_workers() -> None:
    began = time.monotonic()
    engine = Processes(1, workers=2)
    events = engine.run(jobs(linger, 2))
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 60
    assert not multiprocessing.active_children()
