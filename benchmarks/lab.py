"""The lab as a whole: seconds, memory, and how soon ``rnnlab --help`` answers."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil


def run(size: str = "quick") -> dict[str, Any]:
    """Run the lab once and the help eleven times, as processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "rnnlab", "lab", "--size", size, "--out", folder, "--json"], stdout=subprocess.PIPE
        )
        peak = [0]
        watch = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
        watch.start()
        process.communicate()
        seconds = time.perf_counter() - began
        size_of_page = (Path(folder) / "report.html").stat().st_size
    return {
        "lab_seconds": seconds, "goal_lab_seconds": 180, "cores": os.cpu_count(), "exit_code": process.returncode,
        "lab_peak_gigabytes": peak[0] / 1e9, "goal_gigabytes": 1.5, "report_megabytes": size_of_page / 1e6,
        "help_seconds": _help(), "goal_help_seconds": 0.3,
    }  # fmt: skip


def _watch(pid: int, peak: list[int]) -> None:
    """Note the largest sum of the unique memory of a process and its children (shared pages count once)."""
    with_children = psutil.Process(pid)
    while True:
        try:
            family = [with_children, *with_children.children(recursive=True)]
            peak[0] = max(peak[0], sum(member.memory_full_info().pss for member in family))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            if not with_children.is_running():
                return
        time.sleep(0.5)


def _help() -> float:
    found = []
    for _ in range(11):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "rnnlab", "--help"], check=True, capture_output=True)
        found.append(time.perf_counter() - began)
    return sorted(found)[5]
