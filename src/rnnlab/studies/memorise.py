"""Three numbers to remember: an LSTM that never trained, an RNN that died, and both as they should be.

*As published* is plain PyTorch, since its defects (an optimizer that holds the other network's parameters, samples
taken for steps) are ones that `rnnlab.training` cannot make. *As it should be* trains stacks over learning rates and
seeds. A third part asks how much a cell can remember at all (`rnnlab.studies.capacity`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import library
from rnnlab.doctor import Subject
from rnnlab.results import StudyResult
from rnnlab.studies.capacity import Budget, measure
from rnnlab.studies.examined import Said, of_program
from rnnlab.studies.jobs import Job, LabData, Outcome, Progress, SizeName, train_watched
from rnnlab.studies.memorise_evidence import CELLS
from rnnlab.studies.memorise_report import conclude
from rnnlab.tasks import everything_trains, from_numbers

HIDDEN, PUBLISHED_LR = 100, 0.9
RATES = (0.9, 0.3, 0.1, 0.03, 0.01)
# The bounded output is a third layer of one unit, as published; a linear unit takes that layer's place.
HEADS = {"bounded": ("none", 3), "linear": ("linear", 2)}


@dataclass(frozen=True)
class Scale:
    """How much of the study is done: seeds, epochs as published, epochs as it should be, budgets of the capacity."""

    seeds: int
    published_epochs: int
    epochs: int
    capacity: tuple[Budget, ...]


SIZES: dict[str, Scale] = {
    "smoke": Scale(2, 5, 12, (Budget(100, (0.5, 1.0), (0.03,), 1, 15),)),
    "quick": Scale(5, 100, 200, (Budget(100, (1.0, 2.0, 3.0, 4.0), (0.03, 0.1), 2, 1000),)),
    "full": Scale(
        10,
        100,
        500,
        tuple(Budget(size, (1.0, 2.0, 3.0, 4.0, 6.0), (0.01, 0.03, 0.1), 3, 4000, 1200) for size in (100, 200)),
    ),
}


class Memorise:
    """The second study of the lab."""

    name = "memorise"
    title = "Three sequences to remember"

    def jobs(self, size: SizeName, data: LabData) -> list[Job]:
        """Return the published pair, a stack a cell and output, and the search of each cell's capacity."""
        scale = SIZES[size]
        seeds = data.seeds(scale.seeds)
        work = partial(_published, seeds, scale.published_epochs)
        pairs = 2 * scale.seeds * scale.published_epochs
        jobs = [Job("memorise", "published", "RNN and LSTM as published", work, pairs / 250)]
        for head in HEADS:
            for cell, label in CELLS.items():
                work = partial(_mended, cell, head, seeds, scale.epochs)
                cost = scale.epochs * scale.seeds * COST[cell]
                jobs.append(Job("memorise", f"{cell}-{head}", f"{label}, {head} output", work, cost))
        for budget in scale.capacity:
            for cell, label in CELLS.items():
                work = partial(_capacity, cell, budget)
                title = f"bits a parameter of {label}, {budget.parameters} parameters"
                cost = _visits(budget) * CAPACITY_COST[cell]
                jobs.append(Job("memorise", f"capacity-{cell}-{budget.parameters}", title, work, cost))
        return jobs

    def conclude(self, size: SizeName, data: LabData, outcomes: Mapping[str, Outcome]) -> StudyResult:
        """Return tables, curves and claims."""
        scale = SIZES[size]
        settings = {
            "epochs as published": scale.published_epochs,
            "epochs as it should be": scale.epochs,
            "seeds": list(data.seeds(scale.seeds)),
            "learning rates": list(RATES),
            "updates of a capacity": scale.capacity[0].updates,
            "runs of a capacity": [len(budget.rates) * budget.starts for budget in scale.capacity],
        }
        return conclude(settings, outcomes, [budget.parameters for budget in scale.capacity])


# Seconds on one core: an epoch and seed with all rates; a thousand visits of a sequence by a network of 100 parameters.
COST = {"elman": 0.0008, "lstm": 0.003, "gru": 0.0022}
CAPACITY_COST = {"elman": 0.0012, "lstm": 0.0019, "gru": 0.0018}


def _visits(budget: Budget) -> float:
    """Return thousands of sequence visits, weighted by the hidden size: what a search of the capacity costs."""
    sequences = sum(min(multiple * budget.parameters, budget.batch) for multiple in budget.multiples)
    runs = len(budget.rates) * budget.starts
    return sequences * budget.updates * runs * math.sqrt(budget.parameters / 100) / 1000


class ThreeLayers(nn.Module):
    """Three recurrent layers on each other, 1 -> hidden -> hidden -> 1; the last layer's state is the answer.

    Args:
        layer: ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``.
        hidden: units of the first two layers.
        batch_first: False as published.
    """

    def __init__(self, layer: Callable[..., nn.Module], hidden: int = HIDDEN, *, batch_first: bool = False) -> None:
        super().__init__()
        sizes = ((1, hidden), (hidden, hidden), (hidden, 1))
        self.layers = nn.ModuleList(layer(*size, batch_first=batch_first) for size in sizes)

    def forward(self, numbers: Tensor) -> Tensor:
        """Return every step's state of the last layer, ``(samples, steps, 1)``, for ``(samples, steps, 1)``."""
        states = numbers
        for layer in self.layers:
            states, _ = layer(states)
        return states


def three_samples() -> tuple[Tensor, Tensor]:
    """Return inputs ``(3 samples, 3 steps, 1)`` and targets ``(3 samples, 1)``, 1/3, 2/3 and 1."""
    source = library.memorise()
    return torch.from_numpy(np.stack(source.values)), torch.from_numpy(np.asarray(source.targets)).view(-1, 1)


def train_pair(seed: int, epochs: int, *, mended: bool = False, lr: float = PUBLISHED_LR) -> dict[str, Any]:
    """Train an RNN and an LSTM side by side in plain PyTorch, as published or with the LSTM's own optimizer.

    Args:
        seed: of the first weights.
        epochs: updates of each network.
        mended: whether the LSTM's optimizer holds the LSTM's parameters; as published it holds the RNN's.
        lr: of both optimizers, plain SGD.

    Returns:
        ``seed``; ``rnn`` and ``lstm`` with ``losses`` and ``gradients`` (largest norm entry an epoch, each before the
        update); and of the last epoch ``rnn_outputs``, ``lstm_outputs``. ``held`` and ``parameters``: how many of the
        LSTM's parameters its optimizer holds, and how many it has.
    """
    numbers, targets = three_samples()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rnn, lstm = ThreeLayers(nn.RNN), ThreeLayers(nn.LSTM)
    rnn_optimizer = torch.optim.SGD(rnn.parameters(), lr=lr)
    lstm_optimizer = torch.optim.SGD(lstm.parameters() if mended else rnn.parameters(), lr=lr)
    trained = {"rnn": (rnn, rnn_optimizer), "lstm": (lstm, lstm_optimizer)}
    found: dict[str, Any] = {name: {"losses": [], "gradients": []} for name in trained}
    for _ in range(epochs):
        for name, (network, optimizer) in trained.items():
            optimizer.zero_grad()
            answers = network(numbers)[:, 2, :]
            loss = nn.functional.mse_loss(answers, targets)
            loss.backward()  # type: ignore[no-untyped-call]
            found[name]["losses"].append(loss.item())
            found[name]["gradients"].append(_norm(network))
            found[f"{name}_outputs"] = answers.detach().flatten().tolist()
            optimizer.step()
    held = {id(p) for group in lstm_optimizer.param_groups for p in group["params"]}
    sizes = {id(p): p.numel() for p in lstm.parameters()}
    return found | {
        "seed": seed,
        "held": sum(size for key, size in sizes.items() if key in held),
        "parameters": sum(sizes.values()),
    }


def _norm(network: nn.Module) -> float:
    """Return the norm of all gradients as they stand, piled up or not."""
    return float(torch.stack([cast(Tensor, p.grad).norm() for p in network.parameters()]).norm())


def influence(seed: int, *, batch_first: bool) -> dict[str, Any]:
    """Return which samples and which steps reach the answers ``[:, 2, :]`` of an untrained RNN.

    Returns:
        ``samples``: ``[i][j]`` is how far the answer to sample i moves when 0.1 is added to sample j; ``steps``: the
        same, summed over the answers, for 0.1 added to step k of every sample.
    """
    numbers, _ = three_samples()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = ThreeLayers(nn.RNN, batch_first=batch_first).double()
        before = network(numbers.double())[:, 2, 0]
        moved = torch.zeros(3, 3, dtype=torch.float64)
        steps = []
        for position in range(3):
            changed = numbers.double()
            changed[position] += 0.1
            moved[:, position] = (network(changed)[:, 2, 0] - before).abs()
            changed = numbers.double()
            changed[:, position] += 0.1
            steps.append(float((network(changed)[:, 2, 0] - before).abs().sum()))
    return {"samples": moved.tolist(), "steps": steps}


def _published(seeds: tuple[int, ...], epochs: int, data: LabData, progress: Progress) -> Outcome:
    """Train the published pair, and the pair with the optimizer alone mended, on every seed."""
    pairs, mended = [], []
    for number, seed in enumerate(seeds):
        pairs.append(train_pair(seed, epochs))
        progress((number + 0.5) / len(seeds))
        mended.append(train_pair(seed, epochs, mended=True))
        progress((number + 1) / len(seeds))
    reach = {name: influence(seeds[0], batch_first=name == "batch_first") for name in ("published", "batch_first")}
    return Outcome((), {"pairs": pairs, "mended": mended, "influence": reach, "doctor": examined(seeds[0], pairs[0])})


def examined(seed: int, pair: dict[str, Any]) -> dict[str, Said]:
    """Return what the doctor says of the published ``rnn`` and ``lstm``, each with the loss curve that ``pair`` has of it."""
    numbers, targets = three_samples()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rnn, lstm = ThreeLayers(nn.RNN), ThreeLayers(nn.LSTM)
    found = {}
    for name, network in (("rnn", rnn), ("lstm", lstm)):
        optimizer = torch.optim.SGD(rnn.parameters(), lr=PUBLISHED_LR)  # for the LSTM too
        subject = Subject(
            network, optimizer, nn.functional.mse_loss, numbers, targets, forward=_third_step,
            history={"train": pair[name]["losses"]}, train_step=_published_step,
        )  # fmt: skip
        found[name] = of_program(subject, *EXAMINED)
    return found


EXAMINED = (
    "optimizer_misses_parameters",
    "samples_influence_each_other",
    "zero_grad_forgotten",
    "curves",
    "learning_rate_too_large",
)


def _third_step(network: nn.Module, numbers: Tensor) -> Tensor:
    answers: Tensor = network(numbers)[:, 2, :]
    return answers


def _published_step(network: nn.Module, optimizer: torch.optim.Optimizer, numbers: Tensor, targets: Tensor) -> None:
    optimizer.zero_grad()
    nn.functional.mse_loss(_third_step(network, numbers), targets).backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _mended(
    cell: str, head: str, seeds: tuple[int, ...], epochs: int, data: LabData, progress: Progress
) -> Outcome:  # fmt: skip
    """Train a cell with its own optimizer on sequences of three steps, one stack over learning rates and seeds."""
    source = library.memorise()
    task = from_numbers(source, splits=everything_trains(len(source)), scale_inputs=False, scale_targets=False)
    kind, layers = HEADS[head]
    model = ModelConfig(cell=cell, hidden_size=HIDDEN, num_layers=layers, head=kind)
    configs = tuple(
        TrainConfig(
            optimizer="sgd", lr=rate, batch_size=len(source), batching="in_order", epochs=epochs, seed=seed, keep="last"
        )
        for rate in RATES
        for seed in seeds
    )  # fmt: skip
    return Outcome(train_watched(task, model, configs, progress, name=f"{cell}-{head}"))


def _capacity(cell: str, budget: Budget, data: LabData, progress: Progress) -> Outcome:
    return Outcome((), measure(cell, budget, data.seed, progress))
