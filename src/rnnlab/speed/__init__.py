"""How fast a training step is on this machine, beside ``torch.nn`` and the machine's best matrix product."""

from rnnlab.speed.measuring import SHAPES, Shape, Speed, best_sgemm, measure

__all__ = ["SHAPES", "Shape", "Speed", "best_sgemm", "measure"]
