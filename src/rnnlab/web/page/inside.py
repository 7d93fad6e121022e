"""Inside a run while it reads: what it thinks of a string or of numbers, after every step, and what carried its answer.

Which characters carried an answer is measured by occlusion (Zeiler and Fergus, 2014): each is hidden in turn, as the symbol
that no vocabulary knows, and what the answer's probability loses by it is that character's share. This module knows runs
and numpy, and no page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnnlab.data.vocabulary import UNKNOWN
from rnnlab.errors import DataError
from rnnlab.runs import Run
from rnnlab.tasks import NumberCodec, TextCodec
from rnnlab.tasks.codecs import probabilities

LONGEST = 100


@dataclass(frozen=True)
class TextReading:
    """A string, read.

    Args:
        symbols: the characters as the network saw them.
        labels: of the classifier.
        probabilities: ``(labels,)``.
        states: ``(time, width)``, the last layer's hidden state after every character.
        carried: ``(time,)``, what the answer's probability loses where that character is hidden; below 0 it spoke against it.
    """

    symbols: str
    labels: tuple[str, ...]
    probabilities: np.ndarray
    states: np.ndarray
    carried: np.ndarray

    @property
    def answer(self) -> str:
        """The likeliest label."""
        return self.labels[int(self.probabilities.argmax())]


@dataclass(frozen=True)
class NumberReading:
    """A sequence of numbers, read.

    Args:
        answers: after every step: a label, a number, or several.
        states: ``(time, width)``, the last layer's hidden state after every step.
        probabilities: ``(labels,)`` at the end; empty where numbers are answered.
    """

    answers: tuple[object, ...]
    states: np.ndarray
    probabilities: np.ndarray


def read_text(run: Run, text: str) -> TextReading:
    """Return what ``run`` thinks of ``text``, in one batch: the text itself, and it with each character hidden.

    Raises:
        DataError: no text, more than `LONGEST` characters, or a run that reads none.
    """
    codec = run.codec
    if not isinstance(codec, TextCodec):
        raise DataError(f"run must read text, got one that reads {codec.kind}; choose another run")
    seen = text.lower() if codec.lowercase else text
    if not 1 <= len(seen) <= LONGEST:
        raise DataError(f"text must have 1 to {LONGEST} characters, got {len(seen)}; shorten it")
    symbols = codec.encode([text]).values
    batch = symbols.repeat(len(symbols) + 1, 1)
    batch[1:].fill_diagonal_(UNKNOWN)
    with torch.no_grad():
        outputs = run.model(batch.unsqueeze(0))[0].numpy()
        states = run.model.states(batch[:1].unsqueeze(0))[0, 0].numpy()
    _must_answer(run, outputs, states)
    shares = probabilities(outputs.astype(np.float64))
    best = int(shares[0].argmax())
    return TextReading(seen, codec.labels, shares[0], states, shares[0, best] - shares[1:, best])


def read_numbers(run: Run, values: Sequence[Sequence[float]]) -> NumberReading:
    """Return what ``run`` answers after every step of ``values (time, features)``, the steps so far taken as the whole.

    Raises:
        DataError: no steps, more than `LONGEST`, or other features than the run was trained on.
    """
    codec = run.codec
    if not isinstance(codec, NumberCodec):
        raise DataError(f"run must read numbers, got one that reads {codec.kind}; choose another run")
    array = np.asarray(values, dtype=np.float64)
    if not 1 <= len(array) <= LONGEST:
        raise DataError(f"sequence must have 1 to {LONGEST} steps, got {len(array)}; shorten it")
    found = run.predict([array[: end + 1] for end in range(len(array))])
    steps, _ = codec.encode([array]).gather(torch.zeros(1, dtype=torch.int64))
    with torch.no_grad():
        states = run.model.states(steps.unsqueeze(0))[0, 0].numpy()
    _must_answer(run, states)
    shares = np.asarray(list(found[-1].get("probabilities", {}).values()))
    return NumberReading(tuple(one["prediction"] for one in found), states, shares)


def _must_answer(run: Run, *found: np.ndarray) -> None:
    """Raise where a network that was lost in training gives no numbers."""
    if not all(np.isfinite(one).all() for one in found):
        raise DataError(
            f"run must answer with numbers, got NaN or infinity from {run.name}; it diverged: choose another run"
        )
