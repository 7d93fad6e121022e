"""Checks of a run's data and of what its figures hide: constants, classes out of balance, test examples that were trained on,
targets that skip a step, forecasts that are yesterday's value, networks that do no better than no network.

Remedies are in rnnlab's own words: the flags of ``rnnlab train``, which are the options of `rnnlab.train` too.
"""

import math
from functools import partial

import numpy as np
import torch
from torch import Tensor

from rnnlab.data.sequences import Sequences
from rnnlab.doctor.case import Case
from rnnlab.doctor.registry import RUN_CHECKS, check, found
from rnnlab.findings import Finding
from rnnlab.runs.catalogue import HIGHER_IS_BETTER, metric_of
from rnnlab.tasks import SeriesCodec

run_check = partial(check, table=RUN_CHECKS)

WITHOUT_FITTING = ("prior", "mean", "last", "season")
BROKEN = ("constant_targets", "constant_inputs", "bounded_output", "dead_relu", "one_step_sequence")
_PREPARED = {"forecast": ", --log or --difference", "classify": ", or --dropout"}
HASHED = 4096  # examples at a time


@run_check("constant_targets", needs=("task",))
def constant_targets(case: Case) -> Finding | None:
    """All targets of the training part are the same: there is nothing to learn. Look at the column that was read."""
    targets = case.task.targets[case.task.part("train")]
    if len(targets) < 2 or bool((targets != targets[:1]).any()):
        return None
    what = case.task.labels[int(targets[0])] if case.task.labels else "one number"
    return found(
        "constant_targets",
        "error",
        f"all {len(targets)} training targets are {what}: there is nothing to learn",
        "--target COLUMN (of a series: --value COLUMN): is it the right one, and do its values change before the held-out part?",
        examples=len(targets),
    )


@run_check("constant_inputs", needs=("task",))
def constant_inputs(case: Case) -> Finding | None:
    """All training examples have the same inputs, or a feature has one value in all of them: nothing can be told from it.
    Look at the columns that were read, and leave out those that are constant."""
    inputs, train = case.task.inputs, case.task.part("train")
    if len(train) < 2:
        return None
    keys = fingerprints(inputs, case.part("train"))
    if bool((keys == keys[0]).all()) and bool((fingerprints(inputs, train) == keys[0]).all()):
        return found(
            "constant_inputs",
            "error",
            f"all {len(train)} training examples have the same inputs",
            "--features, --steps or --text COLUMN: is it the right one, and is each row its own example?",
            examples=len(train),
        )
    if inputs.symbolic or isinstance(case.task.codec, SeriesCodec) or inputs.features < 2:
        return None
    low, high = inputs.values.amin(dim=0), inputs.values.amax(dim=0)
    constant = (low == high).nonzero().flatten().tolist()
    if not constant:
        return None
    named = case.run.data.get("config", {}).get("features") or ()
    names = [named[column] if column < len(named) else str(column) for column in constant]
    return found(
        "constant_inputs",
        "warning",
        f"{len(constant)} of {inputs.features} features never change: {', '.join(names[:5])}",
        "--features with the others alone",
        features=names[:20],
    )


def fingerprints(inputs: Sequences, index: Tensor) -> Tensor:
    """Return a number for each example of ``index``, ``(examples,)`` int64: the same for the same inputs, to the bit.

    Sums of products modulo 2**64, which do not depend on how far a batch is padded; two different sequences share one with a
    chance of about 2**-50.
    """
    longest = int(inputs.lengths[index].max())
    width = max(1, inputs.features)
    draw = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, (longest + 1, width), generator=draw) * 2 + 1
    keys = []
    for rows in torch.split(index, HASHED):
        values, lengths = inputs.gather(rows)
        bits = values.unsqueeze(-1) if inputs.symbolic else values.contiguous().view(torch.int32).long()
        many = inputs.lengths[rows] if lengths is None else lengths
        keys.append((bits * factors[: bits.shape[1]]).sum(dim=(1, 2)) + many * factors[longest, 0])
    return torch.cat(keys)


@run_check("test_examples_in_training", needs=("task",), silenced_by=("constant_inputs",))
def test_examples_in_training(case: Case) -> Finding | None:
    """Examples of the test part have the same inputs as training examples: the score measures memory. Drop rows that are
    there twice."""
    test = case.task.part("test")
    if isinstance(case.task.codec, SeriesCodec) or len(test) < 10:
        return None
    known = fingerprints(case.task.inputs, case.task.part("train")).numpy()
    seen = np.isin(fingerprints(case.task.inputs, test).numpy(), known)
    if seen.sum() < 2 or seen.mean() < 0.02:
        return None
    return found(
        "test_examples_in_training",
        "error" if seen.mean() > 0.2 else "warning",
        f"{seen.mean():.1%} of the {len(test)} test examples have the inputs of a training example: the score measures memory",
        "drop rows that are there twice before training; with --id, make each sequence its own",
        share=seen.mean(),
        examples=int(seen.sum()),
    )


# pytest collects functions that start with test_ from modules that import them; this one is none.
test_examples_in_training.__test__ = False  # type: ignore[attr-defined]


@run_check("class_imbalance", needs=("task", "network"), silenced_by=("constant_targets",))
def class_imbalance(case: Case) -> Finding | None:
    """Accuracy hides that rare classes are not told: it lies far above the mean recall of the classes. Weigh the classes, and
    report macro recall."""
    if len(case.task.part(case.held_out)) < 20:
        return None
    if case.run.train_config.batching == "balanced" or case.run.train_config.prior_adjustment >= 0.5:
        return None
    accuracy, recall = case.metrics.get("accuracy"), case.metrics.get("macro_recall")
    if accuracy is None or recall is None:
        return None
    counts = torch.bincount(case.task.targets[case.task.part("train")], minlength=len(case.task.labels))
    majority = float(counts.max() / counts.sum())
    gap = accuracy - recall
    if gap < 0.15:
        return None
    by_size = sorted(zip(case.task.labels, counts.tolist()), key=lambda pair: -pair[1])
    return found(
        "class_imbalance",
        "warning" if majority >= 0.9 else "hint",
        f"accuracy is {accuracy:.1%}, but the mean recall of the {len(counts)} classes {recall:.1%}: rare classes are not told, "
        f"and {by_size[0][0]} alone has {majority:.0%} of the training part",
        "--prior-adjustment 1 (or --batching balanced), and judge by macro_recall",
        accuracy=accuracy,
        macro_recall=recall,
        majority=majority,
        counts=dict(by_size[:20]),
    )


@run_check("target_misaligned", needs=("task",))
def target_misaligned(case: Case) -> Finding | None:
    """The forecast's target does not lie right behind its window: steps between are skipped. Set the gap to 0."""
    codec = case.task.codec
    if not isinstance(codec, SeriesCodec) or not codec.gap:
        return None
    return found(
        "target_misaligned",
        "warning",
        f"the target lies {codec.gap + 1} steps after the window's end: {codec.gap} {'is' if codec.gap == 1 else 'are'} skipped",
        "gap=0 in rnnlab.tasks.forecast_series; a longer horizon is --horizon",
        offset=codec.gap + 1,
        expected=1,
    )


@run_check("one_step_sequence", needs=("task",))
def one_step_sequence(case: Case) -> Finding | None:
    """Every sequence is one step long, from a state of zeros: the recurrent weights never get a gradient, and nothing is
    recurrent. Give the values as steps, not as the features of one step."""
    if int(case.task.inputs.lengths.max()) > 1:
        return None
    weights = [weight for weight in case.run.model.layout if weight.name.startswith("weight_hh")]
    return found(
        "one_step_sequence",
        "error",
        "every sequence is one step long: the recurrent weights never get a gradient, and the network is not recurrent",
        "--steps with the columns in order makes each a step; of a series, a window of --context-length steps",
        untrained_weights=sum(weight.size for weight in weights),
        weights=len(case.run.weights),
        features=case.task.inputs.features,
    )


@run_check("out_of_range", needs=("task",), silenced_by=("constant_targets",))
def out_of_range(case: Case) -> Finding | None:
    """The held-out part of a series lies outside the range of the training part: the network has never seen such values, and
    extrapolates. Forecast changes, or the logarithm."""
    if not isinstance(case.task.codec, SeriesCodec) or case.task.codec.scaling == "window":
        return None
    train, held = (case.task.targets[case.task.part(name)] for name in ("train", case.held_out))
    low, high = float(train.min()), float(train.max())
    share = float(((held < low) | (held > high)).double().mean())
    if share < 0.1:
        return None
    levels = case.task.codec.difference == 0
    return found(
        "out_of_range",
        "warning" if share > 0.3 else "hint",
        f"{share:.0%} of the {case.held_out} part's values lie outside the range of the training part: the network never saw such",
        "--difference 1 forecasts changes"
        if levels
        else "--log, or a longer training part: even the changes are of another size",
        share=share,
        training_range=[low, high],
        held_out_range=[float(held.min()), float(held.max())],
    )


@run_check(
    "forecast_is_last_value",
    needs=("task", "network"),
    silenced_by=(*BROKEN, "target_misaligned"),
    at_the_end=True,
)
def forecast_is_last_value(case: Case) -> Finding | None:
    """The forecast is the last value seen, and no better than it: it follows the data a step late. Forecast changes, or use
    the last value itself."""
    codec = case.task.codec
    index = case.part(case.held_out)
    if not isinstance(codec, SeriesCodec) or len(index) < 10:
        return None
    rows = index.numpy()
    guess = case.task.to_units(case.outputs(index), rows)[:, 0]
    truth = case.task.to_units(case.task.targets.numpy()[rows], rows)[:, 0]
    series = np.asarray(case.task.raw, dtype=np.float64)
    last = series[np.asarray(case.task.target_position(rows)) - 1 - codec.gap]
    step, distance, error = (
        float(np.abs(one - other).mean()) for one, other in ((truth, last), (guess, last), (truth, guess))
    )
    if not (step > 0 and distance < 0.3 * step and error > 0.97 * step):
        return None
    return found(
        "forecast_is_last_value",
        "warning",
        f"the forecast is the last value seen: {distance:.3g} from it on average, where a step's change is {step:.3g}, and no "
        f"better (error {error:.3g})",
        f"--difference {codec.season} forecasts changes against a season before; else use the last value itself",
        distance_to_last=distance,
        change_a_step=step,
        error=error,
    )


@run_check(
    "worse_than_baseline",
    silenced_by=(
        *BROKEN,
        "learning_rate_too_small",
        "learning_rate_too_large",
        "underfitting",
        "target_misaligned",
        "out_of_range",
        "forecast_is_last_value",
    ),
    at_the_end=True,
)
def worse_than_baseline(case: Case) -> Finding | None:
    """A baseline without a network does better on the test part. Use it, or train another way: longer, with more units, with
    values prepared differently."""
    metric = metric_of(case.run.codec, case.run.data)
    own = case.run.metrics.get("test", {}).get(metric)
    if own is None or not math.isfinite(own) or case.run.status == "diverged":
        return None
    scores = {one["title"]: one["metrics"].get(metric) for one in case.run.data.get("baselines", [])}
    scores = {title: score for title, score in scores.items() if score is not None and math.isfinite(score)}
    if not scores:
        return None
    higher = metric in HIGHER_IS_BETTER
    best = (max if higher else min)(scores, key=lambda title: scores[title])
    if (scores[best] - own if higher else own - scores[best]) <= _chance_margin(case, metric, own, scores[best]):
        return None
    name = next(one["name"] for one in case.run.data["baselines"] if one["title"] == best)
    return found(
        "worse_than_baseline",
        "warning",
        f"the network's test {metric} is {own:.4g}, and {best} without a network has {scores[best]:.4g}",
        _instead(name, best, str(case.run.data["kind"])),
        metric=metric,
        own=own,
        baseline=scores[best],
        scores={f"{case.run.model_config.cell} (this run)": own, **scores},
    )  # fmt: skip


def _instead(name: str, title: str, kind: str) -> str:
    """Return the way out where the baseline of this name and title is better."""
    if name in WITHOUT_FITTING:
        return "a larger --epochs, or another --lr: the network has learned less than that"
    if name in ("year", "year_growth"):
        return f"use the baseline; else --difference {title.split()[0]}, changes against a year before, which no window shows"
    return f"use the baseline; else a larger --epochs or --hidden-size{_PREPARED.get(kind, '')}"


def _chance_margin(case: Case, metric: str, own: float, other: float) -> float:
    """Return the difference of two scores that may be chance: a standard error of an accuracy, 2% of an error."""
    if metric != "accuracy":
        return 0.02 * abs(other)
    count = 100 if case.missing("task") else len(case.task.part("test"))
    return math.sqrt(max(own * (1 - own), 0.25 / count) / max(count, 1))
