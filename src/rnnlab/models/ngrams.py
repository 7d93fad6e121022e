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


def pieces(symbols: Tensor, lengths: Tensor | None, runs: int, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the buckets of all pieces of a sequence, ``(runs, batch, pieces)`` int64, and what each counts: pieces are summed over the
    sequence, and averaged over the orders.

    Args:
        symbols: ``(runs or 1, batch, time)`` int64, zero behind a sequence's end.
        lengths: ``(runs or 1, batch)``; None where nothing is padded.
        runs: of the stack.
        dropped: ``(runs, batch, time + 1)``, factors of the positions whose pieces are dropped, for training.
    """
    found = buckets(symbols).expand(runs, -1, -1, -1)
    _, batch, orders, places = found.shape
    shares = torch.full((runs, batch, places), 1 / orders, device=symbols.device)
    if lengths is not None:
        shares = shares * (torch.arange(places, device=symbols.device) <= lengths.unsqueeze(-1))
    if dropped is not None:
        shares = shares * dropped
    return found.reshape(runs, batch, -1), shares.unsqueeze(2).expand(found.shape).reshape(runs, batch, -1)


def bag(table: Tensor, found: Tensor, shares: Tensor) -> Tensor:
    """Return the embeddings of pieces, added up, ``(runs, batch, width)``.

    Args:
        table: ``(runs, rows, width)``, an embedding a bucket.
        found: as of `pieces`; so are ``shares``.
        shares: what each piece counts.
    """
    runs, rows, width = table.shape
    first = torch.arange(runs, device=table.device).view(runs, 1, 1) * rows
    return functional.embedding_bag(
        (found + first).flatten(0, 1), table.reshape(runs * rows, width), mode="sum",
        per_sample_weights=shares.to(table.dtype).flatten(0, 1),
    ).view(runs, -1, width)  # fmt: skip


def write_gradient(place: Tensor, found: Tensor, d_embedded: Tensor) -> None:
    """Set ``place (runs, rows, width)`` to the gradient of a table whose rows ``found (runs, ...)`` got ``d_embedded (runs, ..., width)``."""
    place.zero_()
    for to, rows, change in zip(place, found, d_embedded, strict=True):
        to.index_add_(0, rows.reshape(-1), change.reshape(-1, change.shape[-1]))
