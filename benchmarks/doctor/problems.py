"""The data of the programs: small problems of classification, regression and forecasting, batch first.

Each returns ``(inputs, targets)`` as a student would have them; all randomness comes from torch's global generator.
"""

import math

import torch
from torch import Tensor


def waves(samples: int = 96, steps: int = 20, noise: float = 0.3) -> tuple[Tensor, Tensor]:
    """Sine, square or saw with noise, of any phase: ``(samples, steps, 1)`` and classes 0..2."""
    kind = torch.arange(samples) % 3
    phase = torch.rand(samples, 1) * 2 * math.pi
    angle = phase + torch.arange(steps) * 2 * math.pi / 9
    saw = torch.remainder(angle, 2 * math.pi) / math.pi - 1
    shapes = torch.stack([angle.sin() * 1.3, angle.sin().sign(), saw * 1.5])
    values = shapes[kind, torch.arange(samples)] + noise * torch.randn(samples, steps)
    order = torch.randperm(samples)
    return values[order].unsqueeze(-1), kind[order]


def sums(samples: int = 96, steps: int = 12) -> tuple[Tensor, Tensor]:
    """Numbers and the sum of the marked ones (the adding problem): ``(samples, steps, 2)`` and ``(samples, 1)``."""
    numbers = torch.rand(samples, steps)
    marks = (torch.rand(samples, steps) < 0.3).float()
    total = (numbers * marks).sum(1, keepdim=True)
    return torch.stack([numbers - 0.5, marks], 2), (total - total.mean()) / total.std()


def season(length: int = 260, noise: float = 0.25) -> Tensor:
    """A weekly season, a slow swing and noise, in units of sales: ``(length,)``."""
    day = torch.arange(length).float()
    return 50 + 8 * (day * 2 * math.pi / 7).sin() + 5 * (day * 2 * math.pi / 61).cos() + 8 * noise * torch.randn(length)


def windows(series: Tensor, width: int = 21, ahead: int = 1) -> tuple[Tensor, Tensor]:
    """Windows of a series and the value ``ahead`` steps after each: ``(n, width, 1)`` and ``(n, 1)``."""
    count = len(series) - width - ahead + 1
    inputs = torch.stack([series[i : i + width] for i in range(count)])
    return inputs.unsqueeze(-1), series[width + ahead - 1 :].unsqueeze(-1)


def forecast(length: int = 260, width: int = 21, ahead: int = 1) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Training and validation windows of one series, split in time, scaled with the training part's figures."""
    series = season(length)
    cut = int(0.8 * length)
    mean, deviation = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / deviation
    return windows(scaled[:cut], width, ahead), windows(scaled[cut - width :], width, ahead)


def chains(samples: int = 96, steps: int = 16, symbols: int = 8, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Symbols from one of three Markov chains: ``(samples, steps)`` int64, 1..symbols (0 is padding), and the chain."""
    tables = torch.softmax(2.5 * torch.randn(classes, symbols, symbols), -1)
    kind = torch.randint(classes, (samples,))
    state = torch.randint(symbols, (samples,))
    rows = [state]
    for _ in range(steps - 1):
        state = torch.multinomial(tables[kind, state], 1).squeeze(1)
        rows.append(state)
    return torch.stack(rows, 1) + 1, kind


def ragged(inputs: Tensor, least: int = 4) -> tuple[Tensor, Tensor]:
    """Cut rows to random lengths and pad with zeros: the inputs and ``(samples,)`` lengths."""
    lengths = torch.randint(least, inputs.shape[1] + 1, (inputs.shape[0],))
    lengths[0] = inputs.shape[1]
    mask = torch.arange(inputs.shape[1]) < lengths.unsqueeze(1)
    return inputs * mask.view(*mask.shape, *[1] * (inputs.ndim - 2)).to(inputs.dtype), lengths


def parity(samples: int = 128, steps: int = 10) -> tuple[Tensor, Tensor]:
    """Bits and whether their number is odd: hard for every recurrent network. ``(samples, steps, 1)``, classes 0 and 1."""
    bits = torch.randint(2, (samples, steps))
    return bits.float().unsqueeze(-1), bits.sum(1) % 2


def recall(samples: int = 96, steps: int = 30, symbols: int = 5) -> tuple[Tensor, Tensor]:
    """Symbols, the first of which is to be named at the end: long memory. ``(samples, steps)`` int64 and classes."""
    inputs = torch.randint(symbols, (samples, steps))
    return inputs, inputs[:, 0].clone()


def tags(samples: int = 64, steps: int = 15, symbols: int = 9) -> tuple[Tensor, Tensor]:
    """Symbols 1..9, each to be tagged 0..2 by itself and the one before: ``(samples, steps)`` int64, both."""
    words = torch.randint(1, symbols + 1, (samples, steps))
    before = torch.cat([torch.zeros(samples, 1, dtype=torch.long), words[:, :-1]], 1)
    return words, (words + 2 * before) % 3


def binary_numbers(bits: int = 8) -> tuple[Tensor, Tensor]:
    """All binary numbers, a bit a step, and their values unscaled: ``(256, 8, 1)`` and ``(256, 1)``."""
    values = torch.arange(2**bits)
    digits = (values.unsqueeze(1) >> torch.arange(bits - 1, -1, -1)) & 1
    order = torch.randperm(len(values))
    return digits[order].float().unsqueeze(-1), values[order].float().unsqueeze(-1)


def walk(length: int = 300) -> Tensor:
    """A random walk, such as a price: ``(length,)``, standardised with its first 80%."""
    series = torch.randn(length).cumsum(0)
    return (series - series[: int(0.8 * length)].mean()) / series[: int(0.8 * length)].std()
