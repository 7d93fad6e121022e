"""From raw input to sequences, and from a model's outputs to answers. A run carries its codec.

A codec is made from the training part alone and is plain data: ``run.json`` holds it whole.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rnnlab.config import Config, Interface
from rnnlab.data.scaling import Scaling
from rnnlab.data.sequences import Sequences
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.errors import DataError

Prediction = dict[str, Any]


class TextCodec(Config):
    """Strings to symbols, outputs to labels."""

    kind: Literal["text"] = "text"
    characters: str
    lowercase: bool = False
    labels: tuple[str, ...]

    @property
    def interface(self) -> Interface:
        """Symbols in, one output a label."""
        return Interface(symbols=len(Vocabulary(self.characters)), features=0, outputs=len(self.labels))

    def encode(self, raw: Sequence[str]) -> Sequences:
        """Return the symbols of ``raw``."""
        for row, text in enumerate(raw):
            if not isinstance(text, str):
                raise DataError(f"input {row} must be text, got {type(text).__name__}; pass strings")
        texts = [text.lower() for text in raw] if self.lowercase else raw
        return Sequences.pack(Vocabulary(self.characters).encode_all(texts))

    def decode(self, outputs: np.ndarray, raw: Sequence[Any] = ()) -> list[Prediction]:
        """Return a label and the probabilities of all labels for each row of ``outputs (examples, labels)``."""
        return decode_labels(outputs, self.labels)


class NumberCodec(Config):
    """Number sequences to scaled features; outputs to labels, or to numbers in the target's own units."""

    kind: Literal["numbers"] = "numbers"
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    labels: tuple[str, ...] = ()
    target_offset: tuple[float, ...] = ()
    target_scale: tuple[float, ...] = ()

    @property
    def interface(self) -> Interface:
        """Features in; one output a label, or one a target."""
        return Interface(symbols=0, features=len(self.offset), outputs=len(self.labels) or len(self.target_offset))

    def encode(self, raw: Sequence[Any]) -> Sequences:
        """Return ``raw``, each ``(time, features)`` or ``(time,)`` where there is one feature, scaled."""
        scaling = Scaling(self.offset, self.scale)
        return Sequences.pack([scaling.apply(self._checked(row, values)) for row, values in enumerate(raw)])

    def decode(self, outputs: np.ndarray, raw: Sequence[Any] = ()) -> list[Prediction]:
        """Return the answers for ``outputs (examples, outputs)``."""
        if self.labels:
            return decode_labels(outputs, self.labels)
        values = self.to_units(outputs)
        return [{"prediction": row[0] if len(row) == 1 else row} for row in values.tolist()]

    def to_units(self, outputs: np.ndarray) -> np.ndarray:
        """Return scaled targets ``(..., outputs)`` in their own units."""
        return Scaling(self.target_offset, self.target_scale).undo(outputs)

    def _checked(self, row: int, values: Any) -> np.ndarray:
        features = len(self.offset)
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f"input {row} must be numbers, got {str(values)[:40]!r}; pass (time, {features})") from None
        array = array[:, None] if array.ndim == 1 and features == 1 else array
        if array.ndim != 2 or array.shape[1] != features or not len(array):
            raise DataError(
                f"input {row} must have shape (time, {features}), got {array.shape}; pass the training columns"
            )
        if not np.isfinite(array).all():
            raise DataError(f"input {row} must be finite, got NaN or infinity; fill or drop it")
        return array


class SeriesCodec(Config):
    """The recent past of a series to a window; outputs to its next values, in the data's own units.

    With ``layout`` features the whole window is one step of ``context_length`` features, as the lab had it; ``gap`` steps
    are skipped between the window and the first value forecast (the lab: 1; 0 is right). With ``log`` the network sees
    ``log(1 + value)``. With ``difference`` it sees changes against so many steps before, and forecasts the next such change
    (seasonal differencing; Box and Jenkins, 1970): the value of that earlier step is added to its answer.
    """

    kind: Literal["series"] = "series"
    context_length: int = Field(ge=1)
    horizon: int = Field(1, ge=1)
    gap: int = Field(0, ge=0)
    layout: Literal["steps", "features"] = "steps"
    offset: float
    scale: float
    season: int = Field(1, ge=1)
    log: bool = False
    difference: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _difference_is_known(self) -> Self:
        if 0 < self.difference < self.gap + self.horizon:
            raise ValueError(
                f"difference must be 0 or at least gap + horizon = {self.gap + self.horizon}, got {self.difference}; "
                "a value can only be compared with one that is known"
            )
        return self

    @property
    def past_length(self) -> int:
        """Values of the past that one forecast needs."""
        return self.context_length + self.difference

    @property
    def interface(self) -> Interface:
        """One value a step (or the window as one step), ``horizon`` values out."""
        features = self.context_length if self.layout == "features" else 1
        return Interface(symbols=0, features=features, outputs=self.horizon)

    def encode(self, raw: Sequence[Any]) -> Sequences:
        """Return the window of each series in ``raw``, made of its last `past_length` values."""
        windows = []
        for past in self._pasts(raw):
            scaled = (self.changes(past) - self.offset) / self.scale
            windows.append(scaled[None, :] if self.layout == "features" else scaled[:, None])
        return Sequences.pack(windows)

    def decode(self, outputs: np.ndarray, raw: Sequence[Any] = ()) -> list[Prediction]:
        """Return the next values for each row of ``outputs (examples, horizon)``; ``raw`` as it was encoded."""
        base: np.ndarray | float = 0.0
        if self.difference and len(outputs):
            first = self.context_length + self.gap
            base = np.stack([self.level(past)[first : first + self.horizon] for past in self._pasts(raw)])
        values = self.to_units(np.asarray(outputs, dtype=np.float64), base)
        return [{"prediction": row[0] if len(row) == 1 else row} for row in values.tolist()]

    def level(self, values: np.ndarray) -> np.ndarray:
        """Return ``values``, or their ``log(1 + value)``.

        Raises:
            DataError: a value of -1 or less, which has no such logarithm.
        """
        if not self.log:
            return values
        if values.min(initial=0.0) <= -1:
            raise DataError(f"values must be above -1 for log, got {values.min():g}; forecast without log")
        return np.asarray(np.log1p(values))

    def changes(self, values: np.ndarray) -> np.ndarray:
        """Return what the network sees of ``values (time,)`` before scaling, ``(time - difference,)``."""
        level = self.level(values)
        return level[self.difference :] - level[: -self.difference] if self.difference else level

    def to_units(self, outputs: np.ndarray, base: np.ndarray | float = 0.0) -> np.ndarray:
        """Return scaled values in their own units; ``base`` is the `level` of the steps that they are changes against."""
        values = outputs * self.scale + self.offset + base
        return np.asarray(np.expm1(values) if self.log else values)

    def _pasts(self, raw: Sequence[Any]) -> list[np.ndarray]:
        pasts = []
        for row, values in enumerate(raw):
            array = np.asarray(values, dtype=np.float64).reshape(-1)[-self.past_length :]
            if len(array) < self.past_length:
                raise DataError(
                    f"series {row} must have at least {self.past_length} values, got {len(array)}; pass more of it"
                )
            if not np.isfinite(array).all():
                raise DataError(f"series {row} must be finite, got NaN or infinity; fill or drop it")
            pasts.append(array)
        return pasts


Codec = Annotated[TextCodec | NumberCodec | SeriesCodec, Field(discriminator="kind")]


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return the softmax of logits ``(examples, labels)``."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares: np.ndarray = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


def decode_labels(outputs: np.ndarray, labels: Sequence[str]) -> list[Prediction]:
    """Return the likeliest label and all probabilities, for each row of logits ``(examples, labels)``."""
    found = []
    for row in probabilities(np.asarray(outputs, dtype=np.float64)):
        found.append(
            {"prediction": labels[int(row.argmax())], "probabilities": dict(zip(labels, row.tolist(), strict=True))}
        )
    return found
