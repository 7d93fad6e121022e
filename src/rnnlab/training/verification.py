"""The receipt of a run: train it again from what its folder says, and compare to the bit.

A run that was trained beside others in a stack (`rnnlab.compare`, `rnnlab.sweep`) is trained beside them again. Where the kernels compute,
it would have the same bits alone; the sums of torch's own products may be added up in another order there. Verification knows no command
line; it names what differs, and what may be why.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rnnlab.config import TrainConfig
from rnnlab.errors import RunFolderError
from rnnlab.runs import Run, environment, load
from rnnlab.training.fit import recall, using_threads
from rnnlab.training.loop import Step, Training
from rnnlab.training.stack import MAY_DIFFER

LARGEST_STACK = 1000
CAUSES = ("rnnlab", "torch", "numpy", "python", "system", "machine", "threads")


@dataclass(frozen=True)
class Verification:
    """What came out when a run was trained again.

    Args:
        same: whether weights, metrics and history are the same to the bit.
        differences: one sentence a difference.
        causes: where the two environments differ: name to (then, now).
    """

    same: bool
    differences: tuple[str, ...] = ()
    causes: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "same": self.same,
            "differences": list(self.differences),
            "causes": {name: list(pair) for name, pair in self.causes.items()},
        }


class Verifying:
    """A run that is being trained again; iterate over it, then ask for its `result`.

    Args:
        folder: a run that is done, trained from a file.
        data: where the data are now, or the data frame; None looks where they were.

    Raises:
        RunFolderError: a damaged folder, a run that is not done, or one whose budget was in seconds.
        DataError: the data are gone, or are others by now.
    """

    def __init__(self, folder: Path | str, *, data: Any = None) -> None:
        self.folder = Path(folder)
        self.run = load(self.folder)
        if self.run.status in ("training", "interrupted"):
            raise RunFolderError(
                f"{folder} must be done, got a run that is {self.run.status}; rnnlab train --resume {folder}"
            )
        if self.run.train_config.max_seconds is not None:
            raise RunFolderError(
                f"{folder} must have a budget in epochs or steps, got max_seconds; a clock cannot be repeated"
            )
        _, plan = recall(self.folder, data=data)
        threads = self.run.environment.get("threads")
        self.threads = threads if isinstance(threads, int) and 0 < threads <= 1024 else torch.get_num_threads()
        configs, self._position = _stack(plan.training, self.run.data.get("stack"))
        self.training = Training(plan.task, plan.model, configs, device=plan.device, name=self.run.name)

    @property
    def beside(self) -> int:
        """How many other runs are trained beside it, as they were then."""
        return len(self.training.configs) - 1

    def __iter__(self) -> Iterator[Step]:
        """Train; yield after every update."""
        with using_threads(self.threads):
            yield from self.training

    def result(self) -> Verification:
        """Compare the run in the folder with the one just trained."""
        with using_threads(self.threads):
            again = self.training.runs()[self._position]
            now = environment()
        differences = tuple(_differences(self.run, again))
        then = self.run.environment
        causes = {name: (then.get(name), now.get(name)) for name in CAUSES if then.get(name) != now.get(name)}
        return Verification(not differences, differences, causes)


def _stack(training: TrainConfig, told: Any) -> tuple[list[TrainConfig], int]:
    """Return the configurations of the stack that a run was trained in, and its place among them.

    Args:
        training: the run's.
        told: of the stack: its seeds; a number, which counts up from the run's own; or, for each run, the options that differ;
            None was a run alone.
    """
    first = training.seed
    if isinstance(told, int) and not isinstance(told, bool) and 0 < told <= LARGEST_STACK:
        told = list(range(first, first + told))
    if not isinstance(told, list) or len(told) > LARGEST_STACK:
        return [training], 0
    try:
        configs = [training.replace(**_differing(one)) for one in told]
        return configs, configs.index(training)
    except ValueError:  # what no stack can have been, or one without this run
        return [training], 0


def _differing(told: Any) -> dict[str, Any]:
    found = told if isinstance(told, dict) else {"seed": told}
    if not set(found) <= MAY_DIFFER or not all(type(value) in (int, float) for value in found.values()):
        raise ValueError("a run of a stack is told by numbers")
    return found


def _differences(before: Run, after: Run) -> Iterator[str]:
    if not _same_bits(before.weights, after.weights):
        if before.weights.shape != after.weights.shape:
            yield f"the weights are {len(before.weights)} and {len(after.weights)}"
        else:
            apart = (before.weights - after.weights).abs()
            yield f"{int((apart != 0).sum())} of {len(apart)} weights differ, by {float(apart.max()):.3g} at most"
    for part in sorted(set(before.metrics) | set(after.metrics)):
        old, new = before.metrics.get(part, {}), after.metrics.get(part, {})
        # A run of an earlier version lacks figures that were not measured then.
        for name in sorted(old):
            if not _equal(old.get(name), new.get(name)):
                yield f"{part} {name} was {old.get(name)!r} and is {new.get(name)!r}"
    if before.status != after.status:
        yield f"the run was {before.status} and is {after.status}"
    old_history, new_history = ([_untimed(entry) for entry in run.history] for run in (before, after))
    if len(old_history) != len(new_history):
        yield f"the history had {len(old_history)} entries and has {len(new_history)}"
    first = next((i for i, pair in enumerate(zip(old_history, new_history)) if not _alike(*pair)), None)
    if first is not None:
        yield f"the history differs from step {new_history[first]['step']} on"


def _same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.view(torch.int32), other.view(torch.int32))


def _untimed(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "seconds"}


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(one: Any, other: Any) -> bool:
    """Whether two figures are the same; on disk, one that is not finite is null."""
    unknown = [value is None or value != value or value in (float("inf"), float("-inf")) for value in (one, other)]
    return all(unknown) if any(unknown) else bool(one == other)
