"""`TaskConfig`: how a source becomes examples, as the command line, a run folder and the documentation say it."""

from typing import Literal

from pydantic import Field, field_validator

from rnnlab.config import Config


class TaskConfig(Config):
    """How strings, sequences or a series become examples, and which of them are held out.

    Example:
        >>> TaskConfig(test=0.3).validation
        0.1
    """

    lowercase: bool = Field(False, description="Read strings in lower case.")
    context_length: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Values of the past that a forecast sees; found from the season unless said.",
    )
    difference: int | None = Field(
        None, ge=0, le=1_000_000, description="Forecast changes against the value so many steps before; 0 the values."
    )
    log: bool = Field(False, description="Let the network see log(1 + value) of a series.")
    scaling: Literal["standard", "window"] | None = Field(
        None,
        description="Scale the values by the training part (standard), or each window by itself (window), so that series of "
        "different level share a network; found from the number of series unless said.",
    )
    past_scaling: Literal["standard", "window"] | None = Field(
        None, description="Scale the --past columns likewise; as the values unless said."
    )
    calendar: bool = Field(
        False, description="Let the network see hour, weekday or season of the year of what it forecasts."
    )
    quantiles: tuple[float, ...] | None = Field(
        None,
        max_length=99,
        description="Forecast these quantiles instead of the mean: 0.05,0.5,0.95, which is usual for several series; '' the mean.",
    )
    test: float = Field(0.2, gt=0, lt=1, description="Share of the data held out for the final figures.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of the data held out for choices.")
    split_seed: int = Field(0, ge=0, lt=2**53, description="Seed of what is held out.")

    @field_validator("quantiles", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("quantiles")
    @classmethod
    def _rising(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        for share in value or ():
            if not 0 < share < 1:
                raise ValueError(f"quantiles must be between 0 and 1, got {share:g}; write --quantiles 0.05,0.5,0.95")
        # The median is the forecast itself.
        return tuple(sorted({*value, 0.5})) if value else value
