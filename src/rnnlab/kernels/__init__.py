"""Compiled forward and backward passes of the Elman, LSTM and GRU layers, for whole stacks of runs."""

from rnnlab.kernels.choice import choose
from rnnlab.kernels.recurrent import layer, recurrent

__all__ = ["choose", "layer", "recurrent"]
