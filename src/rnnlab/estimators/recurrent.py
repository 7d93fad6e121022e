"""What the classifier and the regressor share: their parameters, and the road from ``X`` and ``y`` to a task."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from rnnlab.data import NumberSequences, Splits, split_rows, split_strings
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.errors import DataError
from rnnlab.estimators.inputs import Examples, read_examples
from rnnlab.estimators.network import FEWEST_HELD_OUT, NetworkEstimator, exact_outputs
from rnnlab.tasks import Task, everything_trains, from_numbers

NOTHING = np.zeros(0, dtype=np.int64)


class RecurrentEstimator(NetworkEstimator):
    """Base of the classifier and the regressor; their docstrings explain the parameters."""

    def __init__(
        self,
        cell: str = "gru",
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        lr: float = 3e-3,
        batch_size: int = 32,
        epochs: int = 50,
        patience: int = 10,
        validation_fraction: float = 0.1,
        features_per_step: int = 1,
        random_state: Any = None,
        device: str = "cpu",
        options: dict[str, Any] | None = None,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.features_per_step = features_per_step
        self.random_state = random_state
        self.device = device
        self.options = options

    def _read(self, X: Any, y: Any) -> Examples:
        """Return the examples of ``X``, after a look at whether ``y`` is there and as long."""
        if y is None:
            raise DataError(
                f"{type(self).__name__} requires y to be passed, but the target y is None; pass one target an example"
            )
        examples = read_examples(self, X, fitting=True)
        check_consistent_length(examples.values, y)
        return examples

    def _splits(self, examples: Examples, labels: Sequence[str] | None, seed: int) -> Splits:
        """Return what trains and what chooses the weights; with few examples, or few of a class, all train.

        Strings are held out by distinct string, labelled examples by label.
        """
        share, count = self._held_out(), len(examples)
        if share * count < FEWEST_HELD_OUT:
            return everything_trains(count)
        try:
            if examples.kind == "strings" and labels is not None:
                drawn = split_strings(examples.values, labels, test=share, validation=0, seed=seed)
            else:
                drawn = split_rows(count, labels, test=share, validation=0, seed=seed)
        except DataError:  # too few distinct strings, or no class with two examples
            return everything_trains(count)
        return Splits(drawn.train, drawn.test, NOTHING)

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the network's outputs for ``X``, ``(examples, outputs)``."""
        check_is_fitted(self)
        return exact_outputs(self.run_, self._as_trained(read_examples(self, X, fitting=False)))

    def _as_trained(self, examples: Examples) -> list[Any]:
        """Return what the run's codec reads of ``examples``."""
        return examples.values

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what goes in."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        return tags


def number_task(
    values: Sequence[np.ndarray], targets: np.ndarray | tuple[str, ...], splits: Splits, *, scale_inputs: bool = True
) -> Task:
    """Return the task of answering ``values``, each ``(time, features)``, with numbers or labels."""
    return from_numbers(NumberSequences(tuple(values), targets), splits=splits, scale_inputs=scale_inputs)


def one_hot(texts: Sequence[str], vocabulary: Vocabulary) -> list[np.ndarray]:
    """Return each text as ``(time, symbols)`` float32, a one a row; an empty text is one row of the padding symbol."""
    rows = np.eye(len(vocabulary), dtype=np.float32)
    return [rows[symbols] for symbols in vocabulary.encode_all(texts)]


def class_numbers(labels: Sequence[str], wanted: Sequence[str]) -> torch.Tensor:
    """Return the position of each of ``wanted`` in ``labels``, int64."""
    number = {label: position for position, label in enumerate(labels)}
    return torch.tensor([number[label] for label in wanted])
