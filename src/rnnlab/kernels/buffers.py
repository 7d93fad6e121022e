"""Working memory that is used again: fresh memory costs more than the arithmetic of a small step.

The system hands out fresh pages zeroed, one fault each: for an LSTM of 256 units that was a fifth of a training step. A
`Lease` is a buffer that returns to the shelf when nobody holds it any more. The shelf is small and drops the oldest.
"""

import math
import threading

import torch
from torch import Tensor

_SHELF_BYTES = 128 * 2**20


class _Shelf:
    """Buffers that wait for their next use; safe with several threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: list[Tensor] = []

    def take(self, size: int) -> Tensor:
        with self.lock:
            for number, buffer in enumerate(self.waiting):
                if buffer.numel() == size:
                    return self.waiting.pop(number)
        return torch.empty(size)

    def give(self, buffer: Tensor) -> None:
        if 4 * buffer.numel() > _SHELF_BYTES:
            return
        with self.lock:
            self.waiting.append(buffer)
            while 4 * sum(kept.numel() for kept in self.waiting) > _SHELF_BYTES:
                self.waiting.pop(0)


_shelf = _Shelf()


class Lease:
    """Float32 numbers to write on, cut into ``shapes``; what is in them at first is undefined.

    Example:
        >>> Lease((2, 3), (4,)).parts[1].shape
        torch.Size([4])
    """

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        # Parts begin on cache lines; sizes are rounded up by at most a quarter, so that ragged batches find a fit.
        sizes = [-(-math.prod(shape) // 16) * 16 for shape in shapes]
        total = max(sum(sizes), 16)
        grain = max(16, 2 ** (total.bit_length() - 3))
        self.buffer = _shelf.take(-(-total // grain) * grain)
        self.parts, at = [], 0
        for shape, size in zip(shapes, sizes, strict=True):
            self.parts.append(self.buffer[at : at + math.prod(shape)].view(shape))
            at += size

    def __del__(self) -> None:
        if (buffer := getattr(self, "buffer", None)) is not None:
            _shelf.give(buffer)
