"""A Task: all that training needs to know of the data, and nothing of where they came from.

Examples, codec, splits; a loss for a stack of runs, and metrics in the data's own units.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from rnnlab.config import Interface
from rnnlab.data.sequences import Sequences
from rnnlab.data.splits import Splits
from rnnlab.tasks import losses
from rnnlab.tasks.codecs import NumberCodec, SeriesCodec, TextCodec, probabilities
from rnnlab.tasks.forecast_scores import score_forecast
from rnnlab.tasks.timeline import Timeline

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
        raw: the examples as they came (texts; arrays; the values of all series behind each other), for baselines and tables.
        provenance: where the data come from.
        fingerprint: sha256 of the data.
        timeline: where the examples of a forecast lie; None for other tasks.
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
    timeline: Timeline | None = None

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
        outputs, targets, _ = self._comparable(outputs, index, prior_adjustment)
        if self.kind == "classify":
            return losses.cross_entropy(outputs, targets, label_smoothing)
        quantiles = self._quantiles
        return losses.pinball(outputs, targets, quantiles) if quantiles else losses.squared(outputs, targets)

    def loss_and_gradient(
        self, outputs: Tensor, index: Tensor, *, label_smoothing: float = 0.0, prior_adjustment: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return what `loss` does and the gradient of its sum, shaped like ``outputs``, without autograd; arguments as of `loss`."""
        outputs, targets, unit = self._comparable(outputs, index, prior_adjustment)
        if self.kind == "classify":
            return losses.cross_entropy_and_gradient(outputs, targets, label_smoothing)
        quantiles = self._quantiles
        if quantiles:
            found, gradient = losses.pinball_and_gradient(outputs, targets, quantiles)
        else:
            found, gradient = losses.squared_and_gradient(outputs, targets)
        return found, gradient if unit is None else gradient * unit

    def _comparable(
        self, outputs: Tensor, index: Tensor, prior_adjustment: float
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return outputs and targets as a loss compares them, and the unit ``(runs or 1, batch, 1)`` that both were brought to, or None.

        Windows scaled each by itself count in units of their series, or flat ones would outweigh all others.
        """
        targets = self.targets.to(outputs.device)[index]
        if self.kind == "classify":
            if prior_adjustment:
                outputs = outputs + prior_adjustment * self.log_prior.to(outputs)
            return outputs, targets, None
        levels = self.inputs.levels
        if levels is None:
            return outputs, targets, None
        unit = levels[index, 1, :1].to(outputs)
        return outputs * unit, targets * unit, unit

    @property
    def _quantiles(self) -> tuple[float, ...]:
        return self.codec.quantiles if isinstance(self.codec, SeriesCodec) else ()

    def score(self, outputs: np.ndarray, index: np.ndarray) -> dict[str, float]:
        """Return the metrics of ``outputs (examples, outputs)`` on the examples ``index``, in the data's own units.

        classify: accuracy, macro recall and macro F1 over the classes present, and the loss. regress: MAE, RMSE, the largest
        error. forecast: as of `rnnlab.tasks.forecast_scores.score_forecast`.
        """
        truth = self.targets.numpy()[index]
        if self.kind == "classify":
            return score_labels(outputs, truth)
        if self.kind == "forecast":
            return score_forecast(self, self.ahead(outputs, index), index)
        error = self.to_units(outputs, index) - self.to_units(truth, index)
        return {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
            "max_error": float(np.abs(error).max()),
        }

    def to_units(self, outputs: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return outputs or targets of the examples ``index`` in the data's own units, ``(examples, targets)``.

        Of outputs that are quantiles, the median.
        """
        if not isinstance(self.codec, SeriesCodec):
            return cast(NumberCodec, self.codec).to_units(outputs.astype(np.float64))
        if self.codec.quantiles and outputs.shape[1] == self.interface.outputs:
            return self.codec.point(self.ahead(outputs, index))
        return self._in_units(outputs.astype(np.float64)[..., None], index)[..., 0]

    def ahead(self, outputs: np.ndarray, index: np.ndarray, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the forecasts of the examples ``index`` in the data's own units, ``(examples, horizon, quantiles or 1)``.

        Args:
            outputs: ``(examples, outputs)``.
            index: ``(examples,)``.
            shift: as of `SeriesCodec.ahead`.
        """
        return self._in_units(cast(SeriesCodec, self.codec).by_step(outputs) + shift, index)

    def _in_units(self, steps: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return scaled ``steps (examples, horizon, any)`` in the data's own units."""
        codec, timeline = cast(SeriesCodec, self.codec), cast(Timeline, self.timeline)
        index = np.asarray(index)
        base: np.ndarray | float = 0.0
        if codec.difference:
            before = self.target_position(index) - codec.difference
            level = codec.level(np.asarray(self.raw, dtype=np.float64))
            base = level[before[:, None] + np.arange(codec.horizon)][..., None]
        if timeline.levels is None:
            return codec.to_units(steps, base)
        levels = timeline.levels[index][:, None, None]
        return codec.to_units(steps, base, levels[..., 0], levels[..., 1])

    def seasonal_error(self) -> float:
        """Return the mean absolute error of the seasonal naive forecast on the training part: the unit of MASE.

        A training part shorter than a season is measured by its last values instead. Of several series, the first one's.
        """
        found = float(self.seasonal_errors[0, 0])
        return found if np.isfinite(found) else 1.0

    @cached_property
    def seasonal_errors(self) -> np.ndarray:
        """Mean absolute and root mean squared error of the seasonal naive forecast on each series' training part, ``(series, 2)``;
        NaN where a series has no such part, or never changes in it.
        """
        timeline, codec = cast(Timeline, self.timeline), cast(SeriesCodec, self.codec)
        values, ends = np.asarray(self.raw, dtype=np.float64), self._ends_of_training()
        found = np.full((len(timeline.names), 2), np.nan)
        for row, (first, end) in enumerate(zip(timeline.bounds[:-1], ends, strict=True)):
            season = codec.season if codec.season < end - first else 1
            error = np.abs(values[first + season : end] - values[first : max(first, end - season)])
            if len(error) and error.any():
                found[row] = error.mean(), np.sqrt((error**2).mean())
        return found

    def _ends_of_training(self) -> np.ndarray:
        """Return the position behind the last value that training sees as a target, of each series, ``(series,)``."""
        timeline, train = cast(Timeline, self.timeline), np.asarray(self.splits.train)
        ends = timeline.bounds[:-1].copy()
        np.maximum.at(ends, timeline.series[train], timeline.targets[train] + cast(SeriesCodec, self.codec).horizon)
        return ends

    def target_position(self, example: Position) -> Position:
        """Return the position of an example's first target in the flat values (an int, or an array of them)."""
        found = cast(Timeline, self.timeline).targets[example]
        return cast(Position, found) if isinstance(example, np.ndarray) else int(found)


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
