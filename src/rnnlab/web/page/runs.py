"""What the page asks of the runs on this server, and how it names one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rnnlab.reports.rounding import number
from rnnlab.runs import Run
from rnnlab.runs.catalogue import Entry


class Listed(Protocol):
    """A run in a list: its id and its line in the catalogue."""

    @property
    def id(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def entry(self) -> Entry: ...


class Runs(Protocol):
    """The runs on this server. All of it may read the disk: call it in a thread."""

    def list(self) -> Sequence[Listed]:
        """Return all runs, broken ones too."""
        ...

    def get(self, id: str) -> Run:
        """Return a run that answers at once; raise an InputError in words where it is gone or broken."""
        ...

    def folder(self, id: str) -> Path:
        """Return where a run is."""
        ...

    def add(self, folder: Path) -> str:
        """Take note of a run, and return its id."""
        ...


def usable(runs: Runs) -> dict[str, Entry]:
    """Return the runs that can be asked, by id."""
    return {one.id: one.entry for one in runs.list() if not one.entry.problem and one.entry.status != "training"}


def title(id: str, entry: Entry) -> str:
    """Return a run in one line: its name, its network, its figure on held-out data."""
    value = (entry.metrics or {}).get(entry.metric)
    figure = "" if value is None else f", {entry.metric} {number(value, 3)}"
    return f"{id}: {entry.task or 'unknown'}, {entry.cell} {entry.hidden_size}{figure}"
