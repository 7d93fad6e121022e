"""The order in which training sees its examples: a row of batches a run, from the run's seed and the epoch alone."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from rnnlab.randomness import generator


def batches(
    batching: str, size: int, lengths: Tensor, labels: Tensor | None, seeds: Sequence[int], epoch: int
) -> Iterator[Tensor]:
    """Yield the batches of one epoch, for all runs at once.

    Args:
        batching: ``shuffle``, ``by_length``, ``in_order`` or ``balanced`` (see `rnnlab.config.TrainConfig`).
        size: examples a batch; the last one may be smaller.
        lengths: ``(examples,)`` the lengths of the training sequences.
        labels: ``(examples,)`` int64 classes, for ``balanced``.
        seeds: one a run.
        epoch: its number, from 0.

    Yields:
        ``(runs, batch)`` int64 positions among the training examples.
    """
    order = torch.stack([_order(batching, lengths, labels, seed, epoch) for seed in seeds])
    chunks = torch.split(order, size, dim=1)
    if batching == "by_length":
        # The order of the batches is the same for every seed, so that the runs of a stack meet like lengths
        # at the same time; which examples share a batch differs.
        turn = torch.randperm(len(chunks), generator=generator("batches", epoch)).tolist()
        chunks = tuple(chunks[i] for i in turn)
    yield from chunks


def count(size: int, examples: int) -> int:
    """Return the number of batches an epoch."""
    return -(-examples // size)


def _order(batching: str, lengths: Tensor, labels: Tensor | None, seed: int, epoch: int) -> Tensor:
    examples = len(lengths)
    draw = generator(seed, "order", epoch)
    if batching == "in_order":
        return torch.arange(examples)
    if batching == "balanced" and labels is not None:
        return _balanced(labels, draw)
    shuffled = torch.randperm(examples, generator=draw)
    if batching == "by_length":
        return shuffled[torch.argsort(lengths[shuffled], stable=True)]
    return shuffled


def _balanced(labels: Tensor, draw: torch.Generator) -> Tensor:
    """Draw a class evenly, then one of its examples, with replacement: what the lab's loop does."""
    counts = torch.bincount(labels)
    present = torch.nonzero(counts).squeeze(1)
    by_class = torch.argsort(labels, stable=True)
    first = torch.cumsum(counts, 0) - counts
    chosen = present[torch.randint(len(present), (len(labels),), generator=draw)]
    within = (torch.rand(len(labels), generator=draw, dtype=torch.float64) * counts[chosen]).long()
    return by_class[first[chosen] + within]
