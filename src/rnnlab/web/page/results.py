"""What studies and sweeps left in the folders that are served: claims, and maps of rate and size. Damaged files are passed over."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rnnlab.web.page.runs import Listed

LARGEST = 32 * 2**20
NEAR = 3


class ClaimRecord(BaseModel):
    """A line of ``claims.json``."""

    id: str
    study: str
    claim: str
    reported: str | int | float | bool | None
    measured: str | int | float | bool | None
    verdict: str
    evidence: str = ""


class Place(BaseModel):
    """A place of a sweep's map."""

    cell: str
    hidden_size: int
    lr: float
    score: float | None
    diverged: float = 0.0
    runs: int = 0


class SweepRow(BaseModel):
    """A run of a sweep."""

    setting: dict[str, Any]
    seed: int = 0
    status: str = ""
    steps: int = 0
    seconds: float = 0.0
    metrics: dict[str, dict[str, float | None]] = {}


class SweepRecord(BaseModel):
    """What a page shows of ``sweep.json``."""

    task: str
    metric: str
    higher_is_better: bool = True
    map: list[Place] = []
    rows: list[SweepRow] = []


@dataclass(frozen=True)
class Found:
    """A file's content, and the folder it was in."""

    folder: Path
    content: Any


def claims(folder: Path, runs: Iterable[Listed]) -> list[Found]:
    """Return the claims of all labs, as lists of `ClaimRecord`."""
    found = []
    for place, content in _files(folder, runs, "claims.json"):
        try:
            records = [ClaimRecord(**one) for one in content]
        except (ValidationError, TypeError):
            continue
        if records:
            found.append(Found(place, records))
    return found


def sweeps(folder: Path, runs: Iterable[Listed]) -> list[Found]:
    """Return the sweeps, as `SweepRecord`."""
    found = []
    for place, content in _files(folder, runs, "sweep.json"):
        try:
            record = SweepRecord(**content)
        except (ValidationError, TypeError):
            continue
        if record.map:
            found.append(Found(place, record))
    return found


def rows_at(sweep: SweepRecord, place: Place, places: Sequence[Place]) -> list[SweepRow]:
    """Return the runs of a place of the map: those nearer to it than to any other of its cell."""

    def far(row: SweepRow, other: Place) -> float:
        rate, size = float(row.setting.get("lr", 0.0)), float(row.setting.get("hidden_size", 0))
        return abs(rate / other.lr - 1) + abs(size / other.hidden_size - 1)

    own = [other for other in places if other.cell == place.cell]
    return [
        row for row in sweep.rows
        if row.setting.get("cell") == place.cell and min(own, key=lambda other: far(row, other)) is place
    ]  # fmt: skip


def _files(folder: Path, runs: Iterable[Listed], name: str) -> Iterator[tuple[Path, Any]]:
    """Yield the files of a name in the served folder, one below it, and in the folders just above a run."""
    places = {folder.resolve()}
    if folder.is_dir():
        places |= {child.resolve() for child in folder.iterdir() if child.is_dir() and not child.is_symlink()}
    for one in runs:
        places |= set(one.folder.resolve().parents[:NEAR])
    for place in sorted(places):
        path = place / name
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
                continue
            yield place, json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
