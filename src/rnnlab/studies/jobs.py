"""What a study is made of: jobs that run in any process, and what they bring back.

A job is one variant of one study over all its seeds. It knows its data and how to say how far it is; it does not
know which process it runs in, nor what the other jobs found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, Series
from rnnlab.results import StudyResult
from rnnlab.runs import Run
from rnnlab.studies.journal import note
from rnnlab.tasks import Task
from rnnlab.training import Step, Training

SizeName = Literal["smoke", "quick", "full"]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class LabData:
    """The data that the user may replace, and the seed that all seeds count from."""

    names: LabelledStrings
    sales: Series
    seed: int = 0

    def seeds(self, count: int) -> tuple[int, ...]:
        """Return ``count`` seeds, from the lab's own on."""
        return tuple(range(self.seed, self.seed + count))


@dataclass(frozen=True)
class Outcome:
    """What a job brings back: its runs, and whatever else it measured, as JSON types."""

    runs: tuple[Run, ...] = ()
    measured: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Job:
    """One variant of a study.

    Args:
        study: the study's name.
        name: the variant's, unique in its study; a folder name.
        title: what the progress bar says.
        work: does it; a module's function or a `functools.partial` of one, so that it reaches another process.
        cost: rough seconds on one core, for the order of the jobs and the time left.
    """

    study: str
    name: str
    title: str
    work: Callable[[LabData, Progress], Outcome]
    cost: float = 1.0


class Study(Protocol):
    """A question and its answer."""

    name: str
    title: str

    def jobs(self, size: SizeName, data: LabData) -> list[Job]:
        """Return what has to be measured."""
        ...

    def conclude(self, size: SizeName, data: LabData, outcomes: Mapping[str, Outcome]) -> StudyResult:
        """Return the answer, from the outcomes of all jobs by name."""
        ...


def train_watched(
    task: Task,
    model: ModelConfig,
    configs: tuple[TrainConfig, ...],
    progress: Progress,
    *,
    name: str,
    watch: Callable[[Training, Step], None] | None = None,
) -> tuple[Run, ...]:
    """Train a stack to its end, say how far it is, and show every step to ``watch``."""
    training = Training(task, model, configs, name=name)
    shown = 0.0
    for step in training:
        if watch is not None:
            watch(training, step)
        if step.records and step.positions[0] == 0:
            note(training, step.records[0])
        if step.spent - shown >= 0.01:
            shown = step.spent
            progress(shown)
    return tuple(training.runs())
