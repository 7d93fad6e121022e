"""What a comparison is asked to do, checked: cells, seeds, sizes, the grid of learning rates, and names for people."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from rnnlab.config import CELL_NAMES, CellName, Config
from rnnlab.errors import suggest

TITLES: dict[str, str] = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU", "combined": "linear RNN"}
RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2)


class ComparisonConfig(Config):
    """Which cells are compared, with how much effort.

    Example:
        >>> ComparisonConfig(cells="rnn,lstm").cells
        ('elman', 'lstm')
    """

    cells: tuple[CellName, ...] = Field(
        ("elman", "lstm", "gru"), description="Cells to compare: elman (rnn), lstm, gru, combined; a,b,c."
    )
    seeds: int = Field(10, ge=1, le=1000, description="Seeds of each cell; fewer than 5 allow no claim.")
    first_seed: int = Field(0, ge=0, lt=2**52, description="The first seed; the others count up from it.")
    hidden_size: int | None = Field(
        None,
        ge=1,
        le=65536,
        description="Units of the cell with the most weights; the others get as many weights. Found from the data unless said.",
    )
    rates: tuple[float, ...] = Field(
        RATES, min_length=1, max_length=100, description="Learning rates that every cell is tuned over: a,b,c."
    )
    tuning_seeds: int = Field(
        1, ge=1, le=100, description="Seeds a learning rate while tuning; they are not among those compared."
    )

    @field_validator("rates", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _parts(value)

    @field_validator("cells", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        value = _parts(value)
        if not isinstance(value, list | tuple):
            return value
        names = tuple("elman" if name == "rnn" else name for name in value)
        for name in names:
            if name not in CELL_NAMES:
                raise ValueError(
                    f"cells must be {suggest(str(name), CELL_NAMES)}, got {name!r}; write --cells elman,lstm,gru"
                )
        return names

    @field_validator("rates")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for rate in value:
            if not rate > 0:
                raise ValueError(f"rates must be above 0, got {rate:g}; write --rates 0.001,0.004")
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        if not self.cells:
            raise ValueError("cells must name at least one, got none; write --cells elman,lstm,gru")
        twice = next((cell for cell in self.cells if self.cells.count(cell) > 1), None)
        if twice:
            raise ValueError(f"cells must be different, got {twice!r} twice; name it once")
        return self


def _parts(value: object) -> object:
    """Return a text with commas as its parts."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value
