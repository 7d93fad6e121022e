"""A Task: all that training needs to know of the data, and nothing of where they came from.

Examples, codec, splits; a loss for a stack of runs, and metrics in the data's own units.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from rnnlab.config import Interface
from rnnlab.data.sequences import Sequences
from rnnlab.data.splits import Splits
from rnnlab.errors import ConfigError
from rnnlab.tasks.codecs import NumberCodec, SeriesCodec, TextCodec, probabilities

Kind = Literal["classify", "regress", "forecast"]
Position = TypeVar("Position", int, np.ndarray)


@dataclass(frozen=True)
class Task:
    """What is to be learnt.

    Args:
        name: for people.
        kind: ``classify``, ``regress`` or ``forecast``.
        inputs: the examples.
        targets: ``(examples,)`` int64 classes, or ``(examples, outputs)`` float32, scaled.
        splits: which examples train, validate and test.
        codec: raw input to sequences and outputs to answers, fitted on the training part.
        raw: the examples as they came (texts; arrays; the values of a series), for baselines and tables.
        provenance: where the data come from.
        fingerprint: sha256 of the data.
    """

    name: str
    kind: Kind
    inputs: Sequences
    targets: Tensor
    splits: Splits
    codec: TextCodec | NumberCodec | SeriesCodec
    raw: Any
    provenance: str = ""
    fingerprint: str = ""

    @property
    def interface(self) -> Interface:
        """What a model of this task takes and gives."""
        return self.codec.interface

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of the outputs; empty for numbers."""
        return () if isinstance(self.codec, SeriesCodec) else self.codec.labels

    def part(self, name: str) -> Tensor:
        """Return the examples of a split, ``train``, ``validation`` or ``test``, as ``(examples,)`` int64."""
        return torch.from_numpy(np.asarray(getattr(self.splits, name), dtype=np.int64))

    @cached_property
    def log_prior(self) -> Tensor:
        """The logarithm of each class's share of the training part, ``(classes,)`` float32; one more of each is counted."""
        counts = torch.bincount(self.targets[self.part("train")], minlength=len(self.labels)) + 1
        return (counts / counts.sum()).log()

    def loss(
        self, outputs: Tensor, index: Tensor, *, label_smoothing: float = 0.0, prior_adjustment: float = 0.0
    ) -> Tensor:
        """Return the mean loss of each run, ``(runs,)``.

        Args:
            outputs: ``(runs, batch, outputs)``.
            index: ``(runs or 1, batch)``, the examples that they answer.
            label_smoothing: share of a label spread over all classes.
            prior_adjustment: the loss sees the outputs with so much of the log prior added, so that the outputs themselves
                are free of it (logit adjustment: Menon and others, 2021).
        """
        targets = self.targets.to(outputs.device)[index]
        runs, batch = outputs.shape[:2]
        if self.kind != "classify":
            return ((outputs - targets) ** 2).mean(dim=(1, 2))
        if prior_adjustment:
            outputs = outputs + prior_adjustment * self.log_prior.to(outputs)
        flat = outputs.reshape(runs * batch, -1)
        wanted = targets.expand(runs, batch).reshape(-1)
        each = functional.cross_entropy(flat, wanted, reduction="none", label_smoothing=label_smoothing)
        return each.view(runs, batch).mean(dim=1)

    def score(self, outputs: np.ndarray, index: np.ndarray) -> dict[str, float]:
        """Return the metrics of ``outputs (examples, outputs)`` on the examples ``index``, in the data's own units.

        classify: accuracy, macro recall and macro F1 over the classes present, and the loss. regress and forecast: MAE,
        RMSE, the largest error, and for a forecast MASE (Hyndman and Koehler, 2006).
        """
        truth = self.targets.numpy()[index]
        if self.kind == "classify":
            return score_labels(outputs, truth)
        error = self.to_units(outputs, index) - self.to_units(truth, index)
        found = {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
            "max_error": float(np.abs(error).max()),
        }
        if isinstance(self.codec, SeriesCodec):
            found["mase"] = found["mae"] / self.seasonal_error()
        return found

    def to_units(self, outputs: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return outputs or targets ``(examples, outputs)`` of the examples ``index`` in the data's own units."""
        outputs = outputs.astype(np.float64)
        if not isinstance(self.codec, SeriesCodec):
            return cast(NumberCodec, self.codec).to_units(outputs)
        if not self.codec.difference:
            return self.codec.to_units(outputs)
        first = self.target_position(np.asarray(index)) - self.codec.difference
        level = self.codec.level(np.asarray(self.raw, dtype=np.float64))
        return self.codec.to_units(outputs, level[first[:, None] + np.arange(self.codec.horizon)])

    def seasonal_error(self) -> float:
        """Return the mean absolute error of the seasonal naive forecast on the training part: the unit of MASE.

        A training part shorter than a season is measured by its last values instead.
        """
        values = np.asarray(self.raw, dtype=np.float64)[: self.first_held_out()]
        season = cast(SeriesCodec, self.codec).season
        season = season if season < len(values) else 1
        return float(np.abs(values[season:] - values[:-season]).mean()) or 1.0

    def first_held_out(self) -> int:
        """Return the position in the series of the first value that training does not see as a target."""
        if self.kind != "forecast":
            raise ConfigError(f"kind must be forecast, got {self.kind}; only a series has an order in time")
        last = int(np.asarray(self.splits.train).max())
        return self.target_position(last) + cast(SeriesCodec, self.codec).horizon

    def target_position(self, example: Position) -> Position:
        """Return the position in the series of an example's first target (an int, or an array of them)."""
        codec = cast(SeriesCodec, self.codec)
        return example + codec.past_length + codec.gap


def score_labels(outputs: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return accuracy, macro recall, macro F1 and log loss of logits ``(examples, labels)``."""
    # Imported late: a prediction needs no metrics, and scikit-learn is half of a start.
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    guess = outputs.argmax(axis=1)
    present = np.unique(truth)
    chance = probabilities(outputs.astype(np.float64))[np.arange(len(truth)), truth]
    return {
        "accuracy": float(accuracy_score(truth, guess)),
        "macro_recall": float(recall_score(truth, guess, average="macro", labels=present, zero_division=0)),
        "macro_f1": float(f1_score(truth, guess, average="macro", labels=present, zero_division=0)),
        "log_loss": float(-np.log(np.maximum(chance, 1e-12)).mean()),
    }
