"""From raw input to sequences, and from a model's outputs to answers. A run carries its codec.

A codec is made from the training part alone and is plain data: ``run.json`` holds it whole.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from rnnlab.config import Config, Interface
from rnnlab.data.scaling import Scaling
from rnnlab.data.sequences import Sequences
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.errors import DataError
from rnnlab.tasks.series_codec import Prediction, SeriesCodec
from rnnlab.tasks.window import numbers_of

__all__ = ["Codec", "NumberCodec", "Prediction", "SeriesCodec", "TextCodec", "decode_labels", "probabilities"]


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
        array = numbers_of(values, f"input {row}", f"(time, {features})")
        array = array[:, None] if array.ndim == 1 and features == 1 else array
        if array.ndim != 2 or array.shape[1] != features or not len(array):
            raise DataError(
                f"input {row} must have shape (time, {features}), got {array.shape}; pass the training columns"
            )
        if not np.isfinite(array).all():
            raise DataError(f"input {row} must be finite, got NaN or infinity; fill or drop it")
        return array


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
