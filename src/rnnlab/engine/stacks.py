"""Any grid of runs as stacks: runs of one shape train together, as many as fit in memory.

Runs of a stack may differ in learning rate, momentum, weight decay, clipping and seed; everything else splits a grid into
stacks. How a grid is split depends on the grid and, where runs are large, on memory; not on the number of workers, so that
figures do not.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.engine.memory import Extent, most_runs, said, stack_bytes
from rnnlab.errors import ConfigError
from rnnlab.models.parameters import count_weights
from rnnlab.training.stack import MAY_DIFFER

# Beyond so many runs a stack is no faster a run (docs/log.md), and a shorter one is kept sooner.
MOST_RUNS = 64
# Fewer stacks than this leave cores idle; fewer runs a stack than that waste what stacks are for.
LEAST_STACKS, LEAST_RUNS = 4, 8


@dataclass(frozen=True)
class RunConfig:
    """One run of a grid."""

    model: ModelConfig
    training: TrainConfig

    @property
    def shape(self) -> Hashable:
        """What runs of one stack have in common."""
        return self.model.model_dump_json(), self.training.model_dump_json(exclude=MAY_DIFFER)

    @property
    def setting(self) -> Hashable:
        """All but the seed: what seeds repeat."""
        return self.model.model_dump_json(), self.training.model_dump_json(exclude={"seed"})


@dataclass(frozen=True)
class StackPlan:
    """Runs of one shape, to be trained together; ``size`` is the memory that they take at most, in bytes."""

    model: ModelConfig
    configs: tuple[TrainConfig, ...]
    size: int

    @property
    def runs(self) -> tuple[RunConfig, ...]:
        """Its runs."""
        return tuple(RunConfig(self.model, config) for config in self.configs)


def split(runs: Sequence[RunConfig], extent: Extent, room: int, *, together: bool = False) -> list[StackPlan]:
    """Return ``runs`` as stacks of one shape each; the seeds of a setting stay together where they fit.

    Args:
        runs: of the grid, seeds of a setting beside each other.
        extent: of the task.
        room: bytes that a stack may take.
        together: make stacks as large as they may be: runs of a stack compete.

    Raises:
        ConfigError: where not even a single run fits; the message names the largest size that does.

    Example:
        >>> from rnnlab.config import Interface
        >>> grid = [RunConfig(ModelConfig(cell=cell, hidden_size=8), TrainConfig(seed=seed))
        ...         for cell in ("gru", "lstm") for seed in range(20)]
        >>> extent = Extent(Interface(symbols=0, features=1, outputs=1), steps=8, train=100, evaluated=100)
        >>> [(stack.model.cell, len(stack.configs)) for stack in split(grid, extent, room=10**9)]
        [('gru', 10), ('gru', 10), ('lstm', 10), ('lstm', 10)]
    """
    shapes: dict[Hashable, list[RunConfig]] = {}
    for run in runs:
        shapes.setdefault(run.shape, []).append(run)
    stacks: list[StackPlan] = []
    for found in shapes.values():
        model, training = found[0].model, found[0].training
        fitting = most_runs(model, training, extent, room)
        if not fitting:
            raise _too_large(found[0], extent, stack_bytes(model, training, extent), room)
        most = min(fitting, MOST_RUNS if together else _usual(len(found), len(shapes)))
        for part in _parts(found, most):
            size = stack_bytes(model, training, extent, len(part))
            stacks.append(StackPlan(model, tuple(run.training for run in part), size))
    return stacks


def _usual(runs: int, shapes: int) -> int:
    """Return the runs a stack, as far as memory does not ask for fewer."""
    wanted = -(-LEAST_STACKS // shapes)
    return max(LEAST_RUNS, min(MOST_RUNS, -(-runs // wanted)))


def _parts(runs: Sequence[RunConfig], most: int) -> list[list[RunConfig]]:
    """Return ``runs`` in about equal parts of at most ``most``; a setting is split where it alone is larger."""
    settings = [list(found) for _, found in groupby(runs, key=lambda run: run.setting)]
    pieces = [found[at : at + most] for found in settings for at in range(0, len(found), most)]
    even = -(-len(runs) // -(-len(runs) // most))
    parts: list[list[RunConfig]] = []
    for piece in pieces:
        room = min(most, max(even, len(piece)))
        if parts and len(parts[-1]) + len(piece) <= room:
            parts[-1] += piece
        else:
            parts.append(list(piece))
    return parts


def cost(plan: StackPlan, extent: Extent, epochs: int) -> float:
    """Return the expected work of a stack, in no unit: for the order of the stacks and the time left."""
    config = plan.configs[0]
    batches = -(-extent.train // config.batch_size)
    steps = min(config.max_steps or 10**12, (config.epochs or (10**9 if config.max_steps else epochs)) * batches)
    rows = min(config.batch_size, extent.train) * extent.steps
    # An update costs as much as so many products, however small it is; measured on two shapes of `binary`.
    return steps * (200_000 + len(plan.configs) * rows * (300 + 6 * count_weights(plan.model, extent.interface)) / 20)


def _too_large(run: RunConfig, extent: Extent, each: int, room: int) -> ConfigError:
    def fits(**changes: int) -> bool:
        model = run.model.replace(**{k: v for k, v in changes.items() if k in ModelConfig.model_fields})
        training = run.training.replace(**{k: v for k, v in changes.items() if k in TrainConfig.model_fields})
        return stack_bytes(model, training, extent) <= room

    hidden = _largest(run.model.hidden_size, lambda size: fits(hidden_size=size))
    batch = _largest(run.training.batch_size, lambda size: fits(batch_size=size))
    ways = [f"--hidden-size {hidden}"] if hidden else []
    ways += [f"--batch-size {batch}"] if batch else []
    way = " or ".join(ways) or "a machine with more memory"
    return ConfigError(
        f"hidden_size {run.model.hidden_size} with batch_size {run.training.batch_size} must fit in memory, got "
        f"{said(each)} a run where a worker has {said(room)}; use {way}, or fewer --workers"
    )


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest size up to ``most`` that fits, 0 where none does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
