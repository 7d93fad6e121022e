"""From axes to runs: every combination, or draws from them; each with all its seeds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.engine.stacks import RunConfig
from rnnlab.errors import ConfigError
from rnnlab.randomness import generator
from rnnlab.sweeps.settings import Axes, Axis, Range, SweepConfig, Value

MOST_RUNS = 100_000
Setting = dict[str, Value]


def combinations(axes: Axes, config: SweepConfig) -> list[Setting]:
    """Return every combination of the axes' values.

    Raises:
        ConfigError: more runs than anyone can want.

    Example:
        >>> combinations({"cell": ("gru",), "lr": (0.001, 0.01)}, SweepConfig())
        [{'cell': 'gru', 'lr': 0.001}, {'cell': 'gru', 'lr': 0.01}]
    """
    lists = [axis for axis in axes.values() if not isinstance(axis, Range)]
    count = math.prod(map(len, lists)) * config.seeds
    if count > MOST_RUNS:
        raise ConfigError(
            f"grid must have at most {MOST_RUNS:,} runs, got {count:,}; name fewer values, or --search random --trials 100"
        )
    return [dict(zip(axes, values, strict=True)) for values in product(*lists)]


def draws(axes: Axes, config: SweepConfig) -> list[Setting]:
    """Return ``config.trials`` different settings drawn from the axes (all there are, where there are fewer)."""
    found: dict[tuple[Value, ...], Setting] = {}
    for number in range(20 * config.trials):
        if len(found) == config.trials:
            break
        draw = torch.rand(len(axes), generator=generator(config.first_seed, "sweep", number), dtype=torch.float64)
        setting = {name: _drawn(axis, share) for (name, axis), share in zip(axes.items(), draw.tolist(), strict=True)}
        found.setdefault(tuple(setting.values()), setting)
    return list(found.values())


def with_seeds(
    settings: Sequence[Setting], model: ModelConfig, training: TrainConfig, config: SweepConfig
) -> Iterator[RunConfig]:
    """Yield the runs of ``settings``, put over what all runs have in common; the seeds of a setting beside each other."""
    for setting in settings:
        changed = model.replace(**_only(setting, ModelConfig))
        for seed in range(config.first_seed, config.first_seed + config.seeds):
            yield RunConfig(changed, training.replace(**_only(setting, TrainConfig), seed=seed))


def _only(setting: Mapping[str, Value], config: type[ModelConfig] | type[TrainConfig]) -> Setting:
    return {name: value for name, value in setting.items() if name in config.model_fields}


def _drawn(axis: Axis, share: float) -> Value:
    return axis.at(share) if isinstance(axis, Range) else axis[min(len(axis) - 1, int(share * len(axis)))]
