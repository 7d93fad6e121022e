"""Measure the compiled kernels against torch's own layers and the stacked equations, side by side in one run.

Every road does the same work: forward, backward from the last step's square, and an Adam update. The roads take turns, and
the medians over all turns are compared, so that a machine that is busy for a while hurts all alike. With one thread it
counts CPU seconds, which neighbours disturb least. Prints a table, and with
``--json PATH`` writes the figures; the GFLOP/s count the products of the layer alone (input, recurrent, and their gradients).

    python benchmarks/kernels.py [--threads 2] [--turns 15] [--cells lstm gru elman] [--shapes "T8 B1" ...] [--json PATH]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import threadpoolctl
import torch
from torch import Tensor, nn

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.kernels import choose, layer
from rnnlab.models.layers import run_layer
from rnnlab.models.parameters import initialise, views, weights
from rnnlab.training.optimizers import Optimizer

_clock = time.perf_counter
GATES = {"elman": 1, "lstm": 4, "gru": 3}
LAYERS = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@dataclass(frozen=True)
class Shape:
    """Runs, steps, sequences, features, units."""

    runs: int
    time: int
    batch: int
    features: int
    hidden: int

    def __str__(self) -> str:
        stack = f"x{self.runs} " if self.runs > 1 else ""
        return f"{stack}T{self.time} B{self.batch} in{self.features} H{self.hidden}"

    def flops(self, cell: str) -> float:
        """The multiplications and additions of a training step's products, without the input's gradient."""
        rows, width = self.runs * self.batch * self.time, GATES[cell] * self.hidden
        return 2.0 * rows * width * (2 * self.features + 3 * self.hidden)


SHAPES = [
    Shape(1, 12, 256, 57, 256), Shape(1, 32, 128, 64, 64), Shape(1, 8, 256, 1, 16), Shape(1, 8, 256, 1, 64),
    Shape(1, 8, 1, 57, 256), Shape(1, 8, 32, 1, 16), Shape(1, 32, 32, 1, 32), Shape(1, 16, 128, 64, 128),
    Shape(8, 8, 32, 1, 16), Shape(64, 8, 32, 1, 16), Shape(64, 8, 32, 1, 64), Shape(8, 12, 128, 57, 128),
]  # fmt: skip


def best_sgemm(threads: int) -> dict[str, float]:
    """Return the best GFLOP/s of a large float32 product: numpy's and torch's."""
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
                found[name] = max(found[name], 2 * size**3 / _seconds(road) / 1e9)
    return found


def torch_road(cell: str, shape: Shape) -> Callable[[], None]:
    """One run through ``torch.nn`` and ``torch.optim.Adam``, as a user would write it."""
    layer = LAYERS[cell](shape.features, shape.hidden, batch_first=True)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-4)
    inputs = torch.randn(shape.batch, shape.time, shape.features)

    def update() -> None:
        optimizer.zero_grad()
        layer(inputs)[0][:, -1].square().mean().backward()
        optimizer.step()

    return update


def our_road(cell: str, shape: Shape, engine: str) -> Callable[[], None]:
    """A stack of runs through one of the package's roads."""
    config = ModelConfig(cell=cell, hidden_size=shape.hidden, head="none")
    layout = weights(config, 0, shape.features, shape.hidden, GATES[cell])
    flat = initialise(layout, list(range(shape.runs)))
    gradient = torch.zeros_like(flat)
    parameters, gradients = views(flat, layout), list(views(gradient, layout).values())
    for parameter in parameters.values():
        parameter.requires_grad_()
    optimizer = Optimizer([TrainConfig(optimizer="adam", lr=1e-4)] * shape.runs, flat)
    rates = torch.full((shape.runs, 1), 1e-4)
    inputs = torch.randn(shape.runs, shape.batch, shape.time, shape.features)
    four = tuple(parameters[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))

    def update() -> None:
        outputs: Tensor
        if engine == "kernel":
            outputs, _ = layer(cell, inputs, *four)
        else:
            outputs = run_layer(config, inputs, four, None, reverse=False, engine=engine)
        loss = outputs[:, :, -1].square().mean(dim=(1, 2)).sum()
        torch._foreach_copy_(gradients, torch.autograd.grad(loss, list(parameters.values())))
        with torch.no_grad():
            optimizer.update(flat, gradient, rates)

    return update


def measure(cell: str, shape: Shape, turns: int) -> dict[str, float]:
    """Return the median milliseconds of each road, a run."""
    single = torch_road(cell, shape)
    roads: dict[str, tuple[Callable[[], None], int]] = {
        "torch": (single, 1),
        "kernel": (our_road(cell, shape, "kernel"), shape.runs),
        "equations": (our_road(cell, shape, "equations"), shape.runs),
    }
    taken: dict[str, list[float]] = {name: [] for name in roads}
    repeats = {name: max(1, int(0.01 / _warm(road))) for name, (road, _) in roads.items()}
    for _ in range(turns):
        for name, (road, runs) in roads.items():
            began = _clock()
            for _ in range(repeats[name]):
                road()
            taken[name].append((_clock() - began) / repeats[name] / runs)
    return {name: 1e3 * statistics.median(values) for name, values in taken.items()}


def _warm(road: Callable[[], None]) -> float:
    road()
    road()
    return min(_seconds(road) for _ in range(3))


def _seconds(road: Callable[[], object]) -> float:
    began = _clock()
    road()
    return _clock() - began


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--cells", nargs="+", default=list(GATES))
    parser.add_argument("--shapes", nargs="+", default=[], help="keep shapes whose name contains one of these")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    global _clock
    if asked.threads == 1:
        _clock = time.process_time
    best = best_sgemm(asked.threads)
    print(f"{asked.threads} threads; best sgemm: " + ", ".join(f"{n} {v:.0f} GFLOP/s" for n, v in best.items()))
    print(f"{'cell':6} {'shape':24} {'torch ms':>9} {'kernel':>9} {'equations':>9} {'ratio':>6} {'sgemm':>6}  choice")
    rows = []
    for shape in SHAPES:
        if asked.shapes and not any(part in str(shape) for part in asked.shapes):
            continue
        for cell in asked.cells:
            took = measure(cell, shape, asked.turns)
            share = shape.flops(cell) / shape.runs / (took["kernel"] * 1e6) / max(best.values())
            choice = choose(
                cell, shape.runs, shape.batch, shape.time, shape.features, shape.hidden, "cpu", torch.float32
            )
            ratio = took["torch"] / took["kernel"]
            print(
                f"{cell:6} {shape!s:24} {took['torch']:9.3f} {took['kernel']:9.3f} {took['equations']:9.3f} "
                f"{ratio:6.2f} {share:6.0%}  {choice}",
                flush=True,
            )
            rows.append(
                {"cell": cell, **asdict(shape), "ms_a_run": took, "ratio": ratio, "share": share, "choice": choice}
            )
    if asked.json:
        asked.json.write_text(json.dumps({"threads": asked.threads, "best_sgemm": best, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
