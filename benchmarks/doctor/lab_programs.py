"""The lab report's own programs as they were handed in, in its own shapes: each has several faults, and each is asked for."""

import torch
from torch import Tensor, nn

from benchmarks.doctor.faults import FAULTY
from benchmarks.doctor.problems import season
from benchmarks.doctor.programs import CELLS, Lesson, Program

LAB_CELLS = ("rnn", "lstm")


class OneStep(nn.Module):
    """All features in a single step, a linear layer and a ReLU: ``(n, 1, features)`` to ``(n, 1, 1)``."""

    def __init__(self, cell: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return torch.relu(self.fc(out))


class BareLayer(nn.Module):
    """An ``nn.RNN`` of one unit."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        self.rnn = CELLS[cell](8, 1, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0]


class ThreeLayers(nn.Module):
    """Three layers on each other, without batch_first; ``[:, 2, :]`` takes the third sample for the third step."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        self.one, self.two, self.three = CELLS[cell](1, 100), CELLS[cell](100, 100), CELLS[cell](100, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.three(self.two(self.one(x)[0])[0])[0]
        return out[:, 2, :]


def _bits() -> tuple[Tensor, Tensor]:
    values = torch.arange(256)
    bits = (values.unsqueeze(1) >> torch.arange(7, -1, -1)) & 1
    return bits.float().unsqueeze(1), values.float().view(-1, 1, 1)


def binary_bare(cell: str) -> Lesson:
    """A tanh output for 0 .. 255."""
    inputs, targets = _bits()
    model = BareLayer(cell)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return Lesson(model=model, optimizer=optimizer, loss=nn.MSELoss(), inputs=inputs, targets=targets)


def binary_relu(cell: str, dead: bool) -> Lesson:
    """Eight bits as one step, a ReLU on the output: dead from the start in one of three, or alive."""
    inputs, targets = _bits()
    for _ in range(200):
        model = OneStep(cell, 8, 16)
        if bool(model(inputs).any()) is not dead:
            break
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    return Lesson(model=model, optimizer=optimizer, loss=nn.MSELoss(), inputs=inputs, targets=targets)


def memorise(cell: str) -> Lesson:
    """Three sequences of three steps; the LSTM's optimizer holds the RNN's parameters."""
    rnn, model = ThreeLayers("rnn"), ThreeLayers(cell)
    inputs = torch.arange(1, 10).view(3, 3, 1) / 10
    targets = torch.tensor([[1 / 3], [2 / 3], [1.0]])
    optimizer = torch.optim.SGD((rnn if cell == "lstm" else model).parameters(), lr=0.9)
    return Lesson(model=model, optimizer=optimizer, loss=nn.MSELoss(), inputs=inputs, targets=targets)


def sales(cell: str, samples: int) -> Lesson:
    """A window of 32 as the features of one step, the target one day too far, (n, 1, 1) against (n, 1)."""
    series = season(300)
    series = (series - series[:240].min()) / (series[:240].max() - series[:240].min())
    inputs = torch.stack([series[i : i + 32] for i in range(samples)]).unsqueeze(1)
    targets = torch.stack([series[i + 33] for i in range(samples)]).unsqueeze(1)
    for _ in range(200):
        model = OneStep(cell, 32, 256)
        if model(inputs).any():
            break
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return Lesson(model=model, optimizer=optimizer, loss=nn.MSELoss(), inputs=inputs, targets=targets)


def _enter(name: str, build: object, *faults: str) -> None:
    """Enter one program once for each of its faults."""
    for expected in faults:
        FAULTY.append(Program(f"{name}/{expected}", (expected,), build))  # type: ignore[arg-type]


for _cell in LAB_CELLS:
    _enter(f"lab_binary_bare/{_cell}", lambda cell=_cell: binary_bare(cell), "bounded_output", "one_step_sequence")
    _enter(f"lab_binary_dead/{_cell}", lambda cell=_cell: binary_relu(cell, True), "dead_relu", "one_step_sequence")
    _enter(f"lab_binary_alive/{_cell}", lambda cell=_cell: binary_relu(cell, False), "one_step_sequence")
    _enter(f"lab_sales_batch/{_cell}", lambda cell=_cell: sales(cell, 5), "loss_broadcasts", "one_step_sequence")
    _enter(
        f"lab_sales_all/{_cell}",
        lambda cell=_cell: sales(cell, 200),
        "target_misaligned",
        "loss_broadcasts",
        "one_step_sequence",
    )
    _enter(f"lab_memorise/{_cell}", lambda cell=_cell: memorise(cell), "samples_influence_each_other")
_enter("lab_memorise_lstm", lambda: memorise("lstm"), "optimizer_misses_parameters")
