"""From strings and number sequences to a task: the codec fitted on the training part, the examples encoded, the splits drawn."""

import numpy as np
import torch

from rnnlab.data import LabelledStrings, NumberSequences, Splits, split_rows, split_strings
from rnnlab.data.scaling import Scaling
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.tasks.codecs import NumberCodec, TextCodec
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
