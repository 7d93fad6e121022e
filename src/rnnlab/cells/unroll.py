"""A layer over time: one step after the other, and what a ragged batch asks of it.

A sequence's padding comes after its end, so it cannot reach the steps before it; outputs behind the end are
zero. The other direction reads each sequence reversed within its own length.
"""

import torch
from torch import Tensor

from rnnlab.cells.base import Cell, initial_state, recur


def unroll(cell: Cell, projected: Tensor, weight_hh: Tensor, bias_hh: Tensor, *, nonlinearity: str = "tanh") -> Tensor:
    """Return the hidden state after every step, from a zero state.

    Args:
        cell: the equations.
        projected: ``(runs, batch, time, gates * hidden)``, the input's part of every step.
        weight_hh: ``(runs, gates * hidden, hidden)``.
        bias_hh: ``(runs, gates * hidden)``.
        nonlinearity: of the elman cell.

    Returns:
        ``(runs, batch, time, hidden)``.
    """
    runs, batch, _, _ = projected.shape
    state = initial_state(cell, runs, batch, weight_hh.shape[-1], projected)
    # The state before the first step is zero, and so is its product.
    from_hidden = bias_hh.unsqueeze(1)
    outputs: list[Tensor] = []
    for from_input in projected.unbind(dim=2):
        if outputs:
            from_hidden = recur(state[0], weight_hh, bias_hh)
        state = cell.step(from_input, from_hidden, state, nonlinearity)
        outputs.append(state[0])
    return torch.stack(outputs, dim=2)


def mask_padding(values: Tensor, lengths: Tensor) -> Tensor:
    """Return ``values (runs, batch, time, features)`` with zeros at and behind ``lengths (runs, batch)``."""
    inside = torch.arange(values.shape[2], device=values.device) < lengths.unsqueeze(-1)
    return values * inside.unsqueeze(-1)


def reverse_within(values: Tensor, lengths: Tensor) -> Tensor:
    """Return ``values (runs, batch, time, ...)`` with each sequence reversed within its length; padding stays."""
    steps = torch.arange(values.shape[2], device=values.device)
    source = lengths.unsqueeze(-1) - 1 - steps
    source = torch.where(source >= 0, source, steps)
    if values.ndim == 3:
        return values.gather(2, source)
    return values.gather(2, source.unsqueeze(-1).expand(values.shape))
