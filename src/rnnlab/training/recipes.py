"""What trains well unless the user says otherwise: a recipe a kind of task, and options put over it.

The recipes were chosen on validation parts: strings on names of 18 origins, number sequences on generated ragged and wide
ones, series on daily sales. They know no data beyond its kind and size.
"""

from collections.abc import Mapping
from typing import Any

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data.batching import count
from rnnlab.errors import ConfigError, suggest
from rnnlab.tasks import Task

STRINGS = (
    ModelConfig(cell="gru", hidden_size=128, bidirectional=True, embedding_size=64, dropout=0.3, readout="max"),
    TrainConfig(
        lr=4e-3, schedule="one_cycle", batch_size=128, batching="by_length", epochs=9, label_smoothing=0.1,
        input_dropout=0.1, clip=1.0, weight_decay=0.01, keep="last",
    ),
)  # fmt: skip
NUMBERS = (
    ModelConfig(cell="gru", hidden_size=64, bidirectional=True, readout="max"),
    TrainConfig(lr=8e-3, schedule="one_cycle", batch_size=64, epochs=30, clip=1.0, weight_decay=0.01),
)
SERIES = (
    ModelConfig(cell="gru", hidden_size=32),
    TrainConfig(lr=8e-3, schedule="one_cycle", batch_size=32, epochs=40, clip=1.0, weight_decay=0.01),
)
# Many series have many windows, alike in pairs: larger batches, and as many updates as the network still learns from.
MANY_SERIES = (
    ModelConfig(cell="gru", hidden_size=64),
    TrainConfig(lr=8e-3, schedule="one_cycle", batch_size=256, clip=1.0, weight_decay=0.01),
)
UPDATES_OF_MANY = 3000
NGRAMS = 64
LEAST_UPDATES = 400
MOST_EPOCHS = 200


def recipe(task: Task, *, ngrams: bool = False) -> tuple[ModelConfig, TrainConfig]:
    """Return the configurations for ``task``; little data are passed over more often, so that 400 updates are made.

    Args:
        task: its kind and its size decide.
        ngrams: put a bag of n-grams beside the readout, for strings: 0.846 instead of 0.828 of validation names. It would answer
            for the cell where cells are compared.
    """
    model, training = SERIES if task.kind == "forecast" else STRINGS if task.inputs.symbolic else NUMBERS
    if task.timeline is not None and task.timeline.several:
        model, training = MANY_SERIES
        batches = count(training.batch_size, len(task.splits.train))
        return model, training.replace(epochs=min(40, max(1, -(-UPDATES_OF_MANY // batches))))
    if ngrams and task.inputs.symbolic:
        model = model.replace(ngram_size=NGRAMS)
    batches = count(training.batch_size, len(task.splits.train))
    epochs = min(MOST_EPOCHS, max(training.epochs or 1, -(-LEAST_UPDATES // batches)))
    return model, training.replace(epochs=epochs)


def configure(task: Task, options: Mapping[str, Any], *, ngrams: bool = False) -> tuple[ModelConfig, TrainConfig]:
    """Return the recipe of ``task`` with ``options`` of `ModelConfig` and `TrainConfig` put over it.

    A budget in steps or seconds replaces the recipe's epochs; head ``none`` its second direction and its n-grams.

    Raises:
        ConfigError: an option that is unknown or has a value that it must not have.
    """
    model, training = recipe(task, ngrams=ngrams)
    known = [*ModelConfig.model_fields, *TrainConfig.model_fields]
    for name in options:
        if name not in known:
            raise ConfigError(f"option {name!r} is unknown; use {suggest(name, known)}")
    if options.get("head") == "none":
        model = model.replace(bidirectional=False, ngram_size=0)
    if not {"epochs"} & set(options) and {"max_steps", "max_seconds"} & set(options):
        training = training.replace(epochs=None)
    return (
        model.replace(**{name: value for name, value in options.items() if name in ModelConfig.model_fields}),
        training.replace(**{name: value for name, value in options.items() if name in TrainConfig.model_fields}),
    )
