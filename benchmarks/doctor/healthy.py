"""Programs without a fault: other tasks, sizes and seeds, hard problems, ragged data, odd but right ways of doing things."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.lessons import TASKS, sound, step_of
from benchmarks.doctor.networks import (
    EveryStep,
    EveryWord,
    LinearRNN,
    Loop,
    Net,
    Packed,
    PackedTags,
    Pooled,
    TimeFirst,
    TimeFirstEveryStep,
    Words,
)
from benchmarks.doctor.programs import CELLS, Lesson, Program

HEALTHY: list[Program] = []


def healthy(
    *variants: Any, cells: tuple[str, ...] = tuple(CELLS)
) -> Callable[[Callable[..., Lesson]], Callable[..., Lesson]]:
    """Enter ``build(cell, variant)``, or ``build(cell)`` where there are no variants, once a cell and variant."""

    def enter(build: Callable[..., Lesson]) -> Callable[..., Lesson]:
        for cell in cells:
            for variant in variants or (None,):
                arguments = (cell,) if variant is None else (cell, variant)
                name = "/".join(("healthy", build.__name__, *map(str, arguments)))
                HEALTHY.append(Program(name, (), partial(build, *arguments)))
        return build

    return enter


def _lesson(model: nn.Module, loss: Any, data: tuple[Tensor, Tensor], lr: float = 3e-3, **more: Any) -> Lesson:
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], lr=lr)
    return Lesson(model=model, optimizer=optimizer, loss=loss, inputs=data[0], targets=data[1], **more)


def _over_steps(outputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), ignore_index=-100)


@healthy(*TASKS)
def plain(cell: str, task: str) -> Lesson:
    return sound(cell, task)


@healthy(*TASKS)
def another_seed(cell: str, task: str) -> Lesson:
    return sound(cell, task)


@healthy(4, 8, 128, 200)
def hidden_size(cell: str, hidden: int) -> Lesson:
    return sound(cell, "classify", hidden=hidden)


@healthy(2, 3)
def layers(cell: str, number: int) -> Lesson:
    return sound(cell, "regress", num_layers=number, dropout=0.2)


@healthy(4, 50, 120)
def length(cell: str, steps: int) -> Lesson:
    return _lesson(Net(cell, 1, 3), nn.CrossEntropyLoss(), problems.waves(96, steps), lr=1e-3)


@healthy(1, 3, 6)
def tiny(cell: str, samples: int) -> Lesson:
    return _lesson(
        Net(cell, 1, 1, hidden=12), nn.MSELoss(), (torch.rand(samples, 3, 1), torch.randn(samples, 1)), lr=0.01
    )


@healthy()
def parity(cell: str) -> Lesson:
    """Learns nothing for a long time."""
    return _lesson(Net(cell, 1, 2, hidden=32), nn.CrossEntropyLoss(), problems.parity(), lr=1e-3)


@healthy()
def adding_problem(cell: str) -> Lesson:
    return _lesson(Net(cell, 2, 1, hidden=48), nn.MSELoss(), problems.sums(128, 60), lr=1e-3)


@healthy()
def first_symbol(cell: str) -> Lesson:
    return _lesson(Words(cell, 6, 5), nn.CrossEntropyLoss(), problems.recall(), lr=2e-3)


@healthy()
def noise_only(cell: str) -> Lesson:
    """Labels by chance: nothing to learn but by heart."""
    return _lesson(Net(cell, 2, 4, hidden=32), nn.CrossEntropyLoss(), (torch.randn(80, 10, 2), torch.randint(4, (80,))))


@healthy("classify", "regress")
def packed(cell: str, task: str) -> Lesson:
    inputs, targets = problems.waves() if task == "classify" else problems.sums()
    inputs, lengths = problems.ragged(inputs)
    loss = nn.CrossEntropyLoss() if task == "classify" else nn.MSELoss()
    return _lesson(
        Packed(cell, inputs.shape[2], 3 if task == "classify" else 1), loss, (inputs, targets), lengths=lengths
    )


@healthy()
def packed_names(cell: str) -> Lesson:
    """Both directions, rightly joined."""
    symbols, kinds = problems.chains()
    inputs, lengths = problems.ragged(symbols)
    return _lesson(
        Packed(cell, 9, 3, symbols=True, bidirectional=True), nn.CrossEntropyLoss(), (inputs, kinds), lengths=lengths
    )


@healthy("mean", "max", "last", "attention")
def pooled(cell: str, pooling: str) -> Lesson:
    inputs, kinds = problems.waves()
    inputs, lengths = problems.ragged(inputs)
    return _lesson(Pooled(cell, 1, 3, pooling), nn.CrossEntropyLoss(), (inputs, kinds), lengths=lengths)


@healthy()
def padded_tags(cell: str) -> Lesson:
    words, targets = problems.tags()
    inputs, lengths = problems.ragged(words)
    targets = targets.masked_fill(inputs == 0, -100)
    model = PackedTags(cell, 10, 3, symbols=True, bidirectional=True)
    return _lesson(model, _over_steps, (inputs, targets), lengths=lengths)


@healthy()
def tags_in_both_directions(cell: str) -> Lesson:
    """The tag of a word may be read from words after it."""
    return _lesson(EveryWord(cell, 10, 3, bidirectional=True), _over_steps, problems.tags())


@healthy()
def next_symbol(cell: str) -> Lesson:
    symbols, _ = problems.chains(96, 21)
    return _lesson(EveryWord(cell, 9, 9), _over_steps, (symbols[:, :-1], symbols[:, 1:]))


@healthy()
def next_value_at_every_step(cell: str) -> Lesson:
    (inputs, _), _ = problems.forecast(300, 25)
    return _lesson(EveryStep(cell, 1, 1), nn.MSELoss(), (inputs[:, :-1], inputs[:, 1:]))


@healthy(3, 7)
def horizon(cell: str, ahead: int) -> Lesson:
    train, held = problems.forecast(ahead=ahead)
    return _lesson(Net(cell, 1, 1), nn.MSELoss(), train, validation=held, horizon=ahead)


@healthy()
def several_steps_at_once(cell: str) -> Lesson:
    """The next five values."""
    (inputs, _), _ = problems.forecast(300, 26)
    return _lesson(Net(cell, 1, 5), nn.MSELoss(), (inputs[:, :21], inputs[:, 21:, 0]))


class Difference(Net):
    """The last value and the change to it; at first the last value alone."""

    def __init__(self, cell: str) -> None:
        super().__init__(cell, 1, 1)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -1] + super().forward(x)


@healthy()
def forecast_of_the_change(cell: str) -> Lesson:
    train, held = problems.forecast()
    return _lesson(Difference(cell), nn.MSELoss(), train, validation=held, lr=0.01)


@healthy()
def with_calendar(cell: str) -> Lesson:
    """The value and the day of the week."""
    (inputs, targets), _ = problems.forecast()
    day = (torch.arange(len(inputs)).unsqueeze(1) + torch.arange(inputs.shape[1])) % 7
    return _lesson(Net(cell, 8, 1), nn.MSELoss(), (torch.cat([inputs, nn.functional.one_hot(day, 7)], 2), targets))


@healthy("declared", "plain")
def time_first(cell: str, said: str) -> Lesson:
    inputs, kinds = problems.waves()
    more = {"batch_first": False} if said == "declared" else {}
    return _lesson(TimeFirst(cell, 1, 3), nn.CrossEntropyLoss(), (inputs.transpose(0, 1), kinds), **more)


@healthy()
def time_first_every_step(cell: str) -> Lesson:
    inputs, _ = problems.sums(64, 14)
    targets = inputs.prod(2, keepdim=True).cumsum(1)
    pair = inputs.transpose(0, 1), targets.transpose(0, 1)
    return _lesson(TimeFirstEveryStep(cell, 2, 1), nn.MSELoss(), pair, batch_first=False)


@healthy()
def cell_in_a_loop(cell: str) -> Lesson:
    return sound(cell, "classify", Loop)


@healthy("log_softmax", "bce", "bce_with_logits")
def other_losses(cell: str, loss: str) -> Lesson:
    inputs, kinds = problems.waves()
    if loss == "log_softmax":
        return _lesson(nn.Sequential(Net(cell, 1, 3), nn.LogSoftmax(1)), nn.NLLLoss(), (inputs, kinds))
    pair = inputs, (kinds == 0).float().unsqueeze(1)
    if loss == "bce":
        return _lesson(nn.Sequential(Net(cell, 1, 1), nn.Sigmoid()), nn.BCELoss(), pair)
    return _lesson(Net(cell, 1, 1), nn.BCEWithLogitsLoss(), pair)


@healthy("tanh", "sigmoid", "relu")
def bounded_for_bounded_targets(cell: str, end: str) -> Lesson:
    inputs, targets = problems.sums()
    targets = {"tanh": targets.tanh() * 0.9, "sigmoid": targets.sigmoid(), "relu": targets - targets.min()}[end]
    model = nn.Sequential(Net(cell, 2, 1), {"tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(), "relu": nn.ReLU()}[end])
    if end == "relu":
        nn.init.constant_(model[0].fc.bias, 1.0)
    return _lesson(model, nn.MSELoss(), (inputs, targets))


@healthy()
def binary_numbers(cell: str) -> Lesson:
    """Eight steps of a bit, numbers up to 255 as they are."""
    return _lesson(Net(cell, 1, 1, hidden=32), nn.MSELoss(), problems.binary_numbers(), lr=0.01)


@healthy("sgd", "momentum", "rmsprop", "adamw", "adagrad", "slow", "fast")
def optimizers(cell: str, kind: str) -> Lesson:
    lesson = sound(cell, "classify")
    own = lesson.model.parameters()
    lesson.optimizer = {
        "sgd": lambda: torch.optim.SGD(own, lr=0.1),
        "momentum": lambda: torch.optim.SGD(own, lr=0.02, momentum=0.9),
        "rmsprop": lambda: torch.optim.RMSprop(own, lr=1e-3),
        "adamw": lambda: torch.optim.AdamW(own, lr=2e-3, weight_decay=0.05),
        "adagrad": lambda: torch.optim.Adagrad(own, lr=0.01),
        "slow": lambda: torch.optim.Adam(own, lr=2e-4),
        "fast": lambda: torch.optim.Adam(own, lr=0.01),
    }[kind]()
    return lesson


@healthy("clipping", "clear_after")
def own_train_step(cell: str, kind: str) -> Lesson:
    lesson = sound(cell, "classify" if kind == "clipping" else "regress")
    lesson.train_step = step_of(clip=1.0) if kind == "clipping" else step_of(clear=False, clear_after=True)
    return lesson


@healthy("weighted", "mild")
def imbalance(cell: str, kind: str) -> Lesson:
    inputs, kinds = problems.waves(500)
    keep = (kinds == 0) | (torch.rand(500) < (0.06 if kind == "weighted" else 0.25))
    inputs, kinds = inputs[keep], kinds[keep]
    counts = kinds.bincount(minlength=3).clamp(min=1)
    weight = len(kinds) / (3 * counts) if kind == "weighted" else None
    return _lesson(Net(cell, 1, 3), nn.CrossEntropyLoss(weight=weight), (inputs, kinds))


@healthy("good", "noisy", "slow")
def history(cell: str, kind: str) -> Lesson:
    lesson = sound(cell, "regress")
    epochs = np.arange(30)
    train = np.exp(-epochs / {"good": 5, "noisy": 5, "slow": 60}[kind]) + 0.05
    noise = np.random.default_rng(0).normal(size=30) * (0.03 if kind == "noisy" else 0.003)
    lesson.history = {"train": train.tolist(), "validation": (train + 0.08 + noise).tolist()}
    return lesson


class Careful(Net):
    """Dropout that knows of eval(), and a normalised state."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.norm = nn.LayerNorm(24)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.rnn(x)[0][:, -1])
        return self.fc(nn.functional.dropout(out, 0.3, training=self.training))


@healthy(*TASKS)
def dropout_and_norm(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, Careful)

    def evaluate(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
        model.eval()
        with torch.no_grad():
            return float(lesson.loss(model(inputs), targets))

    lesson.evaluate = evaluate
    return lesson


@healthy()
def frozen_embedding(cell: str) -> Lesson:
    model = Words(cell, 9, 3)
    model.embedding.weight.requires_grad_(False)
    return _lesson(model, nn.CrossEntropyLoss(), problems.chains())


@healthy()
def orthogonal_weights(cell: str) -> Lesson:
    lesson = sound(cell, "regress")
    nn.init.orthogonal_(lesson.model.rnn.weight_hh_l0)
    if cell == "lstm":
        nn.init.constant_(lesson.model.rnn.bias_ih_l0[24:48], 1.0)
    return lesson


@healthy()
def trained_before(cell: str) -> Lesson:
    """A program that has run for a while already."""
    lesson = sound(cell, "classify", lr=0.01)
    for _ in range(60):
        lesson.optimizer.zero_grad()
        lesson.loss(lesson.model(lesson.inputs), lesson.targets).backward()
        lesson.optimizer.step()
    return lesson


class FixedState(Net):
    """The first state made by hand, for the size of batch it meets."""

    def forward(self, x: Tensor) -> Tensor:
        first = torch.zeros(1, x.shape[0], 24)
        out, _ = self.rnn(x, (first, first.clone()) if isinstance(self.rnn, nn.LSTM) else first)
        return self.fc(out[:, -1])


@healthy()
def state_made_by_hand(cell: str) -> Lesson:
    return sound(cell, "forecast", FixedState)


@healthy("tuple", "forward")
def called_otherwise(cell: str, how: str) -> Lesson:
    """Outputs and state returned, or a forward function of its own."""
    lesson = sound(cell, "classify")
    criterion, head = nn.CrossEntropyLoss(), lesson.model
    if how == "forward":
        lesson.forward = lambda model, inputs: model(inputs * 2.0)
        return lesson
    lesson.forward = lambda model, inputs: (model(inputs), None)
    lesson.loss = lambda outputs, targets: criterion(outputs[0], targets)
    assert head is lesson.model
    return lesson


@healthy(cells=("rnn",))
def linear_rnn(_: str) -> Lesson:
    """The names tutorial: one-hot letters, two linear layers, SGD."""
    symbols, kinds = problems.chains(96, 9)
    model = LinearRNN(9, 48, 3)
    lesson = _lesson(model, nn.NLLLoss(), (nn.functional.one_hot(symbols, 9).float(), kinds))
    lesson.optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return lesson


@healthy(cells=("rnn",))
def relu_rnn(_: str) -> Lesson:
    """An RNN with ReLU that starts at the identity."""
    lesson = sound("rnn", "regress", nonlinearity="relu")
    nn.init.eye_(lesson.model.rnn.weight_hh_l0)
    return lesson
