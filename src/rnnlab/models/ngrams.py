"""A bag of n-grams beside a recurrent network: every piece of two to four symbols has an embedding, and they add up.

Pieces are hashed into a fixed number of buckets (Joulin and others, 2017), so that none has to be known beforehand; a
zero symbol marks both ends of a sequence. The sum over a sequence stands beside the network's readout, and the head
sees both.
"""

import torch
import torch.nn.functional as functional
from torch import Tensor

ORDERS = (2, 3, 4)
BUCKETS = 8192
ROWS = len(ORDERS) * BUCKETS
_MULTIPLIER, _SCRAMBLE = 1_000_003, 2_654_435_761


def buckets(symbols: Tensor) -> Tensor:
    """Return the bucket of every piece, ``(runs, batch, orders, time + 1)`` int64.

    Position t holds the pieces that end at symbol t; the last one ends behind the sequence.

    Args:
        symbols: ``(runs, batch, time)`` int64, zero behind a sequence's end.
    """
    longest = max(ORDERS)
    padded = functional.pad(symbols, (longest - 1, 1))
    windows = padded.unfold(2, longest, 1)
    found = []
    for row, order in enumerate(ORDERS):
        code = torch.zeros_like(windows[..., 0])
        for symbol in windows[..., longest - order :].unbind(-1):
            code = code * _MULTIPLIER + symbol
        found.append((code * _SCRAMBLE >> 11) % BUCKETS + row * BUCKETS)
    return torch.stack(found, dim=2)


def bag(symbols: Tensor, lengths: Tensor | None, table: Tensor, dropped: Tensor | None = None) -> Tensor:
    """Return the pieces' embeddings, summed over the sequence and averaged over the orders, ``(runs, batch, width)``.

    Args:
        symbols: ``(runs or 1, batch, time)`` int64, zero behind a sequence's end.
        lengths: ``(runs or 1, batch)``; None where nothing is padded.
        table: ``(runs, rows, width)``, an embedding a bucket.
        dropped: ``(runs, batch, time + 1)``, factors of the positions whose pieces are dropped, for training.
    """
    runs, rows, width = table.shape
    pieces = buckets(symbols)
    first = torch.arange(runs, device=table.device).view(runs, 1, 1, 1) * rows
    embedded = functional.embedding(pieces + first, table.reshape(runs * rows, width)).mean(dim=2)
    if lengths is not None:
        inside = torch.arange(pieces.shape[-1], device=table.device) <= lengths.unsqueeze(-1)
        embedded = embedded * inside.unsqueeze(-1)
    if dropped is not None:
        embedded = embedded * dropped.unsqueeze(-1)
    return embedded.sum(dim=2)
