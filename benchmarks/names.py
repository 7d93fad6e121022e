"""`names`: seconds until a recurrent model tells 70% of held-out names, and 51.5% of an average origin's.

The published loop is the lab's: an LSTM of 256 units, one name an update, its origin drawn evenly, SGD 0.05, plain
PyTorch. Ours is a GRU beside a bag of letter n-grams, in batches
of like lengths, with a logit-adjusted loss. Both see the same training names, run on
the same cores in the same process, and only their updates are timed.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, library
from rnnlab.data.batching import batches
from rnnlab.models.layers import one_hot
from rnnlab.runs import model_outputs
from rnnlab.studies.names_baselines import plain_networks, plain_update
from rnnlab.tasks import Task, classify_strings, score_labels
from rnnlab.training import Training

ACCURACY, RECALL = 0.70, 0.515
MODEL = ModelConfig(
    cell="gru", hidden_size=64, embedding_size=32, bidirectional=True, readout="max", dropout=0.1, ngram_size=32
)
TRAINING = TrainConfig(
    lr=0.012, schedule="one_cycle", batch_size=128, batching="by_length", max_steps=300, clip=1.0, keep="last",
    prior_adjustment=0.9, evaluate_every=10_000,
)  # fmt: skip


def published(task: Task, seed: int, most: int, every: int) -> Iterator[tuple[int, float, dict[str, float]]]:
    """Train the published loop; yield steps, seconds of training and held-out scores, ``every`` so many steps."""
    torch.manual_seed(seed)
    symbols = task.interface.symbols
    network = plain_networks(symbols, 256, len(task.labels))["lstm"]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    train, like = task.part("train"), torch.zeros(1)
    names = [one_hot(task.inputs.gather(index.view(1, 1))[0][0].T, symbols, like) for index in train]
    labels = task.targets[train]
    step, spent = 0, 0.0
    for epoch in range(most // len(train) + 1):
        (order,) = zip(*batches("balanced", 1, torch.ones(len(train)), labels, [seed], epoch), strict=True)
        for (index,) in order:
            began = time.perf_counter()
            plain_update(network, optimizer, names[index], labels[index].view(1))
            spent += time.perf_counter() - began
            step += 1
            if step % every == 0:
                yield step, spent, _plain_scores(task, network)
            if step >= most:
                return


def _plain_scores(task: Task, network: torch.nn.Module) -> dict[str, float]:
    test = task.part("test")
    with torch.no_grad():
        rows = [
            network(one_hot(task.inputs.gather(i.view(1, 1))[0][0].T, task.interface.symbols, torch.zeros(1)))[0]
            for i in test
        ]
    return score_labels(torch.stack(rows).numpy(), task.targets.numpy()[test.numpy()])


def ours(task: Task, seed: int, every: int = 25) -> Iterator[tuple[int, float, dict[str, float]]]:
    """Train our recipe; yield steps, seconds of training and held-out scores."""
    training = Training(task, MODEL, TRAINING.replace(seed=seed))
    test, spent, began = task.part("test"), 0.0, time.perf_counter()
    for step in training:
        if step.step % every == 0 and training.stack.positions:
            spent += time.perf_counter() - began
            outputs = model_outputs(training.stack.model, task.inputs, test)[0]
            yield step.step, spent, score_labels(outputs, task.targets.numpy()[test.numpy()])
            began = time.perf_counter()


def until_reached(steps: Iterator[tuple[int, float, dict[str, float]]]) -> dict[str, Any]:
    """Return steps, seconds and scores when both figures are reached, or of the end, with ``reached`` False."""
    last: dict[str, Any] = {}
    for step, seconds, scores in steps:
        reached = scores["accuracy"] >= ACCURACY and scores["macro_recall"] >= RECALL
        last = {
            "reached": reached, "steps": step, "seconds": seconds,
            "accuracy": scores["accuracy"], "macro_recall": scores["macro_recall"],
        }  # fmt: skip
        if reached:
            break
    return last


def run(source: LabelledStrings | None = None, *, seeds: int = 3, most: int = 200_000) -> dict[str, Any]:
    """Measure both and return figures and their ratio."""
    task = classify_strings(source or library.names())
    whole = np.concatenate([task.splits.train, task.splits.validation])
    task = replace(task, splits=replace(task.splits, train=whole, validation=whole[:0]))
    mine = [until_reached(ours(task, seed)) for seed in range(seeds)]
    theirs = until_reached(published(task, 0, most, 5000))
    again = [until_reached(ours(task, seed)) for seed in range(seeds)]
    seconds = float(np.median([found["seconds"] for found in mine + again if found["reached"]] or [float("nan")]))
    return {
        "published": theirs, "ours": mine + again, "ours_seconds": seconds, "ratio": theirs["seconds"] / seconds,
        "goal": "at least 20",
    }  # fmt: skip
