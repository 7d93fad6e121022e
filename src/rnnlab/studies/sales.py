"""The next sales from those before: the lab's network, which is not recurrent, and recurrent ones.

As published, the whole window is the features of one step, the target skips a value, a ReLU stands on the output, and
every sample in order makes an update. As it should be, the network reads the window value by value and is stopped by a
validation part. How the values are prepared (their logarithm, changes against a year before) is chosen by that part too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import Series
from rnnlab.data.clock import year_lags
from rnnlab.doctor import Subject
from rnnlab.errors import DataError
from rnnlab.models import Model
from rnnlab.results import StudyResult
from rnnlab.runs import Run
from rnnlab.runs.outputs import model_outputs
from rnnlab.studies.examined import Said, of_program, of_runs
from rnnlab.studies.jobs import Job, LabData, Outcome, Progress, SizeName, train_watched
from rnnlab.studies.sales_evidence import CELLS
from rnnlab.studies.sales_report import conclude
from rnnlab.tasks import Task, forecast_series
from rnnlab.tasks.forecast_baselines import baselines, ridge, score_values

WINDOWS = (8, 16, 32)
CHUNK = 8
SAMPLE = 200
LEAST_TRAINING = 60
EPOCHS_PUBLISHED = 25
SIZES = {
    "smoke": {"seeds": 2, "hidden": 16, "starts": 12, "updates": 25, "step_seeds": 2, "units": 8, "epochs": 2},
    "quick": {"seeds": 6, "hidden": 256, "starts": 200, "updates": 4000, "step_seeds": 3, "units": 32, "epochs": 40},
    "full": {"seeds": 10, "hidden": 256, "starts": 200, "updates": None, "step_seeds": 10, "units": 32, "epochs": 60},
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How the values are prepared: their logarithm or not, and changes against so many steps before (0: the values)."""

    log: bool
    difference: int

    @property
    def name(self) -> str:
        """A folder name."""
        return "-".join(
            ["recipe", *(["log"] if self.log else []), *([f"change{self.difference}"] if self.difference else [])]
        )

    @property
    def title(self) -> str:
        """For people."""
        change = f"change against {self.difference} steps before" if self.difference else ""
        return ", ".join(part for part in ("log" if self.log else "", change) if part)


class Sales:
    """The third study of the lab."""

    name = "sales"
    title = "Sales, one step ahead"

    def jobs(self, size: SizeName, data: LabData) -> list[Job]:
        """Return the networks as published, the recurrent ones, and what they are up against.

        Raises:
            DataError: where the series is too short for a window of 8.
        """
        scale, series = _scale(size), data.sales
        windows = fitting_windows(series)
        updates, seconds = _updates(scale, series), scale["hidden"] / 256 / 1000
        jobs = [
            Job("sales", "baselines", "last value, seasonal, ridge", partial(_baselines, windows[-1]), 0.3),
            Job("sales", "starts", "dead outputs at the start", partial(_starts, windows, scale), scale["starts"] / 40),
        ]
        published = [("lstm", window, 1) for window in windows] + [("elman", windows[-1], 1), ("lstm", windows[-1], 0)]
        for cell, window, gap in published:
            cost = updates * scale["seeds"] * seconds * (0.28 if cell == "lstm" else 0.16)
            title = f"{CELLS[cell]} as published, window {window}" + ("" if gap else ", nothing skipped")
            jobs.append(
                Job(
                    "sales",
                    published_name(cell, window, gap),
                    title,
                    partial(_published, cell, window, gap, scale),
                    cost,
                )
            )
        for cell in ("gru", "lstm", "elman"):
            title, work = f"{CELLS[cell]}, step by step", partial(_recurrent, cell, Recipe(False, 0), scale)
            jobs.append(Job("sales", f"steps-{cell}", title, work, _steps_cost(scale, series, cell)))
        for recipe in recipes(series, windows[-1]):
            title, work = f"GRU, {recipe.title}", partial(_recurrent, "gru", recipe, scale)
            jobs.append(Job("sales", recipe.name, title, work, _steps_cost(scale, series, "gru", recipe.difference)))
        return jobs

    def conclude(self, size: SizeName, data: LabData, outcomes: Mapping[str, Outcome]) -> StudyResult:
        """Return tables, forecasts, curves and claims."""
        return conclude(_scale(size), data, fitting_windows(data.sales), outcomes)


def _scale(size: SizeName) -> dict[str, Any]:
    return cast(dict[str, Any], SIZES[size])


def published_name(cell: str, window: int, gap: int) -> str:
    """Return the name of a published variant's job; with ``gap`` 0 its target is mended."""
    return f"{'published' if gap else 'mended'}-{cell}-{window}"


def fitting_windows(series: Series) -> tuple[int, ...]:
    """Return the windows of the report that leave something to train on: 70% of the series, less the window.

    Raises:
        DataError: where none does.
    """
    found = tuple(window for window in WINDOWS if int(len(series) * 0.7) - window >= 6)
    if not found:
        raise DataError(
            f"series {series.name!r} must have at least 20 values for a window of {WINDOWS[0]}, got {len(series)}; "
            "give a longer series"
        )
    return found


def recipes(series: Series, context_length: int) -> list[Recipe]:
    """Return the preparations worth trying: the logarithm of positive values, and changes against a year, or a season.

    A preparation must leave 60 windows to train on.
    """
    log = bool(series.values.min() > 0)
    room = int(len(series) * 0.7) - context_length - LEAST_TRAINING
    years = [lag for lag in year_lags(series.times, series.season) if 1 < lag <= room]
    changes = years or [lag for lag in (series.season,) if 1 < lag <= room]
    return [Recipe(log, change) for change in ([0] if log else []) + changes]


def _updates(scale: dict[str, Any], series: Series) -> int:
    most = EPOCHS_PUBLISHED * int(len(series) * 0.8)
    return min(most, scale["updates"] or most)


def _steps_cost(scale: dict[str, Any], series: Series, cell: str, difference: int = 0) -> float:
    batches = max(1.0, (len(series) * 0.7 - difference) / 32)
    return float(
        batches * scale["epochs"] * scale["step_seeds"] * {"elman": 0.0009, "lstm": 0.0025, "gru": 0.0023}[cell]
    )


def published_task(series: Series, window: int, gap: int = 1) -> Task:
    """Return the published task: the window as the features of one step, 0..1, a step skipped; the last 20% held out."""
    return forecast_series(
        series, context_length=window, gap=gap, layout="features", scaling="unit", validation=0.0
    )  # fmt: skip


def _published(cell: str, window: int, gap: int, scale: dict[str, Any], data: LabData, progress: Progress) -> Outcome:
    """Train the published network on every sample in order.

    Seeds that are dead at the start are not trained: their gradient is 0 for every sample, so they would stay as they are.
    """
    task, seeds = published_task(data.sales, window, gap), data.seeds(scale["seeds"])
    model = ModelConfig(cell=cell, hidden_size=scale["hidden"], head="relu")
    dead = _dead(model, task, seeds, task.part("train"))
    steps = _updates(scale, data.sales)
    configs = tuple(
        TrainConfig(
            optimizer="sgd", lr=0.01, batch_size=1, batching="in_order", max_steps=steps, seed=seed, keep="last",
        )
        for seed, is_dead in zip(seeds, dead, strict=True)
        if not is_dead
    )  # fmt: skip
    name = published_name(cell, window, gap)
    runs = train_watched(task, model, configs, progress, name=name) if configs else ()
    spread = float(task.targets[task.part("train")].var(correction=0)) or 1.0
    measured = {
        "seeds": list(seeds),
        "dead_at_start": [seed for seed, is_dead in zip(seeds, dead, strict=True) if is_dead],
        "updates": steps,
        "epochs": steps / max(1, len(task.part("train"))),
        "runs": [_describe(task, run) | {"unexplained": _unexplained(task, run, spread)} for run in runs],
        "doctor": of_runs(task, runs[:1]),
    }
    return Outcome(runs, measured)


def _dead(model: ModelConfig, task: Task, seeds: Sequence[int], examples: Tensor) -> list[bool]:
    """Return which networks answer exactly 0 to all ``examples`` before training."""
    values, _ = task.inputs.gather(examples.unsqueeze(0))
    found: list[bool] = []
    for at in range(0, len(seeds), CHUNK):
        network = Model(model, task.interface, seeds[at : at + CHUNK])
        with torch.no_grad():
            found += (network(values) == 0).flatten(1).all(dim=1).tolist()
    return found


def _unexplained(task: Task, run: Run, spread: float) -> float:
    """Return the squared error on the training part as a share of the targets' variance: 1 is what a constant leaves."""
    index = task.part("train")
    outputs = torch.from_numpy(model_outputs(run.model, task.inputs, index))
    return float(task.loss(outputs, index.unsqueeze(0))[0]) / spread


def _describe(task: Task, run: Run) -> dict[str, Any]:
    """Return the figures of a run; a run that answers one number to everything is ``stuck``."""
    outputs = model_outputs(run.model, task.inputs, task.part("test"))[0]
    return {
        "seed": run.train_config.seed,
        "status": run.status,
        "stuck": bool((outputs == 0).all()) if run.model_config.head == "relu" else False,
        "train_mae": run.metrics["train"]["mae"],
        "validation_mae": run.metrics.get("validation", {}).get("mae"),
        **{metric: run.metrics["test"][metric] for metric in ("mae", "rmse", "mase")},
    }


def _recurrent(cell: str, recipe: Recipe, scale: dict[str, Any], data: LabData, progress: Progress) -> Outcome:
    """Train a recurrent network on the window as steps; the weights of the best validation are kept."""
    task = forecast_series(
        data.sales, context_length=fitting_windows(data.sales)[-1], log=recipe.log, difference=recipe.difference
    )
    model = ModelConfig(cell=cell, hidden_size=scale["units"])
    configs = tuple(
        TrainConfig(
            optimizer="adam", lr=0.01, schedule="one_cycle", batch_size=32, epochs=scale["epochs"], seed=seed, clip=1.0
        )
        for seed in data.seeds(scale["step_seeds"])
    )
    runs = train_watched(task, model, configs, progress, name=recipe.name if recipe.difference or recipe.log else cell)
    sound = [run for run in runs if run.status != "diverged"] or list(runs)
    together = {part: _together(task, sound, part) for part in ("validation", "test")}
    measured = {
        "cell": cell,
        "preparation": recipe.title or "the values themselves",
        "runs": [_describe(task, run) for run in runs],
        "together": score_values(task, together["test"]),
        "forecast": together["test"][:, 0].tolist(),
        "validation_forecast": together["validation"][:, 0].tolist(),
        "ridge": score_values(task, ridge(task)),
        "ridge_forecast": ridge(task)[:, 0].tolist(),
        "ridge_validation_forecast": ridge(task, part="validation")[:, 0].tolist(),
    }
    return Outcome(runs, measured)


def _together(task: Task, runs: Sequence[Run], part: str) -> np.ndarray:
    """Return the mean of the runs' forecasts of a part in the data's own units, ``(examples, horizon)``."""
    index = task.part(part)
    found = [task.to_units(model_outputs(run.model, task.inputs, index)[0], index.numpy()) for run in runs]
    return np.asarray(np.mean(found, axis=0))


def _baselines(window: int, data: LabData, progress: Progress) -> Outcome:
    task = forecast_series(data.sales, context_length=window)
    found = baselines(task)
    progress(1.0)
    return Outcome((), {
        "baselines": [
            {"name": one.name, "title": one.title, "forecast": one.predictions[:, 0].tolist(), **one.metrics} for one in found
        ],
        "held_out": task.target_position(task.part("test").numpy()).tolist(),
        "chosen_on": task.target_position(task.part("validation").numpy()).tolist(),
        "seasonal_error": task.seasonal_error(),
    })  # fmt: skip


def _starts(windows: Sequence[int], scale: dict[str, Any], data: LabData, progress: Progress) -> Outcome:
    """Count the networks that are dead at the start, on up to 200 training windows, and the weights that can learn."""
    rows, seeds = [], data.seeds(scale["starts"])
    variants = [(cell, window) for window in windows for cell in ("lstm", "elman")]
    for number, (cell, window) in enumerate(variants):
        task = published_task(data.sales, window)
        train = task.part("train")
        sample = train[:: max(1, len(train) // SAMPLE)]
        model = ModelConfig(cell=cell, hidden_size=scale["hidden"], head="relu")
        dead = _dead(model, task, seeds, sample)
        rows.append({"cell": cell, "window": window, "dead": float(np.mean(dead)), **_learners(model, task, sample)})
        progress((number + 1) / len(variants))
    shape = np.broadcast_shapes((5, 1, 1), (5, 1))
    doctor = _five_samples(published_task(data.sales, windows[-1]))
    return Outcome((), {"starts": len(seeds), "rows": rows, "broadcast": list(shape), "doctor": doctor})


def _five_samples(task: Task) -> Said:
    """Return what the doctor says of a batch of five, as the report's program would have compared it: (5, 1, 1) with (5, 1)."""
    values, _ = task.inputs.gather(task.part("train")[:5])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Linear(values.shape[-1], 1)  # the cell does not matter here, the shapes do
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    targets = task.targets[task.part("train")[:5]]
    return of_program(Subject(network, optimizer, nn.functional.mse_loss, values, targets), "loss_broadcasts")


def _learners(model: ModelConfig, task: Task, examples: Tensor) -> dict[str, Any]:
    """Return how many weights get a gradient where the ReLU is alive (there it is the identity)."""
    network = Model(model.replace(head="linear"), task.interface, [0])
    network.engine = "torch"
    values, _ = task.inputs.gather(examples.unsqueeze(0))
    loss = task.loss(network(values), examples.unsqueeze(0)).sum()
    weights = dict(network.named_parameters())
    gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
    return {
        "parameters": network.parameters_a_run,
        "learning": sum(int((gradient != 0).sum()) for gradient in gradients.values()),
        "recurrent_gradient": float(gradients["weight_hh_l0"].abs().max()),
    }
