"""The page on a server of its own, for the browser tests: ``python -m tests.web.page_server FOLDER PORT``."""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI

from rnnlab.runs import Run, load
from rnnlab.runs.catalogue import Entry, find_runs
from rnnlab.web.page import mount


@dataclass(frozen=True)
class Found:
    id: str
    folder: Path
    entry: Entry


class FolderRuns:
    """The runs below one folder, by the path below it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder

    def list(self) -> "list[Found]":
        return [Found(str(e.folder.relative_to(self.root)), e.folder, e) for e in find_runs(self.root)]

    def get(self, id: str) -> Run:
        return load(self.folder(id))

    def folder(self, id: str) -> Path:
        return self.root / id

    def add(self, folder: Path) -> str:
        return str(folder.relative_to(self.root))


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    app = FastAPI()
    mount(app, folder, FolderRuns(folder))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
