"""A program of the corpus: a factory as `rnnlab doctor module:factory` takes it, and the fault that was put into it.

This module knows no fault and no doctor. Which third is held out is decided by the hash of a program's name, so that
nobody chooses.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

Lesson = SimpleNamespace  # model, optimizer, loss, inputs, targets, and what else a program has
CELLS: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
STEP_CELLS: dict[str, Any] = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


@dataclass(frozen=True)
class Program:
    """One program.

    Args:
        name: unique, ``fault/cell/task`` or ``healthy/what/...``.
        expects: checks that name the fault, the doctor must report one of them; empty where the program is healthy.
        build: the factory; seeds torch itself.
    """

    name: str
    expects: tuple[str, ...]
    build: Callable[[], Lesson] = field(repr=False)

    @property
    def fault(self) -> str:
        """The fault, or ``healthy``."""
        return self.name.split("/")[0]

    @property
    def held_out(self) -> bool:
        """Whether the program is one of the third that is looked at only for the final score."""
        return int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % 3 == 0

    def __call__(self) -> Lesson:
        """Build the program."""
        torch.manual_seed(int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16))
        return self.build()
