"""A run in training, in its folder: begun, killed at any moment, resumed to the same bits, and finished.

The folder says from the first moment how it is trained (``run.json``, status ``training``); ``checkpoint.safetensors`` is
written early and then at an interval, each time whole. Draws have keys, not state, so what a checkpoint holds is enough.
This module knows no signals and no progress bar: whoever pulls steps may stop pulling between any two.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import DataConfig, Series, Source
from rnnlab.data.frames import NAME, is_frame
from rnnlab.data.readers import read_frame
from rnnlab.errors import ConfigError, InputError, OutputError, RunFolderError, suggest
from rnnlab.findings import Finding
from rnnlab.runs import Run, save
from rnnlab.runs.folder import append_history, read_record, write_history, write_record
from rnnlab.runs.record import RunRecord
from rnnlab.task_config import TaskConfig
from rnnlab.tasks import Task
from rnnlab.tasks.baselines import references
from rnnlab.tasks.forecasting import Cuts
from rnnlab.tasks.from_config import BUILT_IN, complete, make_task, read_source, source_of, task_name
from rnnlab.training import checkpoint as checkpoints
from rnnlab.training.each_series import each_series
from rnnlab.training.intervals import with_interval
from rnnlab.training.loop import Step, Training
from rnnlab.training.midway import Turns
from rnnlab.training.recipes import configure

FIRST_CHECKPOINT = 1.0
CHECKPOINT_SECONDS = 20.0
LARGE = 512
_ANOTHER_PLACE = "train PATH --resume RUN, verify RUN --data PATH, doctor RUN --data PATH"
KEPT = ("config", "task", "path", "value")
CONFIGS = (DataConfig, TaskConfig, ModelConfig, TrainConfig)
Examine = Callable[[Run, Task], tuple[Finding, ...]]


@dataclass(frozen=True)
class Plan:
    """What is to be trained: a task, the configurations, and where the data come from.

    Args:
        task: the examples.
        model: the network.
        training: how it is trained.
        source: ``config``, ``task`` and ``path``, as ``run.json`` keeps them in ``data``; empty for data given in memory.
        device: where to train.
    """

    task: Task
    model: ModelConfig
    training: TrainConfig
    source: Mapping[str, Any]
    device: str = "cpu"


def plan(
    data: Any,
    options: Mapping[str, Any] | None = None,
    *,
    device: str = "cpu",
    ngrams: bool = False,
    cuts: Cuts | None = None,
    name: str | None = None,
) -> Plan:
    """Return the plan of training on ``data``, with ``options`` of all configurations put over what is usual.

    Args:
        data: a file, a folder, the name of built-in data, a data frame of pandas, polars or pyarrow, or a source in memory.
        options: fields of `DataConfig`, `TaskConfig`, `ModelConfig` and `TrainConfig`, by name.
        device: ``cpu``, ``cuda``, ...
        ngrams: as of `rnnlab.training.recipes.recipe`.
        cuts: where the parts of a series begin and end, for a fold of a backtest.
        name: of the data, in tables and reports, such as the file's before it was kept under another; the file's where None.

    Raises:
        InputError: what is wrong with the data, an option or the device.
    """
    check_device(device)
    options = {name: value for name, value in (options or {}).items() if value is not None}
    known = {name for config in CONFIGS for name in config.model_fields if name != "data"}
    for option in options:
        if option not in known:
            raise ConfigError(f"option {option!r} is unknown; use {suggest(option, known)}")
    said: list[dict[str, Any]] = [
        {name: value for name, value in options.items() if name in config.model_fields} for config in CONFIGS
    ]
    framed = is_frame(data)
    where = DataConfig(data=data if isinstance(data, str) else NAME if framed else "memory", **said[0])
    wanted = TaskConfig(**said[1])
    # What is wrong with an option is said before a large file is read.
    ModelConfig(**said[2]), TrainConfig(**said[3])
    source = source_of(data, where)
    wanted = complete(wanted, source, where.horizon)
    task = make_task(source, wanted, horizon=where.horizon, known=where.known, past=where.past, cuts=cuts)
    model, training = configure(task, {**said[2], **said[3]}, ngrams=ngrams)
    recorded: dict[str, Any] = {}
    if isinstance(data, str) or framed:
        recorded |= {"config": where.model_dump(), "task": wanted.model_dump()}
    if isinstance(source, Series):
        recorded["value"] = source.name
    called = where.replace(data=name) if name else where
    shown = task_name(called) if name or isinstance(data, str) or framed else task.name
    return Plan(replace(task, name=shown), model, training, recorded, device)


def recall(folder: Path, *, data: Any = None) -> tuple[RunRecord, Plan]:
    """Return what the run in ``folder`` says, and its plan, with the data read again.

    Args:
        folder: a run that was trained from a file or a data frame.
        data: where the data are now, or the data frame; None looks where they were.

    Raises:
        RunFolderError: a damaged folder, or a run trained from data in memory.
        DataError: the data are gone, or are others by now.
    """
    record = read_record(folder)
    task = recall_task(record.data, folder, data=data)
    device = str(record.environment.get("device", "cpu"))
    check_device(device)
    kept: dict[str, Any] = {name: record.data[name] for name in KEPT if name in record.data}
    return record, Plan(task, record.model, record.training, kept, device)


def recall_task(about: Mapping[str, Any], folder: Path, *, data: Any = None) -> Task:
    """Return the task of a run, with the data read again; arguments and errors as of `recall_data`."""
    return recall_data(about, folder, data=data)[1]


def recall_data(about: Mapping[str, Any], folder: Path, *, data: Any = None) -> tuple[Source, Task]:
    """Return the data of a run, read again, and the task that is made of them.

    Args:
        about: what the run says of its data, as ``run.json`` keeps it in ``data``.
        folder: the run's; the data may be beside it, and messages name it.
        data: where the data are now, or the data frame; None looks where they were.

    Raises:
        RunFolderError: a damaged folder, or a run trained from data in memory.
        DataError: the data are gone, or are others by now.
    """
    if not isinstance(about.get("config"), dict) or not isinstance(about.get("task"), dict):
        raise RunFolderError(f"{folder / 'run.json'} must say where its data are, got none; train from a file")
    try:
        # Before schema 3 all series shared the scaling of their past covariates.
        where, wanted = DataConfig(**about["config"]), TaskConfig(**({"past_scaling": "standard"} | about["task"]))
    except (InputError, TypeError) as error:
        raise RunFolderError(f"{folder / 'run.json'}: {error} (the file is damaged or was edited)") from None
    if is_frame(data):
        place, source = NAME, read_frame(data, where)
    else:
        place = data or _find(folder, where.data, about.get("path"))
        source = read_source(where.replace(data=place))
    task = make_task(source, wanted, horizon=where.horizon, known=where.known, past=where.past)
    if task.fingerprint != about.get("fingerprint"):
        raise RunFolderError(
            f"{place} must hold the data that {folder} was trained on, got others (their fingerprints differ); "
            f"restore the file, or name another place: {_ANOTHER_PLACE}"
        )
    return source, replace(task, name=str(about.get("name", task.name)))


class Fit:
    """One run in training; iterate over it, then `finish` it.

    Args:
        plan: what is trained.
        folder: the run's; made here, unless ``resume``.
        resume: go on with what is in the folder.
        every: seconds between checkpoints; the first is written after one second, or sooner.
        examine: returns the findings of a run, those that it has already among them (`rnnlab.doctor.examine`). It is asked while the
            run trains, at most a hundredth of the time, and what it says stands in ``run.json``; and once more at the end, when the
            figures are known. None asks nobody.

    Raises:
        OutputError: a folder that cannot be made, or holds something.
        RunFolderError: a checkpoint that does not fit.
    """

    def __init__(
        self, plan: Plan, folder: Path, *, resume: bool = False, every: float = CHECKPOINT_SECONDS,
        examine: Examine | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.folder, self.every, self.examine = plan, folder, every, examine
        self.checkpoint = folder / "checkpoint.safetensors"
        if resume:
            _sweep(folder)
        self.training = Training(
            plan.task, plan.model, plan.training, device=plan.device,
            checkpoint=self.checkpoint if resume else None, name=folder.name,
        )  # fmt: skip
        # From here on this class writes the checkpoints, at its own interval.
        self.training.checkpoint = None
        with nullcontext(folder) if resume else _new(folder) as place:
            write_history(place, self.training.stack.progress[0].history)
            write_record(self._midway(), place)
        self._said: tuple[Finding, ...] = tuple(self.training.stack.progress[0].findings)

    def __iter__(self) -> Iterator[Step]:
        """Train; yield after every update. Leaving the loop early saves the state."""
        due, turns = time.perf_counter() + min(FIRST_CHECKPOINT, self.every), Turns()
        try:
            for step in self.training:
                for record in step.records:
                    append_history(self.folder, record)
                if turns.come():
                    turns.cost(self._examine())
                if time.perf_counter() >= due:
                    checkpoints.save(self.training, self.checkpoint)
                    due = time.perf_counter() + self.every
                yield step
        except GeneratorExit:
            checkpoints.save(self.training, self.checkpoint)
            raise
        # What is left may take a while too: figures, baselines.
        checkpoints.save(self.training, self.checkpoint)
        if self.training.stack.progress[0].findings:
            self._examine()

    def finish(self) -> Run:
        """Save the run and return it; one that was left early is ``interrupted``, and keeps its checkpoint.

        A run that is done has the figures of its baselines in ``data["baselines"]`` and, for a forecast with a validation
        part, what its intervals are made of in ``data["interval"]`` (`rnnlab.training.intervals`); of several series, the MASE of
        each and its baselines in ``data["series"]``.
        """
        run = self.training.runs()[0]
        run = self._located(run)
        about = dict(run.data)
        if run.status != "interrupted":
            found = references(self.plan.task)
            about["baselines"] = [{"name": one.name, "title": one.title, "metrics": one.metrics} for one in found]
            about |= each_series(self.plan.task, run, found)
        run = with_interval(self.plan.task, replace(run, data=about))
        if self.examine is not None:
            run = replace(run, findings=self.examine(run, self.plan.task))
        save(run, self.folder)
        if run.status != "interrupted":
            self.checkpoint.unlink(missing_ok=True)
        return run

    def _examine(self) -> float:
        """Ask what can be told by now, and let ``run.json`` say it where it is news; return the seconds that it took."""
        if self.examine is None:
            return 0.0
        began = time.perf_counter()
        run = self._midway()
        run = replace(run, findings=self.examine(run, self.plan.task))
        if run.findings != self._said:
            write_record(run, self.folder)
            self._said = run.findings
        return time.perf_counter() - began

    def _midway(self) -> Run:
        return self._located(self.training.midway())

    def _located(self, run: Run) -> Run:
        """Return the run with where its data are, and where it was trained."""
        return replace(run, data=run.data | self._source(), environment=run.environment | {"device": self.plan.device})

    def _source(self) -> dict[str, Any]:
        """Return how to find the data again: as they were named, and from the run's folder."""
        found = dict(self.plan.source)
        named = found.get("config", {}).get("data")
        if named and "path" not in found and Path(named).exists():
            found["path"] = os.path.relpath(Path(named).resolve(), self.folder.resolve())
        return found


def usual_threads(model: ModelConfig) -> int:
    """Return the threads that train a model fastest: small products gain nothing from a second one, and lose on a busy machine."""
    return 1 if model.hidden_size < LARGE else torch.get_num_threads()


@contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Let torch use ``threads`` inside the block; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_device(device: str) -> None:
    """Raise where ``device`` is not there."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0][:100]
        raise ConfigError(f"device must be available, got {device!r} ({reason}); use --device cpu") from None


def fresh_folder(parent: Path, name: str) -> Path:
    """Return the first of ``parent/name``, ``parent/name-2``, ... that does not exist."""
    number = 1
    while (found := parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return found


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """Yield a folder that becomes ``folder`` when the block is left: it is there with all its first files, or not at all."""
    try:
        if (
            folder.is_symlink()
            or (folder.exists() and not folder.is_dir())
            or (folder.is_dir() and any(folder.iterdir()))
        ):
            raise OutputError(
                f"{folder} must be a new or empty folder, got one that holds something; choose another --out"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True
        ) as holder:
            place = Path(holder) / "run"
            place.mkdir()
            yield place
            os.replace(place, folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror or error}; choose another --out") from None


def _sweep(folder: Path) -> None:
    """Remove half-written files that a killed process has left."""
    for name in ("run.json", "history.jsonl", "model.safetensors", "errors.safetensors", "checkpoint.safetensors"):
        for left in folder.glob(f".{name}.*"):
            left.unlink(missing_ok=True)


def _find(folder: Path, named: str, path: Any) -> str:
    """Return where the data are: beside the run as they were, or as they were named."""
    beside = Path(os.path.normpath(folder.resolve() / path)) if isinstance(path, str) else None
    if beside is not None and beside.exists():
        return str(beside)
    if Path(named).exists() or named in BUILT_IN:
        return named
    raise RunFolderError(
        f"{named} must be where it was when {folder} was trained, got nothing; name its place: {_ANOTHER_PLACE}"
    )
