"""The table of all checks, complete: importing it enters every module's checks, in the order in which they run."""

from rnnlab.doctor import dataset, evaluation, gradients, learning, losses, sequences, wiring
from rnnlab.doctor.registry import CHECKS, Check

MODULES = (dataset, wiring, losses, sequences, evaluation, gradients, learning)

__all__ = ["CHECKS", "MODULES", "Check"]
