"""The gradient of a plain model without autograd: recurrent layers on the kernels, the last state, a head.

Without autograd a small step takes a half to a third of its time. What is not plain (an embedding, a bag of n-grams, both directions,
another readout, another road) is `rnnlab.models.Model.gradient`'s.
"""

from collections.abc import Callable, Sequence
from typing import Literal, cast

import torch
from torch import Tensor

from rnnlab import kernels
from rnnlab.cells import baddbmm, bmm
from rnnlab.config import ModelConfig
from rnnlab.models.layers import LayerWeights

Mask = Callable[[Tensor, int | str], Tensor | None]


def is_plain(config: ModelConfig, *, symbols: bool) -> bool:
    """Return whether a model is plain, as far as its configuration says; `rnnlab.kernels.choose` has the other word.

    Example:
        >>> is_plain(ModelConfig(embedding_size=8), symbols=True)
        False
    """
    aside = symbols and (config.embedding_size or config.ngram_size)
    return config.cell != "combined" and not config.bidirectional and config.readout == "last" and not aside


class Tape:
    """A plain model's forward pass.

    Args:
        config: of the model.
        inputs: as of `rnnlab.models.Model.forward`; so are ``lengths``.
        layers: the weights of each.
        head: weight ``(runs, outputs, width)`` and bias ``(runs, outputs)``, or None.
        mask: gives dropout's factors ``(runs, batch, 1, width)`` for the values ``(runs, batch, time, width)`` at a place; None where nothing
            is dropped.

    Attributes:
        outputs: ``(runs, batch, outputs)``.
    """

    def __init__(
        self, config: ModelConfig, inputs: Tensor, lengths: Tensor | None, layers: Sequence[LayerWeights],
        head: tuple[Tensor, Tensor] | None, mask: Mask | None,
    ) -> None:  # fmt: skip
        self._pulls: list[kernels.Pull] = []
        self._masks: list[Tensor | None] = []
        cell = cast(Literal["elman", "lstm", "gru"], config.cell)
        states, last = inputs, inputs
        for number, weights in enumerate(layers):
            factors = mask(states, number) if number and mask is not None else None
            if factors is not None:
                states = states * factors
            states, last, pull = kernels.layer_vjp(
                cell, states, *weights, lengths, nonlinearity=config.nonlinearity, every_step=number < len(layers) - 1,
                wants_inputs=number > 0,
            )  # fmt: skip
            self._pulls.append(pull)
            self._masks.append(factors)
        factors = mask(last.unsqueeze(2), "head") if mask is not None else None
        self._dropped = None if factors is None else factors.squeeze(2)
        self._summary = last if self._dropped is None else last * self._dropped
        self._head, self._cut = head, config.head == "relu"
        self.outputs = self._summary
        if head is not None:
            weight, bias = head
            self.outputs = baddbmm(bias.unsqueeze(1), self._summary, weight.transpose(1, 2))
            if self._cut:
                self.outputs.relu_()

    def back(self, d_outputs: Tensor, places: Sequence[kernels.Places], head: tuple[Tensor, Tensor] | None) -> None:
        """Write the gradients of all weights; once.

        Args:
            d_outputs: the gradient of ``outputs``.
            places: of the layers' gradients.
            head: of the head's.
        """
        if self._head is not None and head is not None:
            if self._cut:
                d_outputs = d_outputs * (self.outputs > 0)
            head[0].copy_(bmm(d_outputs.transpose(1, 2), self._summary))
            torch.sum(d_outputs, dim=1, out=head[1])
            d_outputs = bmm(d_outputs, self._head[0])
        d_last: Tensor | None = d_outputs if self._dropped is None else d_outputs * self._dropped
        d_states: Tensor | None = None
        for pull, factors, place in zip(reversed(self._pulls), reversed(self._masks), reversed(places)):
            d_states, d_last = pull(d_states, d_last, place), None
            if factors is not None and d_states is not None:
                d_states = d_states * factors
