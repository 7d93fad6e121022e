"""`sweep`: 480 runs of ``binary`` (3 cells x 8 learning rates x 4 sizes x 5 seeds, 500 epochs) as stacks, against plain PyTorch.

Ours is the command a user types, start-up, evaluation every epoch, tables and report included. Plain PyTorch is the textbook's loop
(``nn.RNN``, ``nn.LSTM``, ``nn.GRU``, a linear layer, AdamW, batches of 64, clipping, a validation pass an epoch), one run after the
other with one thread. One run of each of the twelve shapes is measured to its end; a learning rate or a seed does not change what
a run costs, so that the 480 cost forty times as much, and half of that side by side on two cores.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rnnlab.data import library
from rnnlab.data.splits import split_rows
from rnnlab.tasks import Task, from_numbers

CELLS, SIZES, SEEDS = ("rnn", "lstm", "gru"), (4, 8, 16, 32), 5
RATES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
BATCH = 64
LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Plain(nn.Module):
    """One recurrent layer, its last state, a linear unit."""

    def __init__(self, cell: str, size: int) -> None:
        super().__init__()
        self.layer, self.head = LAYERS[cell](1, size, batch_first=True), nn.Linear(size, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return ``(batch, 1)`` for bits ``(batch, 8, 1)``."""
        return self.head(self.layer(inputs)[0][:, -1])


def plain_run(task: Task, cell: str, size: int, epochs: int) -> float:
    """Train one run; return seconds of processor time."""
    torch.manual_seed(0)
    train, checked = task.part("train"), task.part("validation")
    values, targets = task.inputs.gather(torch.arange(len(task.inputs)).unsqueeze(0))[0][0], task.targets
    network = Plain(cell, size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.008)
    steps = epochs * -(-len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.008, total_steps=steps + 1, cycle_momentum=False)
    began = time.process_time()
    for _ in range(epochs):
        for batch in torch.split(train[torch.randperm(len(train))], BATCH):
            optimizer.zero_grad()
            nn.functional.mse_loss(network(values[batch]), targets[batch]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            nn.functional.mse_loss(network(values[checked]), targets[checked])
    return time.process_time() - began


def plain(epochs: int) -> dict[str, float]:
    """Return the seconds of processor time of one run of each shape."""
    task = from_numbers(library.binary(), splits=split_rows(256, None, test=0.2, validation=0.1, seed=0))
    plain_run(task, "rnn", 4, 2)
    return {f"{cell} {size}": plain_run(task, cell, size, epochs) for cell, size in product(CELLS, SIZES)}


def ours(epochs: int) -> dict[str, Any]:
    """Run the command; return its wall and processor seconds and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "rnnlab", "sweep", "binary", "--json", "--out", str(Path(folder) / "out"),
            "--lr", ",".join(map(str, RATES)), "--hidden-size", ",".join(map(str, SIZES)), "--cell", ",".join(CELLS),
            "--seeds", str(SEEDS), "--epochs", str(epochs), "--no-bidirectional", "--batch-size", str(BATCH), "--readout", "last",
        ]  # fmt: skip
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Workers are children of their server, which the system's figures leave out: the stacks say what they used.
        stacks = [json.loads(path.read_text()) for path in (Path(folder) / "out" / "stacks").glob("*.json")]
    found = json.loads(printed)
    started = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    best = found["best"][0]
    return {
        "runs": found["done"], "stacks": len(stacks), "wall_seconds": wall,
        "processor_seconds_of_stacks": sum(stack["processor_seconds"] for stack in stacks),
        "processor_seconds_beside": started, "diverged": sum(row["status"] == "diverged" for row in found["rows"]),
        "best": best["setting"], "best_validation_rmse": best["metrics"]["validation"]["rmse"],
    }  # fmt: skip


def run(epochs: int = 500) -> dict[str, Any]:
    """Measure both in turn and return figures."""
    torch.set_num_threads(1)
    shapes = plain(epochs)
    mine = ours(epochs)
    each = len(RATES) * SEEDS
    cores = os.cpu_count() or 1
    total = each * sum(shapes.values())
    used = mine["processor_seconds_of_stacks"] + mine["processor_seconds_beside"]
    return {
        "ours": mine, "goal_wall_seconds": 90, "plain_seconds_a_run": shapes, "cores": cores, "load": os.getloadavg()[0],
        "our_processor_seconds": used, "plain_processor_seconds": total, "plain_over_ours": total / used,
        "plain_wall_seconds_on_idle_cores": total / cores,
        "our_wall_seconds_on_idle_cores": mine["processor_seconds_of_stacks"] / cores + mine["processor_seconds_beside"],
    }  # fmt: skip
