"""The Elman cell, ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu (Elman, Finding structure in time, 1990)."""

from torch import Tensor

from rnnlab.cells.base import State, recur


class Elman:
    """``torch.nn.RNN``'s cell."""

    gates = 1
    states = 1

    def step(self, projected: Tensor, weight_hh: Tensor, bias_hh: Tensor, state: State, nonlinearity: str) -> State:
        """Return ``(h',)``; shapes as in `rnnlab.cells.base.Cell.step`."""
        total = projected + recur(state[0], weight_hh, bias_hh)
        return (total.relu() if nonlinearity == "relu" else total.tanh(),)
