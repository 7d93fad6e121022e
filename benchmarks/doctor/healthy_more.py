"""More programs without a fault: real data, and layers, losses and habits that the first ones do not have."""

from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.healthy import _lesson, healthy
from benchmarks.doctor.lessons import sound
from benchmarks.doctor.networks import EveryStep, EveryWord, Net, Packed
from benchmarks.doctor.programs import CELLS, Lesson
from rnnlab.data import library


def _names(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return real names as symbols, padded, with their lengths and origins; spread over all origins."""
    source = library.names()
    chosen = range(0, len(source.texts), len(source.texts) // count)
    texts = [source.texts[i].lower() for i in chosen]
    letters = {letter: number + 1 for number, letter in enumerate(sorted(set("".join(texts))))}
    origins = {origin: number for number, origin in enumerate(sorted(set(source.labels)))}
    lengths = torch.tensor([len(text) for text in texts])
    symbols = torch.zeros(len(texts), int(lengths.max()), dtype=torch.long)
    for row, text in enumerate(texts):
        symbols[row, : len(text)] = torch.tensor([letters[letter] for letter in text])
    return symbols, lengths, torch.tensor([origins[source.labels[i]] for i in chosen])


@healthy("one direction", "both directions")
def names(cell: str, directions: str) -> Lesson:
    """Real surnames, packed."""
    symbols, lengths, origins = _names(300)
    model = Packed(cell, 64, 18, symbols=True, bidirectional=directions == "both directions")
    return _lesson(model, nn.CrossEntropyLoss(), (symbols, origins), lengths=lengths)


@healthy()
def one_name_at_a_time(cell: str) -> Lesson:
    """As the tutorial trains: a batch of one, SGD."""
    symbols, lengths, origins = _names(300)
    row = int((lengths == 7).nonzero()[0])
    lesson = _lesson(EveryStep(cell, 64, 18, hidden=64), nn.CrossEntropyLoss(), (symbols, origins))
    lesson.inputs = nn.functional.one_hot(symbols[row : row + 1, :7], 64).float()
    lesson.targets = origins[row : row + 1]
    lesson.forward = lambda model, inputs: model(inputs)[:, -1]
    lesson.optimizer = torch.optim.SGD(lesson.model.parameters(), lr=0.01)
    return lesson


@healthy(14, 32)
def revenue(cell: str, width: int) -> Lesson:
    """A shop's real revenue by day, scaled with the training part, split in time."""
    series = torch.from_numpy(library.sales().values).float()[-420:]
    series = (series - series[:330].mean()) / series[:330].std()
    train, held = problems.windows(series[:330], width), problems.windows(series[330 - width :], width)
    return _lesson(Net(cell, 1, 1, hidden=48), nn.MSELoss(), train, validation=held)


@healthy("smoothing", "huber", "l1", "sum")
def more_losses(cell: str, kind: str) -> Lesson:
    lesson = sound(cell, "classify" if kind == "smoothing" else "regress")
    lesson.loss = {
        "smoothing": nn.CrossEntropyLoss(label_smoothing=0.1),
        "huber": nn.HuberLoss(),
        "l1": nn.L1Loss(),
        "sum": lambda outputs, targets: ((outputs - targets) ** 2).sum(1).mean(),
    }[kind]
    return lesson


class Decoder(nn.Module):
    """An encoder, and a cell that forecasts five steps from its own answers."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        self.encoder = CELLS[cell](1, 24, batch_first=True)
        self.decoder = CELLS[cell](1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.encoder(x)
        value, answers = x[:, -1:], []
        for _ in range(5):
            out, state = self.decoder(value, state)
            value = self.fc(out)
            answers.append(value)
        return torch.cat(answers, 1)


@healthy()
def encoder_decoder(cell: str) -> Lesson:
    (inputs, _), _ = problems.forecast(300, 26)
    return _lesson(Decoder(cell), nn.MSELoss(), (inputs[:, :21], inputs[:, 21:]))


@healthy()
def sensors(cell: str) -> Lesson:
    """Several channels of different kinds, one of them a switch."""
    channels = [
        torch.randn(96, 18),
        (torch.rand(96, 18) < 0.2).float(),
        torch.rand(96, 18),
        torch.randn(96, 18).cumsum(1) / 4,
    ]
    inputs = torch.stack(channels, 2)
    return _lesson(Net(cell, 4, 1), nn.MSELoss(), (inputs, (inputs[:, :, 0] * inputs[:, :, 1]).sum(1, keepdim=True)))


@healthy()
def range_of_the_training_part(cell: str) -> Lesson:
    series = problems.season() + torch.linspace(0, 30, 260)
    series = (series - series[:208].min()) / (series[:208].max() - series[:208].min())
    return _lesson(
        Net(cell, 1, 1), nn.MSELoss(), problems.windows(series[:208]), validation=problems.windows(series[187:])
    )


@healthy(3.0, 5.0)
def inputs_of_some_size(cell: str, size: float) -> Lesson:
    lesson = sound(cell, "classify")
    lesson.inputs = lesson.inputs * size
    del lesson.validation
    return lesson


class BothEnds(Net):
    """Two directions, each read where it has seen everything."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(torch.cat([out[:, -1, :24], out[:, 0, 24:]], 1))


@healthy("regress", "classify")
def both_directions(cell: str, task: str) -> Lesson:
    return sound(cell, task, BothEnds)


class LearnedStart(Net):
    """The first state is a parameter."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.start = nn.Parameter(torch.randn(1, 1, 24) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.start.expand(1, x.shape[0], 24).contiguous()
        out, _ = self.rnn(x, (first, torch.zeros_like(first)) if isinstance(self.rnn, nn.LSTM) else first)
        return self.fc(out[:, -1])


class ConvFirst(Net):
    """A convolution over time and batch norm before the recurrent layer; one answer a sample."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, 8, outputs)
        self.conv = nn.Sequential(nn.Conv1d(inputs, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.conv(x.transpose(1, 2)).transpose(1, 2))


class AddsAxis(Net):
    """Takes ``(batch, time)`` numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.unsqueeze(-1))


class ResetBuffer(Net):
    """Remembers its last state for looking at, and never starts from it."""

    last: Any = None

    def forward(self, x: Tensor) -> Tensor:
        out, state = self.rnn(x)
        self.last = state
        return self.fc(out[:, -1])


@healthy("learned", "convolution", "remembers")
def other_networks(cell: str, kind: str) -> Lesson:
    return sound(cell, "classify", {"learned": LearnedStart, "convolution": ConvFirst, "remembers": ResetBuffer}[kind])


@healthy()
def without_a_feature_axis(cell: str) -> Lesson:
    inputs, kinds = problems.waves()
    return _lesson(AddsAxis(cell, 1, 3), nn.CrossEntropyLoss(), (inputs.squeeze(-1), kinds))


@healthy()
def tied_weights(cell: str) -> Lesson:
    """The next symbol, the embedding's weights used again at the end."""
    symbols, _ = problems.chains(96, 19)
    model = EveryWord(cell, 9, 9, hidden=12)
    model.fc.weight = model.embedding.weight
    loss = lambda outputs, targets: nn.functional.cross_entropy(outputs.transpose(1, 2), targets)  # noqa: E731
    return _lesson(model, loss, (symbols[:, :-1], symbols[:, 1:]))


@healthy()
def running_total(cell: str) -> Lesson:
    """The sum so far, at every step."""
    inputs, _ = problems.sums(80, 12)
    return _lesson(EveryStep(cell, 2, 1), nn.MSELoss(), (inputs, inputs.prod(2, keepdim=True).cumsum(1)))


@healthy()
def echo(cell: str) -> Lesson:
    """The input of three steps ago."""
    inputs = torch.randn(80, 16, 1)
    return _lesson(EveryStep(cell, 1, 1), nn.MSELoss(), (inputs, torch.cat([torch.zeros(80, 3, 1), inputs[:, :-3]], 1)))


@healthy(0.01, 0.005)
def slow_sgd(cell: str, lr: float) -> Lesson:
    """The report's learning rates: slow, and right."""
    lesson = sound(cell, "classify")
    lesson.optimizer = torch.optim.SGD(lesson.model.parameters(), lr=lr)
    return lesson
