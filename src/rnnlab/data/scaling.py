"""Standardising numbers, with the figures of the training part alone."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scaling:
    """``scaled = (raw - offset) / scale``, a feature each.

    Example:
        >>> Scaling.standard(np.array([[1.0], [3.0]])).apply(np.array([[5.0]])).tolist()
        [[3.0]]
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def standard(cls, values: np.ndarray) -> "Scaling":
        """Return the scaling to mean 0 and deviation 1 of ``values (rows, features)``; a constant keeps scale 1."""
        deviation = values.std(axis=0)
        deviation = np.where(deviation > 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0)), deviation, 1.0)
        return cls(tuple(values.mean(axis=0).tolist()), tuple(deviation.tolist()))

    @classmethod
    def unit_range(cls, values: np.ndarray) -> "Scaling":
        """Return the scaling of ``values (rows, features)`` to 0..1; a constant keeps scale 1."""
        low, span = values.min(axis=0), np.ptp(values, axis=0)
        return cls(tuple(low.tolist()), tuple(np.where(span > 0, span, 1.0).tolist()))

    @classmethod
    def identity(cls, features: int) -> "Scaling":
        """Return the scaling that changes nothing."""
        return cls((0.0,) * features, (1.0,) * features)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return ``values (..., features)`` scaled."""
        scaled: np.ndarray = (values - np.array(self.offset)) / np.array(self.scale)
        return scaled

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Return scaled ``values (..., features)`` in their own units."""
        raw: np.ndarray = values * np.array(self.scale) + np.array(self.offset)
        return raw
