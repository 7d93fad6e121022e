"""From a source to a task: the codec fitted on the training part, the examples encoded, the splits drawn."""

from typing import Literal

import numpy as np
import torch

from rnnlab.data import LabelledStrings, NumberSequences, Series, Splits, split_rows, split_strings, split_time
from rnnlab.data.scaling import Scaling
from rnnlab.data.sequences import Sequences
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.errors import DataError
from rnnlab.tasks.codecs import NumberCodec, SeriesCodec, TextCodec
from rnnlab.tasks.task import Task

NO_EXAMPLES = np.zeros(0, dtype=np.int64)


def classify_strings(
    source: LabelledStrings, *, test: float = 0.2, validation: float = 0.1, seed: int = 0, lowercase: bool = False
) -> Task:
    """Return the task of telling a string's label, split by distinct string so that no test string is trained on.

    Args:
        source: the strings and their labels.
        test: share held out for the final figures.
        validation: share held out for choices.
        seed: of the split.
        lowercase: whether case is to be ignored.
    """
    splits = split_strings(source.texts, source.labels, test=test, validation=validation, seed=seed)
    texts = [text.lower() for text in source.texts] if lowercase else list(source.texts)
    labels = tuple(sorted(set(source.labels)))
    seen = Vocabulary.of(texts[row] for row in splits.train)
    codec = TextCodec(characters=seen.characters, lowercase=lowercase, labels=labels)
    number = {label: i for i, label in enumerate(labels)}
    targets = torch.tensor([number[label] for label in source.labels])
    return Task(
        "strings",
        "classify",
        codec.encode(source.texts),
        targets,
        splits,
        codec,
        source.texts,
        source.provenance,
        source.fingerprint,
    )


def from_numbers(
    source: NumberSequences,
    *,
    splits: Splits | None = None,
    scale_inputs: bool = True,
    scale_targets: bool = True,
    seed: int = 0,
) -> Task:
    """Return the task of answering number sequences: classes for text labels, numbers otherwise.

    Args:
        source: the sequences and their targets.
        splits: which examples train and test; drawn at random (20% test, 10% validation) where None.
        scale_inputs: standardise every feature with the training part's mean and deviation.
        scale_targets: the same for the targets; metrics stay in the target's own units.
        seed: of the split.
    """
    labelled = isinstance(source.targets, tuple)
    labels_given = source.targets if isinstance(source.targets, tuple) else None
    splits = splits or split_rows(len(source.values), labels_given, seed=seed)
    features = source.values[0].shape[1]
    seen = np.concatenate([source.values[row] for row in splits.train])
    scaling = Scaling.standard(seen) if scale_inputs else Scaling.identity(features)
    if labelled:
        labels = tuple(sorted(set(source.targets)))
        codec = NumberCodec(offset=scaling.offset, scale=scaling.scale, labels=labels)
        targets = torch.tensor([labels.index(label) for label in source.targets])
    else:
        values = np.asarray(source.targets, dtype=np.float64).reshape(len(source.values), -1)
        goal = Scaling.standard(values[splits.train]) if scale_targets else Scaling.identity(values.shape[1])
        codec = NumberCodec(
            offset=scaling.offset, scale=scaling.scale, target_offset=goal.offset, target_scale=goal.scale
        )
        targets = torch.from_numpy(goal.apply(values).astype(np.float32))
    return Task(
        "numbers",
        "classify" if labelled else "regress",
        codec.encode(source.values),
        targets,
        splits,
        codec,
        source.values,
        source.provenance,
        source.fingerprint,
    )


def everything_trains(examples: int) -> Splits:
    """Return splits with nothing held out: what the lab does where the data are all there is."""
    return Splits(np.arange(examples), NO_EXAMPLES, NO_EXAMPLES)


def forecast_series(
    source: Series,
    *,
    context_length: int = 32,
    horizon: int = 1,
    gap: int = 0,
    layout: Literal["steps", "features"] = "steps",
    scaling: Literal["standard", "unit", "none"] = "standard",
    log: bool = False,
    difference: int = 0,
    test: float = 0.2,
    validation: float = 0.1,
) -> Task:
    """Return the task of forecasting a series from windows of its past, split by time; the last ``test`` is held out.

    Args:
        source: the series.
        context_length: values in a window.
        horizon: values forecast.
        gap: values skipped between window and forecast; 0 is right, the lab has 1.
        layout: the window as ``steps`` of one value, or as the ``features`` of one step, as the lab has it.
        scaling: ``standard``, ``unit`` (0..1) or ``none``, with the figures of the training part alone.
        log: whether the network sees ``log(1 + value)``, for series whose swings grow with their level.
        difference: forecast changes against the value so many steps before (7: last week's, 364: last year's); 0 forecasts
            the values themselves.
        test: share of the series held out at its end.
        validation: share before it, for choices.

    Raises:
        DataError: where the series is shorter than a window and a horizon (and the difference), or has no logarithm.
        ConfigError: where ``difference`` is shorter than ``gap + horizon``.
    """
    values = np.asarray(source.values, dtype=np.float64)
    examples = len(values) - difference - context_length - gap - horizon + 1
    if examples < 3:
        need = len(values) - examples + 3
        terms = "context_length + difference" if difference else "context_length"
        raise DataError(
            f"series {source.name!r} must have at least {terms} + horizon + 2 = {need} values, "
            f"got {len(values)}; give a longer series or a smaller context_length"
        )
    splits = _by_target_time(len(values), examples, difference + context_length + gap, horizon, test, validation)
    if not len(splits.train):
        raise DataError(
            f"series {source.name!r} must leave targets to train on before the last {test + validation:.0%}, got "
            f"{len(values)} values; give a longer series, or a smaller context_length or difference"
        )
    codec = SeriesCodec(
        context_length=context_length, horizon=horizon, gap=gap, layout=layout, season=source.season,
        offset=0.0, scale=1.0, log=log, difference=difference,
    )  # fmt: skip
    changes = codec.changes(values)
    seen = changes[: int(splits.train.max()) + context_length + gap + horizon, None]
    fitted = _fit_scaling(scaling, seen)
    codec = codec.replace(offset=fitted.offset[0], scale=fitted.scale[0])
    scaled = ((changes - codec.offset) / codec.scale).astype(np.float32)
    starts = np.arange(examples)
    ahead = np.stack([scaled[starts + context_length + gap + step] for step in range(horizon)], axis=1)
    if layout == "features":
        windows = np.lib.stride_tricks.sliding_window_view(scaled, context_length)[:examples]
        inputs = Sequences.windows(np.ascontiguousarray(windows), starts, 1)
    else:
        inputs = Sequences.windows(scaled[:, None], starts, context_length)
    return Task(
        source.name,
        "forecast",
        inputs,
        torch.from_numpy(ahead),
        splits,
        codec,
        values,
        source.provenance,
        source.fingerprint,
    )


def _fit_scaling(way: str, seen: np.ndarray) -> Scaling:
    if way == "none":
        return Scaling.identity(seen.shape[1])
    return Scaling.unit_range(seen) if way == "unit" else Scaling.standard(seen)


def _by_target_time(length: int, examples: int, first: int, horizon: int, test: float, validation: float) -> Splits:
    """Split examples so that no value is the target of two parts: the boundary is drawn on the series itself."""
    parts = split_time(length, test=test, validation=validation)
    target = np.arange(examples) + first
    held = int(parts.test[0]) if len(parts.test) else length
    checked = int(parts.validation[0]) if len(parts.validation) else held
    train = np.flatnonzero(target + horizon <= checked)
    between = np.flatnonzero((target >= checked) & (target + horizon <= held))
    return Splits(train, between, np.flatnonzero(target >= held))
