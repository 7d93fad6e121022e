"""The GRU cell (Cho and others 2014), in the form of cuDNN and torch, with the reset gate behind the product.

r, z = sigmoid(...) of W_ih x + b_ih + W_hh h + b_hh
n = tanh(W_in x + b_in + r (W_hn h + b_hn))
h' = (1 - z) n + z h
"""

from torch import Tensor

from rnnlab.cells.base import State


class GRU:
    """``torch.nn.GRU``'s cell; gates in the order r, z, n."""

    gates = 3
    states = 1

    def step(self, from_input: Tensor, from_hidden: Tensor, state: State, nonlinearity: str) -> State:
        """Return ``(h',)``; shapes as in `rnnlab.cells.base.Cell.step`."""
        (h,) = state
        input_r, input_z, input_n = from_input.chunk(3, dim=-1)
        hidden_r, hidden_z, hidden_n = from_hidden.chunk(3, dim=-1)
        r = (input_r + hidden_r).sigmoid()
        z = (input_z + hidden_z).sigmoid()
        n = (input_n + r * hidden_n).tanh()
        return (n + z * (h - n),)
