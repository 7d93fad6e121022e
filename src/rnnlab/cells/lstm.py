"""The LSTM cell with a forget gate (Hochreiter and Schmidhuber 1997; Gers and others 2000).

i, f, o = sigmoid(...), g = tanh(...), each of W_ih x + b_ih + W_hh h + b_hh
c' = f c + i g
h' = o tanh(c')
"""

from torch import Tensor

from rnnlab.cells.base import State


class LSTM:
    """``torch.nn.LSTM``'s cell; gates in the order i, f, g, o."""

    gates = 4
    states = 2

    def step(self, from_input: Tensor, from_hidden: Tensor, state: State, nonlinearity: str) -> State:
        """Return ``(h', c')``; shapes as in `rnnlab.cells.base.Cell.step`."""
        _, c = state
        i, f, g, o = (from_input + from_hidden).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
