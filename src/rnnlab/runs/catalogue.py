"""The runs below a folder: one entry each, broken ones named and not fatal; filtered and sorted."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.errors import ConfigError, RunFolderError, suggest
from rnnlab.runs.folder import check_weights, read_record
from rnnlab.runs.run import Status
from rnnlab.tasks import Codec

MAIN_METRIC = {"classify": "accuracy", "regress": "rmse", "forecast": "mae"}
HIGHER_IS_BETTER = {"accuracy", "macro_f1", "macro_recall"}
PLAIN_ORDERS = ("name", "task", "data", "cell", "seconds", "status", "metric")


@dataclass(frozen=True)
class Entry:
    """One run folder, as a line of a list.

    Args:
        folder: where it is.
        task: ``classify``, ``regress``, ``forecast``, or empty.
        data: a short name of the data.
        cell: of the network.
        hidden_size: units of a layer.
        status: of the run; ``broken`` where the folder cannot be read.
        seconds: of training.
        metrics: on the test part, or on the last part that has any.
        metric: the one to judge the run by (`main_metric`).
        problem: what is wrong with a broken folder; else empty.
    """

    folder: Path
    task: str = ""
    data: str = ""
    cell: str = ""
    hidden_size: int = 0
    status: Status | str = "broken"
    seconds: float = 0.0
    metrics: dict[str, float | None] | None = None
    metric: str = ""
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON types."""
        return {**vars(self), "folder": str(self.folder), "metrics": self.metrics or {}}


def main_metric(kind: str, *, several: bool = False) -> str:
    """Return the metric that a run is judged by: an error in the data's own units says little of several series of different size.

    Args:
        kind: ``classify``, ``regress`` or ``forecast``.
        several: whether several series were forecast.

    Example:
        >>> main_metric("forecast"), main_metric("forecast", several=True)
        ('mae', 'mase')
    """
    return "mase" if several and kind == "forecast" else MAIN_METRIC.get(kind, "")


def metric_of(codec: Codec, about: Mapping[str, Any]) -> str:
    """Return the `main_metric` of a run, from its codec and what it says of its data."""
    told = about.get("series")
    several = len(getattr(codec, "names", ())) > 1 or (isinstance(told, list) and len(told) > 1)
    return main_metric(str(about.get("kind", "")), several=several)


def find_runs(folder: Path) -> list[Entry]:
    """Return an entry for every folder below ``folder`` (and itself) that holds a ``run.json``, by path.

    Links to folders are not followed.

    Raises:
        RunFolderError: ``folder`` is no folder.

    Example:
        >>> import tempfile
        >>> find_runs(Path(tempfile.mkdtemp()))
        []
    """
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing"
        raise RunFolderError(f"{folder} must be a folder of runs, got {got}; pass the folder that train wrote to")
    return [entry_of(found) for found in sorted(run_folders(folder))]


def select(
    entries: Sequence[Entry],
    *,
    task: str | None = None,
    cell: str | None = None,
    status: str | None = None,
    data: str | None = None,
    sort: str | None = None,
) -> list[Entry]:
    """Return the entries that fit, sorted; broken ones last.

    Args:
        entries: from `find_runs`.
        task: ``classify``, ``regress`` or ``forecast``.
        cell: of the network.
        status: ``done``, ``broken``, ...
        data: the data's short name.
        sort: a metric, the best first, or one of `PLAIN_ORDERS`; ``metric`` is each run's own, a data set after the other.

    Raises:
        ConfigError: a value that no entry has.
    """
    wanted = {"task": task, "cell": "elman" if cell == "rnn" else cell, "status": status, "data": data}
    found = list(entries)
    for name, value in wanted.items():
        if value is not None:
            present = {str(getattr(one, name)) for one in entries} - {""}
            if entries and value not in present:
                raise ConfigError(f"{name} must be {suggest(value, present)}, got {value!r}; no run here has it")
            found = [one for one in found if getattr(one, name) == value]
    if sort is None:
        return sorted(found, key=lambda one: (bool(one.problem), str(one.folder)))
    metrics = {name for one in entries for name in one.metrics or {}}
    orders = {*PLAIN_ORDERS, *metrics}
    if found and sort not in orders:
        raise ConfigError(f"sort must be {suggest(sort, orders)}, got {sort!r}")
    return sorted(found, key=lambda one: (bool(one.problem), _place(one, sort), str(one.folder)))


def _place(entry: Entry, sort: str) -> Any:
    if sort == "name":
        return entry.folder.name
    if sort == "metric":
        return entry.task, entry.data, entry.metric, _place(entry, entry.metric)
    if sort in PLAIN_ORDERS:
        return getattr(entry, sort)
    value = (entry.metrics or {}).get(sort)
    if value is None or not math.isfinite(value):
        return math.inf
    return -value if sort in HIGHER_IS_BETTER else value


def run_folders(folder: Path) -> Iterator[Path]:
    """Yield every folder below ``folder``, and itself, that holds a ``run.json``; links and hidden folders are passed over."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if "run.json" in files:
            yield Path(place)


def entry_of(folder: Path) -> Entry:
    """Return the entry of one run folder; what is wrong with it is the entry's ``problem``."""
    try:
        record = read_record(folder)
        if record.status != "training":
            check_weights(folder, record)
    except RunFolderError as error:
        return Entry(folder, problem=str(error))
    part = next((record.metrics[name] for name in ("test", "validation", "train") if name in record.metrics), None)
    return Entry(
        folder,
        task=str(record.data.get("kind", "")),
        data=str(record.data.get("name", "")),
        cell=record.model.cell,
        hidden_size=record.model.hidden_size,
        status=record.status,
        seconds=record.seconds,
        metrics=part,
        metric=metric_of(record.codec, record.data),
    )
