"""`serve`: predictions a second of ``rnnlab serve``, and how long they take, asked by 32 clients from a second process.

The run is an LSTM of 128 units on the built-in names, as ``rnnlab train names --cell lstm`` trains it (both directions). The
machine is shared by the server and its clients; what else ran on it is told as the load before, and as the CPU seconds that the
server took itself.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

import rnnlab

GOALS = {"predictions_a_second": 500, "clients": 32, "p99_ms": 60, "memory": "flat over ten minutes"}


def run(soak: float = 60.0) -> dict[str, Any]:
    """Start the service and ask it; ``soak`` is how many seconds its memory is watched under load."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "names-lstm"
        trained = rnnlab.train("names", cell="lstm", hidden_size=128, max_steps=60, out=place)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "rnnlab", "serve", str(place), "--port", "0", "--folder", folder],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split(" at ")[1].split()[0]
            started = time.perf_counter() - began
            figures = _measure(address, process.pid, soak)
        finally:
            process.terminate()
            process.wait(30)
    return {
        "goals": GOALS, "weights": len(trained.weights), "load_before": os.getloadavg()[0], "cores": os.cpu_count(),
        "seconds_to_start": started, **figures,
    }  # fmt: skip


def _measure(address: str, pid: int, soak: float) -> dict[str, Any]:
    _ask(address, pid, rate=100, seconds=2)  # what is loaded once is loaded
    return {
        "one_client": _ask(address, pid, clients=1, rate=20, seconds=5),
        "goal_load": [_ask(address, pid, rate=500, seconds=10) for _ in range(3)],
        "as_fast_as_answered": _ask(address, pid, rate=0, seconds=10),
        "twenty_names_a_request": _ask(address, pid, rate=0, seconds=5, inputs=20),
        "soak": _soak(address, pid, soak),
    }


def _ask(address: str, pid: int, **options: Any) -> dict[str, Any]:
    """Return what the clients saw, and the CPU that the server took for it."""
    before = sum(psutil.Process(pid).cpu_times()[:2])
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "benchmarks.load", address, *flags]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    spent = sum(psutil.Process(pid).cpu_times()[:2]) - before
    return found | {"server_cpu_ms_a_request": 1000 * spent / max(1, found["answered"])}


def _soak(address: str, pid: int, seconds: float) -> dict[str, Any]:
    """Return the server's memory over time, in megabytes, at the load of the goal."""
    samples: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(min(2.0, seconds / 20)):
            samples.append(psutil.Process(pid).memory_info().rss / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = _ask(address, pid, rate=500, seconds=seconds)
    finally:
        over.set()
        watcher.join()
    quarter = max(1, len(samples) // 4)
    first, last = statistics.median(samples[:quarter]), statistics.median(samples[-quarter:])
    return found | {
        "seconds": seconds, "megabytes_first_quarter": first, "megabytes_last_quarter": last, "growth_megabytes": last - first,
        "peak_megabytes": max(samples),
    }  # fmt: skip
