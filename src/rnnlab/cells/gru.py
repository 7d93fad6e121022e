"""The GRU cell (Cho and others 2014), in the form of cuDNN and torch, with the reset gate behind the product.

r, z = sigmoid(...) of W_ih x + b_ih + W_hh h + b_hh
n = tanh(W_in x + b_in + r (W_hn h + b_hn))
h' = (1 - z) n + z h
"""

from torch import Tensor

from rnnlab.cells.base import State, recur


class GRU:
    """``torch.nn.GRU``'s cell; gates in the order r, z, n."""

    gates = 3
    states = 1

    def step(self, projected: Tensor, weight_hh: Tensor, bias_hh: Tensor, state: State, nonlinearity: str) -> State:
        """Return ``(h',)``; shapes as in `rnnlab.cells.base.Cell.step`."""
        (h,) = state
        from_input = projected.chunk(3, dim=-1)
        from_hidden = recur(h, weight_hh, bias_hh).chunk(3, dim=-1)
        r = (from_input[0] + from_hidden[0]).sigmoid()
        z = (from_input[1] + from_hidden[1]).sigmoid()
        n = (from_input[2] + r * from_hidden[2]).tanh()
        return (n + z * (h - n),)
