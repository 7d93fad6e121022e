"""`RecurrentClassifier`: sequences to labels, in scikit-learn's grammar."""

from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite

from rnnlab.data import LabelledStrings, Splits
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.errors import DataError
from rnnlab.estimators.recurrent import RecurrentEstimator, class_numbers, number_task
from rnnlab.tasks import NumberCodec, Task, TextCodec, probabilities


class RecurrentClassifier(ClassifierMixin, RecurrentEstimator):  # type: ignore[misc]
    """A recurrent network that tells the label of a sequence.

    ``X`` is a list of strings (or a column of them), a list of arrays ``(time, features)`` or ``(time,)`` of any lengths,
    an array ``(examples, time, features)``, or a table (2-D array or data frame) whose columns are the steps. ``y`` is one
    label an example, of any type that sorts.

    Args:
        cell: ``elman`` (``rnn``), ``lstm``, ``gru`` or ``combined``.
        hidden_size: units of a layer, in each direction.
        num_layers: recurrent layers.
        bidirectional: read the sequence from both ends.
        dropout: share of units dropped between layers and before the head.
        lr: learning rate of AdamW.
        batch_size: sequences an update.
        epochs: passes over the examples at most.
        patience: passes without improvement on the held-out part after which training stops; 0 never stops early.
        validation_fraction: share held out to choose the weights and to stop; where that is fewer than 20 examples, nothing
            is held out.
        features_per_step: columns of a table that make one step; only tables need it.
        random_state: an int for results that repeat; a numpy RandomState; or None.
        device: ``cpu``, ``cuda``, ...: where to train. Answers are computed on the CPU.
        options: any other option of `rnnlab.config.ModelConfig` and `rnnlab.config.TrainConfig`, by name.

    Attributes:
        classes_: the labels, sorted: ``(classes,)``.
        n_features_in_: columns of a table, features of a step, 1 for strings.
        feature_names_in_: the columns' names, where there are any.
        input_kind_: ``strings``, ``table`` or ``sequences``.
        run_: the `rnnlab.runs.Run` that training left, with its history; `rnnlab.runs.save` writes it.

    Example:
        >>> words = ["anna", "ada", "hanna", "bob", "ron", "tom"] * 5
        >>> labels = ["with a", "with a", "with a", "without", "without", "without"] * 5
        >>> model = RecurrentClassifier(hidden_size=16, lr=0.01, epochs=20, random_state=0).fit(words, labels)
        >>> model.predict(["nana", "otto"]).tolist()
        ['with a', 'without']
        >>> model.predict_proba(["nana"]).shape
        (1, 2)
    """

    classes_: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sequences and their labels; return the estimator.

        Args:
            X: the sequences, see the class.
            y: ``(examples,)`` labels of at least two classes.

        Raises:
            ValueError: an input or a parameter breaks a rule; the message is one line.
        """
        seed = self._seed()
        examples = self._read(X, y)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        self.classes_, numbers = _classes(y)
        check_classification_targets(y)
        names = class_names(self.classes_)
        labels = [names[number] for number in numbers]
        splits = self._splits(examples, labels, seed)
        if examples.kind == "strings":
            task = string_task(examples.values, labels, splits)
        else:
            task = number_task(examples.values, tuple(labels), splits)
        self._train(task, seed)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities ``(examples, classes)``, in the order of ``classes_``."""
        shares = probabilities(self._outputs(X))
        trained = cast(TextCodec | NumberCodec, self.run_.codec).labels
        return np.asarray(shares[:, class_numbers(trained, class_names(self.classes_)).numpy()])

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest label of each example, ``(examples,)``."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])


def string_task(texts: Sequence[str], labels: Sequence[str], splits: Splits) -> Task:
    """Return the task of telling a string's label, its vocabulary made of the part that trains."""
    characters = Vocabulary.of(texts[row] for row in splits.train).characters
    codec = TextCodec(characters=characters, labels=tuple(sorted(set(labels))))
    source = LabelledStrings(tuple(texts), tuple(labels))
    return Task(
        "strings",
        "classify",
        codec.encode(texts),
        class_numbers(codec.labels, labels),
        splits,
        codec,
        source.texts,
        source.provenance,
        source.fingerprint,
    )


def class_names(classes: np.ndarray) -> list[str]:
    """Return a distinct text for each class: its own where those differ, else with its number before it."""
    texts = [str(label) for label in classes.tolist()]
    return texts if len(set(texts)) == len(texts) else [f"{i}: {text}" for i, text in enumerate(texts)]


def _classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes, sorted, and the class number of every example."""
    try:
        classes, numbers = np.unique(y, return_inverse=True)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in y})
        raise DataError(f"y must hold labels of one type, got {', '.join(kinds)}; convert them to text") from None
    if len(classes) < 2:
        raise DataError(f"y must have at least two classes, got one class: {classes[0]!r}; pass examples of another")
    return classes, numbers
