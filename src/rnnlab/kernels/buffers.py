"""Working memory that is used again: fresh memory costs more than the arithmetic of a small step.

The system hands out fresh pages zeroed, one fault each: for an LSTM of 256 units that was a fifth of a training step. A
`Lease` is a buffer that returns to the shelf when nobody holds it any more. The shelf drops the oldest; it is small, but keeps
the last two whatever their size: those of a large stack's forward and backward pass, which need them anyway.
"""

import threading
from collections import deque
from functools import lru_cache
from itertools import accumulate

import torch
from torch import Tensor

_SHELF_BYTES = 64 * 2**20
_ALWAYS_KEPT = 2


class _Shelf:
    """Buffers that wait for their next use; safe with several threads.

    A lease may end while its own thread holds the lock, since garbage is collected at any moment: what comes back is laid down
    without it, and put away by whoever holds it next.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.returned: deque[Tensor] = deque()
        self.waiting: list[Tensor] = []
        self.bytes = 0

    def take(self, size: int) -> Tensor:
        with self.lock:
            self._put_away()
            for number, buffer in enumerate(self.waiting):
                if buffer.numel() == size:
                    self.bytes -= 4 * size
                    return self.waiting.pop(number)
        return torch.empty(size)

    def give(self, buffer: Tensor) -> None:
        self.returned.append(buffer)
        if self.lock.acquire(blocking=False):
            try:
                self._put_away()
            finally:
                self.lock.release()

    def clear(self) -> None:
        with self.lock:
            self.returned.clear()
            self.waiting.clear()
            self.bytes = 0

    def _put_away(self) -> None:
        while self.returned:
            buffer = self.returned.popleft()
            self.waiting.append(buffer)
            self.bytes += 4 * buffer.numel()
            while len(self.waiting) > _ALWAYS_KEPT and self.bytes > _SHELF_BYTES:
                self.bytes -= 4 * self.waiting.pop(0).numel()


_shelf = _Shelf()


def clear() -> None:
    """Give back what nobody uses: for between two trainings."""
    _shelf.clear()


@lru_cache(maxsize=256)
def _layout(sizes: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Return where each part begins, in bytes, and the numbers in all.

    Parts begin on cache lines; the whole is rounded up by at most a quarter, so that ragged batches find a fit.
    """
    lines = [-(-size // 16) * 16 for size in sizes]
    total = max(sum(lines), 16)
    grain = 1 << max(4, total.bit_length() - 3)
    return tuple(4 * before for before in accumulate(lines[:-1], initial=0)), -(-total // grain) * grain


class Lease:
    """Float32 numbers to write on: parts of the given ``sizes``; what is in them at first is undefined.

    ``addresses`` says where each part begins, as long as the lease is held.

    Example:
        >>> lease = Lease(6, 4)
        >>> lease.addresses[1] - lease.addresses[0]
        64
    """

    __slots__ = ("addresses", "buffer")

    def __init__(self, *sizes: int) -> None:
        offsets, total = _layout(sizes)
        self.buffer = _shelf.take(total)
        at = self.buffer.data_ptr()
        self.addresses = [at + offset for offset in offsets]

    def __del__(self) -> None:
        if (buffer := getattr(self, "buffer", None)) is not None:
            _shelf.give(buffer)
