"""The memory of a stack is stated before it starts, and held to: measured peaks of whole trainings, in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlab.config import Interface, ModelConfig, TrainConfig
from rnnlab.engine.memory import Extent, free, most_runs, stack_bytes, usable

EXTENT = Extent(Interface(symbols=0, features=2, outputs=1), steps=8, train=210, evaluated=210)
STATUS = Path("/proc/self/status")

# Trains a tiny stack first, so that what is loaded once is not counted; then resets the peak, trains, and prints the growth.
MEASURE = """
import json, sys
from pathlib import Path
import numpy as np, sklearn.metrics, torch
from rnnlab.config import ModelConfig, TrainConfig
from rnnlab.data import NumberSequences
from rnnlab.tasks import from_numbers
from rnnlab.training import train
torch.set_num_threads(1)
cell, hidden, runs, batch, steps, examples, layers = json.loads(sys.argv[1])
draw = np.random.default_rng(0)
task = from_numbers(NumberSequences(tuple(draw.standard_normal((examples, steps, 2)).astype("f")), draw.standard_normal(examples)))
def status(name):
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) * 1024
def go(hidden, runs):
    configs = [TrainConfig(batch_size=batch, clip=1.0, max_steps=4, evaluate_every=2, seed=seed) for seed in range(runs)]
    train(task, ModelConfig(cell=cell, hidden_size=hidden, num_layers=layers), configs)
go(2, 2)
before = status("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
go(hidden, runs)
print(status("VmHWM") - before)
"""
SHAPES = [
    ("lstm", 64, 64, 64, 8, 300, 1),
    pytest.param(("gru", 16, 40, 64, 8, 300, 1), marks=pytest.mark.slow),
    pytest.param(("elman", 256, 8, 32, 20, 1000, 1), marks=pytest.mark.slow),
    pytest.param(("gru", 256, 2, 128, 30, 500, 2), marks=pytest.mark.slow),
    pytest.param(("lstm", 1024, 1, 64, 10, 200, 1), marks=pytest.mark.slow),
    pytest.param(("combined", 32, 20, 64, 8, 500, 1), marks=pytest.mark.slow),
]


@pytest.mark.skipif(not STATUS.exists(), reason="peaks are read from Linux's /proc")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_stack_takes_what_was_stated_and_not_much_less(shape: tuple[str, int, int, int, int, int, int]) -> None:
    cell, hidden, runs, batch, steps, examples, layers = shape
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(shape)], capture_output=True, text=True, check=False
    )
    if "clear_refs" in found.stderr:
        pytest.skip("this system does not let a process reset its peak")
    assert found.returncode == 0, found.stderr
    used = int(found.stdout)
    train = examples - examples * 3 // 10
    extent = Extent(Interface(symbols=0, features=2, outputs=1), steps, train, train)
    model = ModelConfig(cell=cell, hidden_size=hidden, num_layers=layers)
    stated = stack_bytes(model, TrainConfig(batch_size=batch), extent, runs)
    assert used <= stated
    assert stated < 3 * used + 10e6


def test_more_of_anything_takes_more() -> None:
    model, training = ModelConfig(cell="gru", hidden_size=32), TrainConfig(batch_size=64)
    least = stack_bytes(model, training, EXTENT, 10)
    for larger in (
        stack_bytes(model.replace(hidden_size=64), training, EXTENT, 10),
        stack_bytes(model.replace(cell="lstm"), training, EXTENT, 10),
        stack_bytes(model.replace(bidirectional=True), training, EXTENT, 10),
        stack_bytes(model.replace(num_layers=2), training, EXTENT, 10),
        stack_bytes(model, training.replace(batch_size=128), EXTENT, 10),
        stack_bytes(model, training, EXTENT, 20),
    ):
        assert larger > least


def test_as_many_runs_fit_as_are_said_to() -> None:
    model, training = ModelConfig(cell="gru", hidden_size=32), TrainConfig(batch_size=64)
    for room in (10**5, 10**6, 10**7, 10**8):
        most = most_runs(model, training, EXTENT, room)
        assert not most or stack_bytes(model, training, EXTENT, most) <= room
        assert stack_bytes(model, training, EXTENT, most + 1) > room


def test_what_is_free_is_shared_between_workers() -> None:
    assert free() > 2**20
    assert usable(4, given=2.0) == 500_000_000
    assert usable(2) < free()
