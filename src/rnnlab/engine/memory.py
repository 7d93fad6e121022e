"""How much memory a stack takes while it trains, before it starts; and how much there is.

The estimate counts what is kept at one moment: weights and what the optimizer holds for each, and the states that the
backward pass, or an evaluation, needs. `tests/engine/test_memory.py` holds it against measured peaks. It knows shapes alone.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from rnnlab.cells import CELLS
from rnnlab.config import Interface, ModelConfig, TrainConfig
from rnnlab.models.parameters import count_weights, layer_sizes, output_width
from rnnlab.runs.outputs import LEAST_EVALUATED, PREDICT_BATCH

FIGURE = 4
# Copies of every weight: itself, its gradient twice (torch's and ours), two moments, the best so far, what kernels make of it, an
# update's own.
COPIES = 10
# States a step and unit: three times the gates (their values and gradients), and what goes in and comes out.
GATES_KEPT, BESIDE = 3, 7
SHARE_USED = 0.8
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


@dataclass(frozen=True)
class Extent:
    """What decides the memory of a run beside its configuration.

    Args:
        interface: of the task.
        steps: of the longest sequence.
        train, evaluated: examples that are trained on, and in the largest part that is evaluated.
    """

    interface: Interface
    steps: int
    train: int
    evaluated: int


def stack_bytes(model: ModelConfig, training: TrainConfig, extent: Extent, runs: int = 1) -> int:
    """Return the bytes that a stack of ``runs`` takes at most while it trains, beside what a process has anyway.

    Example:
        >>> extent = Extent(Interface(symbols=0, features=1, outputs=1), steps=8, train=179, evaluated=179)
        >>> 1e6 < stack_bytes(ModelConfig(hidden_size=16), TrainConfig(batch_size=64), extent, runs=10) < 2e7
        True
    """
    trained = runs * min(training.batch_size, extent.train)
    # An evaluation takes at least so many rows of every run at once (`rnnlab.runs.model_outputs`).
    evaluated = runs * min(max(LEAST_EVALUATED, PREDICT_BATCH // runs), extent.evaluated)
    states = max(
        trained * _states(model, extent.interface, kept=True), evaluated * _states(model, extent.interface, kept=False)
    )
    return FIGURE * (COPIES * runs * count_weights(model, extent.interface) + extent.steps * states)


def most_runs(model: ModelConfig, training: TrainConfig, extent: Extent, room: int) -> int:
    """Return the runs of a stack that fit into ``room`` bytes, 0 where not one does."""
    low, high = 0, 2**20
    while low < high:
        middle = (low + high + 1) // 2
        if stack_bytes(model, training, extent, middle) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def free() -> int:
    """Return the bytes of memory that can be had now: of this machine, or of the container where that is less."""
    found = [int(_meminfo().get("MemAvailable", 0))] if _meminfo() else []
    if not found and hasattr(os, "sysconf"):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    for limit, used in _LIMITS:
        most, now = _number(Path(limit)), _number(Path(used))
        if most is not None and now is not None:
            found.append(max(0, most - now))
    return min(found, default=2**31)


def usable(workers: int, given: float | None = None) -> int:
    """Return the bytes that each of ``workers`` may take: four fifths of what is free, or of ``given`` gigabytes all."""
    return int((SHARE_USED * free() if given is None else given * 1e9) / workers)


def said(size: float) -> str:
    """Return a size as people say it.

    Example:
        >>> said(3.2e9), said(5e5)
        ('3.2 GB', '1 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def _states(model: ModelConfig, interface: Interface, *, kept: bool) -> int:
    """Return figures a step and example: of all layers where the backward pass needs them, else of the largest."""
    width = interface.features
    if interface.symbols:
        width = model.embedding_size or interface.symbols
    gates, directions = CELLS[model.cell].gates, 2 if model.bidirectional else 1
    layers, total = [], width
    for taken, hidden in layer_sizes(model, width, interface.outputs):
        layers.append(taken + directions * hidden * (GATES_KEPT * gates + BESIDE) + output_width(model, taken, hidden))
    return total + (sum(layers) if kept else max(layers))


def _meminfo() -> dict[str, float]:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return {}
    return {name: float(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines) if rest}


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
