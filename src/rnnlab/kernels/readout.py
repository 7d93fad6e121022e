"""What is read off a shard's states, step by step, and what comes back to them.

Every step's state may be wanted, and of a sequence its last state, the mean of its states, or the largest value that each unit
had. A direction that reads from the end hands its states over in the input's order.
"""

# Compiled functions are typed by numba, from what they are called with.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from rnnlab.kernels.compiling import helper
from rnnlab.kernels.jobs import LARGEST, LAST_STATE
from rnnlab.kernels.rows import add, copy, place_of

_ZERO, _ONE = np.float32(0), np.float32(1)


@helper
def hand_over(rows, step, ahead, running, staying, lengths, reverse, readout, previous, final, outputs, read, winners):
    """Copy a step's states, now in ``previous`` or ``final``, to where they are asked for.

    ``outputs`` is empty where not every step is wanted. ``winners`` keeps the step at which a unit was at its largest.
    """
    hidden = final.shape[1]
    moment = np.float32(step)
    each = outputs.shape[0] > 0
    for row in range(0 if each or readout != LAST_STATE else staying, running):
        batch = rows[row]
        h = previous[ahead + row] if row < staying else final[row]
        if each:
            copy(h, outputs[batch, place_of(step, lengths[batch], reverse)])
        total = read[batch]
        if readout == LAST_STATE:
            if row >= staying:
                copy(h, total)
        elif step == 0:
            copy(h, total)
            if readout == LARGEST:
                winners[batch] = _ZERO
        elif readout == LARGEST:
            winner = winners[batch]
            for j in range(hidden):
                stays = h[j] <= total[j]  # what is no number wins, and stays
                winner[j] = winner[j] if stays else moment
                total[j] = total[j] if stays else h[j]
        else:
            add(h, total[:hidden])
        if readout != LAST_STATE and readout != LARGEST and row >= staying:
            count = np.float32(lengths[batch])
            for j in range(hidden):
                total[j] /= count


@helper
def bring_back(rows, step, running, lengths, reverse, readout, d_outputs, d_read, winners, carried):
    """Add what arrives at a step's states from ``d_outputs`` and ``d_read`` to ``carried``; either may be empty."""
    hidden = winners.shape[1]
    moment = np.float32(step)
    for row in range(running):
        batch, to = rows[row], carried[row]
        if d_outputs.shape[0]:
            arrived = d_outputs[batch, place_of(step, lengths[batch], reverse)]
            add(arrived, to[:hidden])
        if d_read.shape[0] and readout == LARGEST:
            arrived, winner = d_read[batch], winners[batch]
            for j in range(hidden):
                to[j] += arrived[j] if winner[j] == moment else _ZERO
        elif d_read.shape[0] and readout != LAST_STATE:
            arrived, part = d_read[batch], _ONE / np.float32(lengths[batch])
            for j in range(hidden):
                to[j] += arrived[j] * part
