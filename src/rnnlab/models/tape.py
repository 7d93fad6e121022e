"""The gradient of a model without autograd: recurrent layers on the kernels, what is read off them, a head.

Without autograd a small step takes about half its time (``python -m benchmarks recipes``), and a readout, a second direction or an
embedding cost next to nothing. What the kernels do not compute (another road, the combined cell) is
`rnnlab.models.Model.gradient`'s.
"""

from typing import Literal, Protocol, cast

import torch
from torch import Tensor

from rnnlab import kernels
from rnnlab.cells import baddbmm, bmm
from rnnlab.config import ModelConfig
from rnnlab.models.layers import look_up
from rnnlab.models.ngrams import bag, write_gradient
from rnnlab.models.noise import Noise
from rnnlab.models.parameters import Parts

# Embeddings are multiplied into the first layer's weights where there are at most so many symbols a sequence: a product over the
# symbols then costs less than one over the letters of a batch.
_SYMBOLS_A_SEQUENCE = 4


class Taped(Protocol):
    """What a tape asks of its model (`rnnlab.models.Model`)."""

    config: ModelConfig
    weights: Parts
    gradients: Parts

    def pieces(self, symbols: Tensor, lengths: Tensor | None, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Return the n-grams of sequences, and what each counts, as `rnnlab.models.ngrams.pieces` does."""

    def factors(self, values: Tensor, place: int | str, noise: Noise | None) -> Tensor | None:
        """Return dropout's factors ``(runs, batch, 1, width)`` for ``values (runs, batch, time, width)``, None where nothing is dropped."""


class Tape:
    """The forward pass over batches of one shape, and the way back.

    Its methods are given the model, which keeps it: two that kept each other would outlive their use.

    Args:
        model: whose weights it reads, and whose gradients it writes.
        inputs: the first batch, as of `rnnlab.models.Model.forward`; so are ``lengths``.
        lengths: None where the batch, and every other, is full.
        lasting: whether memory is kept from one batch to the next.
    """

    def __init__(self, model: Taped, inputs: Tensor, lengths: Tensor | None, *, lasting: bool = False) -> None:
        self._lengths, self._lasting = lengths, lasting
        self._layers: list[kernels.Recurrence] = []
        self._turn = self._done = 0
        embedding = model.weights.embedding if inputs.ndim == 3 else None
        folds = embedding is not None and embedding.shape[1] <= _SYMBOLS_A_SEQUENCE * inputs.shape[1]
        self._folded: Tensor | None = embedding if folds else None
        self._looked_up: Tensor | None = None if folds else embedding
        self._first, self._first_gradients = model.weights.layers[0], model.gradients.layers[0]
        if self._folded is not None:
            self._first, self._first_gradients = (
                [(torch.empty(*weights[0].shape[:2], self._folded.shape[1]), *weights[1:]) for weights in part]
                for part in (self._first, self._first_gradients)
            )

    def forward(self, model: Taped, inputs: Tensor, noise: Noise | None, *, keep: bool = True) -> Tensor:
        """Return the outputs ``(runs, batch, outputs)``; arguments as of `rnnlab.models.Model.forward`.

        Args:
            model: its own.
            inputs: of the shape and kind of the first batch.
            noise: dropout.
            keep: whether `back` is to follow.
        """
        config = model.config
        self._turn += 1
        if self._folded is not None:
            for (table, *_), (weight_ih, *_) in zip(self._first, model.weights.layers[0], strict=True):
                table.copy_(bmm(weight_ih, self._folded.transpose(1, 2)))
        read = states = inputs if self._looked_up is None else look_up(self._looked_up, inputs)
        self._symbols = inputs
        self._masks: list[Tensor | None] = []
        for number in range(config.num_layers):
            factors = model.factors(states, number, noise) if number else None
            if factors is not None:
                states = states * factors
            self._masks.append(factors)
            recurrence = self._recurrence(model, number, states, keep)
            outputs, read = recurrence.forward(states)
            if outputs is not None:
                states = outputs
        return self._from(model, read, inputs, noise)

    def _recurrence(
        self, model: Taped, number: int, inputs: Tensor, keep: bool
    ) -> "kernels.Recurrence":  # quoted: its name loads numba
        if number < len(self._layers):
            return self._layers[number]
        config = model.config
        inside = number < config.num_layers - 1
        recurrence = kernels.Recurrence(
            cast(Literal["elman", "lstm", "gru"], config.cell), model.weights.layers[number] if number else self._first,
            inputs, self._lengths, nonlinearity=config.nonlinearity, readout="last" if inside else config.readout,
            every_step=inside, wants_inputs=bool(number) or self._looked_up is not None, lasting=self._lasting,
        )  # fmt: skip
        if keep:
            self._layers.append(recurrence)
        return recurrence

    def _from(self, model: Taped, read: Tensor, inputs: Tensor, noise: Noise | None) -> Tensor:
        """Return the outputs from what is read off the last layer."""
        if model.weights.ngrams is not None and inputs.ndim == 3:
            self._pieces = model.pieces(inputs, self._lengths, noise)
            read = torch.cat([read, bag(model.weights.ngrams, *self._pieces)], dim=-1)
        factors = model.factors(read.unsqueeze(2), "head", noise)
        self._dropped = None if factors is None else factors.squeeze(2)
        self._summary = read if self._dropped is None else read * self._dropped
        if model.weights.head is None:
            return self._summary
        weight, bias = model.weights.head
        if weight.shape[1] == 1:
            # A product with one column is the slowest that torch has.
            self._outputs = (self._summary * weight).sum(dim=2, keepdim=True).add_(bias.unsqueeze(1))
        else:
            self._outputs = baddbmm(bias.unsqueeze(1), self._summary, weight.transpose(1, 2))
        return self._outputs.relu_() if model.config.head == "relu" else self._outputs

    @property
    def turn(self) -> int:
        """The number of the forward pass that `back` goes back over."""
        return self._turn

    def back(self, model: Taped, d_outputs: Tensor, turn: int) -> None:
        """Write the gradients of all weights.

        Args:
            model: its own.
            d_outputs: the gradient of the outputs.
            turn: of the forward pass that gave them.

        Raises:
            RuntimeError: another forward pass came after that one, or `back` did.
        """
        if turn != self._turn or turn == self._done:
            raise RuntimeError(
                "outputs have one gradient, to be asked for before others are computed; compute them again"
            )
        self._done = turn
        weights, gradients = model.weights, model.gradients
        if weights.head is not None and gradients.head is not None:
            if model.config.head == "relu":
                d_outputs = d_outputs * (self._outputs > 0)
            torch.sum(d_outputs, dim=1, out=gradients.head[1])
            if d_outputs.shape[2] == 1:
                torch.sum(d_outputs * self._summary, dim=1, keepdim=True, out=gradients.head[0])
                d_outputs = d_outputs * weights.head[0]
            else:
                gradients.head[0].copy_(bmm(d_outputs.transpose(1, 2), self._summary))
                d_outputs = bmm(d_outputs, weights.head[0])
        d_read = d_outputs if self._dropped is None else d_outputs * self._dropped
        if gradients.ngrams is not None and self._symbols.ndim == 3:
            found, shares = self._pieces
            width = d_read.shape[2] - gradients.ngrams.shape[2]
            write_gradient(gradients.ngrams, found, d_read[:, :, width:].unsqueeze(2) * shares.unsqueeze(3))
            d_read = d_read[:, :, :width]
        d_states: Tensor | None = None
        arrived: Tensor | None = d_read
        for number in reversed(range(len(self._layers))):
            places = gradients.layers[number] if number else self._first_gradients
            d_states, arrived = self._layers[number].backward(d_states, arrived, places), None
            factors = self._masks[number]
            if factors is not None and d_states is not None:
                d_states = d_states * factors
        if self._folded is not None:
            self._unfold(model, self._folded)
        elif self._looked_up is not None and d_states is not None:
            write_gradient(cast(Tensor, gradients.embedding), self._symbols.expand(d_states.shape[:3]), d_states)
        elif gradients.embedding is not None:
            gradients.embedding.zero_()  # the inputs were no symbols

    def _unfold(self, model: Taped, embedding: Tensor) -> None:
        """Share the gradient of the weights times the embeddings between the two."""
        total: Tensor | None = None
        for (d_table, *_), (place, *_), (weight_ih, *_) in zip(
            self._first_gradients, model.gradients.layers[0], model.weights.layers[0], strict=True
        ):
            place.copy_(bmm(d_table, embedding))
            part = bmm(d_table.transpose(1, 2), weight_ih)
            total = part if total is None else total.add_(part)
        cast(Tensor, model.gradients.embedding).copy_(cast(Tensor, total))
