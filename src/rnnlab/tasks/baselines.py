"""What a network of any task has to beat, without a network: the figures that stand beside its own and cannot be switched off.

Strings: the class prior, and character n-grams with a linear softmax. Number sequences: the class prior, or the mean; and a
linear model on each feature's last, mean, lowest and highest value. Series: last value, season, year, ridge on lags
(`rnnlab.tasks.forecast_baselines`). scikit-learn is imported where it fits: it is as large as all else, and not every process
fits baselines.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from rnnlab.tasks import forecast_baselines
from rnnlab.tasks.ngrams import NgramClassifier
from rnnlab.tasks.task import Task, score_labels

MOST_STRINGS = 20_000
LEAST_CHANCE = 1e-12


@dataclass(frozen=True)
class Reference:
    """A baseline's figures on the test part.

    Args:
        name: stable across versions: ``prior``, ``ngrams``, ``mean``, ``linear``, ``last``, ``season``, ``year``,
            ``year_growth``, ``ridge``.
        title: for people.
        metrics: as of `Task.score`.
        answers: ``(examples,)`` int64, the classes that it guesses; or ``(examples, targets)``, numbers in the data's own units.
    """

    name: str
    title: str
    metrics: dict[str, float]
    answers: np.ndarray


def references(task: Task, part: str = "test") -> tuple[Reference, ...]:
    """Return the baselines of ``task`` on one of its parts, the simplest first; none where the part is empty.

    Example:
        >>> from rnnlab.data import memorise
        >>> from rnnlab.tasks import from_numbers
        >>> from rnnlab.data import Splits
        >>> parts = Splits(np.array([0, 1]), np.array([], int), np.array([2]))
        >>> [one.name for one in references(from_numbers(memorise(), splits=parts))]
        ['mean', 'linear']
    """
    index = task.part(part).numpy()
    if not len(index):
        return ()
    if task.kind == "forecast":
        return tuple(
            Reference(one.name, one.title, one.metrics, one.predictions)
            for one in forecast_baselines.baselines(task, part=part)
        )
    if task.kind == "regress":
        return (_mean(task, index), _linear(task, index))
    second = _ngrams(task, index) if task.inputs.symbolic else _linear_labels(task, index)
    return (_prior(task, index), second)


def _prior(task: Task, index: np.ndarray) -> Reference:
    logits = np.tile(task.log_prior.numpy(), (len(index), 1))
    return _labels("prior", "class prior", logits, task.targets.numpy()[index])


def _mean(task: Task, index: np.ndarray) -> Reference:
    targets = task.targets.numpy()
    answer = np.tile(targets[task.splits.train].mean(axis=0), (len(index), 1))
    return _numbers(task, "mean", "mean of the training part", answer, index)


def _ngrams(task: Task, index: np.ndarray) -> Reference:
    """Character n-grams; of very many strings an even sample is fitted, and the title says so."""
    train = np.asarray(task.splits.train)
    fitted = train[:: -(-len(train) // MOST_STRINGS)]
    title = "character n-grams"
    if len(fitted) < len(train):
        title += f" (of {len(fitted):,} strings)"
    targets = task.targets.numpy()
    model = NgramClassifier().fit([task.raw[i] for i in fitted], [task.labels[targets[i]] for i in fitted])
    found = model.predict_proba([task.raw[i] for i in index])
    shares = np.full((len(index), len(task.labels)), LEAST_CHANCE)
    shares[:, [task.labels.index(label) for label in model.classes_]] = found
    return _labels("ngrams", title, np.log(np.maximum(shares, LEAST_CHANCE)), targets[index])


def _linear(task: Task, index: np.ndarray) -> Reference:
    features, targets = _summaries(task), task.targets.numpy().astype(np.float64)
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(forecast_baselines.ALPHAS))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features[task.splits.train], targets[task.splits.train])
    answer = model.predict(features[index]).reshape(len(index), -1)
    return _numbers(task, "linear", "linear model of last, mean, lowest, highest", answer, index)


def _linear_labels(task: Task, index: np.ndarray) -> Reference:
    features, targets = _summaries(task), task.targets.numpy()
    train = task.splits.train
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features[train], targets[train])
    shares = np.full((len(index), len(task.labels)), LEAST_CHANCE)
    shares[:, model[-1].classes_] = model.predict_proba(features[index])
    logits = np.log(np.maximum(shares, LEAST_CHANCE))
    return _labels("linear", "linear model of last, mean, lowest, highest", logits, targets[index])


def _labels(name: str, title: str, logits: np.ndarray, truth: np.ndarray) -> Reference:
    return Reference(name, title, score_labels(logits, truth), logits.argmax(axis=1))


def _numbers(task: Task, name: str, title: str, outputs: np.ndarray, index: np.ndarray) -> Reference:
    return Reference(name, title, task.score(outputs, index), task.to_units(outputs, index))


def _summaries(task: Task) -> np.ndarray:
    """Return last, mean, lowest and highest of each feature, ``(examples, 4 * features)``, and the values where few."""
    values = task.inputs.values.numpy().astype(np.float64)
    starts, lengths = task.inputs.starts.numpy(), task.inputs.lengths.numpy()
    same = task.inputs.uniform_length
    if same is not None and same * values.shape[1] <= 64:
        return np.asarray(values[starts[:, None] + np.arange(same)].reshape(len(starts), -1))
    parts = [values[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    return np.stack([np.concatenate([x[-1], x.mean(0), x.min(0), x.max(0)]) for x in parts])
