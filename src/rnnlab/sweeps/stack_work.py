"""One stack of a sweep, trained: the work of a job, wherever it is done. The worse half may be dropped at rungs.

It brings back a row a run, and the runs themselves of the stack's best setting alone: weights and histories of the others
are not kept. It chooses by the validation part and never looks at the test part for it.
"""

import math
import time
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rnnlab.config import TrainConfig
from rnnlab.engine import Progress, Tell
from rnnlab.engine.stacks import RunConfig, StackPlan
from rnnlab.findings import Finding
from rnnlab.runs import Run
from rnnlab.runs.catalogue import HIGHER_IS_BETTER
from rnnlab.training import Step, Training
from rnnlab.training.fit import Plan, using_threads, usual_threads
from rnnlab.training.stack import MAY_DIFFER

RUNGS = (1 / 8, 1 / 4, 1 / 2)
KEEP = 0.5


@dataclass(frozen=True)
class Row:
    """One run in the table of a sweep.

    Args:
        setting: the axes' values of this run.
        seed: of this run.
        parameters: weights.
        status: ``done``, ``stopped``, ``diverged`` or ``dropped``.
        steps: updates that it made.
        seconds: its share of its stack's.
        metrics: part of the data to its metrics.
    """

    setting: dict[str, Any]
    seed: int
    parameters: int
    status: str
    steps: int
    seconds: float
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)

    def score(self, metric: str) -> float | None:
        """Return the metric on the validation part; None where the run diverged."""
        value = self.metrics.get("validation", {}).get(metric, math.nan)
        return value if self.status != "diverged" and math.isfinite(value) else None


@dataclass(frozen=True)
class Trained:
    """What came of a stack: a row a run, in the stack's order; the runs of its best setting; seconds, and those of the processor."""

    rows: tuple[Row, ...]
    best: tuple[Run, ...]
    seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class StackWork:
    """Trains a stack; the jobs of a sweep share its plan.

    Args:
        stack: what is trained.
        axes: names of the options that a row tells.
        metric: by which the best setting is chosen.
        halving: whether the worse half is dropped at rungs.
    """

    stack: StackPlan
    axes: tuple[str, ...]
    metric: str
    halving: bool = False

    def __call__(self, plan: Plan, tell: Tell) -> Generator[Progress, None, Trained]:
        """Do it; yield after every update."""
        began, worked, model = time.perf_counter(), time.process_time(), self.stack.model
        title = f"{model.cell} {model.hidden_size}"
        with using_threads(usual_threads(model)):
            training = Training(plan.task, model, self.stack.configs, device=plan.device, name=model.cell)
            rungs = list(RUNGS) if self.halving else []
            for step in training:
                if rungs and step.records and step.spent >= rungs[0] and step.spent < 1:
                    rungs = [rung for rung in rungs if rung > step.spent]
                    _halve(training, step, self.stack.runs)
                alive = len(training.stack.positions)
                yield Progress(f"{title}: {alive} of {len(self.stack.configs)} runs", step.spent)
            runs = training.runs()
        seconds = time.perf_counter() - began
        about = {**plan.source, "stack": _told(self.stack.configs)}
        rows = tuple(self._row(run, seconds / len(runs)) for run in runs)
        best = _best(runs, rows, self.metric)
        kept = tuple(replace(run, data=run.data | about) for run in best)
        return Trained(rows, kept, seconds, time.process_time() - worked)

    def _row(self, run: Run, seconds: float) -> Row:
        options = run.model_config.model_dump() | run.train_config.model_dump()
        steps = int(run.history[-1]["step"]) if run.history else 0
        setting = {name: options[name] for name in self.axes}
        return Row(setting, run.train_config.seed, len(run.weights), run.status, steps, seconds, run.metrics)


def best_setting(rows: Sequence[Row], metric: str) -> tuple[Any, ...] | None:
    """Return the setting whose seeds are best on average on the validation part, as its values; None where all diverged.

    A setting of which a seed diverged comes after those that held; one that was dropped after those that were trained to the end.
    """
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.setting.values()), []).append(row)
    ranks = {setting: _rank(seeds, metric) for setting, seeds in found.items()}
    sound = {setting: rank for setting, rank in ranks.items() if rank is not None}
    return min(sound, key=lambda setting: sound[setting]) if sound else None


def _rank(seeds: Sequence[Row], metric: str) -> tuple[bool, float, float] | None:
    scores = [score for row in seeds if (score := row.score(metric)) is not None]
    if not scores:
        return None
    sign = -1.0 if metric in HIGHER_IS_BETTER else 1.0
    lost = 1 - len(scores) / len(seeds)
    return any(row.status == "dropped" for row in seeds), lost, sign * sum(scores) / len(scores)


def _best(runs: Sequence[Run], rows: Sequence[Row], metric: str) -> list[Run]:
    chosen = best_setting(rows, metric)
    return [run for run, row in zip(runs, rows, strict=True) if tuple(row.setting.values()) == chosen]


def _told(configs: Sequence[TrainConfig]) -> list[dict[str, Any]]:
    """Return what differs between the runs of a stack, an entry a run: who trains one again to the bit needs them all."""
    names = [
        name for name in sorted(MAY_DIFFER) if len({getattr(config, name) for config in configs}) > 1 or name == "seed"
    ]
    return [{name: getattr(config, name) for name in names} for config in configs]


def _halve(training: Training, step: Step, runs: Sequence[RunConfig]) -> None:
    """Drop the worse half of the settings alive, by the mean of their seeds at this evaluation."""
    # The records are of the runs before this evaluation; those that it took out are not compared.
    now = dict(zip(step.positions, step.records, strict=True))
    alive: dict[Hashable, list[int]] = {}
    for position in training.stack.positions:
        alive.setdefault(runs[position].setting, []).append(position)
    means = {setting: sum(_loss(now[one]) for one in found) / len(found) for setting, found in alive.items()}
    order = sorted(means, key=lambda setting: means[setting])
    kept = max(1, math.ceil(len(order) * KEEP))
    leaving = [position for setting in order[kept:] for position in alive[setting]]
    if leaving:
        findings = [_dropped(step, order.index(runs[one].setting) + 1, len(order), now[one]) for one in leaving]
        training.drop(leaving, findings)


def _loss(record: dict[str, Any]) -> float:
    """Return what settings are ranked by: the error of labels and then the loss, or the loss of numbers; lower is better."""
    loss = float(record["validation_loss"])
    if "validation_accuracy" in record:
        return 1 - float(record["validation_accuracy"]) + 1e-6 * min(loss, 1e3)
    return loss


def _dropped(step: Step, place: int, among: int, record: dict[str, Any]) -> Finding:
    loss = float(record["validation_loss"])
    return Finding(
        "dropped",
        "hint",
        f"Dropped at step {step.step}, {step.spent:.0%} of the budget: its setting was number {place} of {among} in its stack "
        f"(validation loss {loss:.4g}).",
        {"step": step.step, "spent": step.spent, "place": place, "among": among, "validation_loss": loss},
        "Train it to the end without --halving.",
    )
