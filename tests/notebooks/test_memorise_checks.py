"""The checks of *memorise* accept whatever is right, and say what is wrong with what is not."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rnnlab.data import library
from rnnlab.notebooks.checks import memorise as check

source = library.memorise()
X = torch.stack([torch.as_tensor(row) for row in source.values])
Y = torch.as_tensor(source.targets).reshape(3, 1)


class Stack(nn.Module):
    def __init__(self, i: int = 1, h: int = 100, o: int = 1, *, first: bool = True, layers: int = 3) -> None:
        super().__init__()
        sizes = [i, *[h] * (layers - 1), o]
        self.layers = nn.ModuleList(nn.LSTM(a, b, batch_first=first) for a, b in pairwise(sizes))

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, Any]:
        state = None
        for layer in self.layers:
            inputs, state = layer(inputs)
        return inputs, state


class Projected(nn.Module):
    """Two layers in one, and one for the output."""

    def __init__(self, i: int = 1, h: int = 100, o: int = 1) -> None:
        super().__init__()
        self.lower, self.upper = nn.LSTM(i, h, num_layers=2, batch_first=True), nn.LSTM(h, o, batch_first=True)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, Any]:
        return self.upper(self.lower(inputs)[0])


class Simple(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.RNN(1, 1, batch_first=True)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.layer(inputs)


@pytest.mark.parametrize("make", [Stack, Projected])
def test_right_lstms(make: Any) -> None:
    outcome = check.lstm(make, X)
    assert outcome.state == "right", outcome


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda *sizes: Stack(*sizes, first=False), "samples_influence_each_other"),
        (lambda *sizes: Stack(*sizes, layers=2), "yours has 2"),
        (lambda *sizes: Simple(), "must hold an nn.LSTM"),
        (lambda *sizes: nn.LSTM(1, 100, 3, batch_first=True), "(3, 3, 100)"),
    ],
)
def test_wrong_lstms(make: Any, hint: str) -> None:
    outcome = check.lstm(make, X)
    assert outcome.state == "wrong"
    assert hint in outcome.message, outcome.message


def sgd(model: nn.Module, lr: float = 0.9) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=lr)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda rnn, lstm: (sgd(rnn), sgd(lstm)), ""),
        (
            lambda rnn, lstm: [sgd(rnn), torch.optim.SGD([{"params": list(lstm.parameters())}], lr=0.9, momentum=0.1)],
            "",
        ),
        (lambda rnn, lstm: (sgd(rnn), sgd(rnn)), "the lab's own mistake"),
        (lambda rnn, lstm: (sgd(rnn), sgd(lstm, 0.1)), "rate of 0.9"),
        (lambda rnn, lstm: (sgd(rnn), torch.optim.Adam(lstm.parameters(), lr=0.9)), "SGD"),
        (lambda rnn, lstm: (sgd(rnn), torch.optim.SGD(list(lstm.parameters())[:2], lr=0.9)), "holds 2 of its 4"),
        (lambda rnn, lstm: sgd(rnn), "two optimizers"),
    ],
)
def test_optimizers(answer: Any, hint: str) -> None:
    outcome = check.optimizers(answer, Simple)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def loop(
    model: nn.Module, optimizer: torch.optim.Optimizer, epochs: int = 100, *, zero: str = "before", step: int = 2,
    record: str = "before", tensors: bool = False,
) -> list[Any]:  # fmt: skip
    losses = []
    for _ in range(epochs):
        loss = F.mse_loss(model(X)[0][:, step], Y)
        if zero == "before":
            optimizer.zero_grad()
        loss.backward()
        if zero == "late":
            optimizer.zero_grad()
        optimizer.step()
        if record == "after":
            loss = F.mse_loss(model(X)[0][:, step], Y)
        losses.append(loss if tensors else loss.item())
    return losses


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({}, ""),
        ({"record": "after"}, ""),
        ({"zero": "never"}, "pile up"),
        ({"zero": "late"}, "never changes"),
        ({"step": 1}, "of step 2"),
        ({"tensors": True}, "loss.item()"),
    ],
)
def test_loops(options: dict[str, Any], hint: str) -> None:
    outcome = check.train(lambda model, optimizer, epochs: loop(model, optimizer, epochs, **options), Simple, X, Y)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def test_a_loop_that_records_something_else() -> None:
    assert "should begin" in check.train(lambda *a: [7.0, 6, 5, 4, 3, 2], Simple, X, Y).message
    assert "six" in check.train(lambda *a: [7.0], Simple, X, Y).message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ([1, 1, 1], ""),
        (torch.ones(3), ""),
        ([0, 0, 0], "loss of 0.5185"),
        ([1 / 3, 2 / 3, 1 - (5 / 9) ** 0.5], "would not stay there"),
        ([1 / 3, 2 / 3, 1 + (5 / 9) ** 0.5], "no output is above 1"),
        ([1, 1], "you give 2"),
    ],
)
def test_plateaus(answer: Any, hint: str) -> None:
    outcome = check.stuck(answer)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def test_many_seeds() -> None:
    runs = [[0.5 + 0.01 * seed, 0.005 if seed else 0.4] for seed in range(5)]
    assert "4 of 5" in check.many({"RNN 0.9": runs}).message
    assert "same loss" in check.many({"RNN 0.9": [runs[0]] * 5}).message
    assert "you give 4" in check.many({"RNN 0.9": runs[:4]}).message
    assert check.many({"RNN 0.9": None}).state == "open"
