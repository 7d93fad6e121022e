"""What every cell is: how many gates, a state to start from, and one step."""

from typing import Protocol

import torch
from torch import Tensor

State = tuple[Tensor, ...]


class Cell(Protocol):
    """The equations of one recurrent step; the first tensor of the state is the hidden state h."""

    gates: int
    states: int

    def step(self, projected: Tensor, weight_hh: Tensor, bias_hh: Tensor, state: State, nonlinearity: str) -> State:
        """Return the state after one step.

        Args:
            projected: ``(runs, batch, gates * hidden)``, the input's part ``W_ih x + b_ih``.
            weight_hh: ``(runs, gates * hidden, hidden)``.
            bias_hh: ``(runs, gates * hidden)``.
            state: tensors ``(runs, batch, hidden)``.
            nonlinearity: ``tanh`` or ``relu``; read by the elman cell alone.
        """
        ...


def initial_state(cell: Cell, runs: int, batch: int, hidden: int, like: Tensor) -> State:
    """Return zeros ``(runs, batch, hidden)``, one tensor a state of ``cell``, with the dtype and device of ``like``."""
    return tuple(like.new_zeros(runs, batch, hidden) for _ in range(cell.states))


def recur(hidden: Tensor, weight_hh: Tensor, bias_hh: Tensor) -> Tensor:
    """Return ``W_hh h + b_hh``, ``(runs, batch, gates * hidden)``: one batched product over the runs."""
    return torch.baddbmm(bias_hh.unsqueeze(1), hidden, weight_hh.transpose(1, 2))
