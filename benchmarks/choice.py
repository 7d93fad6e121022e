"""The rule of `rnnlab.kernels.choice`, measured: how many times faster the kernels are than ``torch.nn``, by units and batch.

Forward, backward and an Adam update; 12 steps of 32 features; CPU seconds of one thread; medians of turns that both take.
"""

from typing import Any

import torch

from rnnlab.config import CellName
from rnnlab.speed import Shape
from rnnlab.speed.measuring import in_turns, our_road, torch_road

CELLS: tuple[CellName, ...] = ("lstm", "gru", "elman")
HIDDEN, BATCH = (16, 64, 128, 256, 512), (1, 8, 32, 128, 256)


def run(turns: int = 7) -> dict[str, Any]:
    """Return a row a number of units: the ratios of every cell, from the smallest batch to the largest."""
    torch.set_num_threads(1)
    rows = [
        {"hidden": hidden, **{cell: "  ".join(f"{_ratio(cell, hidden, batch, turns):.1f}" for batch in BATCH) for cell in CELLS}}
        for hidden in HIDDEN
    ]  # fmt: skip
    return {"batches": BATCH, "times_faster_than_torch": rows}


def _ratio(cell: CellName, hidden: int, batch: int, turns: int) -> float:
    shape = Shape(1, 12, batch, 32, hidden)
    took = in_turns({"torch": torch_road(cell, shape), "kernel": our_road(cell, shape, "kernel")}, turns)
    return took["torch"] / took["kernel"]
