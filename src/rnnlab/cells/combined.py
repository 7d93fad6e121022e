"""The lab's linear RNN: ``h' = W_ih x + b_ih + W_hh h``, whose output is ``[x, h]``, the pair it read.

The lab writes it as two linear layers on the concatenation of input and hidden state: ``i2h`` is
``[W_ih W_hh]``, and ``i2o`` is the head on ``[x_t, h_(t-1)]``. There is no activation: the network is linear in its input.
"""

from torch import Tensor

from rnnlab.cells.base import State


class Combined:
    """The hidden state of the lab's linear RNN; the layer pairs it with its input (`rnnlab.models`)."""

    gates = 1
    states = 1

    def step(self, from_input: Tensor, from_hidden: Tensor, state: State, nonlinearity: str) -> State:
        """Return ``(h',)``; shapes as in `rnnlab.cells.base.Cell.step`."""
        return (from_input + from_hidden,)
