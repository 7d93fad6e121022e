"""`own_data`: what ``rnnlab train`` and ``rnnlab predict`` cost on a file of one's own.

Training: 20,000 strings, LSTM of 128 units, batches of 256, AdamW; against a plain PyTorch loop with packed sequences on
the same examples, in the same process, in turns. Prediction: 10,000 strings from a file, start-up included. What memory they
take is measured in `benchmarks.memory`.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings
from rnnlab.runs import save
from rnnlab.tasks import classify_strings
from rnnlab.training import Training, train

STRINGS, HIDDEN, BATCH, TURNS = 20_000, 128, 256, 3


def strings(count: int, seed: int = 0) -> LabelledStrings:
    """Return ``count`` different strings of 4 to 14 letters and one of 18 labels, as names have them."""
    draw, found = Random(seed), {}
    while len(found) < count:
        text = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(4, 14)))
        found[text] = f"label{sum(map(ord, text)) % 18}"
    return LabelledStrings(tuple(found), tuple(found.values()))


class Plain(nn.Module):
    """The textbook's: one-hot letters, packed sequences, nn.LSTM, the last state, a linear layer."""

    def __init__(self, symbols: int, labels: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.lstm, self.head = nn.LSTM(symbols, HIDDEN, batch_first=True), nn.Linear(HIDDEN, labels)

    def forward(self, rows: list[torch.Tensor]) -> torch.Tensor:
        """Return ``(batch, labels)`` logits of symbols ``(time,)``, a tensor each."""
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        hot = nn.functional.one_hot(padded, self.symbols).float()
        packed = nn.utils.rnn.pack_padded_sequence(hot, lengths, batch_first=True, enforce_sorted=False)
        return self.head(self.lstm(packed)[1][0][0])


def plain_epoch(
    network: Plain, optimizer: torch.optim.Optimizer, rows: list[torch.Tensor], labels: torch.Tensor
) -> float:
    """Train one epoch; return seconds of processor time."""
    began = time.process_time()
    for batch in torch.split(torch.randperm(len(rows)), BATCH):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network([rows[i] for i in batch]), labels[batch])
        loss.backward()
        optimizer.step()
    return time.process_time() - began


def our_epoch(training: Iterator[Any], steps: int) -> float:
    """Train one epoch's updates; return seconds of processor time."""
    began = time.process_time()
    for _ in range(steps):
        next(training)
    return time.process_time() - began


def train_times() -> dict[str, Any]:
    """Time epochs of both loops in turn; the first of each warms up and is not counted."""
    task = classify_strings(strings(STRINGS), test=0.01, validation=0.0)
    index = task.part("train")
    rows = [task.inputs.values[s : s + n] for s, n in zip(task.inputs.starts[index], task.inputs.lengths[index])]
    network = Plain(task.interface.symbols, len(task.labels))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    steps = -(-len(rows) // BATCH)
    config = TrainConfig(batch_size=BATCH, batching="by_length", epochs=TURNS + 2, evaluate_every=10**6)
    training = iter(Training(task, ModelConfig(cell="lstm", hidden_size=HIDDEN), config))
    plain, ours = [], []
    for _ in range(TURNS + 1):
        plain.append(plain_epoch(network, optimizer, rows, task.targets[index]))
        ours.append(our_epoch(training, steps))
    return {
        "plain_seconds_an_epoch": float(np.median(plain[1:])), "our_seconds_an_epoch": float(np.median(ours[1:])),
        "plain_over_ours": float(np.median(plain[1:]) / np.median(ours[1:])), "goal": "at least 1",
    }  # fmt: skip


def predict_times() -> dict[str, Any]:
    """Time ``rnnlab predict --file`` of 10,000 strings in a process of its own, and ``import torch`` beside it."""
    task = classify_strings(strings(2000))
    model = ModelConfig(
        cell="gru", hidden_size=128, bidirectional=True, embedding_size=64, ngram_size=64, readout="max"
    )
    run = train(task, model, TrainConfig(max_steps=2))[0]
    with tempfile.TemporaryDirectory() as folder:
        save(run, Path(folder) / "run")
        (Path(folder) / "names.txt").write_text("\n".join(strings(10_000, 1).texts) + "\n")
        command = [sys.executable, "-m", "rnnlab", "predict", f"{folder}/run", "--file", f"{folder}/names.txt"]
        found = [_timed(command) for _ in range(TURNS)]
        torch_alone = [_timed([sys.executable, "-c", "import torch"]) for _ in range(TURNS)]
    return {
        "wall_seconds": min(wall for wall, _ in found), "processor_seconds": min(cpu for _, cpu in found),
        "import_torch_wall_seconds": min(wall for wall, _ in torch_alone), "goal": "wall under 3",
    }  # fmt: skip


def _timed(command: list[str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used


def run() -> dict[str, Any]:
    """Measure all and return figures."""
    torch.set_num_threads(1)
    return {"train": train_times(), "predict": predict_times()}
