"""Training: the loop, stacks of runs, checkpoints."""

from rnnlab.training.loop import Step, Training, train

__all__ = ["Step", "Training", "train"]
