"""Recurrent cells as equations on tensors, and the unrolling of a layer over time.

Axes, in this order everywhere: ``(runs, batch, time, features)``; ``hidden`` counts a layer's units, ``gates`` the
blocks of rows in its weights. A single run is a stack of one. Names and gate orders are torch's:
``weight_ih (runs, gates * hidden, input)``, ``weight_hh (runs, gates * hidden, hidden)``, ``bias_ih`` and ``bias_hh``
``(runs, gates * hidden)``; LSTM gates i, f, g, o; GRU gates r, z, n.

A cell knows one step. `unroll` knows time and lengths. Neither knows layers, heads, losses or data.
"""

from rnnlab.cells.base import Cell, State
from rnnlab.cells.combined import Combined
from rnnlab.cells.elman import Elman
from rnnlab.cells.gru import GRU
from rnnlab.cells.lstm import LSTM
from rnnlab.cells.products import baddbmm, bmm
from rnnlab.cells.unroll import mask_padding, reverse_within, unroll

CELLS: dict[str, Cell] = {"combined": Combined(), "elman": Elman(), "gru": GRU(), "lstm": LSTM()}

__all__ = [
    "CELLS", "GRU", "LSTM", "Cell", "Combined", "Elman", "State", "baddbmm", "bmm", "mask_padding", "reverse_within", "unroll",
]  # fmt: skip
