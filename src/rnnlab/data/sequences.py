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
        levels: ``(examples, 2, leveled)`` float32: what is taken off each of the first features of each sequence, and what they are
            divided by; None leaves them as they are. So windows of one series are scaled each by itself without being copied.
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor
    levels: Tensor | None = None

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
            return self._level(self.values[rows], index), None
        lengths = self.lengths[index]
        longest = int(lengths.max())
        steps = torch.arange(longest, device=lengths.device)
        rows = self.starts[index].unsqueeze(-1) + steps
        inside = steps < lengths.unsqueeze(-1)
        padded = self._level(self.values[rows * inside], index)
        return padded * (inside if self.symbolic else inside.unsqueeze(-1)), lengths

    def _level(self, values: Tensor, index: Tensor) -> Tensor:
        """Scale the first features of drawn ``values (..., time, features)`` in place, each sequence by its levels."""
        if self.levels is not None:
            offset, scale = self.levels[index].unsqueeze(-3).unbind(-2)
            leveled = values[..., : offset.shape[-1]]
            leveled.sub_(offset).div_(scale)
        return values

    def to(self, device: torch.device | str) -> "Sequences":
        """Return the sequences on ``device``."""
        levels = None if self.levels is None else self.levels.to(device)
        return Sequences(self.values.to(device), self.starts.to(device), self.lengths.to(device), levels)

    def part(self, first: int, end: int) -> "Sequences":
        """Return the examples from ``first`` up to ``end``, with no more values than they need."""
        starts, lengths = self.starts[first:end], self.lengths[first:end]
        levels = None if self.levels is None else self.levels[first:end]
        low, high = (int(starts.min()), int((starts + lengths).max())) if len(starts) else (0, 0)
        return Sequences(self.values[low:high], starts - low, lengths, levels)

    @classmethod
    def join(cls, parts: Sequence["Sequences"]) -> "Sequences":
        """Return the examples of ``parts`` behind each other: one part or more, all of the same features, all with levels or none.

        Example:
            >>> one = Sequences.pack([np.zeros((3, 1)), np.zeros((5, 1))])
            >>> Sequences.join([one, one.part(1, 2)]).lengths.tolist()
            [3, 5, 5]
        """
        first, starts = 0, []
        for part in parts:
            starts.append(part.starts + first)
            first += len(part.values)
        levels = [part.levels for part in parts if part.levels is not None]
        return cls(
            torch.cat([part.values for part in parts]), torch.cat(starts), torch.cat([part.lengths for part in parts]),
            torch.cat(levels) if levels else None,
        )  # fmt: skip

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
    def windows(
        cls, values: np.ndarray, starts: np.ndarray, length: int, levels: np.ndarray | None = None
    ) -> "Sequences":
        """Return overlapping windows of ``length`` steps over ``values (time, features)``, without copying them.

        Example:
            >>> Sequences.windows(np.arange(5.0)[:, None], np.arange(3), 2).gather(torch.tensor([1]))[0].tolist()
            [[[1.0], [2.0]]]
        """
        begin = torch.from_numpy(np.asarray(starts, dtype=np.int64))
        scaled = None if levels is None else torch.from_numpy(np.asarray(levels, dtype=np.float32))
        flat = torch.from_numpy(np.asarray(values, dtype=np.float32))
        return cls(flat, begin, torch.full_like(begin, length), scaled)
