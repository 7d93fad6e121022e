"""Checks of the notebook *names*: the split, the letters, the network, the update, the metric, the trained networks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from sklearn.metrics import recall_score
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlab.doctor import Subject
from rnnlab.notebooks.checking import Wrong, task
from rnnlab.notebooks.probing import need_layers, shaped, sound

SAMPLES = ["abba", "ba", "b", "bacca"]
LEAST_ACCURACY = 0.65


@task("Hold names out")
def hold_out(answer: Callable[..., Any], texts: Sequence[str], labels: Sequence[str]) -> str:
    """Check a split by distinct names."""
    train, test = (_rows(part) for part in answer(list(texts)))
    if sorted(train + test) != list(range(len(texts))):
        both = set(train) & set(test)
        if both:
            raise Wrong(f"{len(both)} rows are in both parts.")
        raise Wrong(f"Every row must be in one of the parts: {len(texts)} rows, you return {len(train)} + {len(test)}.")
    leaked = {texts[row] for row in train} & {texts[row] for row in test}
    if leaked:
        name = min(leaked)
        raise Wrong(
            f"{len(leaked)} names are in both parts, {name!r} for one: it stands in the data {list(texts).count(name)} times. "
            "Draw distinct names (set(texts)), then take all rows of each."
        )
    share = len(test) / len(texts)
    if not 0.1 <= share <= 0.3:
        raise Wrong(f"About a fifth must be held out; you hold out {share:.0%}.")
    missing = set(labels) - {labels[row] for row in test}
    if missing:
        raise Wrong(
            f"The test part has no name of {', '.join(sorted(missing))}: the rows are in an order. Draw at random."
        )
    return f"{len(train):,} rows to train on, {len(test):,} held out, no name in both."


@task("Names as tensors")
def encode(answer: Callable[..., Any]) -> str:
    """Check letters and lengths of a padded batch; one vector a letter is accepted for one number a letter."""
    found = answer(SAMPLES)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("Return two tensors: the letters, and the lengths.")
    inputs, lengths = found
    wanted = [len(name) for name in SAMPLES]
    if not isinstance(lengths, Tensor) or lengths.tolist() != wanted:
        raise Wrong(f"The lengths of {SAMPLES} are {wanted}; yours are {_listed(lengths)}. Do not count the padding.")
    if not isinstance(inputs, Tensor) or inputs.ndim not in (2, 3):
        raise Wrong(f"The letters must be a tensor (batch, time); you return {_listed(inputs)}.")
    size = (len(SAMPLES), max(wanted))
    if tuple(inputs.shape[:2]) != size:
        swapped = " Batch comes first." if tuple(inputs.shape[:2]) == size[::-1] else ""
        raise Wrong(
            f"The letters must have the shape (batch, time), here {size}; yours is {tuple(inputs.shape)}.{swapped}"
        )
    if inputs.ndim == 2 and inputs.dtype != torch.int64:
        raise Wrong(f"Numbers of letters must be int64, as nn.Embedding wants them; yours are {inputs.dtype}.")
    steps = inputs.reshape(*size, -1).tolist()
    known: dict[str, Any] = {}
    for name, row in zip(SAMPLES, steps, strict=True):
        for letter, step in zip(name, row, strict=False):
            if known.setdefault(letter, step) != step:
                raise Wrong(f"{letter!r} is not the same in all places.")
    padding = [step for name, row in zip(SAMPLES, steps, strict=True) for step in row[len(name) :]]
    if any(any(step) for step in padding):
        raise Wrong("Where a name is over there must be 0.")
    if any(not any(step) for step in known.values()):
        letter = next(letter for letter, step in known.items() if not any(step))
        raise Wrong(f"{letter!r} has the number 0, like the padding: start the letters at 1.")
    if len({str(step) for step in known.values()}) < len(known):
        raise Wrong("Two letters have the same number.")
    return "one number a letter, 0 after the end, and the lengths."


@task("The network")
def network(answer: Callable[..., nn.Module], encoder: Callable[..., Any], texts: Sequence[str]) -> str:
    """Check both networks: their layer, their shape, logits, and what the doctor says of padding and samples."""
    names = [*texts[:: len(texts) // 24]][:24]
    for cell, layer in (("rnn", nn.RNN), ("lstm", nn.LSTM)):
        model = answer(cell)
        need_layers(model, layer, cell)
        inputs, lengths = encoder(names)
        logits = shaped(model(inputs, lengths), (len(names), 18), "The output", "(batch, 18)")
        if bool((logits >= 0).all()) and torch.allclose(logits.sum(1), torch.ones(len(names)), atol=1e-4):
            raise Wrong("The output is a softmax already; cross_entropy applies its own. Return the logits.")
        sound(
            _subject(model, inputs, lengths, torch.arange(len(names)) % 18),
            ("unregistered_parameters", "samples_influence_each_other", "state_carried", "padding_changes_answer",
             "state_reset", "steps_ignored", "outputs_ignore_inputs", "parameters_without_gradient"),
        )  # fmt: skip
        _need_whole_names(model, encoder)
    return "both read whole names, letter by letter, and padding does not matter."


@task("One update")
def train_step(
    answer: Callable[..., Any],
    make: Callable[..., nn.Module],
    encoder: Callable[..., Any],
    texts: Sequence[str],
    targets: Tensor,
) -> str:
    """Check that an update returns the loss before it, moves every parameter, and forgets old gradients."""
    rows = list(range(0, len(texts), len(texts) // 64))[:64]
    inputs, lengths = encoder([texts[row] for row in rows])
    model = make("rnn")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    before = F.cross_entropy(model(inputs, lengths), targets[rows]).item()
    loss = answer(model, optimizer, inputs, targets[rows], lengths)
    if isinstance(loss, Tensor):
        raise Wrong(
            "Return a number, not a tensor: loss.item(). A tensor keeps the whole graph of the update in memory."
        )
    if not isinstance(loss, float) or abs(loss - before) > 0.05 * before:
        raise Wrong(f"Return the cross entropy of the batch, here {before:.3f}; you return {loss!r:.12}.")

    def step(model: Any, optimizer: Any, inputs: Any, targets: Any, lengths: Any) -> Any:
        return answer(model, optimizer, inputs, targets, lengths)

    subject = _subject(make("rnn"), inputs, lengths, targets[rows], step)
    sound(subject, ("parameters_do_not_move", "zero_grad_forgotten", "loss_without_gradient"))
    return "the gradient of this batch alone, and a step."


@task("Macro recall")
def macro_recall(answer: Callable[[Tensor, Tensor], float]) -> str:
    """Check the metric against scikit-learn's, on labels of different frequency and labels that nobody guessed."""
    truth = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2, 4])
    guess = torch.tensor([0, 0, 0, 0, 0, 1, 1, 0, 3, 4])
    found = float(answer(truth, guess))
    right = recall_score(truth, guess, average=None, labels=[0, 1, 2, 4]).mean()
    if abs(found - right) < 1e-4:
        return "the mean over the labels that occur."
    known = {
        float((truth == guess).float().mean()): "That is the accuracy: frequent origins count more in it.",
        recall_score(
            truth, guess, average="macro", zero_division=0
        ): "You count a label that is guessed, but occurs nowhere.",
    }
    for value, sentence in known.items():
        if abs(found - value) < 1e-4:
            raise Wrong(sentence)
    if found != found:
        raise Wrong("NaN: a label that does not occur has no recall. Take the labels of truth.unique().")
    raise Wrong(f"For truth {truth.tolist()} and guess {guess.tolist()} it is {right:.4f}; yours is {found:.4f}.")


@task("Train both")
def trained(
    answer: Mapping[str, Any],
    encoder: Callable[..., Any],
    splitter: Callable[..., Any],
    texts: Sequence[str],
    labels: Sequence[str],
) -> str:
    """Check that the losses fall and the networks answer held-out names."""
    origins = sorted(set(labels))
    rows = _rows(splitter(list(texts))[1])
    truth = torch.tensor([origins.index(labels[row]) for row in rows])
    said = []
    for cell, (model, losses) in answer.items():
        if len(losses) < 2 or not losses[-1] < losses[0]:
            raise Wrong(
                f"The loss of the {cell} must fall from epoch to epoch; yours is {[round(x, 3) for x in losses]}."
            )
        if losses[0] > 10:
            raise Wrong(
                f"The first mean loss of the {cell} is {losses[0]:.1f}: a sum? Return the mean over the batches."
            )
        model.eval()
        with torch.no_grad():
            guess = model(*encoder([texts[row] for row in rows])).argmax(1)
        accuracy = float((guess == truth).float().mean())
        if accuracy < LEAST_ACCURACY:
            raise Wrong(
                f"The {cell} is right for {accuracy:.0%} of the held-out names; {LEAST_ACCURACY:.0%} is easy to reach. "
                "Do names and targets of a batch belong together? Is the rate 0.005, with Adam?"
            )
        recall = recall_score(truth, guess, average="macro", zero_division=0)
        said.append(f"{cell}: accuracy {accuracy:.3f}, macro recall {recall:.3f}")
    return f"on {len(rows):,} held-out names, {'; '.join(said)}."


@task("The best rates")
def best_rates(answer: Mapping[int, float], losses: Mapping[int, Mapping[float, float]]) -> str:
    """Check which rate is best at each size."""
    for size, found in losses.items():
        if size not in answer:
            raise Wrong(f"Size {size} is missing.")
        right = min(found, key=lambda rate: found[rate])
        if answer[size] != right:
            raise Wrong(
                f"At size {size}, {answer[size]:g} gives a loss of {found.get(answer[size], float('nan')):.3f}; another is lower."
            )
    rates = [answer[size] for size in sorted(losses)]
    return (
        "the larger network wants no larger rate: all else equal, the claim does not hold here."
        if rates[-1] <= rates[0]
        else "here the larger network wants a larger rate; one seed and two sizes show it, and no more than that."
    )


def _rows(part: Any) -> list[int]:
    return [int(row) for row in part]


def _listed(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, Tensor) else repr(value)[:80]


def _subject(
    model: nn.Module, inputs: Tensor, lengths: Tensor, targets: Tensor, step: Callable[..., Any] | None = None
) -> Subject:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    return Subject(
        model, optimizer, F.cross_entropy, inputs, targets, lengths=lengths, forward=_forward, train_step=step
    )


def _forward(model: nn.Module, inputs: Tensor, lengths: Tensor) -> Any:
    return model(inputs, lengths)


def _need_whole_names(model: nn.Module, encoder: Callable[..., Any]) -> None:
    """Names that differ in their first, or in their last letter must get different answers."""
    model.eval()
    with torch.no_grad():
        for first, second, where in (("anna", "enna", "first"), ("anna", "anne", "last")):
            logits = model(*encoder([first, second]))
            if torch.allclose(logits[0], logits[1], atol=1e-7):
                raise Wrong(f"{first!r} and {second!r} get the same answer: the {where} letter is not read.")
