"""Small trainings with one known fault each, and sound ones: what the tests of the doctor examine."""

from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Seconds to examine in where a test is about what is found: a loaded machine is slow.
PATIENT = 120.0
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Reader(nn.Module):
    """A recurrent layer and a linear readout of the last step, as students write it."""

    def __init__(self, cell: str = "gru", inputs: int = 3, hidden: int = 16, outputs: int = 1, **layer: Any) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, hidden, **{"batch_first": True, **layer})
        self.fc = nn.Linear(hidden * (2 if layer.get("bidirectional") else 1), outputs)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


def lesson(model: nn.Module, inputs: Tensor, targets: Tensor, loss: Any, **more: Any) -> SimpleNamespace:
    """Return a subject with Adam at 3e-3 unless told otherwise."""
    optimizer = more.pop("optimizer", None) or torch.optim.Adam(model.parameters(), lr=3e-3)
    return SimpleNamespace(model=model, optimizer=optimizer, loss=loss, inputs=inputs, targets=targets, **more)


def regression(cell: str = "gru", seed: int = 0, **more: Any) -> SimpleNamespace:
    """A sound regression: the mean of a feature over 12 steps, from 64 samples."""
    torch.manual_seed(seed)
    inputs = torch.randn(64, 12, 3)
    model = more.pop("model", None) or Reader(cell)
    return lesson(
        model, inputs, more.pop("targets", inputs[:, :, :1].mean(1) * 3), more.pop("loss", nn.MSELoss()), **more
    )


def classification(cell: str = "gru", seed: int = 0, **more: Any) -> SimpleNamespace:
    """A sound classification: which of four features has the largest sum."""
    torch.manual_seed(seed)
    inputs = torch.randn(80, 10, 4)
    model = more.pop("model", None) or Reader(cell, 4, 24, 4)
    targets = more.pop("targets", inputs.sum(1).argmax(1))
    return lesson(model, inputs, targets, more.pop("loss", nn.CrossEntropyLoss()), **more)


def series(steps: int = 200) -> Tensor:
    """Return a noisy season with a slow drift, standardised: (steps,)."""
    torch.manual_seed(5)
    t = torch.arange(steps).float()
    values = torch.sin(t * 2 * torch.pi / 12) + 0.01 * t + 0.1 * torch.randn(steps)
    train = values[: int(0.8 * steps)]
    return (values - train.mean()) / train.std()


def windows(values: Tensor, width: int = 16, ahead: int = 1) -> tuple[Tensor, Tensor]:
    """Return windows (count, width, 1) and the value ``ahead`` steps after each: (count, 1)."""
    rows = values.unfold(0, width, 1)[: len(values) - width - ahead + 1]
    return rows.unsqueeze(-1).clone(), values[width + ahead - 1 :].unsqueeze(-1).clone()


def forecasting(cell: str = "gru", ahead: int = 1, **more: Any) -> SimpleNamespace:
    """A sound forecast of the next value from windows of 16, split in time."""
    values = more.pop("values", series())
    inputs, targets = windows(values[:160], ahead=ahead)
    torch.manual_seed(1)
    held = more.pop("validation", windows(values[160:], ahead=ahead))
    return lesson(more.pop("model", None) or Reader(cell, 1), inputs, targets, nn.MSELoss(), validation=held, **more)


def step(model: nn.Module, optimizer: Any, inputs: Tensor, targets: Tensor) -> None:
    """Take a sound step of a regression."""
    optimizer.zero_grad()
    F.mse_loss(model(inputs), targets).backward()
    optimizer.step()
