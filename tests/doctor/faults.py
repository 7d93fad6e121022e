"""Trainings with one fault each, in any cell; `FAULTS` maps what was done wrong to the check that has to find it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .lessons import CELLS, Reader, classification, forecasting, lesson, regression, series, step, windows

FAULTS: dict[str, tuple[str, Callable[[str], SimpleNamespace]]] = {}
STEP_CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def fault(check: str, what: str) -> Callable[[Callable[[str], SimpleNamespace]], Callable[[str], SimpleNamespace]]:
    """Enter a factory under ``what`` was done wrong."""

    def enter(make: Callable[[str], SimpleNamespace]) -> Callable[[str], SimpleNamespace]:
        FAULTS[what] = (check, make)
        return make

    return enter


class Ending(Reader):
    """A reader with something applied to its outputs."""

    def __init__(self, cell: str, end: Callable[[Tensor], Tensor], inputs: int = 3, outputs: int = 1) -> None:
        super().__init__(cell, inputs, 16, outputs)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(super().forward(x))


class EveryStep(Reader):
    """An answer for each step."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0])


class FirstStep(Reader):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0][:, 0])


class Bare(nn.Module):
    """No linear layer: the last layer has one unit, bounded by 1."""

    def __init__(self, cell: str, inputs: int = 3) -> None:
        super().__init__()
        self.rnn = CELLS[cell](inputs, 1, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0][:, -1]


class Loop(nn.Module):
    """A loop over time by hand, with ``wrong`` done to the state at each step."""

    def __init__(self, cell: str, wrong: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.cell, self.fc, self.wrong = STEP_CELLS[cell](3, 16), nn.Linear(16, 1), wrong

    def forward(self, x: Tensor) -> Tensor:
        zeros = x.new_zeros(len(x), 16)
        state: Any = (zeros, zeros) if isinstance(self.cell, nn.LSTMCell) else zeros
        for t in range(x.shape[1]):
            state = tuple(map(self.wrong, state)) if isinstance(state, tuple) else self.wrong(state)
            state = self.cell(x[:, t], state)
        return self.fc(state[0] if isinstance(state, tuple) else state)


class Keeping(Reader):
    """Keeps its state from batch to batch, detached or with its graph."""

    state: Any = None
    detached = True

    def forward(self, x: Tensor) -> Tensor:
        out, state = self.rnn(x, self.state)
        if self.detached:
            state = tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()
        self.state = state
        return self.fc(out[:, -1])


@fault("optimizer_misses_parameters", "the optimizer of the other network")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, optimizer=torch.optim.SGD(Reader("rnn").parameters(), lr=0.9))


@fault("optimizer_misses_parameters", "the optimizer of one layer")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell)
    subject.optimizer = torch.optim.Adam(subject.model.rnn.parameters())
    return subject


@fault("one_step_sequence", "the window as features of one step")
def _(cell: str) -> SimpleNamespace:
    inputs, targets = windows(series())
    return lesson(Reader(cell, 16), inputs.transpose(1, 2), targets, nn.MSELoss())


@fault("samples_influence_each_other", "batch_first forgotten in a regression")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Reader(cell, batch_first=False))


@fault("samples_influence_each_other", "the third sample for the third step")
def _(cell: str) -> SimpleNamespace:
    model = Reader(cell, 1, batch_first=False)
    inputs = torch.tensor([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [3.0, 4.0, 5.0]]).unsqueeze(-1)
    targets = torch.tensor([[1 / 3], [2 / 3], [1.0]])
    return lesson(model, inputs, targets, nn.MSELoss(), forward=lambda m, x: m.fc(m.rnn(x)[0][:, 2]))


@fault("loss_broadcasts", "targets without their last axis")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell)
    subject.targets = subject.targets.squeeze(-1)
    return subject


@fault("loss_broadcasts", "(5, 1, 1) against (5, 1)")
def _(cell: str) -> SimpleNamespace:
    torch.manual_seed(0)
    return lesson(EveryStep(cell, 8), torch.randn(5, 1, 8), torch.rand(5, 1), nn.MSELoss())


@fault("softmax_twice", "softmax before cross entropy")
def _(cell: str) -> SimpleNamespace:
    return classification(cell, model=Ending(cell, lambda out: out.softmax(1), 4, 4))


@fault("softmax_twice", "sigmoid before BCEWithLogitsLoss")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell, model=Ending(cell, torch.sigmoid, 4, 1), loss=nn.BCEWithLogitsLoss())
    subject.targets = (subject.inputs[:, :, :1].sum(1) > 0).float()
    return subject


@fault("logits_into_nll", "logits into NLLLoss")
def _(cell: str) -> SimpleNamespace:
    return classification(cell, loss=nn.NLLLoss())


@fault("bounded_output", "tanh for large targets")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Ending(cell, torch.tanh), targets=20 * torch.randn(64, 1))


@fault("bounded_output", "ReLU for targets below zero")
def _(cell: str) -> SimpleNamespace:
    return forecasting(cell, model=Ending(cell, torch.relu, 1))


@fault("bounded_output", "a bare layer for numbers up to 255")
def _(cell: str) -> SimpleNamespace:
    bits = ((torch.arange(256)[:, None] >> torch.arange(8)) & 1).float().unsqueeze(-1)
    return lesson(Bare(cell, 1), bits, torch.arange(256.0).unsqueeze(1), nn.MSELoss())


@fault("dead_relu", "a ReLU on the output that never opens")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell, model=Ending(cell, torch.relu), targets=torch.rand(64, 1))
    nn.init.constant_(subject.model.fc.bias, -5.0)
    return subject


@fault("loss_without_gradient", "outputs detached before the loss")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, loss=lambda outputs, targets: F.mse_loss(outputs.detach(), targets))


@fault("parameters_without_gradient", "a layer that forward does not use")
def _(cell: str) -> SimpleNamespace:
    model = Reader(cell, 4, 24, 4)
    model.extra = nn.Linear(24, 24)
    return classification(cell, model=model)


@fault("unregistered_parameters", "layers in a plain list")
def _(cell: str) -> SimpleNamespace:
    model = Reader(cell)
    hidden = [nn.Linear(3, 3)]
    return regression(cell, model=model, forward=lambda m, x: m(hidden[0](x)))


@fault("parameters_do_not_move", "a learning rate of 0")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell)
    subject.optimizer = torch.optim.SGD(subject.model.parameters(), lr=0.0)
    return subject


@fault("parameters_do_not_move", "zero_grad between backward and step")
def _(cell: str) -> SimpleNamespace:
    def train_step(model: nn.Module, optimizer: Any, inputs: Tensor, targets: Tensor) -> None:
        F.mse_loss(model(inputs), targets).backward()
        optimizer.zero_grad()
        optimizer.step()

    return regression(cell, train_step=train_step)


@fault("zero_grad_forgotten", "zero_grad not called")
def _(cell: str) -> SimpleNamespace:
    def train_step(model: nn.Module, optimizer: Any, inputs: Tensor, targets: Tensor) -> None:
        F.mse_loss(model(inputs), targets).backward()
        optimizer.step()

    return regression(cell, train_step=train_step)


@fault("state_reset", "a state of zeros at every step")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Loop(cell, torch.zeros_like))


@fault("gradient_cut", "the state detached at every step")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Loop(cell, torch.detach))


@fault("steps_ignored", "the first step read out")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=FirstStep(cell))


@fault("outputs_ignore_inputs", "the wrong variable read out")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, forward=lambda m, x: m.fc(torch.zeros(len(x), 16)))


@fault("state_carried", "the state kept from batch to batch")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Keeping(cell))


@fault("state_carried", "the state kept with its graph")
def _(cell: str) -> SimpleNamespace:
    model = Keeping(cell)
    model.detached = False
    return regression(cell, model=model)


@fault("dropout_in_evaluation", "F.dropout that does not know of evaluation")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Ending(cell, lambda out: F.dropout(out, 0.5)))


@fault("dropout_in_evaluation", "eval() not called")
def _(cell: str) -> SimpleNamespace:
    model = Reader(cell)
    model.fc = nn.Sequential(nn.Dropout(0.5), model.fc)
    return regression(cell, model=model, evaluate=lambda m, x, y: F.mse_loss(m(x), y).item())


@fault("nondeterminism", "noise that no seed reaches")
def _(cell: str) -> SimpleNamespace:
    noise = np.random.default_rng()
    return regression(cell, model=Ending(cell, lambda out: out + float(noise.normal())))


@fault("future_leaks", "the next value predicted in both directions")
def _(cell: str) -> SimpleNamespace:
    rows = series().unfold(0, 21, 5)
    model = EveryStep(cell, 1, bidirectional=True)
    return lesson(model, rows[:, :-1, None].clone(), rows[:, 1:, None].clone(), nn.MSELoss())


@fault("padding_changes_answer", "the last column of padded rows")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell)
    torch.manual_seed(2)
    subject.lengths = torch.randint(3, 11, (80,))
    subject.inputs = subject.inputs * (torch.arange(10)[None] < subject.lengths[:, None])[..., None]
    subject.forward = lambda model, x, lengths: model(x)
    return subject


@fault("padding_changes_answer", "padded rows without lengths")
def _(cell: str) -> SimpleNamespace:
    subject = FAULTS["the last column of padded rows"][1](cell)
    del subject.lengths, subject.forward
    return subject


@fault("padding_counts_in_loss", "padded steps in the loss")
def _(cell: str) -> SimpleNamespace:
    torch.manual_seed(2)
    inputs, lengths = torch.randn(40, 10, 3), torch.randint(3, 11, (40,))
    subject = lesson(EveryStep(cell), inputs, inputs[..., :1].cumsum(1), nn.MSELoss(), lengths=lengths)
    subject.forward = lambda model, x, n: model(x)
    return subject


@fault("target_misaligned", "a step skipped")
def _(cell: str) -> SimpleNamespace:
    return forecasting(cell, ahead=2)


@fault("target_misaligned", "the last input as the target")
def _(cell: str) -> SimpleNamespace:
    inputs, _ = windows(series())
    return lesson(Reader(cell, 1), inputs, inputs[:, -1].clone(), nn.MSELoss())


@fault("forecast_is_last_value", "yesterday again")
def _(cell: str) -> SimpleNamespace:
    torch.manual_seed(0)
    walk = torch.randn(240).cumsum(0)
    inputs, targets = windows((walk - walk.mean()) / walk.std())
    model = Reader(cell, 1)
    nn.init.normal_(model.fc.weight, std=1e-3)
    nn.init.zeros_(model.fc.bias)
    return lesson(model, inputs, targets, nn.MSELoss(), forward=lambda m, x: x[:, -1] + m(x))


@fault("test_examples_in_training", "validation taken from training")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell)
    subject.validation = (subject.inputs[:20], subject.targets[:20])
    return subject


@fault("test_examples_in_training", "windows split at random")
def _(cell: str) -> SimpleNamespace:
    inputs, targets = windows(series())
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    train, held = order[:140], order[140:]
    return lesson(
        Reader(cell, 1), inputs[train], targets[train], nn.MSELoss(), validation=(inputs[held], targets[held])
    )


@fault("scaler_fitted_on_test", "standardised before the split")
def _(cell: str) -> SimpleNamespace:
    values = series()
    return forecasting(cell, values=(values - values.mean()) / values.std())


@fault("scaler_fitted_on_test", "the range of the whole series")
def _(cell: str) -> SimpleNamespace:
    values = series()
    return forecasting(cell, values=(values - values.min()) / (values.max() - values.min()))


@fault("class_imbalance", "nearly one class")
def _(cell: str) -> SimpleNamespace:
    return classification(cell, targets=(torch.arange(80) % 20 == 0).long())


@fault("constant_targets", "one target for all")
def _(cell: str) -> SimpleNamespace:
    return classification(cell, targets=torch.ones(80).long())


@fault("constant_inputs", "one input for all")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell)
    subject.inputs = subject.inputs[:1].repeat(64, 1, 1)
    return subject


@fault("not_finite", "a missing value")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell)
    subject.inputs[3, 2, 1] = float("nan")
    return subject


@fault("loss_starts_far", "targets in thousands")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell)
    subject.targets += 5000
    return subject


@fault("saturated_gates", "inputs in ten thousands")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell)
    subject.inputs = subject.inputs * 5000 + 30000
    return subject


@fault("exploding_gradients", "recurrent weights far too large")
def _(cell: str) -> SimpleNamespace:
    subject = regression(cell, model=Reader(cell, **({"nonlinearity": "relu"} if cell == "rnn" else {})))
    subject.inputs = 0.01 * subject.inputs.repeat(1, 3, 1)
    nn.init.orthogonal_(subject.model.rnn.weight_hh_l0, gain=3.0 if cell == "rnn" else 20.0)
    return subject


@fault("vanishing_gradients", "a cue 120 steps ago")
def _(cell: str) -> SimpleNamespace:
    torch.manual_seed(0)
    inputs = 0.5 * torch.randn(100, 120, 2)
    inputs[:, 0, 0] = 2 * torch.randn(100).sign()
    return lesson(Reader(cell, 2, 16, 2), inputs, (inputs[:, 0, 0] > 0).long(), nn.CrossEntropyLoss())


@fault("learning_rate_too_large", "Adam at 2")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell)
    subject.optimizer = torch.optim.Adam(subject.model.parameters(), lr=2.0)
    return subject


@fault("learning_rate_too_small", "Adam at a millionth")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell)
    subject.optimizer = torch.optim.Adam(subject.model.parameters(), lr=1e-6)
    return subject


@fault("batch_not_memorised", "weight decay of 10")
def _(cell: str) -> SimpleNamespace:
    subject = classification(cell)
    subject.optimizer = torch.optim.Adam(subject.model.parameters(), lr=3e-3, weight_decay=10.0)
    return subject


@fault("overfitting", "the validation loss rises")
def _(cell: str) -> SimpleNamespace:
    held = [1.0, 0.8, 0.7, 0.65, 0.6] + [0.62 + 0.04 * epoch for epoch in range(15)]
    return classification(cell, history={"train": [1 / (epoch + 1) for epoch in range(20)], "validation": held})


@fault("underfitting", "neither loss falls")
def _(cell: str) -> SimpleNamespace:
    history = {"train": [1.386 - 1e-4 * epoch for epoch in range(20)], "validation": [1.39] * 20}
    return classification(cell, history=history)


def sound_step(cell: str) -> SimpleNamespace:
    """Return a training whose own step is in order."""
    return regression(cell, train_step=step)


@fault("parameters_without_gradient", "the reverse direction read at its first step")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Reader(cell, bidirectional=True))


@fault("loss_broadcasts", "outputs squeezed, targets not")
def _(cell: str) -> SimpleNamespace:
    return regression(cell, model=Ending(cell, lambda out: out.squeeze(-1)))


@fault("target_misaligned", "a second column that already holds the target")
def _(cell: str) -> SimpleNamespace:
    values = series()
    ahead = torch.stack([values[:-1], values[1:]], 1).unfold(0, 16, 1).transpose(1, 2)
    return lesson(Reader(cell, 2), ahead[:-1].clone(), values[16:-1].unsqueeze(-1).clone(), nn.MSELoss())
