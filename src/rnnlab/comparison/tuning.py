"""One cell, tuned and trained: all learning rates as one stack, judged on the validation part; then all seeds as another.

It knows one cell and never looks at the test part to choose.
"""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnlab.comparison.result import Tried
from rnnlab.comparison.settings import TITLES, ComparisonConfig
from rnnlab.comparison.verdicts import METRICS
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.engine import Progress, Tell
from rnnlab.runs import Run
from rnnlab.training import Training
from rnnlab.training.fit import Plan, using_threads, usual_threads


@dataclass(frozen=True)
class Trained:
    """What came of a cell: a run a seed, what was tried for the learning rate, and the seconds it took."""

    runs: tuple[Run, ...]
    tried: tuple[Tried, ...]
    seconds: float


@dataclass(frozen=True)
class CellJob:
    """What is to be done for one cell, anywhere: the work of a `rnnlab.engine.Job` whose jobs share the plan.

    Args:
        config: seeds and grid.
        model: the cell, at its matched size.
        metric: that the rate is chosen by, of the validation part.
    """

    config: ComparisonConfig
    model: ModelConfig
    metric: str

    def __call__(self, plan: Plan, tell: Tell) -> Generator[Progress, None, Trained]:
        """Do it; yield after every update; return what came of it."""
        began, config, title = time.perf_counter(), self.config, TITLES[self.model.cell]
        chosen, tried = config.rates[0], tuple(Tried(rate, None, None, 0) for rate in config.rates)
        tuning = len(config.rates) * config.tuning_seeds if len(config.rates) > 1 else 0
        share = tuning / (tuning + config.seeds)
        with using_threads(usual_threads(self.model)):
            if tuning:
                training = self._training(plan, self._rates(plan.training))
                for step in training:
                    yield Progress(f"{title}: tuning over {len(config.rates)} learning rates", share * step.spent)
                tried = _tried(training.runs(), config.rates, self.metric)
                chosen = best(tried, METRICS[self.metric][1]).lr
            training = self._training(plan, self._seeds(plan.training, chosen))
            for step in training:
                spent = share + (1 - share) * step.spent
                yield Progress(f"{title}: {config.seeds} seeds at learning rate {chosen:g}", spent)
            runs = training.runs()
        # Sums over a stack round otherwise than those of a run alone: who trains it again trains the others beside it.
        about = {**plan.source, "stack": [run.train_config.seed for run in runs]}
        told = tuple(replace(run, data=run.data | about) for run in runs)
        return Trained(told, tried, time.perf_counter() - began)

    def _training(self, plan: Plan, configs: list[TrainConfig]) -> Training:
        return Training(plan.task, self.model, configs, device=plan.device, name=self.model.cell)

    def _rates(self, base: TrainConfig) -> list[TrainConfig]:
        first = self.config.first_seed + self.config.seeds
        seeds = range(first, first + self.config.tuning_seeds)
        return [base.replace(lr=rate, seed=seed) for rate in self.config.rates for seed in seeds]

    def _seeds(self, base: TrainConfig, rate: float) -> list[TrainConfig]:
        first = self.config.first_seed
        return [base.replace(lr=rate, seed=seed) for seed in range(first, first + self.config.seeds)]


def best(tried: Sequence[Tried], higher: bool) -> Tried:
    """Return the best rate; between equals the one with the lower loss; the lowest rate where all diverged.

    Example:
        >>> best([Tried(0.001, 0.7, 0.9, 0), Tried(0.01, 0.7, 0.8, 0), Tried(0.1, None, None, 1)], True).lr
        0.01
    """
    sound = [one for one in tried if one.score is not None and one.loss is not None]
    if not sound:
        return tried[0]
    return max(sound, key=lambda one: ((one.score or 0.0) * (1 if higher else -1), -(one.loss or 0.0)))


def _tried(runs: Sequence[Run], rates: Sequence[float], metric: str) -> tuple[Tried, ...]:
    other, found = "log_loss" if metric == "macro_f1" else "rmse", []
    for rate in rates:
        seen = [run for run in runs if run.train_config.lr == rate]
        lost = sum(run.status == "diverged" or not math.isfinite(run.metrics["validation"][metric]) for run in seen)
        if lost:
            found.append(Tried(rate, None, None, lost))
            continue
        score, loss = (float(np.mean([run.metrics["validation"][name] for run in seen])) for name in (metric, other))
        found.append(Tried(rate, score, loss, 0))
    return tuple(found)
