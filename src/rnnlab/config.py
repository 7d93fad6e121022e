"""The configuration, defined once: what a model is and how it is trained.

`ModelConfig` and `TrainConfig` are the command line's flags, a run's ``run.json`` and the documentation. They
are frozen, know no tensors, and check themselves: a wrong value raises one `ConfigError` that names the option.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rnnlab.errors import ConfigError, suggest

CellName = Literal["elman", "lstm", "gru", "combined"]
CELL_NAMES: tuple[str, ...] = get_args(CellName)


class Config(BaseModel):
    """A frozen model whose validation errors are one-line `ConfigError`s."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_one_line(type(self), error)) from None

    def replace(self, **changes: Any) -> Self:
        """Return a copy with ``changes``, checked anew.

        Example:
            >>> ModelConfig().replace(cell="lstm").cell
            'lstm'
        """
        return type(self)(**{**self.model_dump(), **changes})


@dataclass(frozen=True)
class Interface:
    """What goes into a model and what comes out: ``symbols`` (0 for numbers) or ``features`` a step, and ``outputs``."""

    symbols: int
    features: int
    outputs: int


class ModelConfig(Config):
    """What the network is: cells stacked, and a head.

    Example:
        >>> ModelConfig(cell="lstm", hidden_size=64).num_layers
        1
    """

    cell: CellName = Field(
        "gru", description="Recurrent cell: elman (rnn), lstm, gru, or combined (the lab's linear RNN)."
    )
    nonlinearity: Literal["tanh", "relu"] = Field("tanh", description="Activation of the elman cell.")
    hidden_size: int = Field(128, ge=1, le=65536, description="Units of a layer, in each direction.")
    num_layers: int = Field(1, ge=1, le=64, description="Recurrent layers.")
    bidirectional: bool = Field(False, description="Read the sequence from both ends.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of units dropped between layers and before the head.")
    embedding_size: int = Field(0, ge=0, le=65536, description="Size of the symbols' embedding; 0 feeds them one-hot.")
    ngram_size: int = Field(
        0, ge=0, le=4096, description="Width of a bag of symbol n-grams beside the readout, for strings; 0 has none."
    )
    readout: Literal["last", "mean", "max"] = Field("last", description="What the head sees of the steps.")
    head: Literal["linear", "relu", "none"] = Field(
        "linear",
        description="linear; relu (linear, then ReLU); none (the last layer has the output's size and is the answer).",
    )

    @field_validator("cell", mode="before")
    @classmethod
    def _rnn_is_elman(cls, value: object) -> object:
        return "elman" if value == "rnn" else value

    @model_validator(mode="after")
    def _combined_is_plain(self) -> Self:
        if self.cell == "combined" and self.head == "none":
            raise ValueError("head must be linear or relu with cell combined, got none; choose head linear")
        if self.ngram_size and self.head == "none":
            raise ValueError(
                "ngram_size must be 0 with head none, got a bag without a head to see it; choose head linear"
            )
        if self.bidirectional and self.head == "none":
            raise ValueError("bidirectional must be false with head none; choose head linear")
        return self


class TrainConfig(Config):
    """How the network is trained. Runs of one stack may differ in ``lr``, ``momentum``, ``weight_decay``,
    ``clip`` and ``seed``.

    Example:
        >>> TrainConfig(optimizer="sgd", lr=0.05, batch_size=1).schedule
        'constant'
    """

    optimizer: Literal["sgd", "adam", "adamw"] = Field("adamw", description="Optimizer.")
    lr: float = Field(3e-3, gt=0, description="Learning rate (the peak, with a one_cycle schedule).")
    momentum: float = Field(0.0, ge=0, lt=1, description="Momentum of sgd.")
    weight_decay: float = Field(0.0, ge=0, description="Weight decay (decoupled with adamw).")
    schedule: Literal["constant", "one_cycle", "plateau"] = Field("constant", description="Learning-rate schedule.")
    clip: float = Field(0.0, ge=0, description="Largest norm of a run's gradient; 0 does not clip.")
    batch_size: int = Field(128, ge=1, description="Sequences an update; 1 updates on every sequence.")
    batching: Literal["shuffle", "by_length", "in_order", "balanced"] = Field(
        "shuffle",
        description="shuffle; by_length (batches of like lengths); in_order; balanced (a class, then one of its examples).",
    )
    epochs: int | None = Field(None, ge=1, description="Passes over the training examples.")
    max_steps: int | None = Field(None, ge=1, description="Updates at most.")
    max_seconds: float | None = Field(None, gt=0, description="Seconds of training at most.")
    patience: int = Field(
        0, ge=0, description="Stop after so many evaluations without improvement; 0 never stops early."
    )
    evaluate_every: int = Field(0, ge=0, description="Steps between evaluations; 0 evaluates once an epoch.")
    keep: Literal["best", "last"] = Field("best", description="Weights to keep: of the best evaluation, or the last.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of a label spread over all classes.")
    prior_adjustment: float = Field(
        0.0,
        ge=0,
        le=2,
        description="Share of the class prior taken out of a classifier's outputs; 1 favours macro recall.",
    )
    input_dropout: float = Field(0.0, ge=0, lt=1, description="Share of input symbols hidden while training.")
    seed: int = Field(0, ge=0, lt=2**53, description="Seed of weights, order and dropout.")


def _one_line(model: type[Config], error: ValidationError) -> str:
    """Turn pydantic's report into *option must rule, got value; do this*."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or model.__name__
    value = first.get("input")
    if first["type"] == "extra_forbidden":
        return f"option {name!r} is unknown; use {suggest(name, model.model_fields)}"
    if first["type"] == "literal_error":
        return f"{name} must be {suggest(str(value), _choices(model.model_fields[name].annotation))}, got {value!r}"
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    rule = first["msg"].removeprefix("Input ").removeprefix("String ").removeprefix("should ")
    return f"{name} must {rule}, got {value!r}; see --help for its range"


def _choices(annotation: Any) -> list[str]:
    """Return the choices of a ``Literal``, also where it may be None."""
    found = get_args(annotation)
    return [str(item) for option in found for item in (get_args(option) or (option,)) if item is not type(None)]
