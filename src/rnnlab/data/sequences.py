"""Ragged sequences in one flat tensor: each example is a start and a length.

Windows of a series overlap, names do not; both are the same thing here, and neither is padded before a batch
is drawn. This module knows nothing of what the values mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnnlab.errors import DataError


@dataclass(frozen=True)
class Sequences:
    """Many sequences, not padded.

    Args:
        values: ``(total, features)`` float32 numbers, or ``(total,)`` int64 symbols.
        starts: ``(examples,)`` int64, the row of ``values`` at which each sequence begins.
        lengths: ``(examples,)`` int64, at least 1.
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor

    def __post_init__(self) -> None:
        if len(self.lengths) and int(self.lengths.min()) < 1:
            row = int(self.lengths.argmin())
            raise DataError(
                f"lengths must be at least 1, got {int(self.lengths[row])} in row {row}; drop empty sequences"
            )

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def symbolic(self) -> bool:
        """Whether the values are symbols rather than numbers."""
        return self.values.ndim == 1

    @property
    def features(self) -> int:
        """Numbers a step; 0 for symbols."""
        return 0 if self.symbolic else self.values.shape[1]

    @cached_property
    def uniform_length(self) -> int | None:
        """The length that all sequences have, or None where they differ."""
        if not len(self) or bool((self.lengths != self.lengths[0]).any()):
            return None
        return int(self.lengths[0])

    def gather(self, index: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return padded sequences and their lengths.

        Args:
            index: ``(...)`` int64, the examples wanted.

        Returns:
            ``(..., time)`` symbols or ``(..., time, features)`` numbers, zero behind a sequence's end; and
            ``(...)`` lengths, or None where all sequences are equally long. ``time`` is the longest length drawn.
        """
        if self.uniform_length is not None:
            rows = self.starts[index].unsqueeze(-1)
            if self.uniform_length > 1:
                rows = rows + torch.arange(self.uniform_length, device=rows.device)
            return self.values[rows], None
        lengths = self.lengths[index]
        longest = int(lengths.max())
        steps = torch.arange(longest, device=lengths.device)
        rows = self.starts[index].unsqueeze(-1) + steps
        inside = steps < lengths.unsqueeze(-1)
        padded = self.values[rows * inside]
        return padded * (inside if self.symbolic else inside.unsqueeze(-1)), lengths

    def to(self, device: torch.device | str) -> "Sequences":
        """Return the sequences on ``device``."""
        return Sequences(self.values.to(device), self.starts.to(device), self.lengths.to(device))

    @classmethod
    def pack(cls, arrays: Sequence[np.ndarray]) -> "Sequences":
        """Return the sequences of ``arrays``, each ``(time, features)`` numbers or ``(time,)`` symbols.

        Example:
            >>> Sequences.pack([np.zeros((3, 1)), np.zeros((5, 1))]).lengths.tolist()
            [3, 5]
        """
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        flat = np.concatenate(arrays) if arrays else np.zeros((0, 1))
        kind = np.int64 if flat.ndim == 1 else np.float32
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64) if len(arrays) else lengths
        return cls(torch.from_numpy(flat.astype(kind)), torch.from_numpy(starts), torch.from_numpy(lengths))

    @classmethod
    def windows(cls, values: np.ndarray, starts: np.ndarray, length: int) -> "Sequences":
        """Return overlapping windows of ``length`` steps over ``values (time, features)``, without copying them.

        Example:
            >>> Sequences.windows(np.arange(5.0)[:, None], np.arange(3), 2).gather(torch.tensor([1]))[0].tolist()
            [[[1.0], [2.0]]]
        """
        begin = torch.from_numpy(np.asarray(starts, dtype=np.int64))
        return cls(torch.from_numpy(np.asarray(values, dtype=np.float32)), begin, torch.full_like(begin, length))
