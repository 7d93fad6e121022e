"""The checks of *binary* accept whatever is right, and say what is wrong with what is not."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from rnnlab.notebooks.checks import binary as check


def right_bits(number: int) -> torch.Tensor:
    return torch.tensor([[float(digit)] for digit in f"{number:08b}"])


class Net(nn.Module):
    def __init__(self, cell: str, *, first: bool = True, relu: bool = False, size: int = 1, lstm: bool = False) -> None:
        super().__init__()
        kind = nn.LSTM if cell == "lstm" or lstm else nn.RNN
        self.layer, self.head, self.relu, self.size = kind(size, 8, batch_first=first), nn.Linear(8, 1), relu, size
        if relu:
            nn.init.constant_(self.head.bias, -5.0)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = self.head(self.layer(inputs.reshape(len(inputs), -1, self.size))[0][:, -1])
        return torch.relu(outputs) if self.relu else outputs


class States(nn.Module):
    """The same from the last state, in a stack of two."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        self.layer = (nn.LSTM if cell == "lstm" else nn.RNN)(1, 8, num_layers=2, batch_first=True)
        self.head = nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 1))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        state = self.layer(inputs)[1]
        return self.head((state[0] if isinstance(state, tuple) else state)[-1])


class First(Net):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(inputs)[0][:, 0])


def test_right_bits() -> None:
    assert check.to_bits(right_bits).state == "right"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda number: right_bits(number).flip(0), "wrong end"),
        (lambda number: right_bits(number).flatten(), "eight steps of one bit"),
        (lambda number: right_bits(number).T, "eight steps of one bit"),
        (lambda number: right_bits(number).long(), "float32"),
        (lambda number: 1 - right_bits(number), "the bits of 6 are 00000110"),
        (lambda number: f"{number:08b}", "you return str"),
    ],
)
def test_wrong_bits(answer: Callable[[int], Any], hint: str) -> None:
    outcome = check.to_bits(answer)
    assert outcome.state == "wrong"
    assert hint.lower() in outcome.message.lower()


def test_the_bound_of_a_bare_network() -> None:
    assert check.best_bare(21463.5).state == "right"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (21717.5, "answering 0"),
        (5461.25, "127.5"),
        (146.505, "root"),
        (5494655.0, "sum"),
        (1.0, "too low"),
        (30000.0, "not the smallest"),
    ],
)
def test_other_bounds_are_explained(answer: float, hint: str) -> None:
    outcome = check.best_bare(answer)
    assert outcome.state == "wrong"
    assert hint in outcome.message


def test_the_share_of_dead_networks() -> None:
    class Lab(Net):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.head(self.layer(inputs)[0]))

    def make(cell: str) -> Lab:
        return Lab(cell, size=8)

    inputs = check.BITS.reshape(256, 1, 8)

    def measured(cell: str, seeds: int = 200) -> float:
        dead = 0
        for seed in range(seeds):
            torch.manual_seed(seed)
            dead += bool((make(cell)(inputs) == 0).all())
        return dead / seeds

    assert check.dead_share(measured, make, inputs).state == "right"
    assert "share" in check.dead_share(lambda cell: 200 * measured(cell), make, inputs).message
    assert "Dead means" in check.dead_share(lambda cell: 0.9, make, inputs).message


@pytest.mark.parametrize("make", [Net, States])
def test_right_networks(make: Any) -> None:
    outcome = check.network(make)
    assert outcome.state == "right", outcome


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda cell: Net(cell, first=False), "samples_influence_each_other"),
        (lambda cell: Net(cell, size=8), "(batch, time, 1)"),
        (lambda cell: Net(cell, relu=True), "dead_relu"),
        (lambda cell: Net(cell, lstm=True), "must hold an nn.RNN"),
        (lambda cell: nn.Sequential(nn.Flatten(), nn.Linear(8, 1)), "no recurrent layer"),
        (First, "steps_ignored"),
        (lambda cell: nn.RNN(1, 1, batch_first=True), "must be a tensor"),
        (lambda cell: 3, "must be an nn.Module"),
    ],
)
def test_wrong_networks(make: Any, hint: str) -> None:
    outcome = check.network(make)
    assert outcome.state == "wrong"
    assert hint in outcome.message, outcome.message


class Known(nn.Module):
    """Answers its numbers, off by ``error``, times ``scale``."""

    def __init__(self, error: float = 0.0, scale: float = 1 / 255) -> None:
        super().__init__()
        self.error, self.scale = error, scale

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        places = torch.tensor([128.0, 64, 32, 16, 8, 4, 2, 1])
        return ((inputs[:, :, 0] @ places + self.error) * self.scale)[:, None]


@pytest.mark.parametrize(
    ("model", "losses", "state", "hint"),
    [
        (Known(3.0), [1.0, 0.1], "right", "error 9.00"),
        (Known(100.0), [1.0, 0.1], "wrong", "10,000.0"),
        (Known(scale=1.0), [1.0, 0.1], "wrong", "divide the targets"),
        (Known(), [0.1, 1.0], "wrong", "must fall"),
    ],
)
def test_trained(model: nn.Module, losses: list[float], state: str, hint: str) -> None:
    outcome = check.trained({"rnn": (model, losses)}, torch.arange(0, 256, 4))
    assert outcome.state == state
    assert hint in outcome.message
