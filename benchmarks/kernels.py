"""The kernels against ``torch.nn`` at the shapes with a goal, and their start-up; each in a process of its own.

The figures are those of ``rnnlab bench``. Goals: times faster than ``torch.nn`` on two threads, and the share of the best matrix
product.
"""

import json
import os
import subprocess
import sys
from typing import Any

GOALS = {
    "T12 B256 in57 H256": 1.5,
    "T32 B128 in64 H64": 2.0,
    "T8 B256 in1 H16": 3.0,
    "T8 B1 in57 H256": 3.0,
    "x64 T8 B32 in1 H16": 12.0,
}
SHARE_SHAPE, SHARE_GOAL = "T12 B256 in57 H256", 0.65
START_UP = "import time, torch; b = time.perf_counter(); from rnnlab.kernels import prepare; prepare(); print(time.perf_counter() - b)"


def run(cells: tuple[str, ...] = ("lstm", "gru", "elman")) -> dict[str, Any]:
    """Measure on one thread and on all cores."""
    found: dict[str, Any] = {"goals_for_lstm_on_two_threads": GOALS, "goal_share_of_sgemm": SHARE_GOAL}
    for threads in sorted({1, os.cpu_count() or 1}):
        spoken = _python("-m", "rnnlab", "bench", "--threads", str(threads), "--json", "--cells", *cells)
        rows = [
            {
                "cell": row["cell"], "shape": _name(row["shape"]), "torch_ms": row["torch_ms"], "ours_ms": row["ours_ms"],
                "ratio": row["ratio"], "share_of_sgemm": row["share_of_sgemm"], "road": row["road"],
            }
            for row in json.loads(spoken)["speeds"]
        ]  # fmt: skip
        found[f"threads_{threads}"] = rows
        found[f"slower_than_torch_on_{threads}"] = [
            f"{row['cell']} {row['shape']} {row['ratio']:.2f}" for row in rows if row["ratio"] < 1
        ]
    found["start_up_seconds_of_cached_kernels"] = float(_python("-c", START_UP))
    found["goal_start_up_seconds"] = 1.0
    return found


def _name(shape: dict[str, int]) -> str:
    stack = f"x{shape['runs']} " if shape["runs"] > 1 else ""
    return f"{stack}T{shape['time']} B{shape['batch']} in{shape['features']} H{shape['hidden']}"


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout
