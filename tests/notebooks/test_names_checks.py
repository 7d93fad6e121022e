"""The checks of *names* accept whatever is right, and say what is wrong with what is not."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from rnnlab.data import library
from rnnlab.notebooks.checks import names as check

source = library.names()
TEXTS, LABELS = list(source.texts), list(source.labels)
TARGETS = torch.tensor([source.classes.index(label) for label in LABELS])
LETTERS = sorted(set("".join(TEXTS)))


def split(texts: list[str], share: float = 0.2, *, rows: bool = False) -> tuple[list[int], list[int]]:
    random = np.random.default_rng(0)
    if rows:
        order = random.permutation(len(texts))
        count = round(share * len(texts))
        return order[count:].tolist(), order[:count].tolist()
    distinct = sorted(set(texts))
    held = set(random.permutation(distinct)[: round(share * len(distinct))].tolist())
    return [r for r, t in enumerate(texts) if t not in held], [r for r, t in enumerate(texts) if t in held]


def in_order(texts: list[str]) -> tuple[list[int], list[int]]:
    order = sorted(range(len(texts)), key=lambda row: (LABELS[row] != "Russian", texts[row]))
    held = {texts[row] for row in order[:4000]}
    return [r for r, t in enumerate(texts) if t not in held], [r for r, t in enumerate(texts) if t in held]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (split, ""),
        (lambda texts: tuple(np.array(part) for part in split(texts)), ""),
        (lambda texts: split(texts, rows=True), "names are in both parts"),
        (lambda texts: split(texts, 0.7), "About a fifth"),
        (lambda texts: (split(texts)[0], split(texts)[1][1:]), "Every row"),
        (lambda texts: (list(range(len(texts))), split(texts)[1]), "rows are in both"),
        (in_order, "Draw at random"),
    ],
)
def test_splits(answer: Any, hint: str) -> None:
    outcome = check.hold_out(answer, TEXTS, LABELS)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def encode(names: list[str], first: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([len(name) for name in names])
    inputs = torch.zeros(len(names), int(lengths.max()), dtype=torch.int64)
    for row, name in enumerate(names):
        inputs[row, : len(name)] = torch.tensor([LETTERS.index(letter) + first for letter in name])
    return inputs, lengths


def one_hot(names: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, lengths = encode(names)
    return F.one_hot(inputs, len(LETTERS) + 1)[:, :, 1:].float(), lengths


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (encode, ""),
        (one_hot, ""),
        (lambda names: encode([name.lower() for name in names]), ""),
        (lambda names: (encode(names)[0].T, encode(names)[1]), "Batch comes first"),
        (lambda names: (encode(names)[0].float(), encode(names)[1]), "int64"),
        (lambda names: (encode(names)[0], torch.full((len(names),), 5)), "Do not count the padding"),
        (lambda names: encode(names, -LETTERS.index("a")), "start the letters at 1"),
        (lambda names: (encode(names)[0].clamp(max=1), encode(names)[1]), "same number"),
        (lambda names: (encode(names)[0] + 1, encode(names)[1]), "there must be 0"),
        (lambda names: (encode(names)[0] * torch.arange(1, 6), encode(names)[1]), "not the same in all places"),
        (lambda names: encode(names)[0], "two tensors"),
    ],
)
def test_encodings(answer: Any, hint: str) -> None:
    outcome = check.encode(answer)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


class Net(nn.Module):
    def __init__(
        self, cell: str, *, read: str = "length", first: bool = True, softmax: bool = False, out: int = 18
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(LETTERS) + 1, 8)
        self.layer = {"rnn": nn.RNN, "lstm": nn.LSTM}[cell](8, 12, batch_first=first)
        self.head, self.read, self.softmax = nn.Linear(12, out), read, softmax

    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        outputs = self.layer(self.embedding(inputs))[0]
        where = {"length": lengths - 1, "end": torch.full_like(lengths, -1), "start": torch.zeros_like(lengths)}[
            self.read
        ]
        logits = self.head(outputs[torch.arange(len(inputs)), where])
        return logits.softmax(1) if self.softmax else logits


class Packed(Net):
    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(self.embedding(inputs), lengths, batch_first=True, enforce_sorted=False)
        state = self.layer(packed)[1]
        return F.log_softmax(self.head((state[0] if isinstance(state, tuple) else state)[-1]), dim=1)


@pytest.mark.parametrize("make", [Net, Packed])
def test_right_networks(make: Any) -> None:
    outcome = check.network(make, encode, TEXTS)
    assert outcome.state == "right", outcome


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"read": "end"}, "padding_changes_answer"),
        ({"read": "start"}, "The doctor finds"),
        ({"first": False}, "samples_influence_each_other"),
        ({"softmax": True}, "softmax already"),
        ({"out": 17}, "(24, 17)"),
    ],
)
def test_wrong_networks(options: dict[str, Any], hint: str) -> None:
    outcome = check.network(lambda cell: Net(cell, **options), encode, TEXTS)
    assert outcome.state == "wrong"
    assert hint in outcome.message, outcome.message


def update(
    model: Any, optimizer: Any, inputs: Any, targets: Any, lengths: Any, *, zero: bool = True, step: bool = True
) -> Any:
    loss = F.cross_entropy(model(inputs, lengths), targets)
    if zero:
        optimizer.zero_grad()
    loss.backward()
    if step:
        optimizer.step()
    return loss.item()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (update, ""),
        (lambda *parts: update(*parts, zero=False), "zero_grad_forgotten"),
        (lambda *parts: update(*parts, step=False), "parameters_do_not_move"),
        (lambda *parts: torch.tensor(update(*parts)), "loss.item()"),
        (lambda *parts: 64 * update(*parts), "cross entropy of the batch"),
    ],
)
def test_updates(answer: Any, hint: str) -> None:
    outcome = check.train_step(answer, Net, encode, TEXTS, TARGETS)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


def recall(truth: torch.Tensor, guess: torch.Tensor) -> float:
    return float(np.mean([(guess[truth == label] == label).float().mean() for label in truth.unique()]))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (recall, ""),
        (lambda truth, guess: float((truth == guess).float().mean()), "accuracy"),
        (lambda truth, guess: recall_score(truth, guess, average="macro", zero_division=0), "occurs nowhere"),
        (lambda truth, guess: float("nan"), "truth.unique()"),
        (lambda truth, guess: 0.9, "yours is 0.9000"),
    ],
)
def test_recalls(answer: Any, hint: str) -> None:
    outcome = check.macro_recall(answer)
    assert outcome.state == ("wrong" if hint else "right"), outcome
    assert hint in outcome.message


class Knowing(nn.Module):
    """Knows every name's origin, or answers Russian."""

    def __init__(self, *, well: bool) -> None:
        super().__init__()
        self.known = dict(zip(TEXTS, TARGETS.tolist(), strict=True)) if well else {}

    def forward(self, names: list[str], lengths: torch.Tensor) -> torch.Tensor:
        return F.one_hot(torch.tensor([self.known.get(name, 14) for name in names]), 18).float()


@pytest.mark.parametrize(
    ("model", "losses", "state", "hint"),
    [
        (Knowing(well=True), [1.2, 0.8], "right", "accuracy 0.9"),
        (Knowing(well=False), [1.2, 0.8], "wrong", "is easy to reach"),
        (Knowing(well=True), [0.8, 1.2], "wrong", "must fall"),
        (Knowing(well=True), [60.0, 20.0], "wrong", "a sum?"),
    ],
)
def test_trained(model: nn.Module, losses: list[float], state: str, hint: str) -> None:
    outcome = check.trained({"lstm": (model, losses)}, lambda names: (names, None), split, TEXTS, LABELS)
    assert outcome.state == state, outcome
    assert hint in outcome.message


def test_best_rates() -> None:
    losses = {16: {0.1: 2.0, 1.0: 1.0}, 64: {0.1: 1.0, 1.0: float("inf")}}
    assert "does not hold" in check.best_rates({16: 1.0, 64: 0.1}, losses).message
    assert "another is lower" in check.best_rates({16: 0.1, 64: 0.1}, losses).message
    assert "missing" in check.best_rates({16: 1.0}, losses).message
