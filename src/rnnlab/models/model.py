"""A stack of runs of one model: embedding, recurrent layers, readout, head.

Weights carry a leading runs axis and are views into one flat buffer (`rnnlab.models.parameters`). The model
knows no task: what its outputs mean, and what a loss is, is not its business.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from rnnlab import kernels
from rnnlab.cells import CELLS, baddbmm, mask_padding
from rnnlab.config import Interface, ModelConfig
from rnnlab.data.vocabulary import UNKNOWN
from rnnlab.models.layers import LayerWeights, at_the_end, look_up, one_hot, road, run_layer
from rnnlab.models.ngrams import bag, pieces
from rnnlab.models.noise import Noise
from rnnlab.models.parameters import collect, gradient_places, initialise, parts, views, weights
from rnnlab.models.tape import Tape

# Tapes with at most so many numbers in their gates are kept, and at most so many of them.
_KEPT_NUMBERS, _KEPT_TAPES = 2_000_000, 4


class Model(nn.Module):
    """A stack of runs that share a shape and differ in their weights.

    Args:
        config: cell, sizes, readout, head.
        interface: what goes in and what comes out.
        seeds: one a run; the first weights of a run depend on its seed alone.

    Example:
        >>> model = Model(ModelConfig(hidden_size=4), Interface(symbols=0, features=2, outputs=3), seeds=[0, 1])
        >>> model(torch.zeros(1, 5, 7, 2)).shape
        torch.Size([2, 5, 3])
    """

    def __init__(self, config: ModelConfig, interface: Interface, seeds: Sequence[int] = (0,)) -> None:
        super().__init__()
        self.config, self.interface = config, interface
        self.engine = "auto"
        self.layout = weights(
            config, interface.symbols, interface.features, interface.outputs, CELLS[config.cell].gates
        )
        self.bind(initialise(self.layout, list(seeds)))

    def bind(self, flat: Tensor) -> None:
        """Make ``flat (runs, size)`` the model's weights."""
        self.flat, self._gradient = flat, torch.zeros_like(flat)
        own, gradients = views(flat, self.layout), views(self._gradient, self.layout)
        for name, view in own.items():
            self.register_parameter(name, nn.Parameter(view))
        self._gradient_views = gradients
        self._places = gradient_places(dict(self.named_parameters()), gradients)
        self._tapes: dict[torch.Size, Tape] = {}
        self.weights, self.gradients = parts(own, self.config), parts(gradients, self.config)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: not the tapes, which know where these weights lie."""
        return self.__dict__ | {"_tapes": {}}

    def vjp(
        self, inputs: Tensor, lengths: Tensor | None = None, noise: Noise | None = None
    ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the outputs, and their vector-Jacobian product: a function to be called once, of the outputs' gradient.

        It returns the gradient of the weights as ``(runs, size)``, in a buffer that the next call overwrites. Arguments as
        of `forward`.

        Example:
            >>> model = Model(ModelConfig(head="none"), Interface(symbols=0, features=2, outputs=3))
            >>> outputs, pull = model.vjp(torch.zeros(1, 5, 7, 2))
            >>> pull(2 * outputs).shape == model.flat.shape
            True
        """
        lengths = _unless_full(lengths, inputs)
        tape = self._tape(inputs, lengths)
        if tape is None:
            with torch.enable_grad():
                outputs = self._by_autograd(inputs, lengths, noise)
            return outputs.detach(), lambda d_outputs: self.gradient(outputs, d_outputs)
        outputs, turn = tape.forward(self, inputs, noise), tape.turn

        def pull(d_outputs: Tensor) -> Tensor:
            tape.back(self, d_outputs, turn)
            return self._gradient

        return outputs, pull

    def _on_kernels(self, inputs: Tensor) -> bool:
        """Return whether the kernels are the road of every layer."""
        if self.config.cell == "combined":
            return False
        if self.engine != "auto":
            return self.engine == "kernel"
        return all(
            road(self.config, inputs, *direction[:2]) == "kernel"
            for layer in self.weights.layers
            for direction in layer
        )

    def _tape(self, inputs: Tensor, lengths: Tensor | None) -> Tape | None:
        """Return a tape for a batch, None where the kernels are not its road.

        Of small full batches it is kept: what is worked out once is worth having there.
        """
        known = self._tapes.get(inputs.shape) if lengths is None and self.engine in ("auto", "kernel") else None
        if known is not None:
            return known
        if not self._on_kernels(inputs):
            return None
        _, batch, time = inputs.shape[:3]
        states = sum(len(direction[2]) * direction[2].shape[1] for layer in self.weights.layers for direction in layer)
        lasting = lengths is None and batch * time * states <= _KEPT_NUMBERS
        tape = Tape(self, inputs, lengths, lasting=lasting)
        if lasting:
            if len(self._tapes) >= _KEPT_TAPES:
                self._tapes.clear()
            self._tapes[inputs.shape] = tape
        return tape

    def gradient(self, outputs: Tensor, d_outputs: Tensor | None = None) -> Tensor:
        """Return the gradient of the weights as ``(runs, size)``, in a buffer that the next call overwrites, by autograd.

        Args:
            outputs: of `forward`, or a number ``()`` made of them.
            d_outputs: the gradient of ``outputs``; None for a number's own.
        """
        # In sequences of one step the recurrent weights take no part: their gradient is zero, not missing.
        with kernels.gradients_into(self._places):
            found = torch.autograd.grad(outputs, list(self.parameters()), d_outputs, materialize_grads=True)
        collect(found, self._gradient_views.values())
        return self._gradient

    @property
    def runs(self) -> int:
        """The number of runs in the stack."""
        return self.flat.shape[0]

    @property
    def parameters_a_run(self) -> int:
        """The number of weights of one run."""
        return self.flat.shape[1]

    def place(self, device: torch.device | str) -> "Model":
        """Move the weights to ``device`` and return the model."""
        self.bind(self.flat.detach().to(device))
        return self

    def forward(self, inputs: Tensor, lengths: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Return the outputs ``(runs, batch, outputs)``.

        Args:
            inputs: ``(runs or 1, batch, time)`` symbols or ``(runs or 1, batch, time, features)`` numbers; with 1, all
                runs see the same examples.
            lengths: ``(runs or 1, batch)`` int64; None where nothing is padded.
            noise: dropout of one update; None switches it off.
        """
        lengths = _unless_full(lengths, inputs)
        if not torch.is_grad_enabled() and self._on_kernels(inputs):
            # A tape of its own: several threads may ask at once.
            return Tape(self, inputs, lengths).forward(self, inputs, noise, keep=False)
        return self._by_autograd(inputs, lengths, noise)

    def _by_autograd(self, inputs: Tensor, lengths: Tensor | None, noise: Noise | None) -> Tensor:
        states, last = self._states(inputs, lengths, noise, every_step=self.config.readout != "last")
        summary = last if self.config.readout == "last" else self._pooled(states, lengths)
        if self.config.ngram_size and inputs.ndim == 3:
            summary = torch.cat([summary, bag(cast(Tensor, self.ngrams), *self.pieces(inputs, lengths, noise))], dim=-1)
        return self._head(self._drop(summary.unsqueeze(2), "head", noise).squeeze(2))

    def states(self, inputs: Tensor, lengths: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Return what the last layer holds after every step, ``(runs, batch, time, width)``; arguments as of `forward`.

        ``width`` is the hidden size, twice that in both directions; a ``combined`` cell's is its input and hidden state.
        """
        return self._states(inputs, lengths, noise)[0]

    def _states(
        self, inputs: Tensor, lengths: Tensor | None, noise: Noise | None, *, every_step: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Return the last layer's states, and what it holds when each direction is done, ``(runs, batch, width)``."""
        states = last = self.embed(inputs)
        for layer in range(self.config.num_layers):
            if layer:
                states = self._drop(states, layer, noise)
            inside = layer < self.config.num_layers - 1
            states, last = self._layer(states, layer, lengths, every_step=every_step or inside)
        return states, last

    def embed(self, inputs: Tensor) -> Tensor:
        """Return what the first layer is fed: ``inputs``, or the embeddings of symbols where the model has any."""
        if not self.config.embedding_size or inputs.ndim == 4:
            return inputs
        return look_up(cast(Tensor, self.embedding), inputs)

    def pieces(self, symbols: Tensor, lengths: Tensor | None, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Return the n-grams of sequences as `rnnlab.models.ngrams.pieces` does, some of them dropped; arguments as of `forward`."""
        dropped, share = None, self.config.dropout
        if noise is not None and share:
            _, batch, time = symbols.shape
            hidden = noise.hidden_steps("pieces", batch, time + 1, share)
            dropped = (~hidden / (1 - share)).to(symbols.device)
        return pieces(symbols, lengths, self.runs, dropped)

    def _drop(self, values: Tensor, place: int | str, noise: Noise | None) -> Tensor:
        factors = self.factors(values, place, noise)
        return values if factors is None else values * factors

    def factors(self, values: Tensor, place: int | str, noise: Noise | None) -> Tensor | None:
        """Return dropout's factors ``(runs, batch, 1, width)`` for ``values (runs, batch, time, width)``, None where nothing is dropped."""
        if noise is None or not self.config.dropout:
            return None
        _, batch, _, width = values.shape
        return noise.units(place, batch, width, self.config.dropout, values)

    def layer(self, inputs: Tensor, layer: int, lengths: Tensor | None = None) -> Tensor:
        """Return the states of one layer after every step, ``(runs, batch, time, width)``, the directions side by side.

        Args:
            inputs: what the layer below gives, or `embed`.
            layer: from 0.
            lengths: as of `forward`.
        """
        return self._layer(inputs, layer, lengths)[0]

    def _layer(
        self, inputs: Tensor, layer: int, lengths: Tensor | None, *, every_step: bool = True
    ) -> tuple[Tensor, Tensor]:
        if not self.config.bidirectional:
            return self._direction(inputs, layer, lengths, False, every_step)
        both = [self._direction(inputs, layer, lengths, reverse, every_step) for reverse in (False, True)]
        states, last = (torch.cat(parts, dim=-1) for parts in zip(*both, strict=True))
        return states, last

    def _direction(
        self, inputs: Tensor, layer: int, lengths: Tensor | None, reverse: bool, every_step: bool
    ) -> tuple[Tensor, Tensor]:
        states, last = run_layer(
            self.config, inputs, self._weights(layer, reverse), lengths, reverse=reverse, engine=self.engine,
            every_step=every_step or self.config.cell == "combined",
        )  # fmt: skip
        if self.config.cell == "combined":
            states = self._paired(inputs, states, lengths, reverse)
            last = states[:, :, 0] if reverse else at_the_end(states, lengths)
        return states, last

    def _paired(self, inputs: Tensor, states: Tensor, lengths: Tensor | None, reverse: bool) -> Tensor:
        """Return what the combined cell hands on at every step: its input, and its state before it."""
        before = functional.pad(states, (0, 0, 0, 1) if reverse else (0, 0, 1, 0))
        before = before[:, :, 1:] if reverse else before[:, :, :-1]
        if inputs.ndim == 3:
            inputs = one_hot(inputs, self.interface.symbols, states)
        pairs = torch.cat([inputs.expand(*states.shape[:3], -1), before], dim=-1)
        return pairs if lengths is None else mask_padding(pairs, lengths)

    def _weights(self, layer: int, reverse: bool) -> LayerWeights:
        suffix = f"_l{layer}" + ("_reverse" if reverse else "")
        found = [getattr(self, f"{name}{suffix}", None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        if found[3] is None:
            found[3] = torch.zeros_like(cast(Tensor, found[2]))
        return cast(LayerWeights, tuple(found))

    def _pooled(self, states: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean or the largest of all steps, ``(runs, batch, width)``."""
        time = states.shape[2]
        if self.config.readout == "mean":
            return states.sum(dim=2) / (time if lengths is None else lengths.unsqueeze(-1))
        if lengths is not None:
            outside = torch.arange(time, device=states.device) >= lengths.unsqueeze(-1)
            states = states.masked_fill(outside.unsqueeze(-1), float("-inf"))
        return states.amax(dim=2)

    def _head(self, summary: Tensor) -> Tensor:
        if self.config.head == "none":
            return summary
        weight, bias = cast(Tensor, self.head_weight), cast(Tensor, self.head_bias)
        outputs = baddbmm(bias.unsqueeze(1), summary, weight.transpose(1, 2))
        return outputs.relu() if self.config.head == "relu" else outputs


def _unless_full(lengths: Tensor | None, inputs: Tensor) -> Tensor | None:
    """Return ``lengths``, None where every sequence fills the batch."""
    return None if lengths is None or bool((lengths == inputs.shape[2]).all()) else lengths


def hide_steps(inputs: Tensor, noise: Noise, share: float) -> Tensor:
    """Return ``inputs`` with a ``share`` of the steps hidden: symbols become unknown, numbers zero."""
    hidden = noise.hidden_steps("symbols", inputs.shape[1], inputs.shape[2], share).to(inputs.device)
    if inputs.ndim == 3:
        return inputs.masked_fill(hidden & (inputs != 0), UNKNOWN)
    return inputs.masked_fill(hidden.unsqueeze(-1), 0.0)
