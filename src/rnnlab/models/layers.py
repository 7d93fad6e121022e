"""One recurrent layer of a stack, by the road that is fastest for its shape.

Three roads give the same numbers: the equations (`rnnlab.cells`), torch's own layers, and compiled kernels. All
take padded batches; what lies behind a sequence's end is zero in the result.
"""

from typing import Literal, cast

import torch
import torch.nn.functional as functional
from torch import Tensor

from rnnlab import kernels
from rnnlab.cells import CELLS, baddbmm, mask_padding, reverse_within, unroll
from rnnlab.config import ModelConfig
from rnnlab.kernels import choose

LayerWeights = tuple[Tensor, Tensor, Tensor, Tensor]


def run_layer(
    config: ModelConfig, inputs: Tensor, weights: LayerWeights, lengths: Tensor | None, *, reverse: bool, engine: str,
    every_step: bool = True,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the hidden state after every step, ``(runs, batch, time, hidden)``, and after the last one read, ``(runs, batch, hidden)``.

    Who needs the last alone should take it from there: the kernels then spare the gradients of all others, and writing them
    out where ``every_step`` is false, too.

    Args:
        config: names the cell.
        inputs: ``(runs or 1, batch, time, features)`` numbers, or ``(runs or 1, batch, time)`` symbols, fed one-hot.
        weights: ``weight_ih, weight_hh, bias_ih, bias_hh`` with a leading runs axis.
        lengths: ``(runs or 1, batch)``, or None where every sequence fills the batch.
        reverse: read from the end; the result is in the input's order.
        engine: ``auto``, ``equations``, ``torch`` or ``kernel``.
        every_step: whether the states after every step are wanted; otherwise there may be none.
    """
    if reverse:
        inputs = inputs.flip(2) if lengths is None else reverse_within(inputs, lengths)
    outputs, last = _forward(config, inputs, weights, lengths, engine, every_step)
    if reverse and every_step:
        outputs = outputs.flip(2) if lengths is None else reverse_within(outputs, lengths.expand(outputs.shape[:2]))
    return outputs, last


def road(config: ModelConfig, inputs: Tensor, weight_ih: Tensor, weight_hh: Tensor) -> str:
    """Return the fastest road for a layer, as `rnnlab.kernels.choose` says; arguments as of `run_layer`."""
    runs, _, hidden = weight_hh.shape
    _, batch, time = inputs.shape[:3]
    return choose(config.cell, runs, batch, time, weight_ih.shape[-1], hidden, weight_hh.device, weight_hh.dtype)


def look_up(tables: Tensor, symbols: Tensor) -> Tensor:
    """Return the rows ``(runs, batch, time, width)`` of ``tables (runs, rows, width)`` that ``symbols (runs or 1, batch, time)`` name."""
    runs, rows, width = tables.shape
    first = torch.arange(runs, device=tables.device).view(runs, 1, 1) * rows
    return functional.embedding(symbols + first, tables.reshape(runs * rows, width))


def one_hot(symbols: Tensor, size: int, like: Tensor) -> Tensor:
    """Return ``symbols (runs, batch, time)`` as ``(runs, batch, time, size)`` numbers."""
    return functional.one_hot(symbols, size).to(like)


def _forward(
    config: ModelConfig, inputs: Tensor, weights: LayerWeights, lengths: Tensor | None, engine: str, every_step: bool
) -> tuple[Tensor, Tensor]:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    if engine == "auto":
        engine = road(config, inputs, weight_ih, weight_hh)
    if engine == "kernel":
        cell = cast(Literal["elman", "lstm", "gru"], config.cell)
        return kernels.layer(cell, inputs, *weights, lengths, nonlinearity=config.nonlinearity, every_step=every_step)
    if engine == "torch":
        outputs = _by_torch(config, inputs, weights)
    else:
        projected = _project(inputs, weight_ih, bias_ih)
        outputs = unroll(CELLS[config.cell], projected, weight_hh, bias_hh, nonlinearity=config.nonlinearity)
    if lengths is not None:
        outputs = mask_padding(outputs, lengths)
    return outputs, at_the_end(outputs, lengths)


def at_the_end(states: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the last step of every sequence, ``(runs, batch, width)``, of ``states (runs, batch, time, width)``."""
    if lengths is None:
        return states[:, :, -1]
    runs, batch, _, width = states.shape
    at = (lengths - 1).clamp(min=0).expand(runs, batch).view(runs, batch, 1, 1).expand(-1, -1, 1, width)
    return states.gather(2, at).squeeze(2)


def _project(inputs: Tensor, weight_ih: Tensor, bias_ih: Tensor) -> Tensor:
    """Return ``W_ih x + b_ih`` for all steps at once, ``(runs, batch, time, gates * hidden)``."""
    runs, rows, width = weight_ih.shape
    if inputs.ndim == 3:
        # One-hot symbols: the product is a row of the transposed weights.
        return look_up(weight_ih.transpose(1, 2) + bias_ih.unsqueeze(1), inputs)
    _, batch, time, _ = inputs.shape
    flat = inputs.expand(runs, -1, -1, -1).reshape(runs, batch * time, width)
    return baddbmm(bias_ih.unsqueeze(1), flat, weight_ih.transpose(1, 2)).view(runs, batch, time, rows)


def _by_torch(config: ModelConfig, inputs: Tensor, weights: LayerWeights) -> Tensor:
    """One run through torch's own layer (oneDNN on the CPU, cuDNN on a GPU), from a zero state."""
    flat = [weight.squeeze(0) for weight in weights]
    if inputs.ndim == 3:
        inputs = one_hot(inputs, weights[0].shape[-1], weights[0])
    batch = inputs.squeeze(0)
    state = batch.new_zeros(1, batch.shape[0], weights[1].shape[-1])
    options = (flat, True, 1, 0.0, True, False, True)
    if config.cell == "lstm":
        outputs = torch.lstm(batch, (state, state), *options)[0]
    elif config.cell == "gru":
        outputs = torch.gru(batch, state, *options)[0]
    elif config.nonlinearity == "relu":
        outputs = torch.rnn_relu(batch, state, *options)[0]
    else:
        outputs = torch.rnn_tanh(batch, state, *options)[0]
    return outputs.unsqueeze(0)
