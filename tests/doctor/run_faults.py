"""Runs of rnnlab's own with one fault each; `RUN_FAULTS` maps what was done wrong to the check that has to find it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import NumberSequences, Series, library
from rnnlab.runs import Run
from rnnlab.tasks import Task, everything_trains, forecast_series, from_numbers
from rnnlab.tasks.baselines import references
from rnnlab.training import train

Made = tuple[Run, Task]
RUN_FAULTS: dict[str, tuple[str, Callable[[], Made]]] = {}
MODEL = ModelConfig(cell="gru", hidden_size=12)
TRAINING = TrainConfig(optimizer="adam", lr=0.01, batch_size=32, max_steps=120, clip=1.0)


def fault(check: str, what: str) -> Callable[[Callable[[], Made]], Callable[[], Made]]:
    """Enter a run under ``what`` was done wrong."""

    def enter(make: Callable[[], Made]) -> Callable[[], Made]:
        RUN_FAULTS[what] = (check, make)
        return make

    return enter


def trained(task: Task, model: ModelConfig = MODEL, training: TrainConfig = TRAINING) -> Made:
    """Train, and put the baselines beside the run, as `rnnlab.training.fit` does."""
    run = train(task, model, training)[0]
    found = [{"name": one.name, "title": one.title, "metrics": one.metrics} for one in references(task)]
    return replace(run, data=run.data | {"baselines": found}), task


def sequences(count: int = 200, steps: int = 12, seed: int = 0) -> list[np.ndarray]:
    """Return random walks ``(steps, 2)``, a little apart in length."""
    draw = np.random.default_rng(seed)
    return [draw.normal(size=(steps - row % 3, 2)).astype(np.float32) for row in range(count)]


def sums(values: list[np.ndarray]) -> np.ndarray:
    """Return a target that all steps tell, and no linear model."""
    return np.array([value[:, 0].mean() + abs(value[-1, 1]) for value in values], dtype=np.float32)


def regression(count: int = 200) -> Task:
    values = sequences(count)
    return from_numbers(NumberSequences(tuple(values), sums(values)))


def labelled(values: list[np.ndarray], labels: list[str]) -> Task:
    return from_numbers(NumberSequences(tuple(values), tuple(labels)))


def classification() -> Task:
    values = sequences()
    return labelled(values, ["high" if total > 0.7 else "low" for total in sums(values)])


def seasonal(days: int = 300) -> Series:
    draw = np.random.default_rng(1)
    times = np.arange("2020-01-01", np.datetime64("2020-01-01") + days, dtype="datetime64[D]")
    return Series(
        times, 10 + np.sin(np.arange(days) * 2 * np.pi / 7) + 0.1 * draw.normal(size=days), "visits", season=7
    )


def chaotic(days: int = 300) -> Series:
    """Return the logistic map, which a line through the past cannot forecast."""
    values = [0.3]
    for _ in range(days - 1):
        values.append(3.8 * values[-1] * (1 - values[-1]))
    return replace(seasonal(days), values=np.array(values))


def walk(days: int, kept: float) -> Series:
    """Return a series that keeps a share of its value from day to day: with 1 a random walk, which ends far from its beginning."""
    values = [0.0]
    for shock in np.random.default_rng(2).normal(size=days - 1):
        values.append(kept * values[-1] + shock)
    return replace(seasonal(days), values=np.array(values) + 100)


@fault("constant_targets", "one target for all")
def one_target() -> Made:
    return trained(from_numbers(NumberSequences(tuple(sequences()), np.ones(200, dtype=np.float32))))


@fault("constant_inputs", "one input for all")
def one_input() -> Made:
    values = sequences()
    return trained(labelled([values[0]] * 200, ["ab"[row % 2] for row in range(200)]))


@fault("constant_inputs", "a feature that never changes")
def one_feature() -> Made:
    values = [np.concatenate([value, np.full((len(value), 1), 7.0)], axis=1) for value in sequences()]
    return trained(from_numbers(NumberSequences(tuple(values), sums(values))))


@fault("test_examples_in_training", "every row twice")
def rows_twice() -> Made:
    values = sequences(100) * 2
    return trained(from_numbers(NumberSequences(tuple(values), sums(values))))


@fault("class_imbalance", "a rare event that is never told")
def rare_event() -> Made:
    values = sequences(400)
    return trained(labelled(values, ["event" if row % 16 == 0 else "nothing" for row in range(400)]))


@fault("target_misaligned", "a step skipped")
def step_skipped() -> Made:
    return trained(forecast_series(seasonal(), context_length=14, gap=1))


@fault("one_step_sequence", "the window as features of one step")
def one_step() -> Made:
    return trained(forecast_series(seasonal(), context_length=14, layout="features"))


@fault("forecast_is_last_value", "a series that the last value forecasts best")
def nearly_a_walk() -> Made:
    training = TRAINING.replace(max_steps=800, schedule="one_cycle")
    return trained(forecast_series(walk(1200, 0.97), context_length=2), MODEL.replace(hidden_size=8), training)


@fault("out_of_range", "a series that walks away from where it was trained")
def random_walk() -> Made:
    return trained(forecast_series(walk(600, 1.0), context_length=8))


@fault("worse_than_baseline", "an answer that is linear in the inputs, and too little training")
def linear_answer() -> Made:
    values = [np.random.default_rng(row).normal(size=(4, 1)) for row in range(300)]
    targets = np.array([value[0, 0] - 2 * value[3, 0] for value in values], dtype=np.float32)
    return trained(
        from_numbers(NumberSequences(tuple(values), targets)), training=TRAINING.replace(max_steps=60, lr=0.003)
    )


@fault("learning_rate_too_large", "Adam at three")
def adam_at_three() -> Made:
    return trained(regression(), training=TRAINING.replace(lr=3.0, keep="last"))


@fault("learning_rate_too_small", "Adam at a millionth")
def adam_at_a_millionth() -> Made:
    return trained(regression(), training=TRAINING.replace(lr=1e-6))


@fault("underfitting", "labels that nothing tells")
def random_labels() -> Made:
    draw = np.random.default_rng(0)
    task = labelled(sequences(600), ["ab"[coin] for coin in draw.integers(0, 2, 600)])
    return trained(task, MODEL.replace(hidden_size=4), TRAINING.replace(lr=0.003, max_steps=100))


@fault("overfitting", "few examples, many units")
def few_examples() -> Made:
    draw = np.random.default_rng(0)
    values = sequences(150)
    noisy = sums(values) + draw.normal(size=150).astype(np.float32) * 0.6
    task = from_numbers(NumberSequences(tuple(values), noisy))
    return trained(task, MODEL.replace(hidden_size=64), TRAINING.replace(max_steps=400, keep="last"))


@fault("updates_on_single_examples", "one example an update")
def single_examples() -> Made:
    return trained(regression(), training=TRAINING.replace(batch_size=1, optimizer="sgd"))


@fault("bounded_output", "no head, for numbers beyond 1")
def bare() -> Made:
    task = from_numbers(library.binary("steps"), splits=everything_trains(256), scale_targets=False)
    return trained(task, MODEL.replace(head="none"))


@fault("dead_relu", "a ReLU on the output that died")
def dead_output() -> Made:
    run, task = trained(regression(), MODEL.replace(head="relu"))
    weights = run.weights.clone()
    weights[-1] = -1e3
    return replace(run, weights=weights), task


@fault("dead_relu", "relu units that died")
def dead_units() -> Made:
    run, task = trained(regression(), MODEL.replace(cell="elman", nonlinearity="relu"))
    return scaled(run, "bias_ih_l0", 0.0, add=-50.0), task


@fault("saturated_gates", "weights grown a thousandfold")
def huge_weights() -> Made:
    run, task = trained(regression())
    return scaled(run, "weight_ih_l0", 1000.0), task


@fault("vanishing_gradients", "recurrent weights near zero")
def no_memory() -> Made:
    run, task = trained(regression(), MODEL.replace(cell="elman"))
    return scaled(run, "weight_hh_l0", 1e-4), task


@fault("exploding_gradients", "recurrent weights far too large")
def explosive() -> Made:
    run, task = trained(regression(), MODEL.replace(cell="elman", nonlinearity="relu"))
    run = scaled(run, "weight_hh_l0", 0.0)
    weights = run.weights.clone()
    at = run.model.flat.numel() and _offset(run, "weight_hh_l0")
    weights[at : at + 144] = 3.0 * torch.eye(12).flatten()
    return replace(run, weights=weights), task


def scaled(run: Run, name: str, factor: float, *, add: float = 0.0) -> Run:
    """Return the run with one weight multiplied, and something added to it."""
    weights, at = run.weights.clone(), _offset(run, name)
    size = next(weight.size for weight in run.model.layout if weight.name == name)
    weights[at : at + size] = weights[at : at + size] * factor + add
    return replace(run, weights=weights)


def _offset(run: Run, name: str) -> int:
    at = 0
    for weight in run.model.layout:
        if weight.name == name:
            return at
        at += weight.size
    raise KeyError(name)
