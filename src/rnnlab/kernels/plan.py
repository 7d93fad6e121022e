"""Who computes what: a batch dealt into shards, and its steps packed so that padding costs nothing.

A *shard* is some sequences of one run, sorted by length, longest first, so that the sequences still running at a step are
its first rows. The steps of a shard lie one behind the other in *packed* rows: those of step 0, those of step 1,
and so on. Shards depend on the shape alone, never on the number of threads, so that neither do the results.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """The order of work on a batch.

    Args:
        order: ``(runs, batch)`` sequences, shard by shard, longest first within a shard.
        bounds: ``(shards + 1,)``: shard s has the rows ``bounds[s]:bounds[s + 1]`` of ``order``.
        counts: ``(runs, shards, time + 1)`` sequences running at each step; 0 in the last place.
        starts: ``(runs, shards)`` the first packed row of each shard.
        lengths: ``(runs, batch)``.
        rows: packed rows in all.
    """

    order: Integers
    bounds: Integers
    counts: Integers
    starts: Integers
    lengths: Integers
    rows: int

    @cached_property
    def addresses(self) -> tuple[int, ...]:
        """Where the arrays lie, in the order of the fields."""
        arrays = (self.order, self.bounds, self.counts, self.starts, self.lengths)
        return tuple(array.ctypes.data for array in arrays)

    @cached_property
    def shards(self) -> int:
        """The number of shards of a run."""
        return int(self.starts.shape[1])

    @cached_property
    def tasks(self) -> int:
        """The number of shards over all runs."""
        return int(self.starts.size)


def shard_count(batch: int, hidden: int) -> int:
    """Return in how many shards a batch is dealt.

    Every shard lays the weights out for itself once a pass, which costs as much as a step of 60 rows: shards are to have 64
    sequences, 128 where weights are large, and fewer only where a second core would have nothing to do otherwise.
    """
    if batch < 32:
        return 1
    if batch <= 64:
        return 2
    return -(-batch // (128 if hidden > 128 and batch >= 256 else 64))


@lru_cache(maxsize=64)
def full_plan(runs: int, batch: int, time: int, hidden: int) -> Plan:
    """Return the plan of a batch without padding."""
    return ragged_plan(np.full((runs, batch), time, dtype=np.int64), time, hidden)


def ragged_plan(lengths: Integers, time: int, hidden: int) -> Plan:
    """Return the plan of a batch with ``lengths (runs, batch)`` up to ``time``."""
    runs, batch = lengths.shape
    shards = shard_count(batch, hidden)
    by_length = np.argsort(-lengths, axis=1, kind="stable")
    # Sorted sequences are dealt like cards: every shard gets long and short ones, and stays sorted.
    dealt = np.concatenate([np.arange(batch)[shard::shards] for shard in range(shards)])
    sizes = [len(range(shard, batch, shards)) for shard in range(shards)]
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    order = np.ascontiguousarray(by_length[:, dealt])
    sorted_lengths = np.take_along_axis(lengths, order, axis=1)
    counts = np.zeros((runs, shards, time + 1), dtype=np.int64)
    steps = np.arange(time)
    for shard in range(shards):
        inside = sorted_lengths[:, bounds[shard] : bounds[shard + 1], None] > steps
        counts[:, shard, :time] = inside.sum(axis=1)
    totals = counts.sum(axis=2)
    starts = (np.cumsum(totals) - totals.ravel()).reshape(runs, shards)
    return Plan(order, bounds, counts, starts, np.ascontiguousarray(lengths), int(totals.sum()))
