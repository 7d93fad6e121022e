"""Trainings in processes of their own: begun, looked at, stopped, gone on with. A crash in one is a message here.

A process is the command line's own (``rnnlab train``, ``rnnlab lab``), so that it trains neither slower nor otherwise than there;
how far it is, is read from the files that it writes anyway. This module knows no page.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rnnlab.commas import joined
from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.runs.folder import read_record
from rnnlab.runs.record import RunRecord
from rnnlab.studies.journal import LIVE

State = Literal["running", "stopping", "done", "stopped", "failed"]
OVER: tuple[State, ...] = ("done", "stopped", "failed")
TAIL = 8192
PATIENCE = 60.0
REMEMBERED = 20
WITH_NO = ("bidirectional",)


@dataclass(frozen=True)
class Look:
    """How far a job is.

    Args:
        state: of the process.
        share: of the work that is done, 0..1; None where nothing is known yet.
        words: what it is doing, or how it ended.
        curves: name of a run to its history so far, the one that grew last first.
        record: of the run in training, as far as ``run.json`` says; None for the lab.
        finished: of the lab's runs that are done, by name.
    """

    state: State
    share: float | None
    words: str
    curves: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    record: RunRecord | None = None
    finished: Mapping[str, RunRecord] = field(default_factory=dict)


class Job:
    """A command in a process of its own.

    Args:
        title: for people.
        arguments: of ``rnnlab``.
        folder: what it writes into: a run's folder, or the lab's.
        lab: whether the folder is the lab's.
    """

    def __init__(self, title: str, arguments: Sequence[str], folder: Path, *, lab: bool = False) -> None:
        self.title, self.folder, self.lab = title, folder, lab
        self.began, self.ended = time.monotonic(), 0.0
        self._asked = 0.0
        self._histories: dict[Path, History] = {}
        self._finished: dict[Path, RunRecord] = {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the job
        # A session of its own: Ctrl-C for the server is not meant for it. The server ends it in its own way.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rnnlab", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self._log, start_new_session=True,
        )  # fmt: skip

    @property
    def state(self) -> State:
        """What has become of the process."""
        code = self.process.poll()
        if code is None:
            return "stopping" if self._asked else "running"
        self.ended = self.ended or time.monotonic()
        if code == 0:
            return "done"
        return "stopped" if code == 130 or (self._asked and code in (-signal.SIGINT, -signal.SIGKILL)) else "failed"

    @property
    def seconds(self) -> float:
        """Since it began, until it ended."""
        return (self.ended or time.monotonic()) - self.began

    def stop(self) -> None:
        """Ask it to save its state and end; asked again after a minute, it is ended."""
        if self.process.poll() is not None:
            return
        now = time.monotonic()
        late = self._asked and now > self._asked + PATIENCE
        self._asked = self._asked or now
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL if late else signal.SIGINT)

    def look(self) -> Look:
        """Return how far it is."""
        state = self.state
        record = None if self.lab else _record(self.folder)
        curves = self._curves()
        share, words = self._lab_progress() if self.lab else _progress(record, next(iter(curves.values()), ()))
        if state == "done":
            share = 1.0
        return Look(state, share, self._words(state, words), curves, record, self._runs_done())

    def close(self) -> None:
        """End it, with what it has done saved where it can be."""
        self.stop()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forget(self) -> None:
        """Give back what is held of it; it must be over."""
        self._log.close()

    def _curves(self) -> dict[str, list[dict[str, Any]]]:
        if self.lab:
            # What is being trained, and then what was: a run's own history is the whole one.
            files = [*self.folder.glob(f"*/{LIVE}/*/history.jsonl"), *self.folder.glob("*/runs/*/history.jsonl")]
        else:
            files = [self.folder / "history.jsonl"]
        for path in files:
            self._histories.setdefault(path, History(path))
        found = {
            path.parent.name: (self._histories[path], read) for path in files if (read := self._histories[path].read())
        }
        return {name: read for name, (history, read) in sorted(found.items(), key=lambda one: -one[1][0].changed)}

    def _runs_done(self) -> dict[str, RunRecord]:
        """Return the records of the lab's runs that are saved; each is read once, as a lab saves a run when it is done."""
        for path in self.folder.glob("*/runs/*/run.json") if self.lab else ():
            if path not in self._finished and (record := _record(path.parent)) is not None:
                self._finished[path] = record
        return {path.parent.name: record for path, record in self._finished.items()}

    def _lab_progress(self) -> tuple[float | None, str]:
        for line in reversed(self._said()):
            share, percent, title = line.partition("%  ")
            if percent and share.strip().isdigit():
                return int(share) / 100, title.strip()
        return None, "reading the data and starting the processes"

    def _words(self, state: State, words: str) -> str:
        if state == "running":
            return f"Training: {words}."
        if state == "stopping":
            return "Stopping: saving what is there."
        if state == "done":
            return "Done."
        if state == "stopped":
            rest = "the report holds what was done" if self.lab else "it can be gone on with"
            return f"Stopped; {rest}." if self.folder.exists() else "Stopped before anything was begun."
        return self._failure()

    def _failure(self) -> str:
        code, said = self.process.returncode, self._said()
        last = next((line for line in reversed(said) if line.strip()), "")
        if code == 2:
            return last.removeprefix("rnnlab: ")
        kept = " What was saved can be gone on with." if (self.folder / "checkpoint.safetensors").exists() else ""
        if code < 0:
            name = signal.Signals(-code).name
            why = " (is the memory full?)" if -code == signal.SIGKILL else ""
            return f"The training's process was ended by {name}{why}.{kept}"
        return f"The training's process crashed with exit code {code}: {last[:300] or 'it said nothing'}.{kept}"

    def _said(self) -> list[str]:
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), TAIL, max(0, size - TAIL))
        return text.decode("utf-8", "replace").replace("\r", "\n").splitlines()


class History:
    """A ``history.jsonl`` that is being written, read on from where it was left; ``changed`` says when it last grew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changed = 0.0
        self._records: list[dict[str, Any]] = []
        self._at = 0

    def read(self) -> list[dict[str, Any]]:
        """Return all records so far; a line that is not whole yet waits."""
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < self._at:  # written anew, when a run is gone on with or has ended
                self._at, self._records = 0, []
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                self.changed = time.monotonic()
                with contextlib.suppress(ValueError):
                    self._records.append(json.loads(line))
        return list(self._records)


class Jobs:
    """The jobs of this server: one at a time, those that are over are remembered."""

    def __init__(self) -> None:
        self.all: list[Job] = []
        self._lock = threading.Lock()

    def start(self, title: str, arguments: Sequence[str], folder: Path, *, lab: bool = False) -> Job:
        """Begin a job.

        Raises:
            ConfigError: another is running.
            RnnlabError: the process cannot be started.
        """
        with self._lock:
            running = self.running()
            if running is not None:
                raise ConfigError(f"one training runs at a time, and {running.title} is running; stop it, or wait")
            try:
                job = Job(title, arguments, folder, lab=lab)
            except OSError as error:
                raise RnnlabError(f"no process can be started: {error.strerror or error}") from None
            self.all.append(job)
            for old in self.all[:-REMEMBERED]:
                old.forget()
            del self.all[:-REMEMBERED]
            return job

    def running(self) -> Job | None:
        """Return the job that runs now."""
        return next((job for job in reversed(self.all) if job.state not in OVER), None)

    def close(self) -> None:
        """End what runs; what it has done is saved."""
        for job in self.all:
            if job.state not in OVER:
                job.close()
            job.forget()


def flags(options: Mapping[str, Any]) -> list[str]:
    """Return options as the flags of ``rnnlab train``.

    Example:
        >>> flags({"hidden_size": 8, "features": ("a", "b"), "sort": True, "bidirectional": False, "cell": None})
        ['--hidden-size=8', '--features=a,b', '--sort', '--no-bidirectional']
    """
    found = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            found += [f"--{flag}"] if value else [f"--no-{flag}"] if name in WITH_NO else []
        elif isinstance(value, list | tuple):
            found += [f"--{flag}={part}" for part in (value if name == "where" else [joined(map(str, value))]) if part]
        elif value is not None:
            found.append(f"--{flag}={value}")
    return found


def _record(folder: Path) -> RunRecord | None:
    try:
        return read_record(folder)
    except RnnlabError:
        return None


def _progress(record: RunRecord | None, history: Sequence[Mapping[str, Any]]) -> tuple[float | None, str]:
    """Return the share of the budget that is spent, at the last evaluation, and where it stands in words."""
    if record is None:
        return None, "reading the data"
    config = record.training
    if not history:
        return 0.0, "before the first evaluation"
    last = history[-1]
    shares = [0.0]
    words = f"epoch {last['epoch']}" + (f" of {config.epochs}" if config.epochs else "") + f", update {last['step']}"
    if config.epochs:
        shares.append(last["epoch"] / config.epochs)
    if config.max_steps:
        shares.append(last["step"] / config.max_steps)
    if config.max_seconds:
        shares.append(last["seconds"] / config.max_seconds)
    share = min(1.0, max(shares))
    return share, "measuring, and fitting the baselines" if share >= 1 else words
