"""A stack of runs while it trains: weights, optimizer, what each run has seen, and which are still alive.

A run that is done, or has diverged, leaves the stack and costs nothing from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.errors import ConfigError
from rnnlab.findings import Finding
from rnnlab.models import Model
from rnnlab.runs import Status
from rnnlab.tasks import Task
from rnnlab.training.optimizers import Optimizer
from rnnlab.training.schedules import Plateau, one_cycle

MAY_DIFFER = {"lr", "momentum", "weight_decay", "clip", "seed"}


@dataclass
class Progress:
    """What one run has seen so far."""

    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, float] | None = None
    best_weights: Tensor | None = None
    waited: int = 0
    first_loss: float | None = None
    findings: list[Finding] = field(default_factory=list)
    status: Status = "done"
    plateau: Plateau = field(default_factory=Plateau)


class Stack:
    """Runs of one shape that train together.

    Args:
        task: gives the model its interface.
        model_config: the shape.
        configs: one a run; they may differ in learning rate, momentum, decay, clipping and seed.
        device: where to train.

    Raises:
        ConfigError: where the configurations differ in something else.
    """

    def __init__(
        self, task: Task, model_config: ModelConfig, configs: Sequence[TrainConfig], device: str = "cpu"
    ) -> None:
        _check_alike(configs)
        self.configs = list(configs)
        self.positions = list(range(len(configs)))
        self.model = Model(model_config, task.interface, [config.seed for config in configs]).place(device)
        self.optimizer = Optimizer(self.configs, self.model.flat)
        self.progress = [Progress() for _ in configs]
        self.final: dict[int, Tensor] = {}
        self._rates = torch.tensor([[config.lr] for config in configs], device=self.model.flat.device)

    @property
    def shared(self) -> TrainConfig:
        """A configuration of the stack, for what all its runs have in common."""
        return self.configs[0]

    @property
    def seeds(self) -> list[int]:
        """The seeds of the runs alive."""
        return [config.seed for config in self.configs]

    def rates(self, spent: float) -> Tensor:
        """Return the learning rates ``(runs, 1)`` when a share ``spent`` of the budget is spent."""
        if self.shared.schedule == "one_cycle":
            return self._rates * one_cycle(spent)
        if self.shared.schedule == "plateau":
            factors = [[self.progress[position].plateau.factor] for position in self.positions]
            return self._rates * torch.tensor(factors, device=self._rates.device)
        return self._rates

    def retire(self, leaving: Sequence[int]) -> None:
        """Take the runs at the rows ``leaving`` out of the stack and keep their weights."""
        for row in leaving:
            self._settle(row)
        rows = torch.tensor([row for row in range(self.model.runs) if row not in set(leaving)], dtype=torch.long)
        keep = rows.tolist()
        self.configs = [self.configs[row] for row in keep]
        self.positions = [self.positions[row] for row in keep]
        rows = rows.to(self.model.flat.device)
        if keep:
            self.optimizer.select(rows)
        self._rates = self._rates[rows]
        self.model.bind(self.model.flat[rows].clone())

    def weights_now(self, row: int) -> Tensor:
        """Return the weights that a run would keep if it stopped now, ``(size,)``."""
        best = self.progress[self.positions[row]].best_weights
        if best is not None and self.configs[row].keep == "best":
            return best
        return self.model.flat[row].detach().clone()

    def _settle(self, row: int) -> None:
        progress = self.progress[self.positions[row]]
        self.final[self.positions[row]] = self.weights_now(row).cpu()
        progress.best_weights = None


def _check_alike(configs: Sequence[TrainConfig]) -> None:
    if not configs:
        raise ConfigError("a stack must have at least one run, got none; give seeds or learning rates")
    first = configs[0].model_dump(exclude=MAY_DIFFER)
    for config in configs[1:]:
        other = config.model_dump(exclude=MAY_DIFFER)
        names = [name for name in first if first[name] != other[name]]
        if names:
            raise ConfigError(
                f"{names[0]} must be the same in all runs of a stack, got {first[names[0]]!r} and {other[names[0]]!r}; "
                "train them in two stacks"
            )
