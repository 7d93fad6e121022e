"""The runs that are served: found in folders, called by ids of the store's own, loaded once, and watched.

A client names a run by its id alone; ids are looked up in a table, never turned into a path. A run that is deleted or
replaced while it is served is noticed when it is next asked for. The store knows no HTTP, and can be used from any thread.
"""

import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.errors import ConfigError, InputError, RunFolderError, suggest
from rnnlab.runs import Run, load
from rnnlab.runs.answers import prepare
from rnnlab.runs.catalogue import Entry, entry_of, run_folders

Mark = tuple[tuple[int, int, int], ...]
FILES = ("run.json", "model.safetensors")
SCAN_SECONDS = 1.0


class UnknownRunError(InputError):
    """No run has this id."""


class GoneRunError(InputError):
    """The run was there, and its folder is not any more."""


@dataclass(frozen=True)
class Listed:
    """One run of the store.

    Args:
        id: by which clients call it.
        folder: where it is.
        entry: what a list says of it; a broken one has a ``problem``.
    """

    id: str
    folder: Path
    entry: Entry

    def to_dict(self) -> dict[str, Any]:
        """Return the run as JSON types; it is called by its id, and no path of this machine is in it."""
        found = self.entry.to_dict()
        found.pop("folder")
        return {"id": self.id, **found, "problem": hide(found["problem"], self.folder, self.id)}


class RunStore:
    """Runs by id.

    Args:
        places: run folders, and folders of runs, which are looked through again and again; one may come later.
        keep: loaded runs that are kept in memory; the one that was not asked for longest makes room.

    Example:
        >>> RunStore([Path("nowhere")]).list()
        []
    """

    def __init__(self, places: Sequence[Path], *, keep: int = 32) -> None:
        self._places, self._keep = [Path(place).resolve() for place in places], keep
        self._lock, self._loading = threading.RLock(), threading.Lock()
        self._ids: dict[Path, str] = {}
        self._folders: dict[str, Path] = {}
        self._entries: dict[str, tuple[Mark, Entry]] = {}
        self._loaded: OrderedDict[str, tuple[Mark, Run]] = OrderedDict()
        self._scanned = float("-inf")
        self._first: str | None = None
        self._only: tuple[str | None, float] = (None, 0.0)
        self._scan()
        if len(self._places) == 1 and _is_run(self._places[0]):
            self._first = self._ids[self._places[0]]

    def list(self) -> list[Listed]:
        """Return the runs that are there now, by id. Reads the disk."""
        self._scan()
        with self._lock:
            known = sorted(self._folders.items())
        return [Listed(name, folder, self._entry(name, folder)) for name, folder in known if _is_run(folder)]

    def get(self, name: str) -> Run:
        """Return a run, loaded when it is first asked for and again when it was replaced.

        Raises:
            UnknownRunError: no run is called so.
            GoneRunError: its folder was deleted.
            RunFolderError: its folder is damaged, or its training has only begun.
        """
        folder = self.folder(name)
        mark = _mark(folder)
        if not mark or not mark[0][2]:
            with self._lock:
                self._loaded.pop(name, None)
            raise GoneRunError(f"run {_short(name)} must be there, got a folder that was deleted; ask for another run")
        with self._lock:
            found = self._loaded.get(name)
            if found is not None and found[0] == mark:
                self._loaded.move_to_end(name)
                return found[1]
        with self._loading:
            return self._load(name, folder, mark)

    def folder(self, name: str) -> Path:
        """Return where a run is.

        Raises:
            UnknownRunError: no run is called so.
        """
        with self._lock:
            if name not in self._folders and time.monotonic() > self._scanned + SCAN_SECONDS:
                self._scan()
            if name in self._folders:
                return self._folders[name]
            names = list(self._folders)
        rule = suggest(name[:100], names) if names else "one of those served, and none is"
        raise UnknownRunError(f"run must be {rule}, got {_short(name)}; GET /api/runs lists them")

    def add(self, folder: Path) -> str:
        """Return the id of the run in ``folder``, which is served from now on; it may have only begun."""
        with self._lock:
            return self._name(Path(folder).resolve(), Path(folder).resolve().parent)

    def usual(self) -> str:
        """Return the run that is meant where none is named: the one that was given, or the only one there.

        Raises:
            ConfigError: there are several, or none.
        """
        if self._first is not None:
            return self._first
        found, when = self._only
        if found is not None and time.monotonic() < when + SCAN_SECONDS:
            return found
        names = [one.id for one in self.list() if not one.entry.problem]
        if len(names) != 1:
            rule = suggest("", names) if names else "one of those served, and none is; train one"
            raise ConfigError(f"run must be {rule}, got none; name it")
        self._only = (names[0], time.monotonic())
        return names[0]

    def _load(self, name: str, folder: Path, mark: Mark) -> Run:
        with self._lock:
            found = self._loaded.get(name)
        if found is not None and found[0] == mark:
            return found[1]  # another thread has just loaded it
        try:
            run = prepare(load(folder))
        except RunFolderError as error:
            raise RunFolderError(hide(str(error), folder, name)) from None
        with self._lock:
            self._loaded[name] = (mark, run)
            self._loaded.move_to_end(name)
            while len(self._loaded) > self._keep:
                self._loaded.popitem(last=False)
        return run

    def _entry(self, name: str, folder: Path) -> Entry:
        mark = _mark(folder)
        with self._lock:
            found = self._entries.get(name)
        if found is None or found[0] != mark:
            found = (mark, entry_of(folder))
            with self._lock:
                self._entries[name] = found
        return found[1]

    def _scan(self) -> None:
        """Give an id to every run folder that is new."""
        with self._lock:
            self._scanned = time.monotonic()
            for place in self._places:
                for folder in [place] if _is_run(place) else sorted(run_folders(place)):
                    self._name(folder, place.parent if folder == place else place)

    def _name(self, folder: Path, above: Path) -> str:
        if folder in self._ids:
            return self._ids[folder]
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", str(folder.relative_to(above))).strip("-") or "run"
        name, number = plain, 1
        while name in self._folders:
            number += 1
            name = f"{plain}-{number}"
        self._ids[folder], self._folders[name] = name, folder
        return name


def hide(message: str, folder: Path, name: str) -> str:
    """Return ``message`` with the path of a run's folder replaced by its id."""
    return message.replace(str(folder), name)


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").is_file()


def _mark(folder: Path) -> Mark:
    """Return what tells a folder's files from those that take their place; an absent one is zeros."""
    found = []
    for name in FILES:
        try:
            about = os.stat(folder / name)
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((about.st_mtime_ns, about.st_size, about.st_ino))
    return tuple(found)


def _short(name: str) -> str:
    return repr(name) if len(name) <= 100 else f"{name[:100]!r}... ({len(name):,} characters)"
