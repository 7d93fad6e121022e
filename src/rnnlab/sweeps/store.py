"""A sweep on disk while it runs: what is done stays done, through Ctrl-C and kill -9.

    OUT/sweep.json          what was asked, and the results
    OUT/stacks/KEY.json     the rows of a stack, written when its runs are there
    OUT/stacks/KEY/seed-N/  the runs of its best setting

A run is known again by data, model and training, so that the same command trains nothing twice, and a larger grid only what
is new in it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rnnlab.config import TrainConfig
from rnnlab.engine.stacks import RunConfig, StackPlan
from rnnlab.errors import OutputError
from rnnlab.runs import Run, save, to_json, write_whole
from rnnlab.runs.folder import located
from rnnlab.sweeps.stack_work import Row, Trained
from rnnlab.tasks import Task

NAME = "sweep.json"


class Store:
    """What is done of sweeps of one task, in a folder; or nowhere, where there is none.

    Args:
        task: whose examples and splits are part of what a run is known by.
        folder: the sweep's, or None.

    Raises:
        OutputError: a folder that holds something else than a sweep.
    """

    def __init__(self, task: Task, folder: Path | None = None) -> None:
        self.folder, self._task = folder, _task_key(task)
        self._rows: dict[str, Row] = {}
        self._runs: dict[str, Path] = {}
        if folder is not None:
            _check(folder)
            for path in sorted((folder / "stacks").glob("*.json")):
                self._read(path)

    def key(self, run: RunConfig, rivals: str = "") -> str:
        """Return what a run is known by; ``rivals`` are those that it competes with, where that changes how it is trained."""
        said = [self._task, run.model.model_dump_json(), run.training.model_dump_json(), rivals]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]

    def keys(self, stack: StackPlan, *, halving: bool) -> list[str]:
        """Return the keys of a stack's runs."""
        rivals = "+".join(self.key(run) for run in stack.runs) if halving else ""
        return [self.key(run, rivals) for run in stack.runs]

    def row(self, key: str) -> Row | None:
        """Return the row of a run that is done."""
        return self._rows.get(key)

    def folder_of(self, key: str) -> Path | None:
        """Return the folder of a run that was kept."""
        return self._runs.get(key)

    def missing(self, stack: StackPlan, *, halving: bool) -> StackPlan | None:
        """Return what is still to be trained of a stack, None where nothing is. With halving its runs belong together."""
        keys = self.keys(stack, halving=halving)
        left = [config for config, key in zip(stack.configs, keys, strict=True) if key not in self._rows]
        if not left or halving:
            return stack if left else None
        return replace(stack, configs=tuple(left))

    def keep(self, keys: Sequence[str], configs: Sequence[TrainConfig], trained: Trained) -> None:
        """Keep what came of a stack: its best runs, then its rows, which make it done."""
        done = dict(zip(keys, trained.rows, strict=True))
        if self.folder is None:
            self._rows |= done
            return
        by_config = {config.model_dump_json(): key for config, key in zip(configs, keys, strict=True)}
        name = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
        place, kept = self.folder / "stacks" / name, {}
        for run in trained.best:
            folder = place / f"seed-{run.train_config.seed}"
            save(located(run, folder), folder)
            kept[by_config[run.train_config.model_dump_json()]] = folder.name
        rows = {key: asdict(row) for key, row in done.items()}
        content = {
            "rows": rows,
            "runs": kept,
            "seconds": trained.seconds,
            "processor_seconds": trained.processor_seconds,
        }
        write_whole(place.with_suffix(".json"), to_json(content))
        # Not before: who breaks a sweep off meanwhile must not be told that these are kept.
        self._rows |= done
        self._runs |= {key: place / folder for key, folder in kept.items()}

    def _read(self, path: Path) -> None:
        """Take over the rows of a stack; a file that is damaged counts as not there, and its stack is trained again."""
        try:
            found = json.loads(path.read_bytes())
            rows = {key: _row(values) for key, values in found["rows"].items()}
            runs = {key: path.with_suffix("") / str(folder) for key, folder in found["runs"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        self._rows |= rows
        self._runs |= {key: folder for key, folder in runs.items() if (folder / "run.json").is_file()}


def copy_runs(found: dict[str, tuple[Path, Run]], into: Path) -> None:
    """Write runs, by name, as the folders of ``into``; those of an earlier result are replaced."""
    if into.exists():
        shutil.rmtree(into)
    for name, (_, run) in found.items():
        save(located(run, into / name), into / name)


def asked(folder: Path) -> dict[str, Any] | None:
    """Return what the sweep in ``folder`` was asked; None where there is none."""
    try:
        found = json.loads((folder / NAME).read_bytes())
        return dict(found["settings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check(folder: Path) -> None:
    try:
        strange = folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / NAME).is_file()))
    except OSError as error:
        raise OutputError(f"{folder} cannot be read: {error.strerror or error}; choose another --out") from None
    if strange:
        raise OutputError(f"{folder} must be a new or empty folder or a sweep's, got another; choose another --out")
    if os.path.lexists(folder) and not folder.exists():
        raise OutputError(f"{folder} must be a folder, got a link to nothing; choose another --out")


def _task_key(task: Task) -> str:
    said = hashlib.sha256(f"{task.fingerprint}\n{task.kind}\n{task.codec.model_dump_json()}".encode())
    for part in ("train", "validation", "test"):
        said.update(task.part(part).numpy().tobytes() + b"|")
    return said.hexdigest()


def _row(values: dict[str, Any]) -> Row:
    metrics = {
        part: {name: float("nan") if value is None else float(value) for name, value in found.items()}
        for part, found in values["metrics"].items()
    }
    return Row(**{**values, "metrics": metrics})
