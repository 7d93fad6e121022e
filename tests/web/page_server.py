"""The page on a server of its own, for the browser tests: ``python -m tests.web.page_server FOLDER PORT``."""

import sys
from pathlib import Path

import torch
import uvicorn

from rnnlab.web.server import create_app
from rnnlab.web.store import RunStore

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    uvicorn.run(
        create_app(RunStore([folder]), folder=folder), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning"
    )
