"""The loop: stacks against single runs, resumption to the bit, budgets, divergence, early stopping."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import LabelledStrings, NumberSequences, Series
from rnnlab.errors import ConfigError, RunFolderError
from rnnlab.tasks import Task, classify_strings, forecast_series, from_numbers
from rnnlab.training import Training, train

CELLS = ["elman", "lstm", "gru", "combined"]


def strings() -> Task:
    draw = np.random.default_rng(0)
    texts = ["".join(draw.choice(list("abcde"), draw.integers(1, 9))) for _ in range(120)]
    texts = sorted(set(texts))
    return classify_strings(LabelledStrings(tuple(texts), tuple("yes" if "a" in text else "no" for text in texts)))


def numbers() -> Task:
    draw = np.random.default_rng(1)
    values = tuple(draw.normal(size=(draw.integers(2, 7), 2)).astype(np.float32) for _ in range(90))
    return from_numbers(NumberSequences(values, np.array([value.sum() for value in values], dtype=np.float32)))


def series() -> Task:
    times = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + 150)
    values = 10 + np.sin(np.arange(150) / 3) * 4
    return forecast_series(Series(times, values, "waves", 7), context_length=8)


TASKS = {"classify": strings, "regress": numbers, "forecast": series}
CONFIGS = {
    "sgd": {"optimizer": "sgd", "lr": 0.02, "momentum": 0.9},
    "adam": {"optimizer": "adam", "lr": 0.01, "schedule": "plateau"},
    "adamw": {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.1, "schedule": "one_cycle", "clip": 0.5},
}


@pytest.mark.parametrize("rule", CONFIGS)
@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("cell", CELLS)
def test_stack_equals_single_runs(cell: str, kind: str, rule: str) -> None:
    task = TASKS[kind]()
    model = ModelConfig(cell=cell, hidden_size=5, dropout=0.2)
    batching = "by_length" if rule == "adamw" else "shuffle"
    configs = [
        TrainConfig(**CONFIGS[rule] | {"lr": CONFIGS[rule]["lr"] * scale}, seed=seed, batch_size=16, max_steps=12,
                    batching=batching, input_dropout=0.1)
        for seed, scale in ((0, 1.0), (1, 0.5), (7, 2.0))
    ]  # fmt: skip
    together = train(task, model, configs)
    for run, config in zip(together, configs, strict=True):
        (alone,) = train(task, model, config)
        torch.testing.assert_close(run.weights, alone.weights, rtol=2e-4, atol=2e-5)
        assert run.history[-1]["loss"] == pytest.approx(alone.history[-1]["loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [(cell, kind) for cell in CELLS for kind in TASKS if cell != "combined" or kind == "forecast"],
)
def test_a_run_has_the_same_bits_alone_in_a_stack_and_when_the_others_have_left(cell: str, kind: str) -> None:
    task, model = TASKS[kind](), ModelConfig(cell=cell, hidden_size=21, num_layers=2, dropout=0.2)
    configs = [TrainConfig(seed=seed, batch_size=16, max_steps=24) for seed in range(4)]
    together = train(task, model, configs)
    shrinking = Training(task, model, configs)
    for step, _ in enumerate(shrinking):
        if step in (5, 10, 15):
            shrinking.drop([step // 5 - 1])
    (alone,) = train(task, model, configs[-1])
    assert torch.equal(together[-1].weights, alone.weights)
    assert torch.equal(shrinking.runs()[-1].weights, alone.weights)


@pytest.mark.parametrize("stop_after", [1, 5, 7, 16])
@pytest.mark.parametrize("kind", TASKS)
def test_resumed_equals_uninterrupted(kind: str, stop_after: int, tmp_path: Path) -> None:
    task = TASKS[kind]()
    model = ModelConfig(cell="gru", hidden_size=5, dropout=0.2)
    configs = [
        TrainConfig(lr=0.02, seed=seed, batch_size=16, epochs=4, schedule="one_cycle", patience=2, batching="by_length")
        for seed in (0, 1)
    ]
    whole = train(task, model, configs)
    path = tmp_path / "checkpoint.safetensors"
    for number, _ in enumerate(Training(task, model, configs, checkpoint=path), 1):
        if number == stop_after:
            break
    resumed = train(task, model, configs, checkpoint=path)
    for one, other in zip(whole, resumed, strict=True):
        assert torch.equal(one.weights, other.weights)
        assert one.metrics == other.metrics
        assert [e["loss"] for e in one.history] == [e["loss"] for e in other.history]


def test_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    task, path = numbers(), tmp_path / "checkpoint.safetensors"
    for _ in Training(task, ModelConfig(hidden_size=3), TrainConfig(max_steps=5), checkpoint=path):
        break
    with pytest.raises(RunFolderError, match="configs must be the same"):
        Training(task, ModelConfig(hidden_size=3), TrainConfig(max_steps=5, lr=1.0), checkpoint=path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunFolderError, match="must be a checkpoint"):
        Training(task, ModelConfig(hidden_size=3), TrainConfig(max_steps=5), checkpoint=path)


def test_budgets_in_steps_epochs_and_seconds() -> None:
    task = numbers()
    batches = -(-len(task.splits.train) // 16)
    small = ModelConfig(hidden_size=3)
    assert sum(1 for _ in Training(task, small, TrainConfig(batch_size=16, max_steps=7))) == 7
    assert sum(1 for _ in Training(task, small, TrainConfig(batch_size=16, epochs=3))) == 3 * batches
    assert sum(1 for _ in Training(task, small, TrainConfig(batch_size=16, epochs=3, max_steps=4))) == 4
    timed = Training(task, small, TrainConfig(batch_size=16, max_seconds=0.05))
    assert sum(1 for _ in timed) >= 1
    assert 0.05 <= timed.seconds < 20  # a loaded machine is slow


def test_divergence_ends_a_run_with_a_finding_and_spares_the_others() -> None:
    task = numbers()
    configs = [TrainConfig(optimizer="sgd", lr=lr, batch_size=8, epochs=30) for lr in (0.01, 1e18)]
    tame, wild = train(task, ModelConfig(cell="combined", hidden_size=8, num_layers=2), configs)
    assert tame.status == "done"
    assert not tame.findings
    assert wild.status == "diverged"
    assert wild.findings[0].check in {"diverged", "exploded"}
    assert 1 <= wild.findings[0].evidence["step"] <= 60
    assert "--lr" in wild.findings[0].remedy
    (alone,) = train(task, ModelConfig(cell="combined", hidden_size=8, num_layers=2), configs[0])
    torch.testing.assert_close(tame.weights, alone.weights, rtol=2e-4, atol=2e-5)


def test_early_stopping_keeps_the_best_weights() -> None:
    task = numbers()
    config = TrainConfig(optimizer="adam", lr=0.3, batch_size=8, epochs=60, patience=3)
    (run,) = train(task, ModelConfig(cell="elman", hidden_size=16), config)
    assert run.status == "stopped"
    losses = [entry["validation_loss"] for entry in run.history]
    assert int(np.argmin(losses)) == len(losses) - 4
    outputs = torch.from_numpy(run.outputs([task.raw[i] for i in task.splits.validation])).unsqueeze(0)
    loss = task.loss(outputs, task.part("validation").unsqueeze(0))
    assert float(loss) == pytest.approx(min(losses), rel=1e-4)


def test_learns_what_can_be_learnt() -> None:
    (run,) = train(strings(), ModelConfig(cell="gru", hidden_size=16), TrainConfig(lr=0.02, batch_size=16, epochs=20))
    assert run.metrics["test"]["accuracy"] > 0.9
    (run,) = train(series(), ModelConfig(cell="lstm", hidden_size=16), TrainConfig(lr=0.02, batch_size=16, epochs=60))
    assert run.metrics["test"]["mase"] < 0.3
    assert run.predict([10 + np.sin(np.arange(30) / 3) * 4])[0]["prediction"] == pytest.approx(
        10 + 4 * np.sin(10), abs=0.5
    )


def test_runs_of_a_stack_must_be_alike() -> None:
    with pytest.raises(ConfigError, match="batch_size must be the same in all runs"):
        Training(numbers(), ModelConfig(), [TrainConfig(batch_size=2), TrainConfig(batch_size=3)])
