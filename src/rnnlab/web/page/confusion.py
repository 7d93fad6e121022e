"""Who was taken for whom: the confusion matrix of a classifier, and the examples behind each of its cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.errors import DataError
from rnnlab.reports.rounding import compact
from rnnlab.results import Figure, Table, Value
from rnnlab.runs import Run, model_outputs
from rnnlab.tasks import Task
from rnnlab.tasks.codecs import probabilities

PARTS = ("test", "validation", "train")
LONGEST = 60


@dataclass(frozen=True)
class Confusion:
    """The examples of one part of the data, and what a run makes of them.

    Args:
        part: of the data.
        labels: of rows and columns.
        names: ``(examples,)``, what the examples are called.
        truth: ``(examples,)`` int64.
        shares: ``(examples, labels)``, probabilities.
    """

    part: str
    labels: tuple[str, ...]
    names: tuple[str, ...]
    truth: np.ndarray
    shares: np.ndarray

    @property
    def guess(self) -> np.ndarray:
        """The likeliest label of each example, ``(examples,)``."""
        found: np.ndarray = self.shares.argmax(axis=1)
        return found

    @property
    def counts(self) -> np.ndarray:
        """How often the label of a row was taken for that of a column, ``(labels, labels)``."""
        size = len(self.labels)
        return np.bincount(self.truth * size + self.guess, minlength=size * size).reshape(size, size)

    def behind(self, truth: int, guess: int) -> Table:
        """Return the examples of a cell with their probabilities, the surest first."""
        rows = np.flatnonzero((self.truth == truth) & (self.guess == guess))
        rows = rows[np.argsort(-self.shares[rows, guess], kind="stable")]
        wrong = truth != guess
        columns = ("example", f"p({self.labels[guess]})", *((f"p({self.labels[truth]})",) if wrong else ()), "next")
        found: list[tuple[Value, ...]] = []
        for row in rows.tolist():
            values = [float(self.shares[row, guess]), *([float(self.shares[row, truth])] if wrong else [])]
            found.append((self.names[row], *values, self._next(row, {truth, guess})))
        title = (
            f"{self.labels[truth]} taken for {self.labels[guess]}" if wrong else f"{self.labels[truth]}, told rightly"
        )
        return Table("examples", title, columns, tuple(found))

    def worst(self, most: int = 8) -> Iterator[tuple[int, int, int]]:
        """Yield the largest confusions: truth, guess, count."""
        counts = self.counts.copy()
        np.fill_diagonal(counts, 0)
        for place in np.argsort(-counts, axis=None, kind="stable")[:most].tolist():
            truth, guess = divmod(place, len(self.labels))
            if counts[truth, guess]:
                yield truth, guess, int(counts[truth, guess])

    def figure(self) -> Figure:
        """Return the matrix as a figure's records, for its numbers."""
        counts = self.counts
        totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        data: tuple[dict[str, Value], ...] = tuple(
            {"truth": truth, "guess": guess, "count": int(counts[i, j]), "share": float(counts[i, j] / totals[i, 0])}
            for i, truth in enumerate(self.labels)
            for j, guess in enumerate(self.labels)
        )
        return Figure("confusion", "confusion", "Confusion matrix", "", "guess", "truth", data)

    def _next(self, row: int, but: set[int]) -> str:
        order = [label for label in np.argsort(-self.shares[row]).tolist() if label not in but]
        return f"{self.labels[order[0]]} {self.shares[row, order[0]]:.2f}" if order else ""


def confuse(run: Run, task: Task, part: str = "test") -> Confusion:
    """Return what ``run`` makes of the examples of a part of its data; where that is empty, of the next that is not.

    Raises:
        DataError: no classifier, or no examples.
    """
    if task.kind != "classify":
        raise DataError(f"run must be a classifier, got one that does {task.kind}; choose another run")
    for name in (part, *PARTS):
        index = task.part(name)
        if len(index):
            rows = index.numpy()
            shares = probabilities(model_outputs(run.model, task.inputs, index)[0].astype(np.float64))
            names = tuple(_name(task.raw[row], row) for row in rows.tolist())
            return Confusion(name, task.labels, names, task.targets.numpy()[rows], shares)
    raise DataError("data must have examples, got none; choose another run")


def _name(raw: Any, row: int) -> str:
    if isinstance(raw, str):
        return raw
    numbers = " ".join(compact(float(value)) for value in np.asarray(raw).reshape(-1)[:12])
    return f"sequence {row + 1}: {numbers}"[:LONGEST]
