"""The same faults, less plain to see: other layers, losses and habits than those of the first corpus."""

import copy

import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.faults import fault
from benchmarks.doctor.lessons import sound
from benchmarks.doctor.networks import EveryStep, EveryWord, Net, Pooled
from benchmarks.doctor.programs import CELLS, Lesson

NUMBERS = ("regress", "forecast")


@fault("optimizer_misses_parameters")
def optimizer_of_a_copy(cell: str, task: str) -> Lesson:
    """``model = copy.deepcopy(model)`` after the optimizer was made."""
    lesson = sound(cell, task)
    lesson.model = copy.deepcopy(lesson.model)
    return lesson


class NoGrad(Net):
    """torch.no_grad() around the recurrent layer."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            out, _ = self.rnn(x)
        return self.fc(out[:, -1])


@fault("parameters_without_gradient")
def no_grad_around_the_layer(cell: str, task: str) -> Lesson:
    return sound(cell, task, NoGrad)


@fault("parameters_without_gradient", tasks=("classify", "regress"))
def last_step_of_both_directions(cell: str, task: str) -> Lesson:
    """``out[:, -1]`` of a bidirectional layer: the backward direction has read one step there."""
    return sound(cell, task, bidirectional=True)


class Squeezed(Net):
    """``.squeeze()`` at the end: ``(n,)``."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).squeeze()


@fault("loss_broadcasts", tasks=NUMBERS)
def row_against_column(cell: str, task: str) -> Lesson:
    """Outputs (n,), targets (n, 1), and another loss than MSE."""
    lesson = sound(cell, task, Squeezed)
    lesson.loss = nn.L1Loss() if task == "regress" else nn.SmoothL1Loss()
    return lesson


@fault("softmax_twice", tasks=("classify",))
def softmax_at_every_step(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: nn.Sequential(EveryWord(cell, 10, 3), nn.Softmax(dim=-1)))
    lesson.inputs, lesson.targets = problems.tags()
    lesson.loss = lambda outputs, targets: nn.functional.cross_entropy(outputs.reshape(-1, 3), targets.reshape(-1))
    del lesson.validation
    return lesson


class FarTanh(Net):
    """tanh times two, for targets that go to three."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x).tanh()


@fault("bounded_output", tasks=("regress",))
def tanh_times_two(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, FarTanh)
    lesson.targets = lesson.targets * 2
    del lesson.validation
    return lesson


@fault("bounded_output", tasks=NUMBERS)
def relu_for_negative_targets(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *sizes: nn.Sequential(Net(*sizes), nn.ReLU()))
    nn.init.constant_(lesson.model[0].fc.bias, 0.5)
    return lesson


class PerStepCarry(EveryStep):
    """The state of the last batch is the first of the next, for answers at every step."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.memory: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        first = self.memory[-1] if self.memory and self.memory[-1].shape[1] == x.shape[0] else None
        start = (first, torch.zeros_like(first)) if first is not None and isinstance(self.rnn, nn.LSTM) else first
        out, state = self.rnn(x, start)
        self.memory = [(state[0] if isinstance(state, tuple) else state).detach()]
        return self.fc(out)


@fault("state_carried", tasks=("forecast",))
def state_kept_in_a_list(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, PerStepCarry)
    (inputs, _), _ = problems.forecast(300, 25)
    lesson.inputs, lesson.targets = inputs[:, :-1], inputs[:, 1:]
    del lesson.validation
    return lesson


class LooksAhead(EveryStep):
    """A convolution with padding on both sides before the recurrent layer."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, 8, outputs)
        self.conv = nn.Conv1d(inputs, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.conv(x.transpose(1, 2)).relu().transpose(1, 2))


@fault("future_leaks", tasks=("forecast",))
def convolution_over_the_next_step(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, LooksAhead)
    (inputs, _), _ = problems.forecast(300, 25)
    lesson.inputs, lesson.targets = inputs[:, :-1], inputs[:, 1:]
    del lesson.validation
    return lesson


@fault("future_leaks", "target_misaligned", tasks=("forecast",))
def target_among_the_features(cell: str, task: str) -> Lesson:
    """A second feature that is the next value: a column that was not shifted."""
    lesson = sound(cell, task, lambda *_: Net(cell, 2, 1))
    (inputs, targets), _ = problems.forecast()
    later = torch.cat([inputs[:, 1:], targets.unsqueeze(1)], 1)
    lesson.inputs, lesson.targets = torch.cat([inputs, later], 2), targets
    del lesson.validation
    return lesson


class Unmasked(Pooled):
    """Attention, or the largest, over padding too."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return super().forward(x, torch.full_like(lengths, x.shape[1]))


@fault("padding_changes_answer", tasks=("classify",))
def attention_over_padding(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: Unmasked(cell, 1, 3, "attention"))
    lesson.inputs, lesson.lengths = problems.ragged(lesson.inputs)
    del lesson.validation
    return lesson


@fault("padding_changes_answer", tasks=("regress",))
def largest_over_padding(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: Unmasked(cell, 2, 1, "max"))
    lesson.inputs, lesson.lengths = problems.ragged(lesson.inputs)
    del lesson.validation
    return lesson


@fault("learning_rate_too_large")
def rmsprop_at_one(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.RMSprop(lesson.model.parameters(), lr=1.0)
    return lesson


@fault("learning_rate_too_large", tasks=NUMBERS)
def momentum_at_five(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.SGD(lesson.model.parameters(), lr=5.0, momentum=0.95)
    return lesson


@fault("not_finite")
def logarithm_of_zero(cell: str, task: str) -> Lesson:
    """The series was logged with its zeros."""
    lesson = sound(cell, task)
    lesson.inputs = lesson.inputs.clamp(min=0).log()
    del lesson.validation
    return lesson


@fault("constant_targets", tasks=("classify",))
def threshold_that_nothing_passes(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.targets = (lesson.inputs.mean((1, 2)) > 100).long()
    del lesson.validation
    return lesson


@fault("class_imbalance", tasks=("classify",))
def rare_event(cell: str, task: str) -> Lesson:
    """Yes or no, yes in one of thirty."""
    lesson = sound(cell, task, lambda *_: Net(cell, 1, 1))
    inputs, _ = problems.waves(300)
    lesson.inputs, lesson.targets = inputs, (torch.arange(300) % 30 == 0).float().unsqueeze(1)
    lesson.loss = nn.BCEWithLogitsLoss()
    del lesson.validation
    return lesson


@fault("scaler_fitted_on_test", tasks=("classify", "regress"))
def range_before_the_split(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    inputs = torch.cat([lesson.inputs, 1.5 * lesson.validation[0]])
    low, high = inputs.amin((0, 1)), inputs.amax((0, 1))
    inputs = (inputs - low) / (high - low)
    lesson.inputs, lesson.validation = inputs[:96], (inputs[96:], lesson.validation[1])
    return lesson


class StackedCells(nn.Module):
    """Two layers; the second starts from zeros for every step of the first."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, 20, batch_first=True)
        self.fc = nn.Linear(20, outputs)

    def forward(self, x: Tensor) -> Tensor:
        steps = [self.rnn(x[:, t : t + 1])[0] for t in range(x.shape[1])]
        return self.fc(torch.cat(steps, 1)[:, -1])


@fault("state_reset", "one_step_sequence")
def layer_called_step_by_step(cell: str, task: str) -> Lesson:
    """``self.rnn(x[:, t:t+1])`` in a loop, without the state."""
    return sound(cell, task, StackedCells)
