"""A Case: one run of rnnlab's own under examination, with the task it was trained on and probes of its network.

Each probe is made once, on copies, and draws nothing from any generator, so that a run comes out the same with and without
its examination. It judges nothing; the checks that do are in `case_data`, `case_learning` and `case_network`.
"""

import math
from functools import cached_property
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from torch import Tensor

from rnnlab.cells import CELLS
from rnnlab.doctor.clock import Timed
from rnnlab.doctor.gradients import StepGradients, curve_of
from rnnlab.models import Model
from rnnlab.models.layers import one_hot
from rnnlab.models.parameters import initialise, views
from rnnlab.runs import Run, model_outputs
from rnnlab.tasks import SeriesCodec, Task

LEAST_UPDATES = 50
"""Fewer updates say nothing of a learning rate; nor, while it trains, of the network."""
MIDWAY = ("training", "interrupted")
MOST_EXAMPLES = 512
MOST_STEPS = 512
WORK = 1e9  # multiplications of a probe of the network; the examples are fewer where it is wide or the sequences long
SIGMOID_END, TANH_END = 4.6, 2.65  # where a gate, or a unit, is beyond 99% of its range
GATES = {"lstm": ("input gate", "forget gate", "", "output gate"), "gru": ("reset gate", "update gate", "")}


class Case(Timed):
    """One run under examination.

    Args:
        run: as training leaves it, or as it is by now; a diverged one is looked at as far as its history goes.
        task: what it was trained on; None where the data are not at hand.
        seconds: of probing at most, from now.
    """

    def __init__(self, run: Run, task: Task | None, seconds: float = 3.0) -> None:
        super().__init__(seconds)
        self.run, self._task = run, task

    def missing(self, need: str) -> bool:
        """Return whether ``task``, or a sound ``network``, is not there."""
        if need == "network":
            if self._task is None or (self.midway and self.updates < LEAST_UPDATES):
                return True
            return self.run.status == "diverged" or not bool(self.run.weights.isfinite().all())
        return self._task is None

    @property
    def task(self) -> Task:
        """The task; checks that use it need it."""
        assert self._task is not None
        return self._task

    @property
    def midway(self) -> bool:
        """Whether the training is not over."""
        return self.run.status in MIDWAY

    @property
    def updates(self) -> int:
        """Updates that the history tells of."""
        return int(self.run.history[-1]["step"]) if self.run.history else 0

    def losses(self, name: str = "loss") -> list[float]:
        """Return a column of the history where each entry has a finite one; else nothing."""
        found = [entry.get(name) for entry in self.run.history]
        usable = all(isinstance(value, int | float) and math.isfinite(value) for value in found)
        return [float(cast(float, value)) for value in found] if usable else []

    def part(self, name: str, most: int = MOST_EXAMPLES) -> Tensor:
        """Return examples of a part of the data, spread evenly, at most so many."""
        return _spread(self.task.part(name), most)

    @cached_property
    def held_out(self) -> str:
        """The part to judge on: ``test``, or ``validation`` where that is empty or the training is not over, or ``train``."""
        parts = ("validation",) if self.midway else ("test", "validation")
        return next((name for name in parts if len(self.task.part(name))), "train")

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The run's figures on the held-out part; midway a classifier's accuracy and mean recall on some of its examples."""
        if not self.midway:
            return self.run.metrics.get(self.held_out, {})
        if self.task.kind != "classify":
            return {}
        index = self.part(self.held_out)
        truth = self.task.targets[index]
        right = torch.from_numpy(self.outputs(index).argmax(axis=1)) == truth
        seen, told = (torch.bincount(labels, minlength=len(self.task.labels)) for labels in (truth, truth[right]))
        recall = (told[seen > 0] / seen[seen > 0]).double().mean()
        return {"accuracy": float(right.double().mean()), "macro_recall": float(recall)}

    def outputs(self, index: Tensor) -> np.ndarray:
        """Return the network's outputs ``(examples, outputs)``."""
        self.left()
        return np.asarray(model_outputs(self.run.model, self.task.inputs, index)[0])

    @cached_property
    def constant_loss(self) -> float:
        """The training loss of the best constant answer, under the run's own loss."""
        training, index = self.run.train_config, self.task.part("train")
        targets, codec = self.task.targets[index], self.task.codec
        if self.task.kind != "classify":
            answer = targets.mean(dim=0)
            if isinstance(codec, SeriesCodec) and codec.quantiles:
                shares = torch.tensor(codec.quantiles, dtype=torch.float64)
                answer = torch.from_numpy(np.quantile(targets.numpy(), shares, axis=0).T.astype(np.float32)).flatten()
            return float(self.task.loss(answer.expand(1, len(index), -1), index.unsqueeze(0)))
        counts = torch.bincount(targets, minlength=len(self.task.labels)).double()
        if training.batching == "balanced":
            counts = (counts > 0).double()
        shares = (1 - training.label_smoothing) * counts / counts.sum() + training.label_smoothing / len(counts)
        return float(-(shares * shares.clamp(min=1e-300).log()).sum())

    @cached_property
    def movement(self) -> float:
        """By how much of its norm the typical weight matrix differs from its first value."""
        layout = self.run.model.layout
        first = views(initialise(layout, [self.run.train_config.seed]), layout)
        last = views(self.run.weights.detach().cpu().unsqueeze(0), layout)
        moved = [
            float((last[name] - value).norm() / value.norm())
            for name, value in first.items()
            if value.ndim > 2 and bool(value.any())
        ]
        return float(np.median(moved))

    @cached_property
    def network(self) -> Model:
        """The network on the road of the equations, whose gradients reach everything, and which compiles nothing."""
        model = Model(self.run.model_config, self.run.codec.interface)
        model.bind(self.run.weights.detach().cpu().clone().unsqueeze(0))
        model.engine = "equations"
        return model

    @cached_property
    def probe(self) -> Tensor:
        """What the first layer is fed, for the ends of some long training sequences, cut to one length: ``(1, batch, time, features)``."""
        self.left()
        inputs, train = self.task.inputs, self.task.part("train")
        lengths = inputs.lengths[train]
        steps = min(MOST_STEPS, int(np.percentile(lengths.numpy(), 75)))
        count = int(min(32, max(4, WORK / (self.network.parameters_a_run * steps))))
        long = _spread(train[lengths >= steps], count)
        values, ends = inputs.gather(long)
        rows = (inputs.lengths[long] if ends is None else ends).unsqueeze(1) + torch.arange(-steps, 0)
        fed = self.network.embed(values[torch.arange(len(long)).unsqueeze(1), rows].unsqueeze(0)).detach()
        return one_hot(fed, self.network.interface.symbols, self.network.flat) if fed.ndim == 3 else fed

    def states(self, fed: Tensor) -> list[Tensor]:
        """Return what every layer is fed, and the states of the last, each ``(1, batch, time, features)``."""
        found = [fed]
        for layer in range(self.network.config.num_layers):
            self.left()
            found.append(self.network.layer(found[-1], layer))
        return found

    @cached_property
    def gradient_curve(self) -> StepGradients | None:
        """How the last state of the forward direction depends on the input of each step; None of fewer than three steps."""
        if self.probe.shape[2] < 3:
            return None
        fed = self.probe.clone().requires_grad_()
        with torch.enable_grad():
            last = self.states(fed)[-1][:, :, -1]
            width = last.shape[-1] // 2 if self.network.config.bidirectional else last.shape[-1]
            direction = torch.randn((*last.shape[:2], width), generator=torch.Generator().manual_seed(0))
            (gradient,) = torch.autograd.grad((last[..., :width] * direction).sum(), fed)
        return curve_of(gradient[0].double().transpose(0, 1).flatten(1).norm(dim=1))

    @cached_property
    def gates(self) -> dict[str, Tensor]:
        """What goes into each kind of gate (or tanh unit) on the probe, before its sigmoid (tanh), of all layers together.

        The forward direction alone. Empty for cells without: relu units, and the combined cell.
        """
        config = self.run.model_config
        if config.cell == "combined" or (config.cell == "elman" and config.nonlinearity == "relu"):
            return {}
        names = GATES.get(config.cell, ("tanh units",))
        found: dict[str, list[Tensor]] = {}
        with torch.no_grad():
            layers = self.states(self.probe)
            for layer, (fed, states) in enumerate(pairwise(layers)):
                for name, value in zip(names, self._into_gates(layer, fed, states).chunk(len(names), dim=-1)):
                    found.setdefault(name, []).append(value.flatten())
        return {name: torch.cat(values) for name, values in found.items() if name}

    def _into_gates(self, layer: int, fed: Tensor, states: Tensor) -> Tensor:
        weight_ih, weight_hh, bias_ih, bias_hh = (
            cast(Tensor, getattr(self.network, f"{name}_l{layer}"))[0]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        before = torch.zeros_like(states[..., : weight_hh.shape[1]])
        before[:, :, 1:] = states[:, :, :-1, : weight_hh.shape[1]]
        return fed @ weight_ih.T + bias_ih + before @ weight_hh.T + bias_hh

    @property
    def gates_end(self) -> float:
        """How far from 0 what goes into a gate may be before it counts as saturated."""
        return SIGMOID_END if CELLS[self.run.model_config.cell].gates > 1 else TANH_END


def _spread(index: Tensor, most: int) -> Tensor:
    """Return at most so many of ``index``, spread evenly."""
    if len(index) <= most:
        return index
    return index[torch.linspace(0, len(index) - 1, most).long()]
