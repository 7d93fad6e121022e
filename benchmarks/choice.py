"""The rule of `rnnlab.kernels.choice`, measured: how many times faster the kernels are than ``torch.nn``, by units and batch.

Forward, backward and an Adam update; 12 steps of 32 features; CPU seconds of one thread; medians of turns that both take. Wide
LSTMs, where it is close, by the clock on all cores too.
"""

import os
from typing import Any

import torch

from rnnlab.config import CellName
from rnnlab.speed import Shape
from rnnlab.speed.measuring import in_turns, our_road, torch_road

CELLS: tuple[CellName, ...] = ("lstm", "gru", "elman")
HIDDEN, BATCH = (16, 64, 128, 256, 512), (1, 8, 32, 128, 256)
WIDE, SMALL = (512, 768, 1024), (1, 8, 16, 32, 64)


def run(turns: int = 7) -> dict[str, Any]:
    """Return a row a number of units: the ratios of every cell, from the smallest batch to the largest."""
    torch.set_num_threads(1)
    rows = [
        {"hidden": hidden, **{cell: _ratios(cell, hidden, BATCH, turns) for cell in CELLS}} for hidden in HIDDEN
    ]  # fmt: skip
    torch.set_num_threads(os.cpu_count() or 1)
    wide = [{"hidden": hidden, "lstm": _ratios("lstm", hidden, SMALL, turns)} for hidden in WIDE]
    return {"batches": BATCH, "times_faster_than_torch": rows, "small_batches": SMALL, "on_all_cores": wide}


def _ratios(cell: CellName, hidden: int, batches: tuple[int, ...], turns: int) -> str:
    return "  ".join(f"{_ratio(cell, hidden, batch, turns):.2g}" for batch in batches)


def _ratio(cell: CellName, hidden: int, batch: int, turns: int) -> float:
    shape = Shape(1, 12, batch, 32, hidden)
    took = in_turns({"torch": torch_road(cell, shape), "kernel": our_road(cell, shape, "kernel")}, turns)
    return took["torch"] / took["kernel"]
