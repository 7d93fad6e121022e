"""Faults of training, evaluation and data: rates, weight decay, curves, dropout, constants, leaks."""

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.faults import fault
from benchmarks.doctor.lessons import sound
from benchmarks.doctor.networks import Net
from benchmarks.doctor.programs import Lesson


@fault("learning_rate_too_large")
def adam_at_three(cell: str, task: str) -> Lesson:
    return sound(cell, task, lr=3.0)


@fault("learning_rate_too_large")
def sgd_at_a_hundred(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.SGD(lesson.model.parameters(), lr=100.0)
    return lesson


@fault("learning_rate_too_small")
def adam_at_a_millionth(cell: str, task: str) -> Lesson:
    return sound(cell, task, lr=1e-6)


@fault("learning_rate_too_small")
def sgd_at_a_hundred_thousandth(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.SGD(lesson.model.parameters(), lr=1e-5)
    return lesson


@fault("batch_not_memorised")
def weight_decay_of_ten(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.Adam(lesson.model.parameters(), lr=3e-3, weight_decay=10.0)
    return lesson


class Drowned(Net):
    """Nearly all of the state is dropped."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.dropout = nn.Dropout(0.98)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.rnn(x)[0][:, -1]))


@fault("batch_not_memorised")
def dropout_of_nearly_all(cell: str, task: str) -> Lesson:
    return sound(cell, task, Drowned)


@fault("overfitting", "curves")
def validation_loss_rises(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    epochs = np.arange(40)
    train = np.exp(-epochs / 6) + 0.01
    held = 0.4 + 0.6 * np.exp(-epochs / 4) + 0.012 * epochs + 0.02 * np.sin(epochs)
    lesson.history = {"train": train.tolist(), "validation": held.tolist()}
    return lesson


@fault("underfitting", "curves")
def neither_loss_falls(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    level = 1.0986 if task == "classify" else 1.0
    noise = torch.randn(40) * 0.005
    lesson.history = {"train": (level + noise).tolist(), "validation": (level + 0.01 + noise.flip(0)).tolist()}
    return lesson


class AlwaysDrops(Net):
    """F.dropout does not know of eval()."""

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(nn.functional.dropout(out[:, -1], 0.5))


class Drops(Net):
    """A dropout layer, rightly."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.rnn(x)[0][:, -1]))


@fault("dropout_in_evaluation")
def functional_dropout(cell: str, task: str) -> Lesson:
    return sound(cell, task, AlwaysDrops)


@fault("dropout_in_evaluation")
def eval_not_called(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, Drops)

    def evaluate(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
        with torch.no_grad():
            return float(lesson.loss(model(inputs), targets))

    lesson.evaluate = evaluate
    return lesson


class OwnNoise(Net):
    """Noise from a generator that no seed reaches."""

    def forward(self, x: Tensor) -> Tensor:
        noise = np.random.default_rng().normal(size=tuple(x.shape), scale=0.1)
        return super().forward(x + torch.from_numpy(noise).float())


@fault("nondeterminism")
def noise_without_a_seed(cell: str, task: str) -> Lesson:
    return sound(cell, task, OwnNoise)


@fault("class_imbalance", tasks=("classify",))
def nearly_one_class(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    inputs, kinds = problems.waves(600)
    keep = (kinds == 0) | (torch.rand(600) < 0.03)
    lesson.inputs, lesson.targets = inputs[keep], kinds[keep]
    del lesson.validation
    return lesson


@fault("constant_targets")
def one_target_for_all(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.targets = torch.zeros_like(lesson.targets) + lesson.targets[0]
    return lesson


@fault("constant_inputs")
def one_input_for_all(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.inputs = lesson.inputs[:1].expand_as(lesson.inputs).clone()
    return lesson


@fault("not_finite")
def a_missing_value(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.inputs[3, 2] = float("nan")
    return lesson


@fault("test_examples_in_training")
def split_after_duplication(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    inputs, targets = lesson.validation
    lesson.validation = torch.cat([inputs, lesson.inputs[:20]]), torch.cat([targets, lesson.targets[:20]])
    return lesson


@fault("test_examples_in_training", tasks=("forecast",))
def windows_split_at_random(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    series = problems.season()
    inputs, targets = problems.windows((series - series[:208].mean()) / series[:208].std())
    order = torch.randperm(len(inputs))
    train, held = order[: int(0.8 * len(order))], order[int(0.8 * len(order)) :]
    lesson.inputs, lesson.targets = inputs[train], targets[train]
    lesson.validation = inputs[held], targets[held]
    return lesson


@fault("scaler_fitted_on_test")
def standardised_before_the_split(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    if task == "forecast":
        series = problems.season() + torch.linspace(0, 20, 260)
        series = (series - series.mean()) / series.std()
        lesson.inputs, lesson.targets = problems.windows(series[:208])
        lesson.validation = problems.windows(series[187:])
        return lesson
    inputs = torch.cat([lesson.inputs, 1.3 * lesson.validation[0] + 0.4])
    inputs = (inputs - inputs.mean((0, 1))) / inputs.std((0, 1))
    lesson.inputs, lesson.validation = inputs[:96], (inputs[96:], lesson.validation[1])
    return lesson


@fault("scaler_fitted_on_test", tasks=("forecast",))
def range_of_the_whole_series(cell: str, task: str) -> Lesson:
    """MinMaxScaler on all of a growing series, then the split."""
    lesson = sound(cell, task)
    series = problems.season() + torch.linspace(0, 40, 260)
    series = (series - series.min()) / (series.max() - series.min())
    lesson.inputs, lesson.targets = problems.windows(series[:208])
    lesson.validation = problems.windows(series[187:])
    return lesson
