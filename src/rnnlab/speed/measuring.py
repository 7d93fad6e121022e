"""A training step of a recurrent layer, ours and torch's in turns, on the machine at hand.

Both do the same work: forward, backward from the last step's square, and an Adam update. They take turns, and medians over all
turns are compared, so that a machine that is busy for a while hurts both alike. With one thread CPU seconds are counted, which
neighbours disturb least. The GFLOP/s count the products of the layer alone: input, recurrent, and their gradients.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import threadpoolctl
import torch
from torch import nn

from rnnlab.config import CellName, Interface, ModelConfig, TrainConfig
from rnnlab.kernels import choose
from rnnlab.models import Model
from rnnlab.tasks.losses import squared_and_gradient
from rnnlab.training.optimizers import Optimizer

GATES = {"elman": 1, "lstm": 4, "gru": 3}
LAYERS: dict[str, Any] = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
LEAST_TURN = 0.01
Road = Callable[[], None]


@dataclass(frozen=True)
class Shape:
    """What a step works on: ``runs`` of ``batch`` sequences of ``time`` steps of ``features``, through ``hidden`` units."""

    runs: int
    time: int
    batch: int
    features: int
    hidden: int

    def __str__(self) -> str:
        stack = f"x{self.runs} " if self.runs > 1 else ""
        return f"{stack}T{self.time} B{self.batch} in{self.features} H{self.hidden}"

    def flops(self, cell: str) -> float:
        """The multiplications and additions of a run's products, without the input's gradient.

        Example:
            >>> Shape(1, 1, 1, 1, 1).flops("elman")
            10.0
        """
        rows, width = self.batch * self.time, GATES[cell] * self.hidden
        return 2.0 * rows * width * (2 * self.features + 3 * self.hidden)


SINGLE = (
    Shape(1, 12, 256, 57, 256), Shape(1, 32, 128, 64, 64), Shape(1, 8, 256, 1, 16), Shape(1, 8, 1, 57, 256),
    Shape(1, 16, 128, 64, 128), Shape(1, 8, 32, 1, 16), Shape(1, 32, 32, 1, 32),
)  # fmt: skip
SHAPES = (
    *SINGLE,
    *(Shape(runs, 8, 32, 1, hidden) for hidden in (16, 64) for runs in (8, 64)),
    *(Shape(runs, 12, 128, 57, 128) for runs in (8, 64)),
)


@dataclass(frozen=True)
class Speed:
    """What was measured of a cell at a shape.

    Args:
        cell: ``elman``, ``lstm`` or ``gru``.
        shape: of the stack.
        torch_ms: milliseconds of a step of ``torch.nn`` and ``torch.optim.Adam``, one run.
        ours_ms: milliseconds of a step of rnnlab, a run of the stack.
        gflops: of rnnlab's products.
        road: what the rule chose: ``kernel``, ``torch`` or ``equations``.
    """

    cell: str
    shape: Shape
    torch_ms: float
    ours_ms: float
    gflops: float
    road: str

    @property
    def ratio(self) -> float:
        """How many times faster a run is than with ``torch.nn``."""
        return self.torch_ms / self.ours_ms


def best_sgemm(threads: int) -> dict[str, float]:
    """Return the best GFLOP/s of a large float32 product on ``threads`` threads: numpy's and torch's."""
    found = {"numpy": 0.0, "torch": 0.0}
    size = 2048
    left, right = torch.randn(size, size), torch.randn(size, size)
    roads: dict[str, Callable[[], object]] = {
        "numpy": lambda: np.dot(left.numpy(), right.numpy()),
        "torch": lambda: left @ right,
    }
    with threadpoolctl.threadpool_limits(threads, user_api="blas"):
        for _ in range(7):
            for name, road in roads.items():
                found[name] = max(found[name], 2 * size**3 / _seconds(road, _clock(threads)) / 1e9)
    return found


def measure(cells: Iterable[CellName], shapes: Iterable[Shape] = SHAPES, *, turns: int = 15) -> Iterator[Speed]:
    """Measure every cell at every shape with torch's current number of threads; yield each as it is known.

    Example:
        >>> found = next(measure(["gru"], [Shape(2, 3, 4, 1, 5)], turns=1))
        >>> found.torch_ms > 0 and found.ours_ms > 0
        True
    """
    for shape in shapes:
        for cell in cells:
            took = in_turns({"torch": torch_road(cell, shape), "rnnlab": our_road(cell, shape)}, turns)
            ours = took["rnnlab"] / shape.runs
            road = choose(cell, shape.runs, shape.batch, shape.time, shape.features, shape.hidden, "cpu", torch.float32)
            yield Speed(cell, shape, took["torch"], ours, shape.flops(cell) / (ours * 1e6), road)


def torch_road(cell: str, shape: Shape) -> Road:
    """Return a step of one run through ``torch.nn`` and ``torch.optim.Adam``, as a user would write it."""
    layer = LAYERS[cell](shape.features, shape.hidden, batch_first=True)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-4)
    inputs = torch.randn(shape.batch, shape.time, shape.features)

    def update() -> None:
        optimizer.zero_grad()
        layer(inputs)[0][:, -1].square().mean().backward()
        optimizer.step()

    return update


def our_road(cell: CellName, shape: Shape, engine: str = "auto") -> Road:
    """Return a step of a stack of runs as training makes it, by the road that the rule chooses or by ``engine``."""
    config = ModelConfig(cell=cell, hidden_size=shape.hidden, head="none")
    model = Model(config, Interface(symbols=0, features=shape.features, outputs=shape.hidden), range(shape.runs))
    model.engine = engine
    optimizer = Optimizer([TrainConfig(optimizer="adam", lr=1e-4)] * shape.runs, model.flat)
    rates = torch.full((shape.runs, 1), 1e-4)
    inputs = torch.randn(shape.runs, shape.batch, shape.time, shape.features)
    targets = torch.zeros(1, 1, 1)

    def update() -> None:
        outputs, pull = model.vjp(inputs)
        _, d_outputs = squared_and_gradient(outputs, targets)
        optimizer.update(model.flat, pull(d_outputs), rates)

    return update


def in_turns(roads: dict[str, Road], turns: int) -> dict[str, float]:
    """Return the median milliseconds of a call of each road; short ones are called several times a turn."""
    clock = _clock(torch.get_num_threads())
    repeats = {name: max(1, int(LEAST_TURN / _warm(road))) for name, road in roads.items()}
    taken: dict[str, list[float]] = {name: [] for name in roads}
    for _ in range(turns):
        for name, road in roads.items():
            began = clock()
            for _ in range(repeats[name]):
                road()
            taken[name].append((clock() - began) / repeats[name])
    return {name: 1e3 * statistics.median(values) for name, values in taken.items()}


def _clock(threads: int) -> Callable[[], float]:
    return time.process_time if threads == 1 else time.perf_counter


def _warm(road: Road) -> float:
    road()
    road()
    return min(_seconds(road, time.perf_counter) for _ in range(3))


def _seconds(road: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    road()
    return clock() - began
