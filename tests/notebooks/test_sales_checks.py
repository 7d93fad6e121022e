"""The checks of *sales* accept whatever is right, and say what is wrong with what is not."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnnlab.data import library
from rnnlab.notebooks.checks import sales as check

VALUES = torch.as_tensor(library.sales().values, dtype=torch.float32)
FIRST = int(0.8 * len(VALUES))
TRUTH = VALUES[FIRST:]


def errors(values: torch.Tensor, first: int, power: int = 1) -> dict[str, float]:
    return {
        name: float(((values[first - lag : -lag] - values[first:]).abs() ** power).mean())
        for name, lag in (("last value", 1), ("a week before", 7))
    }


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (errors, ""),
        (lambda values, first: errors(values, 7), "over all days"),
        (lambda values, first: errors(values, first, 2), "squared"),
        (lambda values, first: {"last value": 1.0, "a week before": 1.0}, "20,537"),
        (lambda values, first: {"last": 1.0}, "must have 'last value'"),
    ],
)
def test_naive_forecasts(answer: Any, hint: str) -> None:
    outcome = check.naive(answer, VALUES, FIRST)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def scaled(values: torch.Tensor, part: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return (values - part.mean()) / part.std(), part.mean(), part.std()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda values, first: scaled(values, values[:first]), ""),
        (lambda values, first: ((values - values[:first].mean()) / values[:first].std(correction=0),
                                float(values[:first].mean()), float(np.std(values[:first].numpy()))), ""),
        (lambda values, first: scaled(values, values), "look ahead"),
        (lambda values, first: scaled(values[:first], values[:first]), "shape"),
        (lambda values, first: (values, *scaled(values, values[:first])[1:]), "must be the values again"),
        (lambda values, first: (values, 0.0, 1.0), "mean of the training days"),
        (lambda values, first: scaled(values, values[:first])[0], "three things"),
    ],
)  # fmt: skip
def test_scaling(answer: Any, hint: str) -> None:
    outcome = check.standardise(answer, VALUES, FIRST)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def cut(series: torch.Tensor, width: int, ahead: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    rows = series.unfold(0, width, 1)[: len(series) - width - max(ahead, 0) + 1]
    return rows[..., None], series[width + ahead - 1 :][: len(rows), None]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (cut, ""),
        (lambda s, w: (cut(s, w)[0].transpose(1, 2), cut(s, w)[1]), "features of one step"),
        (lambda s, w: (cut(s, w)[0][..., 0], cut(s, w)[1]), "(windows, width, 1)"),
        (lambda s, w: (cut(s, w)[0], cut(s, w)[1][:, 0]), "Targets must be (windows, 1)"),
        (lambda s, w: cut(s, w, ahead=2), "1 is skipped"),
        (lambda s, w: cut(s, w, ahead=0), "in the window already"),
        (lambda s, w: tuple(part[:-1] for part in cut(s, w)), "15 windows"),
        (lambda s, w: (cut(s, w)[0].flip(1), cut(s, w)[1]), "first window"),
        (lambda s, w: (cut(s, w)[0], torch.cat([cut(s, w)[1][:1]] * 15)), "later ones"),
        (lambda s, w: cut(s, w)[0], "two tensors"),
    ],
)
def test_windows(answer: Any, hint: str) -> None:
    outcome = check.windows(answer)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


class Net(nn.Module):
    def __init__(self, cell: str, *, first: bool = True, relu: bool = False, size: int = 1) -> None:
        super().__init__()
        self.layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[cell](size, 8, batch_first=first)
        self.head, self.relu, self.size = nn.Linear(8, 1), relu, size

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = self.head(self.layer(inputs.reshape(len(inputs), -1, self.size))[0][:, -1])
        return torch.relu(outputs) if self.relu else outputs


@pytest.mark.parametrize(
    ("make", "windows", "hint"),
    [
        (Net, cut, ""),
        (lambda cell: Net(cell, first=False), cut, "samples_influence_each_other"),
        (lambda cell: Net(cell, size=14), cut, "(batch, time, 1)"),
        (lambda cell: Net(cell, relu=True), cut, "The doctor finds"),
        (lambda cell: nn.LSTM(1, 1), cut, "must hold an nn.RNN"),
        (Net, lambda s, w: cut(s, w, ahead=2), "target_misaligned"),
    ],
)
def test_networks(make: Any, windows: Any, hint: str) -> None:
    outcome = check.network(make, windows, lambda values, first: scaled(values, values[:first]), VALUES, FIRST)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def noisy(size: float) -> torch.Tensor:
    return TRUTH + size * torch.randn(len(TRUTH), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (noisy(9000), ""),
        (noisy(9000) / 40_000, "not in pounds"),
        (TRUTH.clone(), "values themselves"),
        (torch.cat([VALUES[FIRST - 1 : FIRST], noisy(3000)[:-1]]), "the day before"),
        (torch.cat([noisy(3000)[1:], VALUES[-1:]]), "the day after"),
        (noisy(40_000), "is off by"),
        (noisy(9000)[:, None], "(held-out days,)"),
    ],
)
def test_forecasts(found: torch.Tensor, hint: str) -> None:
    outcome = check.forecast({"lstm": found}, VALUES, FIRST)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


@pytest.mark.parametrize(
    ("answer", "state", "hint"),
    [
        ({8: 10_300, 16: 9_400, 32: 10_000}, "right", "A window of 8 learns"),
        ({8: 13_000, 16: 9_400, 32: 10_000}, "right", "stays behind"),
        ({8: 0.3, 16: 0.3, 32: 0.3}, "wrong", "in pounds"),
        ({8: 10_300}, "wrong", "Width 16"),
        (None, "open", ""),
    ],
)
def test_widths(answer: Any, state: str, hint: str) -> None:
    outcome = check.by_width(answer, VALUES, FIRST)
    assert outcome.state == state
    assert hint in outcome.message
