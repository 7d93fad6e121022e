"""The service as a process of its own, with limits that a test can reach: ``python -m tests.web.serving FOLDER``."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SMALL = {"silence": 1.0, "connections": 40}


@dataclass
class Served:
    """A running service."""

    process: subprocess.Popen[str]
    address: str
    port: int

    def stop(self, number: int = signal.SIGINT) -> str:
        """Stop it as Ctrl-C does; return the rest of what it said."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[1]


@contextmanager
def serving(*arguments: Any, module: str = "tests.web.serving", **environment: str) -> Iterator[Served]:
    """Start a service, wait until it answers, and end it."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert " at http://" in line, line + process.stderr.read()
        address = line.split(" at ")[1].split()[0]
        yield Served(process, address, int(address.rpartition(":")[2]))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def main(folder: Path, changes: dict[str, Any]) -> None:
    """Serve the runs in ``folder`` on a free port."""
    import torch

    from rnnlab.web.limits import Limits
    from rnnlab.web.process import listen, serve
    from rnnlab.web.server import create_app
    from rnnlab.web.store import RunStore

    torch.set_num_threads(1)
    app = create_app(RunStore([folder]), folder=folder, page=False, limits=Limits(**{**SMALL, **changes}))
    with suppress(KeyboardInterrupt):
        serve(
            app, listen("127.0.0.1", 0), ready=lambda address: print(f"runs at {address}", file=sys.stderr, flush=True)
        )


def memory(pid: int) -> float:
    """Return the megabytes that a process holds."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    """Wait until a condition holds, or say that it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
