"""Names to origins: the lab's loop as published, the same cells as they should be trained, and what they are up against.

As published: one name an update, an origin drawn evenly, SGD, no held-out names. As it should be: batches of like
lengths, AdamW on a one-cycle schedule, and figures on names that were never trained on.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import Splits
from rnnlab.results import StudyResult
from rnnlab.runs import Run
from rnnlab.studies.examined import of_runs
from rnnlab.studies.jobs import Job, LabData, Outcome, Progress, SizeName, train_watched
from rnnlab.studies.names_baselines import combine_with_ngrams, time_an_iteration
from rnnlab.studies.names_report import conclude
from rnnlab.tasks import Task, classify_strings, score_labels
from rnnlab.training import Step, Training

LABELS = {"combined": "linear RNN", "elman": "nn.RNN", "lstm": "nn.LSTM", "gru": "nn.GRU"}
PUBLISHED_RATES = {
    "combined": (0.8, 0.05, 0.01, 0.005, 0.0001),
    "elman": (0.05, 0.01, 0.005),
    "lstm": (0.05, 0.005),
}
SECONDS_A_STEP = {"combined": 0.0012, "elman": 0.0012, "lstm": 0.0024, "gru": 0.0021}
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"steps": 40, "epochs": 1, "share": 0.04, "hidden": (16,), "published_hidden": (16,), "seeds": 1,
              "rates": (0.1, 1.0), "rate_sizes": (8, 16), "rate_steps": 10, "best_epochs": 1, "timed": 5},
    "quick": {"steps": 2000, "epochs": 6, "share": 1.0, "hidden": (128,), "published_hidden": (128, 256), "seeds": 2,
              "rates": (0.1, 0.3, 1.0, 3.0, 10.0), "rate_sizes": (16, 64, 128), "rate_steps": 200, "best_epochs": 8,
              "timed": 100},
    "full": {"steps": 100_000, "epochs": 15, "share": 1.0, "hidden": (128, 256), "published_hidden": (128, 256), "seeds": 10,
             "rates": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0), "rate_sizes": (16, 32, 64, 128, 256), "rate_steps": 2000,
             "best_epochs": 9, "timed": 1000},
}  # fmt: skip

BEST_MODEL = ModelConfig(
    cell="gru", hidden_size=128, bidirectional=True, embedding_size=64, dropout=0.3, readout="max", ngram_size=32
)
BEST_TRAINING = TrainConfig(
    lr=0.004, schedule="one_cycle", batch_size=128, batching="by_length", epochs=9, input_dropout=0.1, clip=1.0,
    weight_decay=0.01, keep="last",
)  # fmt: skip


class Names:
    """The fourth study of the lab."""

    name = "names"
    title = "Names to origins"

    def jobs(self, size: SizeName, data: LabData) -> list[Job]:
        """Return the published loops, the cells trained as they should be, the best recipe, and the baselines."""
        scale = SIZES[size]
        jobs = [*self._proper(scale, data), *self._published(scale)]
        for cell in ("elman", "lstm"):
            for hidden in scale["rate_sizes"]:
                work = partial(_rates, cell, hidden, scale)
                cost = scale["rate_steps"] * len(scale["rates"]) * hidden / 12000
                jobs.append(
                    Job("names", f"rates-{cell}-{hidden}", f"learning rates of {LABELS[cell]} {hidden}", work, cost)
                )
        jobs.append(Job("names", "timing", "milliseconds an iteration", partial(_timing, scale), scale["timed"] * 0.03))
        return jobs

    def _proper(self, scale: dict[str, Any], data: LabData) -> list[Job]:
        seeds, names = data.seeds(scale["seeds"]), scale["share"] * 12.6
        best = Job(
            "names",
            "best",
            "the best recipe and the n-grams",
            partial(_best, scale),
            8 + scale["best_epochs"] * names / 3,
        )
        jobs = [best]
        for hidden in sorted(scale["hidden"], reverse=True):
            # The larger size is there for the claim that it is better; one seed less of it keeps the lab quick.
            chosen = seeds[: max(1, len(seeds) // 2)] if hidden > 128 and len(seeds) < 5 else seeds
            for cell in ("lstm", "gru", "elman", "combined"):
                work = partial(_cell, cell, hidden, chosen, scale)
                cost = scale["epochs"] * names * SECONDS_A_STEP[cell] * (hidden / 128) ** 1.5 * 80 * len(chosen)
                jobs.append(
                    Job("names", f"{cell}-{hidden}", f"{LABELS[cell]} {hidden}, held-out names", work, cost / 10)
                )
        return jobs

    def _published(self, scale: dict[str, Any]) -> list[Job]:
        jobs = []
        for cell, rates in PUBLISHED_RATES.items():
            for hidden in scale["published_hidden"] if cell == "combined" else scale["published_hidden"][-1:]:
                work = partial(_published, cell, hidden, rates, scale)
                cost = scale["steps"] * SECONDS_A_STEP[cell] * len(rates)
                jobs.append(
                    Job("names", f"published-{cell}-{hidden}", f"{LABELS[cell]} {hidden} as published", work, cost)
                )
        return jobs

    def conclude(self, size: SizeName, data: LabData, outcomes: Mapping[str, Outcome]) -> StudyResult:
        """Return traces, curves, confusion matrices, tables and claims."""
        return conclude(SIZES[size], data, outcomes)


def names_task(data: LabData, scale: dict[str, Any], *, lowercase: bool = False) -> Task:
    """Return the task, with a share of the names where the size asks for a quick look only."""
    task = classify_strings(data.names, seed=data.seed, lowercase=lowercase)
    if scale["share"] >= 1:
        return task
    kept = [part[:: round(1 / scale["share"])] for part in _parts(task)]
    return _with_splits(task, Splits(*kept))


def _parts(task: Task) -> list[np.ndarray]:
    return [task.splits.train, task.splits.validation, task.splits.test]


def _with_splits(task: Task, splits: Splits) -> Task:
    return replace(task, splits=splits)


def _published(
    cell: str, hidden: int, rates: tuple[float, ...], scale: dict[str, Any], data: LabData, progress: Progress
) -> Outcome:
    """Train one name at a time, an origin drawn evenly, SGD, at each learning rate.

    One run after the other: for one name and 256 units, torch's own layer beats a stack of a few.
    """
    task = names_task(data, scale)
    train = np.concatenate([task.splits.train, task.splits.validation])
    task = _with_splits(task, Splits(train, task.splits.validation[:0], task.splits.test))
    configs = tuple(
        TrainConfig(
            optimizer="sgd", lr=rate, batch_size=1, batching="balanced", max_steps=scale["steps"], keep="last",
            evaluate_every=max(1, scale["steps"] // 40), seed=data.seed,
        )
        for rate in rates
    )  # fmt: skip
    traces: list[list[str]] = [[] for _ in configs]
    model = ModelConfig(cell=cell, hidden_size=hidden)
    runs: list[Run] = []
    for number, (config, trace) in enumerate(zip(configs, traces, strict=True)):
        watch = partial(_note_trace, trace, max(1, scale["steps"] // 20), scale["steps"])
        share = partial(_part_of, progress, number, len(configs))
        runs += train_watched(
            task, model, (config,), share, name=f"published-{cell}-{hidden}-{config.lr:g}", watch=watch
        )
    described = [
        {"lr": run.train_config.lr, "status": run.status, "metrics": run.metrics, "trace": trace, "parameters": len(run.weights),
         "findings": [finding.to_dict() for finding in run.findings], "steps": run.history[-1]["step"] if run.history else 0}
        for run, trace in zip(runs, traces, strict=True)
    ]  # fmt: skip
    alive = [run for run in runs if run.status != "diverged"]
    return Outcome(tuple(runs), {"runs": described, "doctor": of_runs(task, alive[-1:])})


def _note_trace(trace: list[str], every: int, total: int, training: Training, step: Step) -> None:
    """Write a line in the report's form every so many steps: step, share, time, loss, name, guess, tick or truth."""
    if step.step % every and step.step != 1:
        return
    task = training.task
    minutes, seconds = divmod(int(step.seconds), 60)
    example = int(step.index[0, 0])
    guess, truth = int(step.outputs[0, 0].argmax()), int(task.targets[example])
    mark = "✓" if guess == truth else f"✗ ({task.labels[truth]})"
    trace.append(
        f"{step.step} {step.step * 100 // total}% ({minutes}m {seconds}s) {float(step.losses[0]):.4f} "
        f"{task.raw[example]} / {task.labels[guess]} {mark}"
    )


def _cell(
    cell: str, hidden: int, seeds: tuple[int, ...], scale: dict[str, Any], data: LabData, progress: Progress
) -> Outcome:
    """Train a cell as it should be: batches of like lengths, AdamW, one cycle, clipped; figures on held-out names."""
    task = names_task(data, scale)
    configs = tuple(
        TrainConfig(
            lr=0.004,
            schedule="one_cycle",
            batch_size=128,
            batching="by_length",
            epochs=scale["epochs"],
            clip=1.0,
            seed=seed,
        )
        for seed in seeds
    )
    model = ModelConfig(cell=cell, hidden_size=hidden)
    runs: list[Run] = []
    for number, config in enumerate(configs):
        share = partial(_part_of, progress, number, len(configs))
        runs += train_watched(task, model, (config,), share, name=f"{cell}-{hidden}-{config.seed}")
    described = [_described(task, run) for run in runs]
    return Outcome(tuple(runs), {"runs": described, "confusion": _confusion(task, runs[0])})


def _part_of(progress: Progress, number: int, total: int, spent: float) -> None:
    progress((number + spent) / total)


def _described(task: Task, run: Run) -> dict[str, Any]:
    return {
        "seed": run.train_config.seed,
        "metrics": run.metrics,
        "status": run.status,
        "parameters": len(run.weights),
        "seconds": run.seconds,
        "adjusted": adjusted_scores(task, run),
        "findings": [finding.to_dict() for finding in run.findings],
    }


def adjusted_scores(task: Task, run: Run) -> dict[str, float]:
    """Return the metrics on held-out names with the logits moved by the class prior, which favours the rare origins."""
    counts = np.bincount(task.targets.numpy()[task.splits.train], minlength=len(task.labels))
    outputs = run.outputs([task.raw[i] for i in task.splits.test])
    moved = outputs - np.log(np.maximum(counts, 1) / counts.sum())
    return score_labels(moved, task.targets.numpy()[task.splits.test])


def _confusion(task: Task, run: Run) -> list[list[int]]:
    """Return how often an origin (row) was taken for another (column), on held-out names."""
    test = task.splits.test
    guess = run.outputs([task.raw[i] for i in test]).argmax(axis=1)
    table = np.zeros((len(task.labels), len(task.labels)), dtype=int)
    np.add.at(table, (task.targets.numpy()[test], guess), 1)
    return cast(list[list[int]], table.tolist())


def _best(scale: dict[str, Any], data: LabData, progress: Progress) -> Outcome:
    """Train the best recipe we know, and put it beside the n-grams, and both together."""
    task = names_task(data, scale, lowercase=True)
    config = BEST_TRAINING.replace(epochs=scale["best_epochs"], seed=data.seed)
    runs = train_watched(task, BEST_MODEL, (config,), progress, name="best")
    measured = {"runs": [_described(task, run) for run in runs], "confusion": _confusion(task, runs[0])}
    return Outcome(runs, measured | {"baselines": combine_with_ngrams(task, runs[0])})


def _rates(cell: str, hidden: int, scale: dict[str, Any], data: LabData, progress: Progress) -> Outcome:
    """Train one cell at one size with every learning rate, all else equal: plain SGD, batches of 32."""
    task = names_task(data, scale)
    configs = tuple(
        TrainConfig(
            optimizer="sgd", lr=rate, batch_size=32, batching="by_length", max_steps=scale["rate_steps"], keep="last", seed=data.seed,
            evaluate_every=max(1, scale["rate_steps"] // 4),
        )
        for rate in scale["rates"]
    )  # fmt: skip
    model = ModelConfig(cell=cell, hidden_size=hidden)
    runs = train_watched(task, model, configs, progress, name=f"rates-{cell}-{hidden}")
    described = [
        {"lr": run.train_config.lr, "status": run.status, "parameters": len(run.weights),
         "loss": run.history[-1].get("validation_loss") if run.status != "diverged" else None}
        for run in runs
    ]  # fmt: skip
    return Outcome(runs, {"runs": described})


def _timing(scale: dict[str, Any], data: LabData, progress: Progress) -> Outcome:
    """Time the published loop's update in plain PyTorch, the three networks in turn."""
    return Outcome(
        (), time_an_iteration(names_task(data, scale), scale["published_hidden"][-1], scale["timed"], progress)
    )
