"""How many bits a parameter a cell can store: random sequences with random labels, more and more of them.

After Collins, Sohl-Dickstein and Sussillo, 'Capacity and Trainability in Recurrent Neural Networks', ICLR 2017: what a
network knows of N random binary labels is ``N (1 - H2(error share))`` bits. They train to saturation over thousands
of searched settings; here the budget is fixed, so every figure is a lower bound. Knows no report.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rnnlab.cells import CELLS
from rnnlab.config import CELL_NAMES, ModelConfig, TrainConfig
from rnnlab.data import NumberSequences
from rnnlab.errors import ConfigError, suggest
from rnnlab.randomness import generator
from rnnlab.studies.jobs import Progress, train_watched
from rnnlab.tasks import Task, everything_trains, from_numbers

STEPS, FEATURES, LABELS = 3, 3, ("0", "1")


@dataclass(frozen=True)
class Budget:
    """What a search of the capacity may spend.

    Args:
        parameters: about so many parameters a network.
        multiples: sequences to remember, as multiples of the parameters.
        rates: learning rates (the peak of a one-cycle schedule).
        starts: first weights a learning rate.
        updates: of Adam, each on all sequences or `batch` of them.
        batch: sequences an update at most.
    """

    parameters: int
    multiples: tuple[float, ...]
    rates: tuple[float, ...]
    starts: int
    updates: int
    batch: int = 600


def bits_stored(count: int, wrong: int) -> float:
    """Return the bits known of ``count`` random binary labels with ``wrong`` of them answered wrong.

    Half right is no knowledge; fewer than half right counts as none.

    Example:
        >>> bits_stored(100, 0), bits_stored(100, 50), round(bits_stored(100, 11), 2)
        (100.0, 0.0, 50.01)
    """
    share = wrong / count
    if share == 0:
        return float(count)
    if share >= 0.5:
        return 0.0
    return count * (1 + share * float(np.log2(share)) + (1 - share) * float(np.log2(1 - share)))


def parameters(cell: str, hidden: int) -> int:
    """Return the parameters of a network of one layer of ``cell`` with a linear unit a label.

    Example:
        >>> parameters("elman", 7)
        100
    """
    if cell not in CELLS:
        raise ConfigError(f"cell must be {suggest(cell, CELL_NAMES)}, got {cell!r}; name one of them")
    return CELLS[cell].gates * hidden * (FEATURES + hidden + 2) + len(LABELS) * (hidden + 1)


def hidden_for(cell: str, wanted: int) -> int:
    """Return the hidden size whose network comes nearest to ``wanted`` parameters.

    Example:
        >>> [hidden_for(cell, 100) for cell in ("elman", "lstm", "gru")]
        [7, 3, 4]
    """
    return min(range(1, wanted + 1), key=lambda hidden: abs(parameters(cell, hidden) - wanted))


def random_labels(count: int, seed: int) -> Task:
    """Return ``count`` sequences of three steps of three normal numbers, each with a label drawn by a fair coin."""
    draw = generator(seed, "capacity", count)
    values = torch.randn(count, STEPS, FEATURES, generator=draw).numpy()
    labels = tuple(LABELS[coin] for coin in torch.randint(len(LABELS), (count,), generator=draw).tolist())
    source = NumberSequences(tuple(values), labels, provenance="random numbers with random labels, made by rule")
    return from_numbers(source, splits=everything_trains(count))


def measure(cell: str, budget: Budget, seed: int, progress: Progress) -> dict[str, Any]:
    """Return what networks of one cell store of more and more sequences.

    Args:
        cell: ``elman``, ``lstm`` or ``gru``.
        budget: what may be spent.
        seed: of the sequences, their labels, and the first of the first weights.
        progress: is told the share that is done.

    Returns:
        ``cell``, ``hidden``, ``parameters``, and ``rows``: one a count and run with ``count, lr, seed, wrong, bits``
        (bits a parameter).
    """
    hidden = hidden_for(cell, budget.parameters)
    size = parameters(cell, hidden)
    counts = [round(multiple * size) for multiple in budget.multiples]
    rows: list[dict[str, Any]] = []
    for number, count in enumerate(counts):
        rows += _remember(cell, hidden, count, budget, seed)
        progress(sum(counts[: number + 1]) / sum(counts))
    return {"cell": cell, "hidden": hidden, "parameters": size, "rows": rows}


def best_by_count(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the row with the most bits for each number of sequences, in rising order."""
    best: dict[int, dict[str, Any]] = {}
    for row in measured["rows"]:
        if row["count"] not in best or row["bits"] > best[row["count"]]["bits"]:
            best[row["count"]] = row
    return [best[count] for count in sorted(best)]


def _remember(cell: str, hidden: int, count: int, budget: Budget, seed: int) -> list[dict[str, Any]]:
    """Train one stack, learning rates by first weights, on ``count`` sequences."""
    task = random_labels(count, seed)
    configs = tuple(
        TrainConfig(
            optimizer="adam", lr=rate, schedule="one_cycle", batch_size=min(count, budget.batch), clip=1.0,
            max_steps=budget.updates, evaluate_every=budget.updates, seed=seed + start, keep="last",
        )
        for rate in budget.rates
        for start in range(budget.starts)
    )  # fmt: skip
    model = ModelConfig(cell=cell, hidden_size=hidden)
    runs = train_watched(task, model, configs, _silent, name=f"capacity-{cell}-{count}")
    size = parameters(cell, hidden)
    rows = []
    for run in runs:
        wrong = round((1 - run.metrics["train"]["accuracy"]) * count)
        rows.append(
            {"count": count, "lr": run.train_config.lr, "seed": run.train_config.seed, "wrong": wrong,
             "bits": bits_stored(count, wrong) / size}
        )  # fmt: skip
    return rows


def _silent(spent: float) -> None:
    """Say nothing: `measure` reports a count of sequences at a time."""
