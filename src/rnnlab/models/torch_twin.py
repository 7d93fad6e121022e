"""Weights to torch's own modules and back, and the lab's linear RNN as a plain module."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from rnnlab.errors import ConfigError
from rnnlab.models.model import Model

_MODULES: dict[str, Callable[..., nn.RNNBase]] = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def to_torch(model: Model, run: int = 0) -> nn.RNNBase:
    """Return the recurrent layers of one run as ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` (``batch_first=True``).

    Raises:
        ConfigError: for cell ``combined``, and for head ``none`` with several layers, which torch has no module for.
    """
    config = model.config
    if config.cell not in _MODULES or (config.head == "none" and config.num_layers > 1):
        raise ConfigError(
            f"cell must be elman, gru or lstm with layers of one size, got {config.cell} with head {config.head}"
        )
    first = cast(Tensor, model.weight_ih_l0)
    hidden = cast(Tensor, model.weight_hh_l0).shape[-1]
    extra = {"nonlinearity": config.nonlinearity} if config.cell == "elman" else {}
    module = _MODULES[config.cell](
        first.shape[-1], hidden, config.num_layers, batch_first=True, bidirectional=config.bidirectional, **extra
    )
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(cast(Tensor, getattr(model, name))[run])
    return module


def from_torch(model: Model, module: nn.RNNBase, run: int = 0) -> None:
    """Copy the weights of a torch module into one run of ``model``, in place.

    Raises:
        ConfigError: where the model has no weight of that name and shape.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            own = getattr(model, name, None)
            if not isinstance(own, Tensor) or own.shape[1:] != parameter.shape:
                shape = tuple(own.shape[1:]) if isinstance(own, Tensor) else None
                raise ConfigError(
                    f"{name} must have the model's shape {shape}, got {tuple(parameter.shape)}; match the sizes"
                )
            own[run].copy_(parameter)
