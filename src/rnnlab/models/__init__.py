"""Models: cells stacked, and a head. They know tensors and lengths, not data, losses or training."""

from rnnlab.models.model import Model
from rnnlab.models.noise import Noise
from rnnlab.models.torch_twin import from_torch, to_torch

__all__ = ["Model", "Noise", "from_torch", "to_torch"]
