"""The Elman cell, ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu (Elman, Finding structure in time, 1990)."""

from torch import Tensor

from rnnlab.cells.base import State


class Elman:
    """``torch.nn.RNN``'s cell."""

    gates = 1
    states = 1

    def step(self, from_input: Tensor, from_hidden: Tensor, state: State, nonlinearity: str) -> State:
        """Return ``(h',)``; shapes as in `rnnlab.cells.base.Cell.step`."""
        total = from_input + from_hidden
        return (total.relu() if nonlinearity == "relu" else total.tanh(),)
