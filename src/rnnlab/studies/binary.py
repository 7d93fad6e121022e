"""Binary numbers to decimal: what a bounded output cannot do, what a ReLU can break, and what recurrence adds.

The lab feeds all eight bits as the features of one step, and updates on one number at a time. Here that is the
variant *as published*; *as it should be* the network reads one bit a step.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import library, split_rows
from rnnlab.models import Model
from rnnlab.results import StudyResult
from rnnlab.runs import Run
from rnnlab.studies.binary_report import conclude
from rnnlab.studies.examined import of_runs
from rnnlab.studies.jobs import Job, LabData, Outcome, Progress, SizeName, train_watched
from rnnlab.tasks import Task, everything_trains, from_numbers
from rnnlab.training import Step, Training

RATES = (0.1, 0.01, 0.001, 0.0001)
# The report gives the LSTM one learning rate; the full size tries 0.1 as well.
LSTM_RATES = {"smoke": (0.001,), "quick": (0.001,), "full": (0.1, 0.001)}
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"epochs": 2, "hidden": {"elman": (4, 16), "lstm": (16,)}, "seeds": 2, "starts": 30, "steps_epochs": 5},
    "quick": {
        "epochs": 100,
        "hidden": {"elman": (16, 64), "lstm": (16, 64)},
        "seeds": 3,
        "starts": 300,
        "steps_epochs": 80,
    },
    "full": {
        "epochs": 300,
        "hidden": {"elman": (4, 8, 16, 32, 64, 128), "lstm": (4, 8, 16, 32, 64, 128)},
        "seeds": 10,
        "starts": 300,
        "steps_epochs": 600,
    },
}


class Binary:
    """The first study of the lab."""

    name = "binary"
    title = "Binary numbers to decimal"

    def jobs(self, size: SizeName, data: LabData) -> list[Job]:
        """Return the published tables (a stack a hidden size), the bare networks, and the networks that read bit by bit."""
        scale = SIZES[size]
        seeds, epochs = data.seeds(scale["seeds"]), scale["epochs"]
        jobs = [
            Job("binary", "starts", "dead outputs at the start", partial(_starts, scale["starts"]), 1),
            Job(
                "binary", "bare-tanh", "bare RNN", partial(_bare, "tanh", seeds, min(epochs, 15)), min(epochs, 15) / 10
            ),
            Job(
                "binary",
                "bare-relu",
                "bare RNN with relu",
                partial(_bare, "relu", seeds, min(epochs, 15)),
                min(epochs, 15) / 10,
            ),
        ]
        for cell, rates in (("elman", RATES), ("lstm", LSTM_RATES[size])):
            for hidden in scale["hidden"][cell]:
                work = partial(_published, cell, hidden, rates, seeds, epochs)
                jobs.append(
                    Job("binary", f"{cell}-{hidden}", f"{LABELS[cell]} + ReLU, hidden {hidden}", work, epochs / 13)
                )
        for cell in ("elman", "lstm", "gru"):
            work = partial(_bit_by_bit, cell, seeds, scale["steps_epochs"])
            jobs.append(Job("binary", f"steps-{cell}", f"{LABELS[cell]}, bit by bit", work, scale["steps_epochs"] / 20))
        return jobs

    def conclude(self, size: SizeName, data: LabData, outcomes: Mapping[str, Outcome]) -> StudyResult:
        """Return tables, curves and claims."""
        return conclude(SIZES[size], data.seeds(SIZES[size]["seeds"]), outcomes)


LABELS = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}


def published_task() -> Task:
    """Return all 256 numbers as one step of eight bits, nothing scaled, nothing held out."""
    return from_numbers(
        library.binary("features"), splits=everything_trains(256), scale_inputs=False, scale_targets=False
    )


def _published(
    cell: str,
    hidden: int,
    rates: tuple[float, ...],
    seeds: tuple[int, ...],
    epochs: int,
    data: LabData,
    progress: Progress,
) -> Outcome:
    """Train the published network: a layer, a linear unit, a ReLU, Adam, an update on every number."""
    task = published_task()
    model = ModelConfig(cell=cell, hidden_size=hidden, head="relu")
    configs = tuple(
        TrainConfig(optimizer="adam", lr=rate, batch_size=1, epochs=epochs, seed=seed, keep="last")
        for rate in rates
        for seed in seeds
    )
    answers: list[list[float]] = [[] for _ in configs]
    watch = partial(_note_255, answers, task)
    runs = train_watched(task, model, configs, progress, name=f"{cell}-{hidden}", watch=watch)
    described = [_describe(task, run, curve) for run, curve in zip(runs, answers, strict=True)]
    dead = [run for run, record in zip(runs, described, strict=True) if record["dead"]]
    return Outcome(runs, {"runs": described, "doctor": of_runs(task, [*runs[:1], *dead[:1]])})


def _note_255(answers: list[list[float]], task: Task, training: Training, step: Step) -> None:
    """Note f(11111111) of every run at the end of each epoch."""
    if not step.records:
        return
    values, _ = task.inputs.gather(torch.tensor([[255]]))
    with torch.no_grad():
        found = training.stack.model(values).flatten().tolist() if training.stack.positions else []
    for position, answer in zip(training.stack.positions, found, strict=True):
        answers[position].append(answer)


def _describe(task: Task, run: Run, curve: list[float]) -> dict[str, Any]:
    outputs = run.outputs(task.raw)[:, 0].astype(np.float64)
    truth = np.arange(256.0)
    return {
        "lr": run.train_config.lr,
        "seed": run.train_config.seed,
        "mse": float(((outputs - truth) ** 2).mean()),
        "f255": float(outputs[255]),
        "exact": int((np.rint(outputs) == truth).sum()),
        "dead": bool((outputs == 0).all()),
        "status": run.status,
        "f255_by_epoch": curve,
    }


def _bare(nonlinearity: str, seeds: tuple[int, ...], epochs: int, data: LabData, progress: Progress) -> Outcome:
    """Train the network the report began with: a recurrent layer of one unit whose state is the answer."""
    task = published_task()
    model = ModelConfig(cell="elman", nonlinearity=nonlinearity, head="none")
    configs = tuple(
        TrainConfig(optimizer="sgd", lr=0.01, batch_size=1, epochs=epochs, seed=seed, keep="last") for seed in seeds
    )
    runs = train_watched(task, model, configs, progress, name=f"bare-{nonlinearity}")
    return Outcome(runs, {"runs": [_describe(task, run, []) for run in runs], "doctor": of_runs(task, runs[:1])})


def _bit_by_bit(cell: str, seeds: tuple[int, ...], epochs: int, data: LabData, progress: Progress) -> Outcome:
    """Train on eight steps of one bit: once on all numbers, once with a fifth of them held out."""
    source = library.binary("steps")
    model = ModelConfig(cell=cell, hidden_size=64)
    configs = tuple(
        TrainConfig(
            optimizer="adam",
            lr=0.01,
            schedule="one_cycle",
            batch_size=32,
            epochs=epochs,
            seed=seed,
            clip=1.0,
            keep="last",
        )
        for seed in seeds
    )
    whole = from_numbers(source, splits=everything_trains(256))
    runs = train_watched(whole, model, configs, lambda spent: progress(spent / 2), name=f"steps-{cell}")
    held = from_numbers(source, splits=split_rows(256, test=0.2, validation=0.0, seed=data.seed))
    again = train_watched(held, model, configs, lambda spent: progress(0.5 + spent / 2), name=f"held-{cell}")
    test = held.splits.test
    answers = [np.rint(_units(held, run)[test]) == test for run in again]
    described = [_describe_steps(whole, run) for run in runs]
    for entry, right in zip(described, answers, strict=True):
        entry |= {"held_out_exact": int(right.sum()), "held_out": len(test)}
    return Outcome(runs, {"runs": described})


def _units(task: Task, run: Run) -> np.ndarray:
    return np.array([answer["prediction"] for answer in run.predict(task.raw)])


def _describe_steps(task: Task, run: Run) -> dict[str, Any]:
    outputs = _units(task, run)
    truth = np.arange(256.0)
    return {
        "seed": run.train_config.seed,
        "mse": float(((outputs - truth) ** 2).mean()),
        "f255": float(outputs[255]),
        "exact": int((np.rint(outputs) == truth).sum()),
    }


def _starts(count: int, data: LabData, progress: Progress) -> Outcome:
    """Count the networks whose ReLU is dead before training, and look at what cannot learn."""
    task = published_task()
    values, _ = task.inputs.gather(torch.arange(256).unsqueeze(0))
    measured: dict[str, Any] = {"starts": count, "layer_dim_2": _two_layers_with_one_state()}
    for cell, hidden in (("elman", 16), ("lstm", 64)):
        config = ModelConfig(cell=cell, hidden_size=hidden, head="relu")
        model = Model(config, task.interface, data.seeds(count))
        model.engine = "equations"
        with torch.no_grad():
            outputs = model(values)
        measured[f"dead_{cell}"] = float((outputs == 0).all(dim=1).all(dim=1).double().mean())
        measured[f"recurrent_gradient_{cell}"] = _recurrent_gradient(config, task, data.seeds(min(count, 20)))
        progress(1.0)
    return Outcome((), measured)


def _recurrent_gradient(config: ModelConfig, task: Task, seeds: tuple[int, ...]) -> float:
    """Return the largest gradient of any recurrent weight over ``seeds``, through torch's own layer."""
    everything = torch.arange(256).unsqueeze(0)
    values, _ = task.inputs.gather(everything)
    largest = 0.0
    for seed in seeds:
        model = Model(config, task.interface, [seed])
        model.engine = "torch"
        (gradient,) = torch.autograd.grad(
            task.loss(model(values), everything).sum(), [cast(Tensor, model.weight_hh_l0)]
        )
        largest = max(largest, float(gradient.abs().max()))
    return largest


def _two_layers_with_one_state() -> str:
    """Return what torch says when ``layer_dim`` is 2 and the initial state is made for one layer, as published."""
    try:
        nn.RNN(8, 16, 2, batch_first=True)(torch.zeros(1, 1, 8), torch.zeros(1, 1, 16))
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return "no error"
