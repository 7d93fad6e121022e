"""The weights of a stack of runs: one flat buffer, and named views into it.

One buffer ``(runs, size)`` makes an update, a gradient norm, a checkpoint and the removal of a finished run a
single operation each, however many layers there are.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from rnnlab import kernels
from rnnlab.cells import CELLS
from rnnlab.config import Interface, ModelConfig
from rnnlab.models.ngrams import ROWS
from rnnlab.randomness import generator

LAYER = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True)
class Weight:
    """One named weight of a run: its shape, and how it starts.

    ``bound`` is the half-width of a uniform distribution; with ``start`` it is ``normal`` of deviation 1 (torch's for embeddings), or
    ``zero``.
    """

    name: str
    shape: tuple[int, ...]
    bound: float = 0.0
    start: Literal["uniform", "normal", "zero"] = "uniform"

    @property
    def size(self) -> int:
        """The number of figures in it."""
        return math.prod(self.shape)


def layer_sizes(config: ModelConfig, input_size: int, outputs: int) -> list[tuple[int, int]]:
    """Return ``(input, hidden)`` of every layer; with head ``none`` the last layer is as wide as the output."""
    sizes = []
    for layer in range(config.num_layers):
        last = layer == config.num_layers - 1
        hidden = outputs if config.head == "none" and last else config.hidden_size
        sizes.append((input_size, hidden))
        input_size = output_width(config, input_size, hidden)
    return sizes


def output_width(config: ModelConfig, input_size: int, hidden: int) -> int:
    """Return the features that a layer hands on: the combined cell pairs its state with its input."""
    width = input_size + hidden if config.cell == "combined" else hidden
    return width * (2 if config.bidirectional else 1)


def weights(config: ModelConfig, symbols: int, features: int, outputs: int, gates: int) -> list[Weight]:
    """Return the weights of one run, in the order of the buffer, with torch's names and initial distributions."""
    found: list[Weight] = []
    input_size = features
    if symbols:
        input_size = config.embedding_size or symbols
        if config.embedding_size:
            found.append(Weight("embedding", (symbols, config.embedding_size), start="normal"))
    sizes = layer_sizes(config, input_size, outputs)
    for layer, (width, hidden) in enumerate(sizes):
        combined = config.cell == "combined"
        bound = 1 / math.sqrt(width + hidden if combined else hidden)
        for suffix in (f"_l{layer}", f"_l{layer}_reverse")[: 2 if config.bidirectional else 1]:
            found.append(Weight(f"weight_ih{suffix}", (gates * hidden, width), bound))
            found.append(Weight(f"weight_hh{suffix}", (gates * hidden, hidden), bound))
            found.append(Weight(f"bias_ih{suffix}", (gates * hidden,), bound))
            if not combined:
                found.append(Weight(f"bias_hh{suffix}", (gates * hidden,), bound))
    if symbols and config.ngram_size:
        found.append(Weight("ngrams", (ROWS, config.ngram_size), start="zero"))
    if config.head != "none":
        width = output_width(config, *sizes[-1]) + (config.ngram_size if symbols else 0)
        found.append(Weight("head_weight", (outputs, width), 1 / math.sqrt(width)))
        found.append(Weight("head_bias", (outputs,), 1 / math.sqrt(width)))
    return found


def count_weights(config: ModelConfig, interface: Interface) -> int:
    """Return the weights of one run.

    Example:
        >>> count_weights(ModelConfig(cell="elman", hidden_size=2), Interface(symbols=0, features=1, outputs=1))
        13
    """
    layout = weights(config, interface.symbols, interface.features, interface.outputs, CELLS[config.cell].gates)
    return sum(weight.size for weight in layout)


def initialise(layout: list[Weight], seeds: list[int]) -> Tensor:
    """Return the first weights ``(runs, size)`` of runs with ``seeds``, each drawn from its own seed."""
    flat = torch.empty(len(seeds), sum(weight.size for weight in layout))
    for row, seed in zip(flat, seeds, strict=True):
        draw, at = generator(seed, "weights"), 0
        for weight in layout:
            part = row[at : at + weight.size]
            if weight.start == "uniform":
                part.uniform_(-weight.bound, weight.bound, generator=draw)
            elif weight.start == "normal":
                part.normal_(generator=draw)
            else:
                part.zero_()
            at += weight.size
    return flat


def views(flat: Tensor, layout: list[Weight]) -> dict[str, Tensor]:
    """Return every weight as a view ``(runs, *shape)`` into ``flat (runs, size)``."""
    found, at = {}, 0
    for weight in layout:
        found[weight.name] = flat[:, at : at + weight.size].view(flat.shape[0], *weight.shape)
        at += weight.size
    return found


class Parts(NamedTuple):
    """A model's weights, or their gradients, by what they are for.

    Args:
        layers: of each, its four weights for one direction or two; none of a ``combined`` cell.
        embedding: ``(runs, symbols, width)``.
        ngrams: ``(runs, rows, width)``.
        head: weight ``(runs, outputs, width)`` and bias ``(runs, outputs)``.
    """

    layers: list[list[kernels.Places]]
    embedding: Tensor | None
    ngrams: Tensor | None
    head: tuple[Tensor, Tensor] | None


def parts(found: Mapping[str, Tensor], config: ModelConfig) -> Parts:
    """Return weights by what they are for; ``found`` as `views` gives it."""
    layers: list[list[kernels.Places]] = []
    for layer in range(config.num_layers if config.cell != "combined" else 0):
        layers.append([])
        for suffix in (f"_l{layer}", f"_l{layer}_reverse")[: 2 if config.bidirectional else 1]:
            weight_ih, weight_hh, bias_ih, bias_hh = (found[f"{name}{suffix}"] for name in LAYER)
            layers[-1].append((weight_ih, weight_hh, bias_ih, bias_hh))
    head = (found["head_weight"], found["head_bias"]) if config.head != "none" else None
    return Parts(layers, found.get("embedding"), found.get("ngrams"), head)


def gradient_places(parameters: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> dict[int, kernels.Places]:
    """Return where the kernels may write the gradients of each layer's weights: `rnnlab.kernels.gradients_into`.

    Args:
        parameters: by name, views as `views` gives them.
        gradients: views of the same names into the gradient's buffer.
    """
    found: dict[int, kernels.Places] = {}
    for name, weight in parameters.items():
        kind, _, suffix = name.partition("_l")
        if kind == "weight_ih" and f"bias_hh_l{suffix}" in gradients:
            weight_ih, weight_hh, bias_ih, bias_hh = (gradients[f"{each}_l{suffix}"] for each in LAYER)
            found[weight.data_ptr()] = weight_ih, weight_hh, bias_ih, bias_hh
    return found


def collect(gradients: Iterable[Tensor], places: Iterable[Tensor]) -> None:
    """Copy ``gradients`` to their ``places``, but for those that are there already."""
    away = [pair for pair in zip(gradients, places, strict=True) if pair[0].data_ptr() != pair[1].data_ptr()]
    if away:
        torch._foreach_copy_([place for _, place in away], [gradient for gradient, _ in away])
