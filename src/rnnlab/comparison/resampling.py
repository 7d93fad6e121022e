"""Would other test examples have said the same? The bootstrap over examples, beside the interval over seeds.

Seeds tell how much training varies; they say nothing of the examples that happened to be held out. Examples are drawn again
with replacement (Efron, 1979), those of a series in blocks, since neighbours are alike (Künsch, 1989); several series together, a
moment of all at once, since what moves one moves others.
"""

from dataclasses import dataclass

import numpy as np

from rnnlab.tasks import SeriesCodec, Task

DRAWS = 1000
DRAWS_AT_ONCE = 50


@dataclass(frozen=True)
class Answers:
    """What a cell's seeds answered on the test part.

    Args:
        seeds: those that did not diverge.
        values: ``(seeds, examples)``: guessed classes, or absolute errors in the unit of the metric (`errors`).
    """

    seeds: tuple[int, ...]
    values: np.ndarray

    def for_seeds(self, seeds: tuple[int, ...]) -> "Answers":
        """Return the first seed's answers as those of all ``seeds``: a baseline answers the same whatever the seed."""
        return Answers(seeds, np.repeat(self.values[:1], len(seeds), axis=0))


def answers(task: Task, seeds: tuple[int, ...], outputs: np.ndarray) -> Answers:
    """Return answers from the outputs ``(seeds, examples, outputs)`` on the test part."""
    index = task.part("test").numpy()
    if task.kind == "classify":
        return Answers(seeds, outputs.argmax(axis=2))
    found = [errors(task, task.to_units(one, index)) for one in outputs]
    return Answers(seeds, np.stack(found) if found else np.zeros((0, len(index))))


def errors(task: Task, predictions: np.ndarray) -> np.ndarray:
    """Return the absolute error of each example of the test part, ``(examples,)``, whose mean is the metric.

    In the data's own units; of several series in units of the seasonal naive forecast's error, each series weighing the same.

    Args:
        task: numbers.
        predictions: ``(examples, targets)`` in the data's own units.
    """
    index = task.part("test").numpy()
    found = np.abs(predictions - task.to_units(task.targets.numpy()[index], index)).mean(axis=1)
    if task.timeline is None or not task.timeline.several:
        return np.asarray(found)
    series = task.timeline.series[index]
    units = task.seasonal_errors[series, 0]
    there = np.isfinite(units)
    counts = np.bincount(series[there], minlength=len(task.timeline.names))
    weights = np.divide(there.sum() / max(1, (counts > 0).sum()), counts, out=np.zeros(len(counts)), where=counts > 0)
    share = len(index) / max(1, there.sum())
    return np.asarray(np.where(there, found / np.where(there, units, 1.0) * weights[series] * share, 0.0))


def over_examples(task: Task, first: Answers, second: Answers, draws: int = DRAWS) -> tuple[float, float] | None:
    """Return the 95% interval of how much better ``first`` is than ``second``, mean of the seeds both have, over examples.

    In the unit of the metric: macro F1, MAE or MASE. None where the two share no seed.
    """
    shared = [seed for seed in first.seeds if seed in second.seeds]
    if not shared:
        return None
    one, other = (part.values[[part.seeds.index(seed) for seed in shared]] for part in (first, second))
    truth = task.targets.numpy()[task.part("test").numpy()] if task.kind == "classify" else None
    season, horizon = (task.codec.season, task.codec.horizon) if isinstance(task.codec, SeriesCodec) else (1, 1)
    random, clock = np.random.default_rng(0), np.arange(one.shape[1])
    if task.timeline is not None:
        clock = np.unique(task.timeline.clock(task.part("test").numpy()), return_inverse=True)[1].reshape(-1)
    moments = int(clock.max()) + 1
    found = []
    for start in range(0, draws, DRAWS_AT_ONCE):
        counts = draw_counts(moments, min(DRAWS_AT_ONCE, draws - start), max(season, horizon), random)[:, clock]
        if truth is None:
            found.append(counts @ (other - one).mean(axis=0) / counts.sum(axis=1))
        else:
            found.append((macro_f1(counts, one, truth) - macro_f1(counts, other, truth)).mean(axis=1))
    low, high = np.quantile(np.concatenate(found), [0.025, 0.975])
    return float(low), float(high)


def draw_counts(examples: int, draws: int, block: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each example is drawn, ``(draws, examples)``; ``block`` neighbours are drawn together, around the end."""
    block = min(block, examples)
    blocks = -(-examples // block)
    starts = random.integers(0, examples, size=(draws, blocks))
    drawn = ((starts[:, :, None] + np.arange(block)) % examples).reshape(draws, -1)[:, :examples]
    flat = np.bincount((drawn + examples * np.arange(draws)[:, None]).ravel(), minlength=draws * examples)
    return np.asarray(flat.reshape(draws, examples), dtype=np.float64)


def macro_f1(counts: np.ndarray, guesses: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return macro F1 over the classes drawn, ``(draws, seeds)``.

    Args:
        counts: ``(draws, examples)``, how often each example counts.
        guesses: ``(seeds, examples)`` int64.
        truth: ``(examples,)`` int64.
    """
    classes = int(max(truth.max(), guesses.max())) + 1
    known = np.eye(classes)[truth]
    wanted = counts @ known
    scores = []
    for guess in guesses:
        guessed = counts @ np.eye(classes)[guess]
        right = (counts * (guess == truth)) @ known
        total = wanted + guessed
        each = np.divide(2 * right, total, out=np.zeros_like(total), where=total > 0)
        present = wanted > 0
        scores.append((each * present).sum(axis=1) / present.sum(axis=1))
    return np.stack(scores, axis=1)
