"""The history of what a job trains, written while it grows, for those who watch the lab.

A job is done in one process, so what it writes to is this process's. It is a hidden folder beside the runs, which is gone when the
job is over; nobody needs it but who watches.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnlab.runs.folder import append_history

LIVE = ".live"
_open: list["Journal"] = []


class Journal:
    """The history of the first training of a job; of a stack, its first run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._training: object = None

    def note(self, training: object, record: Mapping[str, Any]) -> None:
        """Write an evaluation of ``training`` down, if it is the first that came."""
        if self._training is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._training = training
        if training is self._training:
            append_history(self.folder, dict(record))


@contextmanager
def journal(out: Path | None, study: str, name: str) -> Iterator[None]:
    """Keep the journal of a job while the block lasts, below the lab's folder ``out``; none where that is None."""
    if out is not None:
        _open.append(Journal(out / study / LIVE / name))
    try:
        yield
    finally:
        if out is not None:
            _open.pop()


def note(training: object, record: Mapping[str, Any]) -> None:
    """Write an evaluation into the journal of the job that is done here; nothing where there is none."""
    if _open:
        _open[-1].note(training, record)
