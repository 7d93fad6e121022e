"""`TaskConfig`: how a source becomes examples, as the command line, a run folder and the documentation say it."""

from pydantic import Field

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
    test: float = Field(0.2, gt=0, lt=1, description="Share of the data held out for the final figures.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of the data held out for choices.")
    split_seed: int = Field(0, ge=0, lt=2**53, description="Seed of what is held out.")
