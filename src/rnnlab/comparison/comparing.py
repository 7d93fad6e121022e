"""A comparison while it runs, as a generator: baselines, then every cell tuned on the validation part and trained on all seeds.

    comparing = Comparing(plan, ComparisonConfig(seeds=10))
    for step in comparing:
        ...
    comparison = comparing.result()

All rates of a cell train as one stack, then all its seeds. A cell that is done stays done where the user breaks it off. Nothing
here prints, draws or writes files.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from rnnlab.comparison.resampling import Answers, answers, errors
from rnnlab.comparison.result import Against, CellResult, Comparison, Seed
from rnnlab.comparison.settings import TITLES, ComparisonConfig
from rnnlab.comparison.sizes import matched
from rnnlab.comparison.tuning import CellJob, Trained
from rnnlab.comparison.verdicts import METRICS, SPOKEN, judge, sentences, strongest
from rnnlab.engine import Here, Job, Processes, Progress
from rnnlab.errors import ConfigError
from rnnlab.models.parameters import count_weights
from rnnlab.runs import Run, model_outputs
from rnnlab.tasks import Task
from rnnlab.tasks.baselines import references
from rnnlab.training.fit import Plan, plan
from rnnlab.training.loop import updates
from rnnlab.training.recipes import configure

USUAL_SIZE = 64
BASELINES_SHARE = 0.02
OWN = ("cell", "hidden_size", "lr", "seed", "max_seconds")


class Comparing:
    """Iterate over it, then ask for its `result`; also after leaving the loop early.

    Args:
        plan: the task, and what all cells have in common; its cell, size, rate and seed are not used.
        config: cells, seeds, grid.
        workers: processes; with more than one, cells train beside each other, to the same figures.

    Raises:
        ConfigError: no validation or test part, a budget in seconds, or head ``none``.
    """

    def __init__(self, plan: Plan, config: ComparisonConfig, *, workers: int = 1) -> None:
        _check(plan)
        self.plan, self.config, self.task = plan, config, plan.task
        self.workers = workers if plan.device == "cpu" else 1
        size = config.hidden_size or min(USUAL_SIZE, plan.model.hidden_size)
        self.models = matched(plan.model.replace(hidden_size=size), config.cells, plan.task.interface)
        several = plan.task.timeline is not None and plan.task.timeline.several
        # Series of different level have no error in common but one without units.
        self.metric = "macro_f1" if plan.task.kind == "classify" else "mase" if several else "mae"
        self.baselines: tuple[Against, ...] = ()
        self.cells: dict[str, CellResult] = {}
        self.runs: dict[str, tuple[Run, ...]] = {}
        self._answers: dict[str, Answers] = {}
        self._began, self._done = time.perf_counter(), False

    @property
    def cost(self) -> tuple[int, int]:
        """How many runs will be trained, and the updates of each."""
        config = self.config
        tuning = len(config.rates) * config.tuning_seeds if len(config.rates) > 1 else 0
        steps = updates(self.plan.training, len(self.task.part("train")))
        assert steps is not None  # a budget in seconds alone is refused
        return len(self.models) * (tuning + config.seeds), steps

    def __iter__(self) -> Iterator[Progress]:
        """Do it; yield after every update."""
        self._began = time.perf_counter()
        yield Progress("baselines", 0.0)
        self.baselines = self._measure_baselines()
        jobs = [
            Job(cell, TITLES[cell], CellJob(self.config, model, self.metric)) for cell, model in self.models.items()
        ]
        spent, workers = dict.fromkeys(self.models, 0.0), min(self.workers, len(jobs))
        with closing(Processes(self.plan, workers) if workers > 1 else Here(self.plan)) as engine:
            for event in engine.run(jobs):
                spent[event.job.name] = event.progress.spent
                if event.done:
                    self._keep(event.job.name, event.outcome)
                share = BASELINES_SHARE + (1 - BASELINES_SHARE) * sum(spent.values()) / len(spent)
                yield Progress(event.progress.title, share)
        self._done = True

    def result(self) -> Comparison:
        """Return what is done so far, judged."""
        done = [self.cells[cell] for cell in self.models if cell in self.cells]
        best = strongest(self.baselines, self.metric)
        pairs, against = judge(done, best, self.metric, self.task, self._answers)
        said = sentences(pairs, against, self.metric, len(self.task.part("test"))) if done else []
        return Comparison(
            task=self.task.name,
            kind=self.task.kind,
            metric=self.metric,
            higher_is_better=METRICS[self.metric][1],
            cells=tuple(done),
            baselines=self.baselines,
            strongest="" if best is None else best.name,
            pairs=tuple(pairs),
            against=tuple(against),
            verdicts=(*said, *_diverged(done)),
            notes=tuple(_notes(done, self.config, bare=self.task.inputs.symbolic and not self.plan.model.ngram_size)),
            complete=self._done,
            seconds=time.perf_counter() - self._began,
            settings=self._settings(),
            data=self._data(),
        )

    def _measure_baselines(self) -> tuple[Against, ...]:
        found = references(self.task)
        for one in found:
            told = one.answers if self.task.kind == "classify" else errors(self.task, one.answers)
            self._answers[one.name] = Answers((), told[None])
        return tuple(_against(one.name, one.title, one.metrics) for one in found)

    def _keep(self, cell: str, trained: Trained) -> None:
        runs = trained.runs
        seeds = tuple(_seed(run, self.metric) for run in runs)
        sound = [run for run, seed in zip(runs, seeds, strict=True) if seed.metrics is not None]
        index = self.task.part("test")
        outputs = [model_outputs(run.model, self.task.inputs, index)[0] for run in sound]
        shape = (0, len(index), self.task.interface.outputs)
        found = np.stack(outputs) if outputs else np.zeros(shape, dtype=np.float32)
        model = self.models[cell]
        self._answers[cell] = answers(self.task, tuple(run.train_config.seed for run in sound), found)
        self.runs[cell] = runs
        weights, rate = count_weights(model, self.task.interface), runs[0].train_config.lr
        self.cells[cell] = CellResult(
            cell, TITLES[cell], model.hidden_size, weights, rate, trained.tried, seeds, trained.seconds
        )

    def _settings(self) -> dict[str, Any]:
        shared = {name: value for name, value in self.plan.training.model_dump().items() if name not in OWN}
        model = {name: value for name, value in self.plan.model.model_dump().items() if name not in OWN}
        return self.config.model_dump(mode="json") | {"model": model, "training": shared, "device": self.plan.device}

    def _data(self) -> dict[str, Any]:
        parts = {name: len(self.task.part(name)) for name in ("train", "validation", "test")}
        return parts | {"provenance": self.task.provenance, "fingerprint": self.task.fingerprint}


def compare(
    data: Any,
    cells: Sequence[str] | str = ("elman", "lstm", "gru"),
    *,
    seeds: int = 10,
    hidden_size: int | None = None,
    **options: Any,
) -> Comparison:
    """Return cells compared under equal tuning budgets, matched counts of weights, paired seeds, and against baselines.

    Args:
        data: a file, a folder, a data frame, the name of built-in data, a source, or a task.
        cells: ``elman`` (or ``rnn``), ``lstm``, ``gru``, ``combined``.
        seeds: runs of each cell; fewer than 5 allow no claim.
        hidden_size: of the cell with the most weights; 64, or what the recipe has where that is less, unless said.
        options: fields of `ComparisonConfig`, and of the configurations of data, examples, model and training; the budget is
            ``epochs`` or ``max_steps`` and is the same for every cell and rate.

    Raises:
        InputError: what is wrong with the data or an option.

    Example:
        >>> from rnnlab.data import LabelledStrings
        >>> texts = tuple(f"{a}{b}{c}" for a in "ab" for b in "xyz" for c in "12345")
        >>> source = LabelledStrings(texts, tuple(text[0] for text in texts))
        >>> compare(source, "rnn,gru", seeds=2, hidden_size=4, max_steps=3, rates="0.01").verdicts
        ('No claim: 2 seeds are too few, at least 5 are needed.',)
    """
    comparing = prepare(data, {"cells": cells, "seeds": seeds, "hidden_size": hidden_size, **options})
    for _ in comparing:
        pass
    return comparing.result()


def prepare(data: Any, options: dict[str, Any], *, device: str = "cpu", workers: int = 1) -> Comparing:
    """Return a comparison that has not begun; arguments as of `compare`."""
    options = {name: value for name, value in options.items() if value is not None}
    own = {name: options.pop(name) for name in ComparisonConfig.model_fields if name in options}
    config = ComparisonConfig(**own)
    for name in OWN:
        if name in options:
            raise ConfigError(f"{name} must be left out in a comparison, got {options[name]!r}; {_INSTEAD[name]}")
    if isinstance(data, Task):
        return Comparing(Plan(data, *configure(data, options), {}, device), config, workers=workers)
    return Comparing(plan(data, options, device=device), config, workers=workers)


_INSTEAD = {
    "cell": "name two or more in cells",
    "hidden_size": "say it once",
    "lr": "every cell is tuned over rates",
    "seed": "say how many in seeds, and the first in first_seed",
    "max_seconds": "cells get the same number of updates: pass epochs or max_steps",
}


def _check(plan: Plan) -> None:
    for part, use in (("validation", "the learning rate is chosen on it"), ("test", "the cells are judged on it")):
        if not len(plan.task.part(part)):
            raise ConfigError(f"{part} must hold examples, got none; {use}: give more data, or a larger share")
    if plan.training.max_seconds is not None:
        raise ConfigError(
            f"max_seconds must be left out in a comparison, got {plan.training.max_seconds}; {_INSTEAD['max_seconds']}"
        )


def _against(name: str, title: str, metrics: dict[str, float]) -> Against:
    return Against(name, title, SPOKEN.get(name, title), metrics)


def _seed(run: Run, metric: str) -> Seed:
    metrics = run.metrics.get("test", {})
    sound = run.status != "diverged" and math.isfinite(metrics.get(metric, math.nan))
    return Seed(run.train_config.seed, run.status if sound else "diverged", metrics if sound else None)


def _diverged(cells: Sequence[CellResult]) -> list[str]:
    said = []
    for cell in cells:
        lost = len(cell.seeds) - len(cell.sound)
        if lost:
            said.append(
                f"{cell.title} diverged in {lost} of {len(cell.seeds)} seeds; those seeds are left out of its pairs."
            )
    return said


def _notes(cells: Sequence[CellResult], config: ComparisonConfig, *, bare: bool = False) -> list[str]:
    said = []
    if cells:
        counts = ", ".join(f"{cell.title} {cell.weights:,} (hidden size {cell.hidden_size})" for cell in cells)
        most = max(cell.weights for cell in cells)
        apart = max(abs(cell.weights - most) / most for cell in cells)
        said.append(f"Weights a run: {counts}; {apart:.1%} apart at most.")
    if len(config.rates) > 1:
        said.append(
            f"Every cell was tuned over the same {len(config.rates)} learning rates with the same updates, judged on the "
            f"validation part, by {config.tuning_seeds} seed{'s' if config.tuning_seeds > 1 else ''} that no figure below is of."
        )
    for cell in cells:
        if cell.at_edge:
            said.append(
                f"The best learning rate of {cell.title}, {cell.lr:g}, is at an end of its grid; a wider grid (--rates) "
                "may suit it better."
            )
    if cells and bare:
        said.append(
            "The cells read letters alone. rnnlab train puts a bag of n-grams beside the network, which would answer for the cell here; "
            "--ngram-size 64 compares cells beside it."
        )
    if cells and config.seeds == ComparisonConfig().seeds:
        said.append("More certain: --seeds 30. Quicker: --seeds 5 --rates 0.004,0.016.")
    return said
