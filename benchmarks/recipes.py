"""`recipes`: an update as `rnnlab train` makes it, with the gradient of a tape and with autograd around the same kernels.

Microseconds of a thread's CPU, medians of turns that both take: outputs, gradient, update. Batches are as large as the recipe's,
and about as long as names, eight numbers and four weeks.
"""

from typing import Any

import torch
from torch import Tensor

from rnnlab.config import Interface, ModelConfig, TrainConfig
from rnnlab.models import Model, Noise
from rnnlab.speed.measuring import Road, in_turns
from rnnlab.training.optimizers import Optimizer
from rnnlab.training.recipes import NGRAMS, NUMBERS, SERIES, STRINGS

Case = tuple[str, ModelConfig, TrainConfig, Interface, int, int]
LETTERS, LABELS = 60, 18
CASES: tuple[Case, ...] = (
    ("strings", *STRINGS, Interface(LETTERS, 0, LABELS), 1, 9),
    ("strings, n-grams", STRINGS[0].replace(ngram_size=NGRAMS), STRINGS[1], Interface(LETTERS, 0, LABELS), 1, 9),
    ("numbers", *NUMBERS, Interface(0, 1, 1), 1, 8),
    ("numbers, a stack of 20", *NUMBERS, Interface(0, 1, 1), 20, 8),
    ("series", *SERIES, Interface(0, 8, 1), 1, 28),
)


def run(turns: int = 15) -> dict[str, Any]:
    """Return a row a recipe: both times, and how many times faster the tape is."""
    torch.set_num_threads(1)
    rows = []
    for name, model, training, interface, runs, time in CASES:
        took = in_turns(
            {road: _road(model, training, interface, runs, time, road) for road in ("tape", "autograd")}, turns
        )
        rows.append(
            {"recipe": name, **{f"{road}_us": 1e3 * ms for road, ms in took.items()}, "ratio": took["autograd"] / took["tape"]}
        )  # fmt: skip
    return {"updates": rows}


def _road(config: ModelConfig, training: TrainConfig, interface: Interface, runs: int, time: int, road: str) -> Road:
    model = Model(config, interface, range(runs))
    optimizer = Optimizer([training] * runs, model.flat)
    inputs, lengths = _batch(interface, runs, training.batch_size, time)
    noise, rates = Noise(range(runs), step=3), torch.full((runs, 1), 1e-4)
    d_outputs = torch.full((runs, training.batch_size, interface.outputs), 1e-3)

    def by_tape() -> None:
        _, pull = model.vjp(inputs, lengths, noise)
        optimizer.update(model.flat, pull(d_outputs), rates)

    def by_autograd() -> None:
        optimizer.update(model.flat, model.gradient(model(inputs, lengths, noise), d_outputs), rates)

    return by_tape if road == "tape" else by_autograd


def _batch(interface: Interface, runs: int, batch: int, time: int) -> tuple[Tensor, Tensor | None]:
    draw = torch.Generator().manual_seed(0)
    if not interface.symbols:
        return torch.randn(runs, batch, time, interface.features, generator=draw), None
    lengths = torch.randint(2, time + 1, (runs, batch), generator=draw)
    symbols = torch.randint(1, interface.symbols, (runs, batch, time), generator=draw)
    return symbols * (torch.arange(time) < lengths.unsqueeze(-1)), lengths
