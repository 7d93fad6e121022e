"""A Run: what training leaves, and the only road from raw input to an answer.

A run is configuration, codec, weights, history and metrics. It does not know how it was trained or where its
data are; it can be saved, loaded and asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.display import Displayed
from rnnlab.findings import Finding
from rnnlab.models import Model
from rnnlab.runs.adapting import Adapted, Adapting, adapted
from rnnlab.runs.outputs import model_outputs
from rnnlab.tasks import NumberCodec, Prediction, SeriesCodec, TextCodec

Status = Literal["done", "stopped", "diverged", "dropped", "interrupted", "training"]


@dataclass(frozen=True)
class Run(Displayed):
    """What training leaves.

    Args:
        name: for people and folders.
        model_config: cell, sizes, head.
        train_config: how it was trained.
        codec: raw input to sequences, outputs to answers.
        weights: ``(size,)`` float32, the weights of one run in the model's order.
        history: one record an evaluation: ``step, epoch`` (epochs begun so far), ``seconds, loss, grad_norm, lr`` and the validation's metrics.
        metrics: part of the data (``train``, ``validation``, ``test``) to its metrics.
        findings: what was found wrong.
        status: ``done``; ``stopped`` early; ``diverged``; ``dropped`` for better ones; ``interrupted``; ``training`` (on disk: not over).
        data: name, kind, provenance and fingerprint of the data.
        environment: versions and threads.
        seconds: of training.
        newest_errors: ``(pool, horizon)`` float32, of a forecast: what its intervals go on adapting from (`rnnlab.runs.adapting`).
    """

    name: str
    model_config: ModelConfig
    train_config: TrainConfig
    codec: TextCodec | NumberCodec | SeriesCodec
    weights: Tensor
    history: tuple[dict[str, Any], ...] = ()
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    status: Status = "done"
    data: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    newest_errors: Tensor | None = None

    @cached_property
    def model(self) -> Model:
        """The network, a stack of one."""
        model = Model(self.model_config, self.codec.interface)
        model.bind(self.weights.detach().clone().unsqueeze(0))
        return model

    def outputs(self, raw: Sequence[Any]) -> np.ndarray:
        """Return the network's outputs for raw inputs, ``(examples, outputs)`` float32: logits, or scaled numbers."""
        return (
            model_outputs(self.model, self.codec.encode(raw))[0]
            if len(raw)
            else np.zeros((0, self.codec.interface.outputs))
        )

    def predict(self, raw: Sequence[Any]) -> list[Prediction]:
        """Return an answer for each raw input, in its order.

        A classifier answers ``{"prediction": label, "probabilities": {label: p}}``, the others ``{"prediction": number}`` in the
        data's own units; a forecast a list of them for several steps ahead, with ``lower`` and ``upper`` where its intervals are known.

        Of `rnnlab.data.Series` with times after the training's, the intervals adapt on what has come since, all series together
        (`adapted_to`); bare numbers have no times, and get the intervals as they are.

        Raises:
            DataError: where an input is not of the kind that the run was trained on.
        """
        outputs = self.outputs(raw)
        adapting = self.adapting()
        run = self if adapting is None else self.adapted_to(adapted(adapting, raw))
        return run.read(outputs, raw)

    def adapting(self) -> Adapting | None:
        """Return what takes up the errors of this run's newest forecasts; None where it has no intervals."""
        interval = self.data.get("interval")
        if not isinstance(self.codec, SeriesCodec) or not isinstance(interval, dict):
            return None
        errors = None if self.newest_errors is None else self.newest_errors.numpy().astype(np.float64)
        return Adapting(self.codec, self.model, interval, errors)

    def adapted_to(self, found: Adapted) -> "Run":
        """Return this run with the intervals of ``found``."""
        if not found.origins or found.errors is None:
            return self
        run = replace(self, data=self.data | {"interval": found.interval}, newest_errors=as_errors(found.errors))
        vars(run)["model"] = self.model
        return run

    def read(self, outputs: np.ndarray, raw: Sequence[Any]) -> list[Prediction]:
        """Return what `predict` does, from the network's outputs ``(examples, outputs)`` for ``raw``."""
        found = self.codec.decode(outputs, raw)
        interval = self.data.get("interval")
        if not isinstance(self.codec, SeriesCodec) or not isinstance(interval, dict):
            return found
        ends = interval_ends(self.codec, interval, outputs, raw)
        return [answer | dict(zip(("lower", "upper"), pair)) for answer, pair in zip(found, ends, strict=True)]


def as_errors(errors: np.ndarray) -> Tensor:
    """Return ``errors (pool, horizon)`` as a run keeps them."""
    return torch.from_numpy(np.ascontiguousarray(errors, dtype=np.float32))


def interval_ends(
    codec: SeriesCodec, interval: dict[str, Any], outputs: np.ndarray, raw: Sequence[Any]
) -> list[tuple[Any, Any]]:
    """Return the lower and the upper end of each forecast's interval: a number, or a list for several steps ahead.

    Args:
        codec: reads the outputs.
        interval: as of `rnnlab.runs.record.IntervalRecord`; the widths adapted to the end of the data where there are some.
        outputs: ``(examples, outputs)``.
        raw: as it was encoded.
    """
    widths = np.array((interval.get("adaptive") or interval)["half_width"], dtype=np.float64)
    steps = codec.ahead(outputs, raw)
    if interval.get("scaled"):
        lower, upper = (codec.ahead(outputs, raw, way * widths[:, None]) for way in (-1, 1))
    else:
        lower, upper = steps - widths[:, None], steps + widths[:, None]
    # A margin may be negative, where the quantiles were too far apart; the forecast itself stays inside.
    middle = codec.point(steps)
    ends = np.minimum(lower[..., 0], middle), np.maximum(upper[..., -1], middle)
    low, high = (one[:, 0].tolist() if codec.horizon == 1 else one.tolist() for one in ends)
    return list(zip(low, high, strict=True))
