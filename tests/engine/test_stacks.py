"""Grids as stacks: nothing lost, one shape each, seeds together, within memory; what does not fit is named."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab.config import Interface, ModelConfig, TrainConfig
from rnnlab.engine.memory import Extent, said, stack_bytes
from rnnlab.engine.stacks import RunConfig, split
from rnnlab.errors import ConfigError
from rnnlab.training.stack import MAY_DIFFER

EXTENT = Extent(Interface(symbols=0, features=2, outputs=1), steps=8, train=100, evaluated=100)


def grid(cells: list[str], sizes: list[int], rates: list[float], batches: list[int], seeds: int) -> list[RunConfig]:
    return [
        RunConfig(ModelConfig(cell=cell, hidden_size=size), TrainConfig(lr=rate, batch_size=batch, seed=seed))
        for cell in cells
        for size in sizes
        for batch in batches
        for rate in rates
        for seed in range(seeds)
    ]


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.sampled_from(["elman", "gru", "lstm"]), min_size=1, max_size=3, unique=True),
    sizes=st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
    rates=st.lists(st.floats(1e-5, 1.0), min_size=1, max_size=12, unique=True),
    batches=st.lists(st.integers(1, 200), min_size=1, max_size=2, unique=True),
    seeds=st.integers(1, 12),
    room=st.floats(9, 500),
)
def test_any_grid_is_split_whole_by_shape_within_memory(cells, sizes, rates, batches, seeds, room) -> None:
    runs = grid(cells, sizes, rates, batches, seeds)
    largest = max(stack_bytes(run.model, run.training, EXTENT, 8) for run in runs) / 8
    stacks = split(runs, EXTENT, int(room * largest))
    assert sorted(map(str, (run for stack in stacks for run in stack.runs))) == sorted(map(str, runs))
    for stack in stacks:
        assert len({config.model_dump_json(exclude=MAY_DIFFER) for config in stack.configs}) == 1
        assert stack.size <= room * largest
        assert stack.size == stack_bytes(stack.model, stack.configs[0], EXTENT, len(stack.configs))
        assert len(stack.configs) <= max(64, seeds)
    if room > 64 and seeds <= 8:
        places = {}
        for number, stack in enumerate(stacks):
            for run in stack.runs:
                places.setdefault(run.setting, set()).add(number)
        assert all(len(found) == 1 for found in places.values()), "the seeds of a setting train together"


def test_one_shape_still_makes_work_for_every_core() -> None:
    stacks = split(grid(["gru"], [16], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [32], 8), EXTENT, 10**9)
    assert [len(stack.configs) for stack in stacks] == [16, 16, 16] or len(stacks) >= 4


def test_a_run_that_does_not_fit_is_refused_with_the_size_that_does() -> None:
    run = RunConfig(ModelConfig(cell="lstm", hidden_size=4096), TrainConfig(batch_size=64))
    with pytest.raises(ConfigError) as caught:
        split([run], EXTENT, 100_000_000)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("hidden_size 4096 with batch_size 64 must fit in memory, got")
    size = int(re.findall(r"--hidden-size (\d+)", message)[0])
    assert split([RunConfig(run.model.replace(hidden_size=size), run.training)], EXTENT, 100_000_000)
    with pytest.raises(ConfigError):
        split([RunConfig(run.model.replace(hidden_size=size + 1), run.training)], EXTENT, 100_000_000)


def test_sizes_are_said_as_people_say_them() -> None:
    assert [said(size) for size in (1, 2.4e6, 1.25e9)] == ["1 MB", "2 MB", "1.2 GB"]
