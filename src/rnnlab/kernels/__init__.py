"""Compiled forward and backward passes of the Elman, LSTM and GRU layers, for whole stacks of runs."""

from rnnlab.kernels.choice import choose
from rnnlab.kernels.recurrent import recurrent

__all__ = ["choose", "recurrent"]
