"""Faults of the wiring and of the loss: optimizers, gradients that are cut, shapes and ranges that do not fit."""

import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.faults import fault
from benchmarks.doctor.lessons import SIZES, sound, step_of
from benchmarks.doctor.networks import Net
from benchmarks.doctor.programs import CELLS, Lesson

NUMBERS = ("regress", "forecast")


@fault("optimizer_misses_parameters")
def optimizer_of_other_network(cell: str, task: str) -> Lesson:
    """As in ``optimizer_lstm = SGD(rnn.parameters())``."""
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.SGD(Net("rnn", *SIZES[task]).parameters(), lr=0.1)
    return lesson


@fault("optimizer_misses_parameters")
def optimizer_before_the_new_head(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.model.fc = nn.Sequential(nn.Linear(24, 16), nn.Tanh(), nn.Linear(16, SIZES[task][1]))
    return lesson


@fault("optimizer_misses_parameters")
def optimizer_of_the_head_only(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.optimizer = torch.optim.Adam(lesson.model.fc.parameters(), lr=3e-3)
    return lesson


class ListOfLayers(nn.Module):
    """Layers in a plain list, which nn.Module does not see."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = [CELLS[cell](inputs if i == 0 else 20, 20, batch_first=True) for i in range(2)]
        self.fc = nn.Linear(20, outputs)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x, _ = layer(x)
        return self.fc(x[:, -1])


@fault("unregistered_parameters")
def layers_in_a_list(cell: str, task: str) -> Lesson:
    return sound(cell, task, ListOfLayers)


@fault("loss_without_gradient")
def loss_of_detached_outputs(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    criterion = lesson.loss
    lesson.loss = lambda outputs, targets: criterion(outputs.detach(), targets)
    return lesson


@fault("loss_without_gradient", tasks=("classify",))
def loss_of_argmax(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.loss = lambda outputs, targets: (outputs.argmax(1) != targets).float().mean()
    return lesson


class DetachedState(Net):
    """The head is trained, the recurrent layer is not."""

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc(out[:, -1].detach())


class UnusedLayer(Net):
    """A second recurrent layer that forward never calls."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.rnn2 = CELLS[cell](24, 24, batch_first=True)


@fault("parameters_without_gradient")
def state_detached_before_the_head(cell: str, task: str) -> Lesson:
    return sound(cell, task, DetachedState)


@fault("parameters_without_gradient")
def layer_not_used(cell: str, task: str) -> Lesson:
    return sound(cell, task, UnusedLayer)


@fault("parameters_do_not_move")
def step_forgotten(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.train_step = step_of(step=False)
    return lesson


@fault("parameters_do_not_move")
def learning_rate_of_zero(cell: str, task: str) -> Lesson:
    return sound(cell, task, lr=0.0)


@fault("zero_grad_forgotten")
def zero_grad_not_called(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.train_step = step_of(clear=False)
    return lesson


@fault("loss_broadcasts", tasks=NUMBERS)
def column_against_row(cell: str, task: str) -> Lesson:
    """Outputs (n, 1), targets (n,)."""
    lesson = sound(cell, task)
    lesson.targets = lesson.targets.squeeze(-1)
    return lesson


class KeepsTime(Net):
    """Answers ``(batch, 1, outputs)``."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).unsqueeze(1)


@fault("loss_broadcasts", tasks=NUMBERS)
def cube_against_column(cell: str, task: str) -> Lesson:
    """Outputs (5, 1, 1), targets (5, 1)."""
    lesson = sound(cell, task, KeepsTime)
    lesson.inputs, lesson.targets = lesson.inputs[:5], lesson.targets[:5]
    del lesson.validation
    return lesson


class EndsIn(Net):
    """The answer goes through one more function."""

    def __init__(self, cell: str, inputs: int, outputs: int, end: nn.Module) -> None:
        super().__init__(cell, inputs, outputs)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(super().forward(x))


@fault("softmax_twice", tasks=("classify",))
def softmax_before_cross_entropy(cell: str, task: str) -> Lesson:
    return sound(cell, task, EndsIn, end=nn.Softmax(dim=1))


@fault("softmax_twice", tasks=("classify",))
def sigmoid_before_bce_with_logits(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, EndsIn, end=nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()))
    lesson.targets = (lesson.targets == 0).float().unsqueeze(1)
    lesson.validation = (lesson.validation[0], (lesson.validation[1] == 0).float().unsqueeze(1))
    lesson.loss = nn.BCEWithLogitsLoss()
    return lesson


@fault("logits_into_nll", tasks=("classify",))
def logits_before_nll(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.loss = nn.NLLLoss()
    return lesson


@fault("logits_into_nll", tasks=("classify",))
def probabilities_before_nll(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, EndsIn, end=nn.Softmax(dim=1))
    lesson.loss = nn.NLLLoss()
    return lesson


@fault("bounded_output", tasks=NUMBERS)
def tanh_on_the_output(cell: str, task: str) -> Lesson:
    return sound(cell, task, EndsIn, end=nn.Tanh())


@fault("bounded_output", tasks=NUMBERS)
def sigmoid_for_standardised_targets(cell: str, task: str) -> Lesson:
    return sound(cell, task, EndsIn, end=nn.Sigmoid())


class Bare(nn.Module):
    """The recurrent layer's own state is the answer."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, outputs, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0][:, -1]


@fault("bounded_output")
def bare_recurrent_layer(cell: str, task: str) -> Lesson:
    return sound(cell, task, Bare)


@fault("bounded_output", tasks=("regress",))
def bare_layer_for_numbers_up_to_255(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.inputs, lesson.targets = problems.binary_numbers()
    lesson.model = Bare(cell, 1, 1)
    lesson.optimizer = torch.optim.Adam(lesson.model.parameters(), lr=1e-3)
    del lesson.validation
    return lesson


@fault("dead_relu", tasks=NUMBERS)
def relu_dead_from_the_start(cell: str, task: str) -> Lesson:
    """The first seed with which the ReLU on the output is dead; one in three is."""
    for _ in range(400):
        lesson = sound(cell, task, EndsIn, end=nn.ReLU())
        lesson.targets = lesson.targets - lesson.targets.min()
        if not lesson.model(lesson.inputs).any():
            break
    return lesson


@fault("dead_relu", tasks=("classify",))
def hidden_relu_dead(cell: str, task: str) -> Lesson:
    """A ReLU between two linear layers that a careless first bias has silenced."""
    lesson = sound(cell, task, EndsIn, end=nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 3)))
    nn.init.constant_(lesson.model.end[0].bias, -10.0)
    return lesson


@fault("loss_starts_far", tasks=NUMBERS)
def targets_in_millions(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.targets = lesson.targets * 2e4 + 2e6
    del lesson.validation
    return lesson


@fault("loss_starts_far", tasks=("classify",))
def last_layer_too_large(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    nn.init.normal_(lesson.model.fc.weight, std=40.0)
    return lesson


class Overwritten(Net):
    """A variable of the wrong name: the state of zeros is read."""

    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros(x.shape[0], 24)
        self.rnn(x)
        return self.fc(state)


@fault("outputs_ignore_inputs")
def wrong_variable(cell: str, task: str) -> Lesson:
    return sound(cell, task, Overwritten)
