"""The measurement: what it counts, and that both sides do the work."""

import pytest
import torch

from rnnlab.speed import SHAPES, Shape, best_sgemm, measure, measuring


@pytest.mark.parametrize(("cell", "gates"), [("elman", 1), ("gru", 3), ("lstm", 4)])
def test_counts_the_products_of_a_step(cell, gates):
    batch, time, features, hidden = 2, 3, 5, 7
    product = 2 * batch * time * gates * hidden
    # Forward: input and state; backward: the weights' gradients and the state's.
    assert Shape(4, time, batch, features, hidden).flops(cell) == product * (2 * features + 3 * hidden)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_our_step_is_torchs_step(cell, monkeypatch):
    """From the same weights and inputs, five steps end in the same weights."""
    shape = Shape(1, 4, 3, 2, 5)
    layer = measuring.LAYERS[cell](2, 5, batch_first=True)
    monkeypatch.setitem(measuring.LAYERS, cell, lambda *sizes, **options: layer)
    flat = torch.cat([parameter.detach().reshape(-1) for parameter in layer.parameters()]).unsqueeze(0)
    before = flat.clone()
    monkeypatch.setattr("rnnlab.models.model.initialise", lambda layout, seeds: flat)
    torch.manual_seed(1)
    theirs = measuring.torch_road(cell, shape)
    torch.manual_seed(1)
    ours = measuring.our_road(cell, shape)
    for _ in range(5):
        theirs()
        ours()
    after = torch.cat([parameter.detach().reshape(-1) for parameter in layer.parameters()])
    torch.testing.assert_close(flat[0], after, rtol=1e-4, atol=1e-6)
    assert (flat != before).float().mean() > 0.9


def test_says_the_time_of_one_run_of_a_stack():
    found = next(measure(["gru"], [Shape(8, 4, 8, 1, 8)], turns=2))
    assert found.road == "kernel"
    assert found.ratio == pytest.approx(found.torch_ms / found.ours_ms)
    assert found.gflops == pytest.approx(found.shape.flops("gru") / found.ours_ms / 1e6)


def test_the_shapes_hold_single_runs_and_stacks_of_8_and_64():
    assert {shape.runs for shape in SHAPES} == {1, 8, 64}


def test_a_large_product_is_measured():
    assert all(value > 0.1 for value in best_sgemm(1).values())
