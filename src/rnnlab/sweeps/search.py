"""Which settings are tried: all of a grid at once, random ones at once, or Optuna's, a stack at a time.

A search is asked for settings, is told how they did, and is asked again until it has none. It knows no stacks and trains
nothing.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from rnnlab.errors import MissingExtraError
from rnnlab.sweeps.grid import Setting, combinations, draws
from rnnlab.sweeps.settings import Axes, Axis, Range, SweepConfig, Value

# Settings of one stack, and stacks that are asked for before the first is told: enough for two cores.
ROUND_STACKS, MOST_IN_A_STACK = 2, 8
SHAPE = ("cell", "nonlinearity", "hidden_size", "num_layers", "bidirectional", "batch_size")


class Search(Protocol):
    """Something to be asked for settings and told their scores."""

    total: int

    def ask(self) -> list[Setting]:
        """Return settings to try now; none where the search is over."""
        ...

    def tell(self, scores: Sequence[float | None]) -> None:
        """Take note of how the settings of the last `ask` did, in their order; None where they diverged."""
        ...


def search(axes: Axes, config: SweepConfig, *, higher: bool) -> Search:
    """Return the search that ``config`` names.

    Raises:
        MissingExtraError: Optuna is not installed.
        ConfigError: a grid that is too large.
    """
    if config.search == "optuna":
        return Optuna(axes, config, higher=higher)
    return AtOnce(combinations(axes, config) if config.search == "grid" else draws(axes, config))


class AtOnce:
    """A search that has all its settings from the start."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self.total, self._settings = len(settings), list(settings)

    def ask(self) -> list[Setting]:
        """Return all settings, once."""
        found, self._settings = self._settings, []
        return found

    def tell(self, scores: Sequence[float | None]) -> None:
        """Nothing follows from it."""


class Optuna:
    """Optuna's tree-structured Parzen estimator (Bergstra and others, 2011), asked and told a stack at a time.

    The first setting of a stack is free; the others take over what makes its shape, so that all train together. The sampler
    is seeded and told in the order it was asked, so that a sweep that goes on asks the same again.
    """

    def __init__(self, axes: Axes, config: SweepConfig, *, higher: bool) -> None:
        try:
            import optuna
        except ImportError:
            raise MissingExtraError(
                'search optuna must have optuna, got none installed; pip install "rnnlab[search]"'
            ) from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.total, self._axes, self._higher = config.trials, axes, higher
        sampler = optuna.samplers.TPESampler(
            seed=config.first_seed, n_startup_trials=min(10, max(2, config.trials // 3))
        )
        self._study = optuna.create_study(direction="maximize" if higher else "minimize", sampler=sampler)
        self._asked: list[Any] = []
        self._tried = 0

    def ask(self) -> list[Setting]:
        """Return the settings of the next stacks."""
        found: list[Setting] = []
        self._asked = []
        stack = max(1, min(MOST_IN_A_STACK, -(-self.total // (3 * ROUND_STACKS))))
        for _ in range(ROUND_STACKS):
            shape: Setting = {}
            for _ in range(min(stack, self.total - self._tried)):
                if shape:
                    self._study.enqueue_trial(shape)
                trial = self._study.ask()
                setting = {name: _suggested(trial, name, axis) for name, axis in self._axes.items()}
                shape = {name: value for name, value in setting.items() if name in SHAPE}
                self._asked.append(trial)
                found.append(setting)
                self._tried += 1
        return found

    def tell(self, scores: Sequence[float | None]) -> None:
        """Tell Optuna; a setting that diverged is the worst there is."""
        worst = -math.inf if self._higher else math.inf
        for trial, score in zip(self._asked, scores, strict=True):
            self._study.tell(trial, worst if score is None else score)


def _suggested(trial: Any, name: str, axis: Axis) -> Value:
    value: Value
    if not isinstance(axis, Range):
        value = trial.suggest_categorical(name, list(axis))
    elif axis.whole:
        value = trial.suggest_int(name, int(axis.low), int(axis.high), log=axis.log)
    else:
        value = float(f"{trial.suggest_float(name, axis.low, axis.high, log=axis.log):.6g}")
    return value
