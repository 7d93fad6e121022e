"""What every cell is: how many gates, a state to start from, and one step."""

from typing import Protocol

from torch import Tensor

from rnnlab.cells.products import baddbmm

State = tuple[Tensor, ...]


class Cell(Protocol):
    """The equations of one recurrent step; the first tensor of the state is the hidden state h."""

    gates: int
    states: int

    def step(self, from_input: Tensor, from_hidden: Tensor, state: State, nonlinearity: str) -> State:
        """Return the state after one step.

        Args:
            from_input: ``(runs, batch, gates * hidden)``, ``W_ih x + b_ih``.
            from_hidden: ``(runs, batch or 1, gates * hidden)``, ``W_hh h + b_hh``.
            state: tensors ``(runs, batch, hidden)``.
            nonlinearity: ``tanh`` or ``relu``; read by the elman cell alone.
        """
        ...


def initial_state(cell: Cell, runs: int, batch: int, hidden: int, like: Tensor) -> State:
    """Return zeros ``(runs, batch, hidden)``, one tensor a state of ``cell``, with the dtype and device of ``like``."""
    return tuple(like.new_zeros(runs, batch, hidden) for _ in range(cell.states))


def recur(hidden: Tensor, weight_hh: Tensor, bias_hh: Tensor) -> Tensor:
    """Return ``W_hh h + b_hh``, ``(runs, batch, gates * hidden)``: one batched product over the runs."""
    return baddbmm(bias_hh.unsqueeze(1), hidden, weight_hh.transpose(1, 2))
