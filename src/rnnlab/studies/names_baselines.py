"""What stands beside the networks in the `names` study: the class prior, the n-grams, both together, and plain PyTorch.

The plain loop is the lab's, written out: modules of torch, one name an update, SGD.
"""

import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from rnnlab.models.layers import one_hot
from rnnlab.runs import Run
from rnnlab.studies.jobs import Progress
from rnnlab.tasks import Task, probabilities, score_labels
from rnnlab.tasks.ngrams import NgramClassifier, adjust_for_prior, combine


def combine_with_ngrams(task: Task, run: Run) -> dict[str, dict[str, float]]:
    """Return the metrics on held-out names of the class prior, the n-grams, the network, and both together.

    Each has ``adjusted_macro_recall`` too: with the logits moved by the class prior. The weight of the network in the pair is
    chosen on the validation part, and one half where there is none.
    """
    splits, truth = task.splits, task.targets.numpy()
    train = splits.train
    model = NgramClassifier().fit([task.raw[i] for i in train], [task.labels[truth[i]] for i in train])
    columns = [task.labels.index(label) for label in model.classes_]
    prior = np.bincount(truth[train], minlength=len(task.labels)) / len(train)

    def by_ngrams(part: np.ndarray) -> np.ndarray:
        found = np.full((len(part), len(task.labels)), 1e-9)
        found[:, columns] = model.predict_proba([task.raw[i] for i in part])
        return found

    def by_network(part: np.ndarray) -> np.ndarray:
        return probabilities(run.outputs([task.raw[i] for i in part]).astype(np.float64))

    weight = 0.5
    if len(splits.validation):
        weight = _best_weight(by_network(splits.validation), by_ngrams(splits.validation), truth[splits.validation])
    network, ngrams = by_network(splits.test), by_ngrams(splits.test)
    held = truth[splits.test]
    found = {
        "class prior": np.tile(np.maximum(prior, 1e-12), (len(held), 1)),
        "n-grams": ngrams,
        "network": network,
        "both": combine(network, ngrams, weight),
    }
    return {name: _scores(chance, held, prior) for name, chance in found.items()}


def _best_weight(network: np.ndarray, ngrams: np.ndarray, truth: np.ndarray) -> float:
    tried = np.linspace(0, 1, 21)
    losses = [-np.log(combine(network, ngrams, w)[np.arange(len(truth)), truth] + 1e-12).mean() for w in tried]
    return float(tried[int(np.argmin(losses))])


def _scores(chance: np.ndarray, truth: np.ndarray, prior: np.ndarray) -> dict[str, float]:
    moved = adjust_for_prior(np.maximum(chance, 1e-12), np.maximum(prior, 1e-12))
    adjusted = score_labels(np.log(moved), truth)
    return score_labels(np.log(np.maximum(chance, 1e-12)), truth) | {
        "adjusted_accuracy": adjusted["accuracy"],
        "adjusted_macro_recall": adjusted["macro_recall"],
    }


class LinearRNN(nn.Module):
    """The lab's linear RNN: two linear layers on the pair of input and hidden state."""

    def __init__(self, symbols: int, hidden_size: int, classes: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(symbols + hidden_size, hidden_size)
        self.i2o = nn.Linear(symbols + hidden_size, classes)

    def forward(self, name: Tensor) -> Tensor:
        """Return the logits ``(1, classes)`` of a one-hot name ``(time, 1, symbols)``."""
        hidden = name.new_zeros(1, self.hidden_size)
        for letter in name:
            pair = torch.cat([letter, hidden], dim=1)
            hidden, output = self.i2h(pair), self.i2o(pair)
        return cast(Tensor, output)


class LibraryRNN(nn.Module):
    """``nn.RNN`` or ``nn.LSTM`` and a linear layer on the last step."""

    def __init__(self, layer: Callable[..., nn.RNNBase], symbols: int, hidden_size: int, classes: int) -> None:
        super().__init__()
        self.layer = layer(symbols, hidden_size)
        self.head = nn.Linear(hidden_size, classes)

    def forward(self, name: Tensor) -> Tensor:
        """Return the logits ``(1, classes)`` of a one-hot name ``(time, 1, symbols)``."""
        states, _ = self.layer(name)
        logits: Tensor = self.head(states[-1])
        return logits


def plain_networks(symbols: int, hidden_size: int, classes: int) -> dict[str, nn.Module]:
    """Return the three networks of the lab as plain modules."""
    return {
        "combined": LinearRNN(symbols, hidden_size, classes),
        "elman": LibraryRNN(nn.RNN, symbols, hidden_size, classes),
        "lstm": LibraryRNN(nn.LSTM, symbols, hidden_size, classes),
    }


def plain_update(network: nn.Module, optimizer: torch.optim.Optimizer, name: Tensor, label: Tensor) -> float:
    """Make the lab's update on one name ``(time, 1, symbols)`` and return its loss."""
    optimizer.zero_grad()
    loss = functional.cross_entropy(network(name), label)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def time_an_iteration(task: Task, hidden_size: int, count: int, progress: Progress) -> dict[str, Any]:
    """Return the milliseconds of an update of the lab's plain loop, each network in turn: median and quartiles."""
    symbols = task.interface.symbols
    networks = plain_networks(symbols, hidden_size, len(task.labels))
    optimizers = {cell: torch.optim.SGD(network.parameters(), lr=0.001) for cell, network in networks.items()}
    seconds: dict[str, list[float]] = {cell: [] for cell in networks}
    draw = np.random.default_rng(0)
    for number in range(count):
        example = int(draw.choice(task.splits.train))
        values, _ = task.inputs.gather(task.part("train").new_tensor([[example]]))
        name = one_hot(values[0].T, symbols, torch.zeros(1))
        label = task.targets[example : example + 1]
        for cell, network in networks.items():
            began = time.perf_counter()
            plain_update(network, optimizers[cell], name, label)
            seconds[cell].append(time.perf_counter() - began)
        progress((number + 1) / count)
    return {
        cell: {
            "milliseconds": float(np.median(found)) * 1e3,
            "low": float(np.quantile(found, 0.25)) * 1e3,
            "high": float(np.quantile(found, 0.75)) * 1e3,
            "parameters": sum(p.numel() for p in networks[cell].parameters()),
        }
        for cell, found in seconds.items()
    }
