"""`RecurrentRegressor`: sequences to numbers, in scikit-learn's grammar."""

from typing import Any, Self, cast

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from rnnlab.data.vocabulary import Vocabulary
from rnnlab.estimators.inputs import Examples
from rnnlab.estimators.recurrent import RecurrentEstimator, number_task, one_hot
from rnnlab.tasks import NumberCodec


class RecurrentRegressor(RegressorMixin, RecurrentEstimator):  # type: ignore[misc]
    """A recurrent network that answers a sequence with a number, or with several.

    ``X`` as for `RecurrentClassifier`; ``y`` is ``(examples,)`` or ``(examples, outputs)``. Targets are standardised for
    training and answers come back in their own units.

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
        n_features_in_: columns of a table, features of a step, 1 for strings.
        feature_names_in_: the columns' names, where there are any.
        input_kind_: ``strings``, ``table`` or ``sequences``.
        run_: the `rnnlab.runs.Run` that training left, with its history; `rnnlab.runs.save` writes it.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(200, 5))
        >>> model = RecurrentRegressor(hidden_size=16, lr=0.02, epochs=30, random_state=0).fit(rows, rows.sum(axis=1))
        >>> bool(model.score(rows, rows.sum(axis=1)) > 0.9)
        True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sequences and their targets; return the estimator.

        Args:
            X: the sequences, see the class.
            y: ``(examples,)`` or ``(examples, outputs)`` numbers.

        Raises:
            ValueError: an input or a parameter breaks a rule; the message is one line.
        """
        seed = self._seed()
        examples = self._read(X, y)
        targets = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        splits = self._splits(examples, None, seed)
        self._flat_targets = targets.ndim == 1
        if examples.kind == "strings":
            self._characters = Vocabulary.of(examples.values[row] for row in splits.train).characters
        values = self._as_trained(examples)
        self._train(number_task(values, targets, splits, scale_inputs=examples.kind != "strings"), seed)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the answers in the target's own units: ``(examples,)``, or ``(examples, outputs)`` where ``y`` was 2-D."""
        outputs = self._outputs(X)
        answers = cast(NumberCodec, self.run_.codec).to_units(outputs)
        return answers[:, 0] if self._flat_targets else answers

    def _as_trained(self, examples: Examples) -> list[Any]:
        if examples.kind != "strings":
            return examples.values
        # The text codec answers with labels alone: a text that is answered with a number is one-hot rows.
        return one_hot(examples.values, Vocabulary(self._characters))

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that several outputs are welcome."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
