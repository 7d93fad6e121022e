"""What a sweep is asked to do, checked: how it searches, and the axes: what every option may be.

An axis is a list of values, or a range that is drawn from. Which options there are, and what they may be, the
configurations of model and training say; nothing is described twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from rnnlab.config import Config, ModelConfig, TrainConfig
from rnnlab.errors import ConfigError, suggest

Value = str | int | float | bool | None
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
SHRINK = (4, 2, 1)
LINEAR = {"dropout", "momentum", "label_smoothing", "input_dropout", "prior_adjustment"}


class SweepConfig(Config):
    """How a sweep searches.

    Example:
        >>> SweepConfig(search="random", trials=20).seeds
        3
    """

    seeds: int = Field(3, ge=1, le=1000, description="Runs of every setting, each with a seed of its own.")
    first_seed: int = Field(0, ge=0, lt=2**52, description="The first seed; the others count up from it.")
    search: Literal["grid", "random", "optuna"] = Field(
        "grid",
        description="grid takes every combination; random and optuna (rnnlab[search]) as many as --trials says, ranges LOW:HIGH too.",
    )
    trials: int = Field(30, ge=1, le=100_000, description="Settings that random and optuna try.")
    halving: bool = Field(
        False, description="Drop the worse half of a stack's settings at 1/8, 1/4 and 1/2 of the budget."
    )
    memory: float | None = Field(
        None, gt=0, description="Gigabytes that all stacks together may take; four fifths of what is free unless said."
    )


@dataclass(frozen=True)
class Range:
    """Everything between two values, drawn evenly or, with ``log``, evenly in the logarithm."""

    low: float
    high: float
    whole: bool
    log: bool

    def at(self, share: float) -> float | int:
        """Return the value at a share 0..1 of the range.

        Example:
            >>> round(Range(1e-4, 1e-2, whole=False, log=True).at(0.5), 6), Range(8, 64, whole=True, log=False).at(1.0)
            (0.001, 64)
        """
        low, high = self.low, self.high
        value = low * (high / low) ** share if self.log else low + (high - low) * share
        return round(value) if self.whole else float(f"{value:.6g}")

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}"


Axis = tuple[Value, ...] | Range
Axes = dict[str, Axis]
OPTIONS: dict[str, type[Config]] = {
    name: config for config in (ModelConfig, TrainConfig) for name in config.model_fields
}
_REFUSED = {
    "seed": "say how many in seeds, and the first in first_seed",
    "max_seconds": "runs get the same number of updates: pass epochs or max_steps",
}


def separate(options: Mapping[str, Any]) -> tuple[dict[str, Any], Axes]:
    """Return the options that are no axes, and the axes: those of model and training, checked value for value.

    Args:
        options: a value, a list of values, text with commas (``0.001,0.01``), or a range (``1e-4:1e-1``) an option.

    Raises:
        ConfigError: an axis without a value, or with a value that the option must not have.

    Example:
        >>> separate({"lr": "0.001,0.01", "cell": ["rnn", "lstm"], "horizon": 7})
        ({'horizon': 7}, {'lr': (0.001, 0.01), 'cell': ('elman', 'lstm')})
    """
    others: dict[str, Any] = {}
    axes: Axes = {}
    for name, value in options.items():
        if name in _REFUSED:
            raise ConfigError(f"{name} must be left out in a sweep, got {value!r}; {_REFUSED[name]}")
        if name in OPTIONS:
            axes[name] = _axis(name, value)
        else:
            others[name] = value
    return others, axes


def default_axes(axes: Axes, model: ModelConfig) -> Axes:
    """Return ``axes`` with learning rates and sizes where they are not said: what a map is drawn of.

    Args:
        axes: as asked.
        model: the recipe's: its size, half of it and a quarter.
    """
    sizes = tuple(dict.fromkeys(max(1, model.hidden_size // part) for part in SHRINK))
    named: Axes = {"cell": (model.cell,), "hidden_size": sizes, "lr": RATES}
    return {**{name: axes.get(name, axis) for name, axis in named.items()}, **axes}


def check_search(axes: Axes, config: SweepConfig) -> None:
    """Raise where a grid has a range in it."""
    ranges = [name for name, axis in axes.items() if isinstance(axis, Range)]
    if ranges and config.search == "grid":
        raise ConfigError(
            f"{ranges[0]} must be a list in a grid, got the range {axes[ranges[0]]}; "
            "write its values with commas, or --search random"
        )


def _axis(name: str, value: Any) -> Axis:
    if isinstance(value, str):
        parts: list[Any] = [part.strip() for part in value.split(",") if part.strip()]
    elif isinstance(value, list | tuple):
        parts = [item.strip() if isinstance(item, str) else item for item in value]
    else:
        parts = [value]
    if not parts:
        raise ConfigError(f"{name} must name at least one value, got none; an empty grid has nothing to train")
    if len(parts) == 1 and isinstance(parts[0], str) and ":" in parts[0]:
        return _range(name, parts[0])
    return tuple(dict.fromkeys(_checked(name, part) for part in parts))


def _range(name: str, text: str) -> Range:
    low, _, high = text.partition(":")
    ends = [_checked(name, end.strip()) for end in (low, high)]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        raise ConfigError(f"{name} must be a list of choices, got the range {text!r}; write them with commas")
    first, last = (float(end) for end in ends if end is not None)
    if not first < last:
        raise ConfigError(f"{name} must be a range LOW:HIGH with LOW below HIGH, got {text!r}; turn it round")
    log = name not in LINEAR and first > 0
    return Range(first, last, whole=isinstance(ends[0], int), log=log)


def _checked(name: str, value: Any) -> Value:
    found: Value = getattr(OPTIONS[name](**{name: value}), name)
    return found


def check_known(options: Mapping[str, Any], known: set[str]) -> None:
    """Raise where an option is unknown, with the nearest that there is."""
    for name in options:
        if name not in known:
            raise ConfigError(f"option {name!r} is unknown; use {suggest(name, known)}")
