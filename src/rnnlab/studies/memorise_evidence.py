"""What the `memorise` study measured, asked by name. Knows no sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.runs import Run
from rnnlab.studies.capacity import best_by_count
from rnnlab.studies.figures import median
from rnnlab.studies.jobs import Outcome

CELLS = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}
TARGETS = np.array([1 / 3, 2 / 3, 1])
PLUS = float(((1 - TARGETS) ** 2).mean())  # 5/27: every output at +1
MINUS = float(((-1 - TARGETS) ** 2).mean())  # 77/27: every output at -1
ZERO = float((TARGETS**2).mean())  # 14/27: every output at 0
CONSTANT = float(TARGETS.var())  # 2/27: every output at the mean, 2/3
REACHED = 1e-2


def epochs_to(losses: Sequence[float]) -> float:
    """Return the number of updates until the loss is below `REACHED`; NaN where it never is.

    Example:
        >>> epochs_to([0.5, 0.02, 0.009])
        2.0
    """
    return float(next((epoch for epoch, loss in enumerate(losses) if loss < REACHED), np.nan))


@dataclass(frozen=True)
class Evidence:
    """The outcomes of all jobs, with the figures that sentences and tables need."""

    settings: dict[str, Any]
    outcomes: Mapping[str, Outcome]
    sizes: tuple[int, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of every variant."""
        return tuple(self.settings["seeds"])

    @property
    def pairs(self) -> list[dict[str, Any]]:
        """The published RNN and LSTM of each seed."""
        return list(self.outcomes["published"].measured["pairs"])

    @property
    def mended(self) -> list[dict[str, Any]]:
        """The same with the LSTM's own optimizer, axes as published."""
        return list(self.outcomes["published"].measured["mended"])

    @property
    def mended_epochs(self) -> list[float]:
        """Epochs until the LSTM with its own optimizer gets there, axes as published."""
        return [epochs_to(pair["lstm"]["losses"]) for pair in self.mended]

    @property
    def influence(self) -> dict[str, Any]:
        """Which samples and steps reach the answers, ``published`` and ``batch_first``."""
        return dict(self.outcomes["published"].measured["influence"])

    @property
    def held(self) -> int:
        """How many of the LSTM's parameters its published optimizer holds."""
        return int(self.pairs[0]["held"])

    @property
    def parameters(self) -> int:
        """The parameters of the LSTM."""
        return int(self.pairs[0]["parameters"])

    @property
    def distinct(self) -> int:
        """The most distinct losses that any seed's published LSTM has."""
        return max(len(set(pair["lstm"]["losses"])) for pair in self.pairs)

    def plateau(self, level: float) -> int:
        """Return how many published RNNs end at ``level`` with a gradient of exactly 0."""
        return sum(
            abs(pair["rnn"]["losses"][-1] - level) < 1e-4 and pair["rnn"]["gradients"][-1] == 0 for pair in self.pairs
        )

    @property
    def dead(self) -> int:
        """How many published RNNs end at 5/27 or 77/27 with a gradient of exactly 0."""
        return self.plateau(PLUS) + self.plateau(MINUS)

    def runs(self, cell: str, head: str, rate: float) -> list[Run]:
        """Return the mended runs of one cell, output and learning rate, one a seed."""
        return [run for run in self.outcomes[f"{cell}-{head}"].runs if run.train_config.lr == rate]

    def epochs(self, cell: str, head: str, rate: float) -> list[float]:
        """Return the epochs until each mended run gets there; NaN where it never does."""
        return [epochs_to([entry["loss"] for entry in run.history]) for run in self.runs(cell, head, rate)]

    def reached(self, cell: str, head: str, rate: float) -> int:
        """Return how many seeds get there."""
        return int(np.isfinite(self.epochs(cell, head, rate)).sum())

    def best_rate(self, cell: str, head: str) -> float:
        """Return the rate at which most seeds get there, the soonest of equals; by last loss where none gets there."""
        return float(min(self.settings["learning rates"], key=lambda rate: self._rank(cell, head, rate)))

    def _rank(self, cell: str, head: str, rate: float) -> tuple[float, float, float]:
        needed = median(self.epochs(cell, head, rate))
        last = median(self.last_losses(cell, head, rate))
        return (
            -self.reached(cell, head, rate),
            np.inf if needed is None else needed,
            np.inf if last is None else last,
        )

    def last_losses(self, cell: str, head: str, rate: float) -> list[float]:
        """Return each seed's last loss."""
        return [float(run.history[-1]["loss"]) for run in self.runs(cell, head, rate)]

    def capacities(self, cell: str, size: int) -> dict[str, Any]:
        """Return what `rnnlab.studies.capacity.measure` found."""
        return dict(self.outcomes[f"capacity-{cell}-{size}"].measured)

    def capacity(self, cell: str, size: int | None = None) -> dict[str, Any]:
        """Return the row with the most bits a parameter, of one size or of all."""
        chosen = self.sizes if size is None else (size,)
        rows = [row for one in chosen for row in best_by_count(self.capacities(cell, one))]
        return max(rows, key=lambda row: float(row["bits"]))
