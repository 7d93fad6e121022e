"""`DataConfig`: what the columns of a file are, as the command line, a run folder and the documentation say it."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from rnnlab.commas import parts
from rnnlab.config import Config
from rnnlab.data.calendar import Fill, Frequency

Shape = Literal["strings", "wide", "long", "series"]
Aggregate = Literal["mean", "sum", "min", "max", "median", "count", "first", "last"]


class DataConfig(Config):
    """A file or folder, and what its columns are. One of four shapes:

    ========================  =================================================================
    labelled strings          ``text``, ``target`` (or a folder of ``LABEL.txt``)
    wide rows                 ``steps`` (a pattern, one column a step), ``target``
    long rows                 ``id``, ``time``, ``features``, ``target``
    series to forecast        ``time``, ``value``, perhaps ``id``, ``known``, ``past``, ``season``
    ========================  =================================================================

    Example:
        >>> DataConfig(data="gait.csv", id="subject", time="second", features="x,y,z", target="diagnosis").shape
        'long'
    """

    data: str = Field(
        ..., min_length=1, description="A file (CSV, TSV, JSON lines, Parquet; compressed or not) or a folder."
    )
    text: str | None = Field(None, description="Column of the strings.")
    target: str | None = Field(None, description="Column of the label, or of the number, to predict.")
    steps: str | None = Field(
        None, description="Columns of the steps, in order: t*, t{1..8}, or a,b,c; with a comma in a name '\"a, b\",c'."
    )
    kind: Literal["classify", "regress", "forecast"] | None = Field(
        None, description="What to predict; found from the target unless said."
    )
    id: str | None = Field(None, description="Column that tells sequences, or series, apart.")
    time: str | None = Field(None, description="Column of the times.")
    features: tuple[str, ...] = Field(
        (), description="Columns of the numbers of each step: a,b,c; with a comma in a name '\"a, b\",c'."
    )
    value: str | None = Field(None, description="Column of the series to forecast.")
    known: tuple[str, ...] = Field(
        (), description="Columns known in advance, such as promotions: a,b; quoted as --features."
    )
    past: tuple[str, ...] = Field(
        (), description="Columns known up to now alone, such as visitors: a,b; quoted as --features."
    )
    horizon: int = Field(1, ge=1, le=100_000, description="Steps ahead to forecast.")
    season: int | None = Field(
        None, ge=1, description="Steps of a season; found from the step of the times unless said."
    )
    where: tuple[str, ...] = Field((), description="Rows to keep: COLUMN=TEXT.")
    fill: Fill | None = Field(
        None,
        description="What fills gaps and missing values of a series: zero; previous; linear (looks at the value after the gap).",
    )
    aggregate: Aggregate | None = Field(None, description="What becomes of rows of one time.")
    frequency: Frequency | None = Field(None, description="Period to put the times of a series into.")
    sort: bool = Field(False, description="Sort rows whose times fall.")
    missing: Literal["refuse", "drop", "end"] = Field(
        "refuse",
        description="Empty cells of strings, wide and long rows: refuse; drop the row; end (they end a wide row's sequence).",
    )

    @field_validator("features", "known", "past", "where", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return parts(value)
        return value

    @field_validator("where")
    @classmethod
    def _where_has_a_value(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            if "=" not in part:
                raise ValueError(f"where must be COLUMN=TEXT, got {part!r}; write it as store=1")
        return value

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        said = {
            "text": self.text, "steps": self.steps, "features": self.features, "value": self.value,
        }  # fmt: skip
        named = [name for name, value in said.items() if value]
        if len(named) > 1:
            raise ValueError(
                f"{named[1]} must not go with {named[0]}, got both; pass text (strings), steps (wide rows), "
                "features (long rows) or value (series)"
            )
        if self.steps and not self.target:
            raise ValueError("target must be named with steps, got none; pass the column to predict")
        if self.features and not (self.id and self.target):
            raise ValueError("id and target must be named with features, got not both; pass the two columns")
        columns = self.features
        if self.shape == "series":
            columns = (*self.known, *self.past, *(name for name in (self.value, self.id, self.time) if name))
        repeated = [name for name in columns if columns.count(name) > 1]
        if repeated:
            raise ValueError(f"{repeated[0]!r} must be named once among the columns, got it twice; drop one")
        covariates = self.known or self.past
        if covariates and (self.text or self.shape != "series"):
            shape = "strings" if self.text else self.shape
            raise ValueError(f"known and past must go with a series, got {covariates[0]!r} with {shape}; drop it")
        wrong = {
            "strings": ("regress", "forecast"),
            "wide": ("forecast",),
            "long": ("forecast",),
            "series": ("classify", "regress"),
        }
        if self.kind in wrong[self.shape]:
            raise ValueError(f"kind must fit the columns, got {self.kind} for {self.shape}; leave kind out")
        return self

    @property
    def shape(self) -> Shape:
        """Which of the four shapes the flags describe."""
        if self.steps:
            return "wide"
        if self.features:
            return "long"
        if self.value or self.time or self.known or self.past or self.kind == "forecast" or self.fill or self.frequency:
            return "series"
        return "strings"

    @property
    def filters(self) -> dict[str, str]:
        """``where`` as column to text."""
        return {column.strip(): text.strip() for column, _, text in (part.partition("=") for part in self.where)}
