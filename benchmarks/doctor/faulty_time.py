"""Faults of axes and time: samples that meet, states lost, kept or cut, futures that leak, padding that counts."""

import torch
from torch import Tensor, nn

from benchmarks.doctor import problems
from benchmarks.doctor.faults import fault
from benchmarks.doctor.lessons import sound
from benchmarks.doctor.networks import EveryStep, EveryWord, Loop, Net, Packed, PackedTags, Words
from benchmarks.doctor.programs import CELLS, STEP_CELLS, Lesson


class Swapped(Net):
    """batch_first was forgotten: the batch is taken for time."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.rnn = CELLS[cell](inputs, 24)


@fault("samples_influence_each_other")
def batch_first_forgotten(cell: str, task: str) -> Lesson:
    return sound(cell, task, Swapped)


class Viewed(Swapped):
    """``view`` does not swap axes."""

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x.view(x.shape[1], x.shape[0], x.shape[2]))
        return self.fc(out[-1])


@fault("samples_influence_each_other")
def view_instead_of_transpose(cell: str, task: str) -> Lesson:
    return sound(cell, task, Viewed)


class StatesViewed(Net):
    """The final states of two directions are viewed, not transposed, into a row a sample."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.rnn(x)
        h = state[0] if isinstance(state, tuple) else state
        return self.fc(h.view(x.shape[0], -1))


@fault("samples_influence_each_other", tasks=("classify", "regress"))
def states_of_directions_viewed(cell: str, task: str) -> Lesson:
    return sound(cell, task, StatesViewed)


class BatchSoftmax(Net):
    """Attention weights that sum to 1 over the batch."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__(cell, inputs, outputs)
        self.score = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.fc((self.score(out).softmax(0) * out).sum(1))


@fault("samples_influence_each_other", tasks=("classify", "regress"))
def softmax_over_the_batch(cell: str, task: str) -> Lesson:
    return sound(cell, task, BatchSoftmax)


@fault("one_step_sequence")
def window_as_features(cell: str, task: str) -> Lesson:
    """The whole sequence as the features of a single step."""
    lesson = sound(cell, task)
    lesson.inputs = lesson.inputs.flatten(1).unsqueeze(1)
    lesson.model = Net(cell, lesson.inputs.shape[2], lesson.model.fc.out_features)
    lesson.optimizer = torch.optim.SGD(lesson.model.parameters(), lr=0.05)
    del lesson.validation
    return lesson


class Forgetful(nn.Module):
    """A cell in a loop that starts from zeros at each step."""

    def __init__(self, cell: str, inputs: int, outputs: int) -> None:
        super().__init__()
        self.cell = STEP_CELLS[cell](inputs, 24)
        self.fc = nn.Linear(24, outputs)

    def forward(self, x: Tensor) -> Tensor:
        for t in range(x.shape[1]):
            h = self.cell(x[:, t])
        return self.fc(h[0] if isinstance(h, tuple) else h)


@fault("state_reset")
def state_of_zeros_at_each_step(cell: str, task: str) -> Lesson:
    return sound(cell, task, Forgetful)


class Detaching(Loop):
    """The state is detached at each step, so that no gradient passes."""

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
            state = tuple(one.detach() for one in state) if t < x.shape[1] - 1 and isinstance(state, tuple) else state
            state = state.detach() if t < x.shape[1] - 1 and isinstance(state, Tensor) else state
        return self.fc(state[0] if isinstance(state, tuple) else state)


@fault("gradient_cut")
def state_detached_at_each_step(cell: str, task: str) -> Lesson:
    return sound(cell, task, Detaching)


class Carrying(Net):
    """The state of the last batch is where the next one starts."""

    def __init__(self, cell: str, inputs: int, outputs: int, detach: bool = True) -> None:
        super().__init__(cell, inputs, outputs)
        self.state = None
        self.detach = detach

    def forward(self, x: Tensor) -> Tensor:
        if self.state is not None:
            known = self.state[0] if isinstance(self.state, tuple) else self.state
            if known.shape[1] != x.shape[0]:
                self.state = None
        out, state = self.rnn(x, self.state)
        cut = tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()
        self.state = cut if self.detach else state
        return self.fc(out[:, -1])


@fault("state_carried")
def state_kept_between_batches(cell: str, task: str) -> Lesson:
    return sound(cell, task, Carrying)


@fault("state_carried")
def state_kept_with_its_graph(cell: str, task: str) -> Lesson:
    return sound(cell, task, Carrying, detach=False)


def _next_values() -> tuple[Tensor, Tensor]:
    (inputs, _), _ = problems.forecast(300, 25)
    return inputs[:, :-1], inputs[:, 1:]


@fault("future_leaks", tasks=("forecast",))
def forecast_in_both_directions(cell: str, task: str) -> Lesson:
    """The next value at every step, from a layer that has seen it."""
    lesson = sound(cell, task, EveryStep, bidirectional=True)
    lesson.inputs, lesson.targets = _next_values()
    del lesson.validation
    return lesson


@fault("future_leaks", tasks=("classify",))
def next_symbol_in_both_directions(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: EveryWord(cell, 9, 9, bidirectional=True))
    symbols, _ = problems.chains(96, 21)
    lesson.inputs, lesson.targets = symbols[:, :-1], symbols[:, 1:]
    lesson.loss = lambda outputs, targets: nn.functional.cross_entropy(outputs.transpose(1, 2), targets)
    del lesson.validation
    return lesson


class SeesTheMean(EveryStep):
    """Each step is normalised with the mean over all steps, later ones too."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True))


@fault("future_leaks", tasks=("forecast",))
def normalised_over_all_steps(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, SeesTheMean)
    lesson.inputs, lesson.targets = _next_values()
    del lesson.validation
    return lesson


def _ragged(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.inputs, lesson.lengths = problems.ragged(lesson.inputs)
    del lesson.validation
    return lesson


class Mean(Net):
    """The mean over all steps, padding included."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0].mean(1))


@fault("padding_changes_answer", tasks=("classify", "regress"))
def last_column_of_padded_rows(cell: str, task: str) -> Lesson:
    return _ragged(cell, task)


@fault("padding_changes_answer", tasks=("classify", "regress"))
def mean_over_padding(cell: str, task: str) -> Lesson:
    lesson = _ragged(cell, task)
    lesson.model = Mean(cell, lesson.inputs.shape[2], lesson.model.fc.out_features)
    lesson.optimizer = torch.optim.Adam(lesson.model.parameters(), lr=3e-3)
    return lesson


@fault("padding_changes_answer", tasks=("classify",))
def padded_words_without_lengths(cell: str, task: str) -> Lesson:
    """No lengths anywhere: the zeros at the end are read as symbols."""
    lesson = sound(cell, task, lambda *_: Words(cell, 9, 3))
    symbols, lesson.targets = problems.chains(96, 20)
    lesson.inputs, _ = problems.ragged(symbols)
    del lesson.validation
    return lesson


class BackwardPadded(Packed):
    """Lengths are known but not used: the backward direction begins in the padding."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        out, _ = self.rnn(self.embedding(x))
        return self.fc(out[torch.arange(len(out)), lengths - 1])


@fault("padding_changes_answer", tasks=("classify", "regress"))
def backward_direction_reads_padding(cell: str, task: str) -> Lesson:
    lesson = _ragged(cell, task)
    lesson.model = BackwardPadded(cell, lesson.inputs.shape[2], lesson.model.fc.out_features, bidirectional=True)
    lesson.optimizer = torch.optim.Adam(lesson.model.parameters(), lr=3e-3)
    return lesson


@fault("padding_counts_in_loss", tasks=("classify",))
def padded_tags_in_the_loss(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: PackedTags(cell, 10, 3, symbols=True))
    words, targets = problems.tags()
    lesson.inputs, lesson.lengths = problems.ragged(words)
    lesson.targets = targets * (lesson.inputs > 0)
    lesson.loss = lambda outputs, targets: nn.functional.cross_entropy(outputs.reshape(-1, 3), targets.reshape(-1))
    del lesson.validation
    return lesson


@fault("padding_counts_in_loss", tasks=("regress",))
def padded_numbers_in_the_loss(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: PackedTags(cell, 2, 1))
    numbers, _ = problems.sums(80)
    lesson.inputs, lesson.lengths = problems.ragged(numbers)
    lesson.targets = lesson.inputs.prod(2, keepdim=True).cumsum(1) * (lesson.inputs != 0).any(2, keepdim=True)
    del lesson.validation
    return lesson


@fault("target_misaligned", tasks=("forecast",))
def one_step_skipped(cell: str, task: str) -> Lesson:
    """``series[i + window + 1]`` is the target."""
    lesson = sound(cell, task)
    (lesson.inputs, lesson.targets), lesson.validation = problems.forecast(ahead=2)
    return lesson


@fault("target_misaligned", tasks=("forecast",))
def target_is_the_last_input(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    (lesson.inputs, lesson.targets), _ = problems.forecast(ahead=0)
    del lesson.validation
    return lesson


@fault("target_misaligned", tasks=("forecast",))
def targets_not_shifted(cell: str, task: str) -> Lesson:
    """Each step's target is its own input."""
    lesson = sound(cell, task, EveryStep)
    lesson.inputs, _ = _next_values()
    lesson.targets = lesson.inputs.clone()
    del lesson.validation
    return lesson


@fault("target_misaligned", tasks=("classify",))
def next_symbol_not_shifted(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, lambda *_: EveryWord(cell, 9, 9))
    lesson.inputs, _ = problems.chains(96, 20)
    lesson.targets = lesson.inputs.clone()
    lesson.loss = lambda outputs, targets: nn.functional.cross_entropy(outputs.transpose(1, 2), targets)
    del lesson.validation
    return lesson


class Persistent(Net):
    """The last value, and a correction that is too small to matter."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -1] + 0.01 * super().forward(x)


@fault("forecast_is_last_value", tasks=("forecast",))
def yesterday_again(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, Persistent)
    (inputs, targets) = problems.windows(problems.walk())
    lesson.inputs, lesson.targets = inputs[:220], targets[:220]
    del lesson.validation
    return lesson


@fault("vanishing_gradients")
def recurrent_weights_near_zero(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    nn.init.normal_(lesson.model.rnn.weight_hh_l0, std=1e-3)
    if cell != "rnn":  # the gate that keeps the state is shut
        keep = slice(24, 48)
        nn.init.constant_(lesson.model.rnn.bias_ih_l0[keep], -5.0)
        nn.init.constant_(lesson.model.rnn.bias_hh_l0[keep], 0.0)
    return lesson


@fault("exploding_gradients")
def recurrent_weights_too_large(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task, **({"nonlinearity": "relu"} if cell == "rnn" else {}))
    size = 3.0 if cell == "rnn" else 20.0  # gates need more, since they shut
    nn.init.orthogonal_(lesson.model.rnn.weight_hh_l0, gain=size)
    return lesson


@fault("saturated_gates")
def inputs_in_thousands(cell: str, task: str) -> Lesson:
    lesson = sound(cell, task)
    lesson.inputs = lesson.inputs * 3000 + 5000
    lesson.validation = (lesson.validation[0] * 3000 + 5000, lesson.validation[1])
    return lesson
