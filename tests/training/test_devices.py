"""Training where the kernels are not: on a GPU where there is one, and everywhere that a step keeps to one device."""

from typing import Any

import pytest
import torch

from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.models import Model, Noise
from rnnlab.models.model import hide_steps
from rnnlab.training import train
from rnnlab.training.optimizers import Optimizer

from .test_loop import CELLS, TASKS

SHAPES: list[dict[str, Any]] = [
    {"dropout": 0.2, "num_layers": 2},
    {"bidirectional": True, "readout": "max"},
    {"embedding_size": 4, "ngram_size": 4, "dropout": 0.2, "readout": "mean"},
]
RUNS, BATCH = 2, 8


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape)))
@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_step_keeps_to_one_device(cell: str, kind: str, shape: dict, optimizer: str) -> None:
    """On torch's device without numbers, which refuses to compute with another's."""
    task = TASKS[kind]()
    model = Model(ModelConfig(cell=cell, hidden_size=5, **shape), task.interface, range(RUNS)).place("meta")
    config = TrainConfig(optimizer=optimizer, momentum=0.9 if optimizer == "sgd" else 0.0, weight_decay=0.1, clip=0.5)
    index, noise = torch.arange(RUNS * BATCH).view(RUNS, BATCH), Noise(range(RUNS), step=3)
    values, _ = task.inputs.gather(index)
    values = hide_steps(values.to("meta"), noise, 0.1)
    outputs, pull = model.vjp(values, None, noise)
    losses, d_outputs = task.loss_and_gradient(outputs, index)
    norms = Optimizer([config] * RUNS, model.flat).update(
        model.flat, pull(d_outputs), torch.full((RUNS, 1), 0.1, device="meta")
    )
    assert {tensor.device.type for tensor in (outputs, losses, norms)} == {"meta"}
    assert (outputs.shape[:2], losses.shape, norms.shape) == ((RUNS, BATCH), (RUNS,), (RUNS,))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape)))
@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_on_a_gpu_is_that_of_the_processor(cell: str, kind: str, shape: dict) -> None:
    task, model = TASKS[kind](), ModelConfig(cell=cell, hidden_size=5, **shape)
    configs = [TrainConfig(seed=seed, batch_size=16, max_steps=12, input_dropout=0.1) for seed in range(3)]
    there, here = train(task, model, configs, device="cuda"), train(task, model, configs)
    for found, expected in zip(there, here, strict=True):
        torch.testing.assert_close(found.weights, expected.weights, rtol=2e-3, atol=2e-4)
